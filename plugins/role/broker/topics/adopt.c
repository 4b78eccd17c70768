/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's topics become those of its master. As RocketMQ's SlaveSynchronize.syncTopicConfig. */
#include <errno.h>
#include <stdlib.h>

#include "adopt.h"
#include "topics/private.h"

static struct topic_node *node_of(const struct table_entry *entry)
{
	return TABLE_HOLDER(entry, struct topic_node, entry);
}

static bool is_topic(const struct json_iter *entry)
{
	struct topic_config config;

	return topic_config_read(entry->value, &config, NULL) == 0 && config.name.size &&
	       config.name.size <= TOPIC_NAME_ROOM && config.read_queues >= 0 &&
	       config.read_queues <= TOPIC_QUEUES_MAX && config.write_queues >= 0 &&
	       config.write_queues <= TOPIC_QUEUES_MAX;
}

static int put_config_locked(struct topics *topics, const struct topic_config *config)
{
	struct topic *topic = topics_find_locked(topics, config->name);
	int result = 0;

	if (topic)
		result = topics_change_locked(topics, topic, config);
	else if ((int64_t)topics->table.count >= topics->broker->conf->maxTopics)
		return -ENOSPC;
	else
		topic = topics_add_locked(topics, config);
	if (!topic)
		return -ENOMEM;
	TABLE_HOLDER(topic, struct topic_node, topic)->adoption = topics->adoption;
	return result < 0 ? result : 0;
}

static int put_locked(void *user, const struct json_iter *entry)
{
	struct topics *topics = user;
	struct topic_config config;
	char *attributes = NULL, why[GANTRY_REMARK_MAX];
	int err = topic_config_read(entry->value, &config, &attributes);

	if (!err && topics_check_served(topics, config.attributes, why, sizeof(why)))
		gantry_log(topics->broker->inst, WARNING,
			   "topic %.*s of the master is left out: %s", (int)config.name.size,
			   config.name.at, why);
	else if (!err)
		err = put_config_locked(topics, &config);
	free(attributes);
	return err;
}

static uint64_t turn_of(const struct table_entry *entry)
{
	return node_of(entry)->adoption;
}

static void retire(struct table_entry *entry)
{
	__atomic_store_n(&node_of(entry)->topic.retired, 1, __ATOMIC_RELEASE);
}

int topics_adopt(struct topics *topics, const struct json_doc *pages, uint32_t count, char *why,
		 size_t why_size)
{
	const struct adoption adoption = {
		.user = topics,
		.lock = &topics->lock,
		.table = &topics->table,
		.version = &topics->version,
		.turn = &topics->adoption,
		.file = topics->file,
		.name = "topicConfigTable",
		.of = "topic",
		.full = "too many topics (maxTopics)",
		.failed = "no memory",
		.is_good = is_topic,
		.put = put_locked,
		.turn_of = turn_of,
		.retire = retire,
	};

	return adopt_pages(&adoption, pages, count, why, why_size);
}
