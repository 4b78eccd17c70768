/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets that an operator has set: until a consumer of the group has been told, by its next pull,
 * they stand in for what is committed, and commits are ignored. In memory only, as RocketMQ's
 * resetOffsetTable (ConsumerOffsetManager, 5.5.0); the offset is committed as well. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offsets/private.h"
#include "topics/topics.h"

enum { KEY_ROOM = TOPIC_NAME_ROOM + 512, RESETS_MAX = 1000000 };

struct reset {
	struct table_entry entry; /* key: topic@group@queue */
	int64_t offset;
	uint32_t topic_size, group_size;
	char key[];
};

static bool enabled(const struct offsets *offsets)
{
	return offsets->broker->conf->useServerSideResetOffset &&
	       __atomic_load_n(&offsets->reset_count, __ATOMIC_ACQUIRE);
}

/* 0: names that no reset has. */
static size_t make_key(char *key, struct gantry_str group, struct gantry_str topic, int32_t queue)
{
	int size;

	if (topic.size + group.size + 16 > KEY_ROOM)
		return 0;
	size = snprintf(key, KEY_ROOM, "%.*s@%.*s@%d", (int)topic.size, topic.at, (int)group.size,
			group.at, queue);
	return (size_t)size;
}

static struct reset *find_locked(const struct offsets *offsets, struct gantry_str group,
				 struct gantry_str topic, int32_t queue)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, group, topic, queue);
	struct table_entry *entry = table_find(&offsets->resets, (struct gantry_str){key, size});

	return entry ? TABLE_HOLDER(entry, struct reset, entry) : NULL;
}

static void drop_locked(struct offsets *offsets, struct reset *reset)
{
	table_remove(&offsets->resets, &reset->entry);
	__atomic_sub_fetch(&offsets->reset_count, 1, __ATOMIC_RELEASE);
	free(reset);
}

static int add_locked(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		      int32_t queue, int64_t offset)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, group, topic, queue);
	struct reset *reset;

	if (!size)
		return -EINVAL;
	if (offsets->resets.count >= RESETS_MAX)
		return -ENOSPC;
	reset = malloc(sizeof(*reset) + size);
	if (!reset)
		return -ENOMEM;
	*reset = (struct reset){.offset = offset,
				.topic_size = (uint32_t)topic.size,
				.group_size = (uint32_t)group.size};
	memcpy(reset->key, key, size);
	if (table_insert(&offsets->resets, (struct gantry_str){reset->key, size}, &reset->entry)) {
		free(reset);
		return -ENOMEM;
	}
	__atomic_add_fetch(&offsets->reset_count, 1, __ATOMIC_RELEASE);
	return 0;
}

int offsets_reset(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		  int32_t queue, int64_t offset)
{
	struct reset *reset;
	int err = 0;

	if (queue < 0 || offset < 0)
		return 0;
	pthread_mutex_lock(&offsets->reset_lock);
	reset = find_locked(offsets, group, topic, queue);
	if (reset)
		reset->offset = offset;
	else
		err = add_locked(offsets, group, topic, queue, offset);
	pthread_mutex_unlock(&offsets->reset_lock);
	return err ? err : offsets_commit(offsets, group, topic, queue, offset);
}

int64_t offsets_reset_find(struct offsets *offsets, struct gantry_str group,
			   struct gantry_str topic, int32_t queue)
{
	struct reset *reset;
	int64_t offset;

	if (!enabled(offsets))
		return -1;
	pthread_mutex_lock(&offsets->reset_lock);
	reset = find_locked(offsets, group, topic, queue);
	offset = reset ? reset->offset : -1;
	pthread_mutex_unlock(&offsets->reset_lock);
	return offset;
}

int64_t offsets_reset_take(struct offsets *offsets, struct gantry_str group,
			   struct gantry_str topic, int32_t queue)
{
	struct reset *reset;
	int64_t offset = -1;

	if (!enabled(offsets))
		return -1;
	pthread_mutex_lock(&offsets->reset_lock);
	reset = find_locked(offsets, group, topic, queue);
	if (reset) {
		offset = reset->offset;
		drop_locked(offsets, reset);
	}
	pthread_mutex_unlock(&offsets->reset_lock);
	return offset;
}

static bool names(const struct reset *reset, struct gantry_str name, bool by_group)
{
	const char *at = by_group ? reset->key + reset->topic_size + 1 : reset->key;
	size_t size = by_group ? reset->group_size : reset->topic_size;

	return !name.at || (size == name.size && memcmp(at, name.at, size) == 0);
}

void offsets_reset_forget(struct offsets *offsets, struct gantry_str name, bool by_group)
{
	struct table_entry *next;

	pthread_mutex_lock(&offsets->reset_lock);
	for (struct table_entry *entry = table_next(&offsets->resets, NULL); entry; entry = next) {
		struct reset *reset = TABLE_HOLDER(entry, struct reset, entry);

		next = table_next(&offsets->resets, entry);
		if (names(reset, name, by_group))
			drop_locked(offsets, reset);
	}
	pthread_mutex_unlock(&offsets->reset_lock);
}
