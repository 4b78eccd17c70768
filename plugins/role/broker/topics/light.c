/* SPDX-License-Identifier: Apache-2.0 */
/* Topics of light queues, as RocketMQ's LmqTopicConfigManager 5.5.0 gives them: each has one queue
 * that may be read and written. They are made when somebody asks for them, up to
 * maxLmqConsumeQueueNum; a store with more of them is read all the same. */
#include <string.h>

#include "message/name.h"
#include "topics/private.h"

enum { LIGHT_NAME_MAX = 255 }; /* a folder's */

bool topics_is_light(const struct broker *broker, struct gantry_str name)
{
	return broker->conf->enableLmq && message_topic_is_light(name) &&
	       name.size <= LIGHT_NAME_MAX && !memchr(name.at, '/', name.size) &&
	       !memchr(name.at, 0, name.size);
}

static struct topic *find_locked(const struct topics *topics, struct gantry_str name)
{
	struct table_entry *entry = table_find(&topics->light, name);

	return entry ? &TABLE_HOLDER(entry, struct topic_node, entry)->topic : NULL;
}

static struct topic *make(struct topics *topics, struct gantry_str name)
{
	struct topic_config config;
	struct topic *topic;

	topic_config_init(&config, name);
	config.read_queues = config.write_queues = 1;
	pthread_rwlock_wrlock(&topics->lock);
	topic = find_locked(topics, name);
	if (!topic && (int64_t)topics->light.count < topics->broker->conf->maxLmqConsumeQueueNum)
		topic = topics_add_to_locked(topics, &topics->light, &config);
	pthread_rwlock_unlock(&topics->lock);
	return topic;
}

struct topic *topics_find_light(struct topics *topics, struct gantry_str name)
{
	struct topic *topic;

	pthread_rwlock_rdlock(&topics->lock);
	topic = find_locked(topics, name);
	pthread_rwlock_unlock(&topics->lock);
	return topic ? topic : make(topics, name);
}
