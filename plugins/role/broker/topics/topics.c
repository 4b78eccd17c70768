/* SPDX-License-Identifier: Apache-2.0 */
/* The table of topics. */
#include "topics/topics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "register/register.h"
#include "topics/private.h"

int topics_new(struct broker *broker, struct topics **ret)
{
	struct topics *topics = calloc(1, sizeof(*topics));
	int err;

	if (!topics)
		return -ENOMEM;
	topics->broker = broker;
	topics->version.timestamp = broker_wall_ms();
	pthread_rwlock_init(&topics->lock, NULL);
	pthread_mutex_init(&topics->one_reserves, NULL);
	err = topics_add_builtin(topics);
	if (err) {
		topics_free(topics);
		return err;
	}
	*ret = topics;
	return 0;
}

void topics_free(struct topics *topics)
{
	if (!topics)
		return;
	state_free(topics->file);
	while (topics->all) {
		struct topic_node *node = topics->all;

		topics->all = node->next;
		free(node->topic.attributes);
		free(node);
	}
	table_clear(&topics->table);
	table_clear(&topics->light);
	pthread_mutex_destroy(&topics->one_reserves);
	pthread_rwlock_destroy(&topics->lock);
	free(topics);
}

struct topic *topics_find_locked(struct topics *topics, struct gantry_str name)
{
	struct table_entry *entry = table_find(&topics->table, name);

	return entry ? &TABLE_HOLDER(entry, struct topic_node, entry)->topic : NULL;
}

struct topic *topics_find(struct topics *topics, struct gantry_str name)
{
	struct topic *topic;

	pthread_rwlock_rdlock(&topics->lock);
	topic = topics_find_locked(topics, name);
	pthread_rwlock_unlock(&topics->lock);
	if (!topic && topics_is_light(topics->broker, name))
		topic = topics_find_light(topics, name);
	return topic;
}

void topics_find_many(struct topics *topics, struct topic_wanted *wanted, uint32_t count)
{
	struct table_wanted rows[TOPICS_WANTED];

	for (uint32_t i = 0; i < count; i++)
		rows[i].key = wanted[i].name;
	pthread_rwlock_rdlock(&topics->lock);
	table_find_many(&topics->table, rows, count);
	pthread_rwlock_unlock(&topics->lock);
	for (uint32_t i = 0; i < count; i++)
		wanted[i].topic =
			rows[i].entry
				? &TABLE_HOLDER(rows[i].entry, struct topic_node, entry)->topic
				: NULL;
}

static bool store_int(int32_t *field, int32_t value)
{
	bool differs = __atomic_load_n(field, __ATOMIC_RELAXED) != value;

	__atomic_store_n(field, value, __ATOMIC_RELAXED);
	return differs;
}

static bool store_numbers(struct topic *topic, const struct topic_config *config)
{
	bool differs = store_int(&topic->read_queues, config->read_queues);

	differs |= store_int(&topic->write_queues, config->write_queues);
	differs |= store_int(&topic->perm, config->perm);
	differs |= store_int(&topic->sys_flag, config->sys_flag);
	differs |= store_int(&topic->filter_type, config->filter_type);
	differs |= store_int((int32_t *)&topic->order, config->order != 0);
	return differs;
}

struct topic *topics_add_locked(struct topics *topics, const struct topic_config *config)
{
	return topics_add_to_locked(topics, &topics->table, config);
}

struct topic *topics_add_to_locked(struct topics *topics, struct table *table,
				   const struct topic_config *config)
{
	struct topic_node *node = calloc(1, sizeof(*node) + config->name.size + 1);

	if (!node)
		return NULL;
	memcpy(node->name, config->name.at, config->name.size);
	node->topic.name = (struct gantry_str){node->name, config->name.size};
	node->topic.system = topics_is_system(topics, node->topic.name);
	store_numbers(&node->topic, config);
	if (config->attributes)
		node->topic.attributes = strdup(config->attributes);
	node->topic.batch = topics_is_batch(config->attributes);
	node->topic.compacted = topics_is_compacted(config->attributes);
	if ((config->attributes && !node->topic.attributes) ||
	    table_insert(table, node->topic.name, &node->entry)) {
		free(node->topic.attributes);
		free(node);
		return NULL;
	}
	node->next = topics->all;
	topics->all = node;
	return &node->topic;
}

int topics_change_locked(struct topics *topics, struct topic *topic,
			 const struct topic_config *config)
{
	const char *old = topic->attributes ? topic->attributes : "{}";
	bool differs = strcmp(old, config->attributes ? config->attributes : "{}") != 0;
	char *attributes = NULL;

	(void)topics;
	if (differs) {
		if (config->attributes && !(attributes = strdup(config->attributes)))
			return -ENOMEM;
		free(topic->attributes);
		topic->attributes = attributes;
		__atomic_store_n(&topic->batch, topics_is_batch(attributes), __ATOMIC_RELAXED);
		__atomic_store_n(&topic->compacted, topics_is_compacted(attributes),
				 __ATOMIC_RELAXED);
	}
	return store_numbers(topic, config) | differs;
}

void topics_config_locked(const struct topic *topic, struct topic_config *ret)
{
	*ret = (struct topic_config){
		.name = topic->name,
		.read_queues = topic_read_queues(topic),
		.write_queues = topic_write_queues(topic),
		.perm = topic_perm(topic),
		.sys_flag = topic_sys_flag(topic),
		.filter_type = topic_filter_type(topic),
		.order = topic_order(topic),
		.attributes = topic->attributes,
	};
}

void topics_announce(struct topics *topics, struct topic *const *changed, uint32_t count)
{
	pthread_rwlock_wrlock(&topics->lock);
	data_version_next(&topics->version, broker_wall_ms());
	pthread_rwlock_unlock(&topics->lock);
	if (topics->file)
		state_changed(topics->file);
	registrar_topics_changed(topics->broker, changed, count);
}

void topics_version(struct topics *topics, struct data_version *ret)
{
	pthread_rwlock_rdlock(&topics->lock);
	*ret = topics->version;
	pthread_rwlock_unlock(&topics->lock);
}

uint32_t topics_count(struct topics *topics)
{
	uint32_t count;

	pthread_rwlock_rdlock(&topics->lock);
	count = (uint32_t)topics->table.count;
	pthread_rwlock_unlock(&topics->lock);
	return count;
}

/* Why no topic of that name can be made; 0: it can. With the lock held. */
static int refuse(const struct topics *topics, struct gantry_str name)
{
	if (topics->reserved.size && str_equal(topics->reserved, name))
		return -EBUSY;
	return (int64_t)topics->table.count >= topics->broker->conf->maxTopics ? -ENOSPC : 0;
}

bool topics_reserve(struct topics *topics, struct gantry_str name)
{
	bool found;

	pthread_mutex_lock(&topics->one_reserves);
	pthread_rwlock_wrlock(&topics->lock);
	found = topics_find_locked(topics, name);
	if (!found)
		topics->reserved = name;
	pthread_rwlock_unlock(&topics->lock);
	if (found)
		pthread_mutex_unlock(&topics->one_reserves);
	return !found;
}

void topics_release(struct topics *topics)
{
	pthread_rwlock_wrlock(&topics->lock);
	topics->reserved = (struct gantry_str){NULL, 0};
	pthread_rwlock_unlock(&topics->lock);
	pthread_mutex_unlock(&topics->one_reserves);
}

int topics_ensure(struct broker *broker, const struct topic_config *config, struct topic **ret)
{
	struct topics *topics = broker->topics;
	struct topic *topic = topics_find(topics, config->name);
	int err = 0;
	bool made = false;

	if (topic) {
		*ret = topic;
		return 0;
	}
	pthread_rwlock_wrlock(&topics->lock);
	topic = topics_find_locked(topics, config->name);
	err = topic ? 0 : refuse(topics, config->name);
	if (!topic && !err) {
		topic = topics_add_locked(topics, config);
		made = topic != NULL;
		err = topic ? 0 : -ENOMEM;
		/* before another thread can find it: who then settles waits for the file */
		if (made && topics->file)
			state_changed(topics->file);
	}
	pthread_rwlock_unlock(&topics->lock);
	if (made) {
		gantry_log(broker->inst, INFO, "new topic %s: %d queues, perm %d", topic->name.at,
			   config->write_queues, config->perm);
		topics_announce(topics, &topic, 1);
	}
	if (!err)
		*ret = topic;
	return err;
}

int topics_put(struct topics *topics, const struct topic_config *config, struct topic **ret)
{
	struct topic *topic;
	int result, err;

	if (topics_is_light(topics->broker, config->name)) {
		topic = topics_find(topics, config->name);
		if (topic && ret)
			*ret = topic;
		return topic ? 0 : -ENOSPC;
	}
	pthread_rwlock_wrlock(&topics->lock);
	topic = topics_find_locked(topics, config->name);
	err = topic ? 0 : refuse(topics, config->name);
	if (topic) {
		result = topics_change_locked(topics, topic, config);
	} else if (err) {
		result = err;
	} else {
		topic = topics_add_locked(topics, config);
		result = topic ? 1 : -ENOMEM;
	}
	pthread_rwlock_unlock(&topics->lock);
	if (result > 0)
		topics_announce(topics, &topic, 1);
	if (result >= 0 && ret)
		*ret = topic;
	return result;
}

void topics_set_order(struct topics *topics, struct topic *topic, bool order)
{
	__atomic_store_n(&topic->order, order, __ATOMIC_RELAXED);
	topics_announce(topics, &topic, 1);
}

int topics_delete(struct topics *topics, struct gantry_str name)
{
	struct topic *topic;

	pthread_rwlock_wrlock(&topics->lock);
	topic = topics_find_locked(topics, name);
	if (topic) {
		struct topic_node *node = TABLE_HOLDER(topic, struct topic_node, topic);

		table_remove(&topics->table, &node->entry);
		__atomic_store_n(&topic->retired, 1, __ATOMIC_RELEASE);
	}
	pthread_rwlock_unlock(&topics->lock);
	if (!topic)
		return -ENOENT;
	topics_announce(topics, NULL, 0);
	return 0;
}

void topics_each(struct topics *topics, void (*each)(struct topic *topic, void *user), void *user)
{
	pthread_rwlock_rdlock(&topics->lock);
	for (struct table_entry *entry = table_next(&topics->table, NULL); entry;
	     entry = table_next(&topics->table, entry))
		each(&TABLE_HOLDER(entry, struct topic_node, entry)->topic, user);
	pthread_rwlock_unlock(&topics->lock);
}
