/* SPDX-License-Identifier: Apache-2.0 */
/* Several groups' offsets of one topic: copied from one to another, and compared. */
#include "offsets/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/properties.h"
#include "offsets/private.h"

enum { KEY_ROOM = 1024 };

static struct gantry_str topic_of(const struct offset_node *node)
{
	return (struct gantry_str){node->key, node->topic_size};
}

static struct gantry_str group_of(const struct offset_node *node)
{
	size_t skip = (size_t)node->topic_size + 1;

	return (struct gantry_str){node->key + skip, node->entry.key.size - skip};
}

static bool equal(struct gantry_str a, struct gantry_str b)
{
	return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

static struct offset_node *find_locked(struct offsets *offsets, struct gantry_str group,
				       struct gantry_str topic)
{
	struct table_entry *entry;
	char key[KEY_ROOM];

	if (!topic.size || topic.size + group.size + 1 > sizeof(key))
		return NULL;
	memcpy(key, topic.at, topic.size);
	key[topic.size] = '@';
	if (group.size)
		memcpy(key + topic.size + 1, group.at, group.size);
	entry = table_find(&offsets->table, (struct gantry_str){key, topic.size + 1 + group.size});
	return entry ? TABLE_HOLDER(entry, struct offset_node, entry) : NULL;
}

/* A copy of what a group has committed in a topic's queues; -ENOENT. */
static int copy_slots(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		      int64_t **ret, uint32_t *ret_count)
{
	struct offset_node *node;
	int64_t *copy = NULL;

	pthread_rwlock_rdlock(&offsets->lock);
	node = find_locked(offsets, group, topic);
	if (node)
		copy = malloc(node->slot_count * sizeof(*copy) + 1);
	for (uint32_t i = 0; copy && i < node->slot_count; i++)
		copy[i] = __atomic_load_n(&node->slots[i].committed, __ATOMIC_RELAXED);
	if (copy) {
		*ret = copy;
		*ret_count = node->slot_count;
	}
	pthread_rwlock_unlock(&offsets->lock);
	if (copy)
		return 0;
	return node ? -ENOMEM : -ENOENT;
}

static bool any_committed(const int64_t *copy, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (copy[i] >= 0)
			return true;
	return false;
}

/* What the group has committed in queues where the copy has nothing. */
static void forget_others(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
			  const int64_t *copy, uint32_t count)
{
	struct offset_node *node;

	pthread_rwlock_rdlock(&offsets->lock);
	node = find_locked(offsets, group, topic);
	for (uint32_t i = 0; node && i < node->slot_count; i++)
		if (i >= count || copy[i] < 0)
			__atomic_store_n(&node->slots[i].committed, -1, __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&offsets->lock);
}

int offsets_clone(struct offsets *offsets, struct gantry_str from, struct gantry_str to,
		  struct gantry_str topic)
{
	int64_t *copy = NULL;
	uint32_t count = 0;
	int err = copy_slots(offsets, from, topic, &copy, &count);

	if (!err && any_committed(copy, count))
		forget_others(offsets, to, topic, copy, count);
	for (uint32_t i = 0; !err && i < count; i++)
		if (copy[i] >= 0)
			err = offsets_commit(offsets, to, topic, (int32_t)i, copy[i]);
	free(copy);
	return err == -ENOENT ? 0 : err;
}

/* ---- the least of all groups */

static bool is_listed(struct gantry_str group, struct gantry_str list)
{
	struct gantry_str one;

	while (message_list_next(&list, &one))
		if (equal(one, group))
			return true;
	return false;
}

static int grow(struct offsets_least *least, uint32_t count)
{
	int64_t *more;

	if (count <= least->count)
		return 0;
	more = realloc(least->at, count * sizeof(*more));
	if (!more)
		return -ENOMEM;
	for (uint32_t i = least->count; i < count; i++)
		more[i] = -1;
	least->at = more;
	least->count = count;
	return 0;
}

static int add_node(struct offsets_least *least, const struct offset_node *node,
		    const int64_t *mins, uint32_t min_count)
{
	if (grow(least, node->slot_count))
		return -ENOMEM;
	for (uint32_t i = 0; i < node->slot_count; i++) {
		int64_t offset = __atomic_load_n(&node->slots[i].committed, __ATOMIC_RELAXED);

		if (offset < 0 || (i < min_count && offset < mins[i]))
			continue;
		if (least->at[i] < 0 || offset < least->at[i])
			least->at[i] = offset;
	}
	return 0;
}

int offsets_least_of(struct offsets *offsets, struct gantry_str topic, struct gantry_str but,
		     const int64_t *mins, uint32_t min_count, struct offsets_least *ret)
{
	struct offsets_least least = {NULL, 0};
	int err = 0;

	pthread_rwlock_rdlock(&offsets->lock);
	for (struct table_entry *entry = table_next(&offsets->table, NULL); !err && entry;
	     entry = table_next(&offsets->table, entry)) {
		struct offset_node *node = TABLE_HOLDER(entry, struct offset_node, entry);

		if (equal(topic_of(node), topic) && !is_listed(group_of(node), but))
			err = add_node(&least, node, mins, min_count);
	}
	pthread_rwlock_unlock(&offsets->lock);
	if (err)
		free(least.at);
	else
		*ret = least;
	return err;
}

int offsets_compare(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		    struct offsets_least *least)
{
	int64_t *own = NULL;
	uint32_t count = 0;
	int err = copy_slots(offsets, group, topic, &own, &count);

	if (err == -ENOENT)
		return 0;
	for (uint32_t i = 0; !err && i < count; i++) {
		if (own[i] < 0)
			continue;
		if (i >= least->count || least->at[i] < 0)
			err = -ENODATA;
		else if (least->at[i] > own[i])
			least->at[i] = INT64_MAX;
	}
	free(own);
	return err;
}
