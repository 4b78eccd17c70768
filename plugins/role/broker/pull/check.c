/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked of a pull before its subscription: broker, group, topic, queue. Texts and
 * ForbiddenTypes are RocketMQ's. */
#include <arpa/inet.h>
#include <stdio.h>

#include "call/fields.h"
#include "pull/private.h"

enum { FORBIDDEN_BROKER = 1, FORBIDDEN_GROUP = 2, FORBIDDEN_TOPIC = 3 };

#define MORE "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."

/* As RocketMQ's rejectRequest(), before anything of the request is looked at. */
int pull_check_slave(struct pull_context *context)
{
	const struct broker *broker = context->puller->broker;

	if (broker->conf->slaveReadEnable || !broker_is_slave(broker))
		return 0;
	return pull_refuse(context, GANTRY_SYSTEM_BUSY, 0,
			   "[REJECTREQUEST]system busy, start flow control for a while");
}

int pull_check_broker(struct pull_context *context)
{
	const struct broker *broker = context->puller->broker;

	if (broker_may(broker, PERM_READ))
		return 0;
	return pull_refuse(context, GANTRY_NO_PERMISSION, FORBIDDEN_BROKER,
			   "the broker[%s] pulling message is forbidden", broker->ip1);
}

int pull_check_lite(struct pull_context *context)
{
	const struct broker *broker = context->puller->broker;

	if (!(context->pull->flags & GANTRY_PULL_LITE) || broker->conf->litePullMessageEnable)
		return 0;
	return pull_refuse(context, GANTRY_NO_PERMISSION, FORBIDDEN_BROKER,
			   "the broker[%s] for lite pull consumer is forbidden", broker->ip1);
}

int pull_find_group(struct pull_context *context)
{
	struct gantry_str name = context->pull->group;

	context->group = groups_find(context->puller->broker, name);
	if (!context->group)
		return pull_refuse(context, GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST, 0,
				   "subscription group [%.*s] does not exist, " MORE,
				   STR_ARGS(name));
	if (!GROUP_READ(context->group, consume_enable))
		return pull_refuse(context, GANTRY_NO_PERMISSION, FORBIDDEN_GROUP,
				   "subscription group no permission, %.*s", STR_ARGS(name));
	return 0;
}

int pull_find_topic(struct pull_context *context)
{
	struct gantry_str name = context->pull->topic;

	context->topic = topics_find(context->puller->broker->topics, name);
	if (!context->topic)
		return pull_refuse(context, GANTRY_TOPIC_NOT_EXIST, 0,
				   "topic[%.*s] not exist, apply first please! " MORE,
				   STR_ARGS(name));
	if (!(topic_perm(context->topic) & PERM_READ))
		return pull_refuse(context, GANTRY_NO_PERMISSION, FORBIDDEN_TOPIC,
				   "the topic[%.*s] pulling message is forbidden", STR_ARGS(name));
	return 0;
}

static int refuse_queue(struct pull_context *context, int32_t queues)
{
	const struct gantry_address *peer = &context->pull->session->peer;
	char ip[INET6_ADDRSTRLEN] = "";

	inet_ntop(peer->ip_size == 16 ? AF_INET6 : AF_INET, peer->ip, ip, sizeof(ip));
	return pull_refuse(context, GANTRY_INVALID_PARAMETER, 0,
			   "queueId[%d] is illegal, topic:[%.*s] topicConfig.readQueueNums:[%d] "
			   "consumer:[/%s:%u]",
			   context->pull->queue, STR_ARGS(context->pull->topic), queues, ip,
			   peer->port);
}

int pull_check_queue(struct pull_context *context)
{
	int32_t id = context->pull->queue, queues = topic_read_queues(context->topic);

	if (id < 0 || id >= queues)
		return refuse_queue(context, queues);
	context->queue = store_queue(context->puller->broker->store, context->topic, id);
	if (!context->queue)
		return pull_refuse(context, GANTRY_SYSTEM_ERROR, 0, "no memory for queue %d", id);
	return 0;
}
