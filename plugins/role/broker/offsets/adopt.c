/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's consumer offsets become those of its master, but for what its own clients have
 * committed beyond them. As RocketMQ's SlaveSynchronize.syncConsumerOffset: what the master does
 * not have stays. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "offsets/private.h"

/* topic@group; where its topic ends. 0: it is none. */
static size_t topic_size(struct gantry_str key)
{
	const char *at = key.size ? memchr(key.at, '@', key.size) : NULL;

	return at ? (size_t)(at - key.at) : 0;
}

struct taking {
	struct offsets *offsets;
	const struct offsets_choice *choice;
	bool changed;
};

static int take_offset_locked(struct taking *taking, struct gantry_str key, int32_t queue,
			      int64_t theirs)
{
	struct offsets *offsets = taking->offsets;
	const struct offsets_choice *choice = taking->choice;
	struct offset_slot *slot;
	int64_t ours;
	int err;

	err = offsets_slot_locked(offsets, key, topic_size(key), queue, &slot);
	if (err)
		return err;
	ours = __atomic_load_n(&slot->committed, __ATOMIC_RELAXED);
	if (ours >= 0)
		theirs = choice->choose(choice->user, key, queue, ours, theirs);
	if (ours != theirs) {
		__atomic_store_n(&slot->committed, theirs, __ATOMIC_RELAXED);
		taking->changed = true;
	}
	return 0;
}

static int take_queue_locked(struct taking *taking, struct gantry_str key, struct json_iter *it)
{
	int64_t queue, theirs;

	if (json_int64(it->key, &queue) || json_int64(it->value, &theirs) || queue < 0 ||
	    queue > INT32_MAX)
		return -EINVAL;
	return take_offset_locked(taking, key, (int32_t)queue, theirs);
}

/* Those of light groups, which have one of a topic; RocketMQ's slaves leave them out. */
static int take_light_locked(struct taking *taking, struct json_value table)
{
	struct json_iter it = json_iter(table);
	struct gantry_str key;
	int64_t theirs;
	int err = 0;

	while (!err && json_next(&it)) {
		if (!json_plain(it.key, &key) || !topic_size(key) || key.size > OFFSET_KEY_MAX ||
		    json_int64(it.value, &theirs))
			return -EINVAL;
		err = take_offset_locked(taking, key, 0, theirs);
	}
	return err;
}

static int take_all_locked(struct taking *taking, struct json_value table)
{
	struct json_iter it = json_iter(table);
	struct gantry_str key;
	int err = 0;

	while (!err && json_next(&it)) {
		struct json_iter queues = json_iter(it.value);

		if (!json_plain(it.key, &key) || !topic_size(key) || key.size > OFFSET_KEY_MAX)
			return -EINVAL;
		while (!err && json_next(&queues))
			err = take_queue_locked(taking, key, &queues);
	}
	return err;
}

/* The version is told with the commits since then added. */
static void adopt_version_locked(struct offsets *offsets, struct json_value object)
{
	uint64_t commits = __atomic_load_n(&offsets->commits, __ATOMIC_RELAXED);
	uint64_t step = (uint64_t)offsets->broker->conf->consumerOffsetUpdateVersionStep;

	offsets->version = data_version_read(object);
	offsets->version.counter -= (int64_t)(commits / step);
}

int offsets_adopt(struct offsets *offsets, const struct json_doc *page,
		  const struct offsets_choice *choice, char *why, size_t why_size)
{
	struct json_value table = json_get(json_root(page), "offsetTable");
	struct json_value light = json_get(json_root(page), "lmqOffsetTable");
	struct taking taking = {.offsets = offsets, .choice = choice};
	int err = -EINVAL;

	if (json_is(table, JSON_OBJECT)) {
		pthread_rwlock_wrlock(&offsets->lock);
		err = take_all_locked(&taking, table);
		if (!err && offsets->broker->conf->enableLmq && json_is(light, JSON_OBJECT))
			err = take_light_locked(&taking, light);
		if (taking.changed)
			__atomic_fetch_add(&offsets->commits, 1, __ATOMIC_RELAXED);
		if (!err)
			adopt_version_locked(offsets, json_get(json_root(page), "dataVersion"));
		pthread_rwlock_unlock(&offsets->lock);
	}
	if (err)
		snprintf(why, why_size, "%s",
			 err == -EINVAL   ? "offsetTable is none of topics, groups and offsets"
			 : err == -ENOSPC ? "too many offsets (maxOffsets)"
					  : "no memory");
	return err;
}
