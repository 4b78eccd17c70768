/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's topics become those of its master. As RocketMQ's SlaveSynchronize.syncTopicConfig, but
 * what is the same stays untouched, so that no topic is away for a moment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "topics_private.h"

static struct json_value table_of(const struct json_doc *page)
{
	return json_get(json_root(page), "topicConfigTable");
}

/* All or nothing: one entry that is no topic refuses the table. */
static int check_page(const struct json_doc *page, char *why, size_t why_size)
{
	struct json_value table = table_of(page);
	struct json_iter it = json_iter(table);
	struct topic_config config;

	if (!json_is(table, JSON_OBJECT)) {
		snprintf(why, why_size, "it has no topicConfigTable");
		return -EINVAL;
	}
	while (json_next(&it)) {
		int err = topic_config_read(it.value, &config, NULL);

		if (!err && config.name.size && config.name.size <= TOPIC_NAME_ROOM &&
		    config.read_queues >= 0 && config.read_queues <= TOPIC_QUEUES_MAX &&
		    config.write_queues >= 0 && config.write_queues <= TOPIC_QUEUES_MAX)
			continue;
		snprintf(why, why_size, "entry %u of topicConfigTable is no topic", it.value.node);
		return -EINVAL;
	}
	return 0;
}

/* 1: it differed; 0: it did not. */
static int put_locked(struct topics *topics, const struct topic_config *config)
{
	struct topic *topic = topics_find_locked(topics, config->name);
	int result = 1;

	if (topic)
		result = topics_change_locked(topics, topic, config);
	else if ((int64_t)topics->table.count >= topics->broker->conf->maxTopics)
		return -ENOSPC;
	else
		topic = topics_add_locked(topics, config);
	if (!topic)
		return -ENOMEM;
	TABLE_HOLDER(topic, struct topic_node, topic)->adoption = topics->adoption;
	return result;
}

static int put_page_locked(struct topics *topics, const struct json_doc *page)
{
	struct json_iter it = json_iter(table_of(page));
	struct topic_config config;
	int result = 0;

	while (result >= 0 && json_next(&it)) {
		char *attributes = NULL, why[GANTRY_REMARK_MAX];

		result = topic_config_read(it.value, &config, &attributes);
		if (!result && topics_check_served(topics, config.attributes, why, sizeof(why)))
			gantry_log(topics->broker->inst, WARNING,
				   "topic %.*s of the master is left out: %s",
				   (int)config.name.size, config.name.at, why);
		else if (!result)
			result = put_locked(topics, &config);
		free(attributes);
	}
	return result < 0 ? result : 0;
}

static void drop_others_locked(struct topics *topics)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&topics->table, NULL); entry; entry = next) {
		struct topic_node *node = TABLE_HOLDER(entry, struct topic_node, entry);

		next = table_next(&topics->table, entry);
		if (node->adoption == topics->adoption)
			continue;
		table_remove(&topics->table, entry);
		__atomic_store_n(&node->topic.retired, 1, __ATOMIC_RELEASE);
	}
}

int topics_adopt(struct topics *topics, const struct json_doc *pages, uint32_t count, char *why,
		 size_t why_size)
{
	struct data_version version =
		data_version_read(json_get(json_root(&pages[count - 1]), "dataVersion"));
	bool same;
	int err = 0;

	for (uint32_t i = 0; !err && i < count; i++)
		err = check_page(&pages[i], why, why_size);
	if (err)
		return err;
	pthread_rwlock_wrlock(&topics->lock);
	same = data_version_equal(&topics->version, &version);
	topics->adoption++;
	for (uint32_t i = 0; !same && !err && i < count; i++)
		err = put_page_locked(topics, &pages[i]);
	if (!same && !err) {
		drop_others_locked(topics);
		topics->version = version;
	}
	pthread_rwlock_unlock(&topics->lock);
	if (err)
		snprintf(why, why_size, "%s",
			 err == -ENOSPC ? "too many topics (maxTopics)" : "no memory");
	else if (!same && topics->file)
		state_changed(topics->file);
	return err;
}
