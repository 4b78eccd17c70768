/* SPDX-License-Identifier: Apache-2.0 */
/* How a send to an unknown topic makes it (RocketMQ's createTopicInSendMessageMethod, then the
 * retry topic of a group). */
#include <errno.h>

#include "call/fields.h"
#include "message/name.h"
#include "topics/topics.h"
#include "topics/private.h"

/* What the default topic bequeaths; false: it is not there or may not be inherited from. */
static bool inherit(struct broker *broker, const struct gantry_send *send,
		    struct topic_config *config)
{
	struct topic *from = topics_find(broker->topics, send->default_topic);
	int32_t perm, queues;

	if (!from)
		return false;
	perm = topic_perm(from);
	if (str_is(send->default_topic, "TBW102") &&
	    !__atomic_load_n(&broker->live.auto_create_topic, __ATOMIC_RELAXED)) {
		/* It was kept in topics.json from times when creation was allowed. */
		perm = PERM_READ | PERM_WRITE;
		__atomic_store_n(&from->perm, perm, __ATOMIC_RELAXED);
	}
	if (!(perm & PERM_INHERIT))
		return false;
	queues = topic_write_queues(from);
	if (send->default_queues < queues)
		queues = send->default_queues;
	config->read_queues = config->write_queues = queues < 0 ? 0 : queues;
	config->perm = perm & ~PERM_INHERIT;
	config->filter_type = topic_filter_type(from);
	return true;
}

int topics_create_on_send(struct broker *broker, const struct gantry_send *send, struct topic **ret)
{
	struct topic_config config;
	struct topic *topic = topics_find(broker->topics, send->topic);

	if (topic) {
		*ret = topic;
		return 0;
	}
	if (broker_is_slave(broker))
		return -ENOENT; /* its topics are its master's */
	topic_config_init(&config, send->topic);
	if (!inherit(broker, send, &config)) {
		if (!message_topic_is_retry(send->topic))
			return -ENOENT;
		config.read_queues = config.write_queues = 1;
	}
	if (send->flags & GANTRY_SEND_UNIT)
		config.sys_flag = message_topic_is_retry(send->topic) ? TOPIC_UNIT_SUB : TOPIC_UNIT;
	return topics_ensure(broker, &config, ret);
}
