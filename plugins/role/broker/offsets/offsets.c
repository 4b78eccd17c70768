/* SPDX-License-Identifier: Apache-2.0 */
/* The table of offsets. Known slots are read and written under the read lock, as atomics; only a
 * new topic, group or queue takes the write lock. */
#include "offsets/offsets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "offsets/private.h"

enum { KEY_ROOM = OFFSET_KEY_MAX, QUEUES_MAX = 65536, SLOTS_STEP = 8 };

int offsets_new(struct broker *broker, struct offsets **ret)
{
	struct offsets *offsets = calloc(1, sizeof(*offsets));

	if (!offsets)
		return -ENOMEM;
	offsets->broker = broker;
	offsets->state.changes = &offsets->commits;
	offsets->version.timestamp = broker_wall_ms();
	pthread_rwlock_init(&offsets->lock, NULL);
	pthread_mutex_init(&offsets->reset_lock, NULL);
	*ret = offsets;
	return 0;
}

static void free_node(struct offset_node *node)
{
	free(node->slots);
	free(node);
}

void offsets_free(struct offsets *offsets)
{
	struct table_entry *next;

	if (!offsets)
		return;
	state_free(offsets->state.file);
	for (struct table_entry *entry = table_next(&offsets->table, NULL); entry; entry = next) {
		next = table_next(&offsets->table, entry);
		free_node(TABLE_HOLDER(entry, struct offset_node, entry));
	}
	table_clear(&offsets->table);
	pthread_rwlock_destroy(&offsets->lock);
	offsets_reset_forget(offsets, (struct gantry_str){NULL, 0}, false);
	table_clear(&offsets->resets);
	pthread_mutex_destroy(&offsets->reset_lock);
	free(offsets);
}

/* A light group has one offset of a topic, whatever the queue (RocketMQ's
 * LmqConsumerOffsetManager).
 */
static int32_t slot_for(const struct offsets *offsets, struct gantry_str group, int32_t queue)
{
	return topics_is_light(offsets->broker, group) ? 0 : queue;
}

/* topic@group; 0: names that no valid request carries. */
static size_t make_key(char *key, struct gantry_str group, struct gantry_str topic)
{
	if (topic.size > TOPIC_NAME_ROOM || group.size > GROUP_NAME_MAX)
		return 0;
	if (topic.size)
		memcpy(key, topic.at, topic.size);
	key[topic.size] = '@';
	if (group.size)
		memcpy(key + topic.size + 1, group.at, group.size);
	return topic.size + 1 + group.size;
}

/* With the lock held. NULL: unknown. */
static struct offset_slot *find_slot(const struct offsets *offsets, const char *key, size_t size,
				     int32_t queue)
{
	struct table_entry *entry = table_find(&offsets->table, (struct gantry_str){key, size});
	struct offset_node *node;

	if (!entry || queue < 0)
		return NULL;
	node = TABLE_HOLDER(entry, struct offset_node, entry);
	return (uint32_t)queue < node->slot_count ? &node->slots[queue] : NULL;
}

static struct offset_node *add_node(struct offsets *offsets, struct gantry_str key,
				    size_t topic_size)
{
	struct offset_node *node = calloc(1, sizeof(*node) + key.size);

	if (!node)
		return NULL;
	memcpy(node->key, key.at, key.size);
	node->topic_size = (uint32_t)topic_size;
	if (table_insert(&offsets->table, (struct gantry_str){node->key, key.size}, &node->entry)) {
		free(node);
		return NULL;
	}
	return node;
}

static int grow(struct offsets *offsets, struct offset_node *node, uint32_t count)
{
	uint64_t more = count - node->slot_count;
	struct offset_slot *slots;

	if (offsets->slot_total + more > (uint64_t)offsets->broker->conf->maxOffsets)
		return -ENOSPC;
	slots = realloc(node->slots, count * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = node->slot_count; i < count; i++)
		slots[i] = (struct offset_slot){-1, -1};
	node->slots = slots;
	node->slot_count = count;
	offsets->slot_total += more;
	return 0;
}

int offsets_slot_locked(struct offsets *offsets, struct gantry_str key, size_t topic_size,
			int32_t queue, struct offset_slot **ret)
{
	struct table_entry *entry = table_find(&offsets->table, key);
	struct offset_node *node;

	if (queue < 0 || queue >= QUEUES_MAX || !key.size)
		return -EINVAL;
	node = entry ? TABLE_HOLDER(entry, struct offset_node, entry)
		     : add_node(offsets, key, topic_size);
	if (!node)
		return -ENOMEM;
	if ((uint32_t)queue >= node->slot_count) {
		uint32_t count = ((uint32_t)queue / SLOTS_STEP + 1) * SLOTS_STEP;
		int err = grow(offsets, node, count);

		if (err)
			return err;
	}
	*ret = &node->slots[queue];
	return 0;
}

static int64_t load(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		    int32_t queue, bool pulled)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, group, topic);
	struct offset_slot *slot;
	int64_t value = -1;

	queue = slot_for(offsets, group, queue);
	pthread_rwlock_rdlock(&offsets->lock);
	slot = find_slot(offsets, key, size, queue);
	if (slot)
		value = __atomic_load_n(pulled ? &slot->pulled : &slot->committed,
					__ATOMIC_RELAXED);
	pthread_rwlock_unlock(&offsets->lock);
	return value;
}

static int store(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		 int32_t queue, bool pulled, int64_t offset)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, group, topic);
	struct offset_slot *slot;
	int err = 0;

	queue = slot_for(offsets, group, queue);
	pthread_rwlock_rdlock(&offsets->lock);
	slot = find_slot(offsets, key, size, queue);
	if (slot)
		__atomic_store_n(pulled ? &slot->pulled : &slot->committed, offset,
				 __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&offsets->lock);
	if (slot)
		return 0;
	pthread_rwlock_wrlock(&offsets->lock);
	err = offsets_slot_locked(offsets, (struct gantry_str){key, size}, topic.size, queue,
				  &slot);
	if (!err)
		__atomic_store_n(pulled ? &slot->pulled : &slot->committed, offset,
				 __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&offsets->lock);
	return err;
}

int64_t offsets_get(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		    int32_t queue)
{
	int64_t reset = offsets_reset_find(offsets, group, topic, queue);

	return reset >= 0 ? reset : load(offsets, group, topic, queue, false);
}

int offsets_commit(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		   int32_t queue, int64_t offset)
{
	int err = store(offsets, group, topic, queue, false, offset);

	if (!err)
		__atomic_fetch_add(&offsets->commits, 1, __ATOMIC_RELAXED);
	return err;
}

int64_t offsets_pulled(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		       int32_t queue)
{
	return load(offsets, group, topic, queue, true);
}

int offsets_commit_pull(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
			int32_t queue, int64_t offset)
{
	return store(offsets, group, topic, queue, true, offset);
}

/* Removes what belongs to a topic (or, if by_group, to a group). */
static void forget(struct offsets *offsets, struct gantry_str name, bool by_group)
{
	struct table_entry *next;

	pthread_rwlock_wrlock(&offsets->lock);
	for (struct table_entry *entry = table_next(&offsets->table, NULL); entry; entry = next) {
		struct offset_node *node = TABLE_HOLDER(entry, struct offset_node, entry);
		size_t skip = by_group ? node->topic_size + 1 : 0;
		size_t size = by_group ? entry->key.size - skip : node->topic_size;

		next = table_next(&offsets->table, entry);
		if (size != name.size || memcmp(node->key + skip, name.at, size) != 0)
			continue;
		table_remove(&offsets->table, entry);
		offsets->slot_total -= node->slot_count;
		free_node(node);
	}
	pthread_rwlock_unlock(&offsets->lock);
	__atomic_fetch_add(&offsets->commits, 1, __ATOMIC_RELAXED);
}

void offsets_forget_topic(struct offsets *offsets, struct gantry_str topic)
{
	forget(offsets, topic, false);
	offsets_reset_forget(offsets, topic, false);
}

void offsets_forget_group(struct offsets *offsets, struct gantry_str group)
{
	forget(offsets, group, true);
	offsets_reset_forget(offsets, group, true);
}
