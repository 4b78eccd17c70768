/* SPDX-License-Identifier: Apache-2.0 */
/* Which groups have offsets of which topics, as RocketMQ's ConsumerOffsetManager tells it. */
#include <string.h>

#include "call/fields.h"
#include "table/name_set.h"
#include "offsets/private.h"

/* A pull alone leaves where it was, and no offset. */
static bool is_committed(const struct offset_node *node)
{
	for (uint32_t i = 0; i < node->slot_count; i++)
		if (__atomic_load_n(&node->slots[i].committed, __ATOMIC_RELAXED) >= 0)
			return true;
	return false;
}

static void collect(struct offsets *offsets, struct gantry_str name, bool by_group,
		    struct name_set *ret)
{
	pthread_rwlock_rdlock(&offsets->lock);
	for (struct table_entry *entry = table_next(&offsets->table, NULL); entry;
	     entry = table_next(&offsets->table, entry)) {
		const struct offset_node *node = TABLE_HOLDER(entry, struct offset_node, entry);
		size_t cut = node->topic_size + 1;
		struct gantry_str topic = {node->key, node->topic_size};
		struct gantry_str group = {node->key + cut, entry->key.size - cut};

		if (memchr(group.at, '@', group.size)) /* topic@group@broadcast: see broadcast/ */
			continue;
		if (str_equal(by_group ? group : topic, name) && is_committed(node))
			name_set_add(ret, by_group ? topic : group);
	}
	pthread_rwlock_unlock(&offsets->lock);
}

void offsets_topics_of(struct offsets *offsets, struct gantry_str group, struct name_set *ret)
{
	collect(offsets, group, true, ret);
}

void offsets_groups_of(struct offsets *offsets, struct gantry_str topic, struct name_set *ret)
{
	collect(offsets, topic, false, ret);
}
