/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that a consumer could not consume and sends back itself, to the retry topic of its
 * group: after too many tries they go to the group's dead letter queue. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call/fields.h"
#include "balance/locks.h"
#include "message/name.h"
#include "send/private.h"

enum { VERSION_3_4_9 = 121, DLQ_QUEUES = 1 };

/* How often the group lets a message be tried. */
static int32_t max_tries(const struct gantry_send *send, const struct group *group)
{
	if (send->client_version >= VERSION_3_4_9 && send->max_reconsume_times >= 0)
		return send->max_reconsume_times;
	return GROUP_READ(group, retry_max_times);
}

static int go_to_dead_letters(struct send_call *call, struct send_context *context,
			      const struct group *group)
{
	char name[sizeof(MESSAGE_DLQ_PREFIX) + GROUP_NAME_MAX];
	struct topic_config config;
	int size =
		snprintf(name, sizeof(name), "%s%.*s", MESSAGE_DLQ_PREFIX, STR_ARGS(group->name));
	int status;

	topic_config_init(&config, (struct gantry_str){name, (size_t)size});
	config.read_queues = config.write_queues = DLQ_QUEUES;
	status = topics_ensure(call->sender->broker, &config, &context->topic);
	if (status)
		return send_refuse(context, GANTRY_SYSTEM_ERROR, "topic[%s] not exist", name);
	context->queue = 0;
	context->dead = true;
	return 0;
}

int send_check_retry(struct send_call *call, struct send_context *context)
{
	struct gantry_send *send = context->send;
	size_t prefix = sizeof(MESSAGE_RETRY_PREFIX) - 1;
	struct gantry_str name;
	struct group *group;

	if (!message_topic_is_retry(send->topic))
		return 0;
	name = (struct gantry_str){send->topic.at + prefix, send->topic.size - prefix};
	group = groups_find(call->sender->broker, name);
	if (!group)
		return send_refuse(
			context, GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST,
			"subscription group not exist, %.*s \nSee "
			"https://rocketmq.apache.org/docs/bestPractice/06FAQ for further "
			"details.",
			STR_ARGS(name));
	/* whoever consumes in order has tried often enough when it sends back */
	if (send->reconsume_times > max_tries(send, group) ||
	    locks_held(call->sender->broker->locks, name, gantry_clock_ms()))
		return go_to_dead_letters(call, context, group);
	return 0;
}
