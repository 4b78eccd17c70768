/* SPDX-License-Identifier: Apache-2.0 */
#include "store/expire_queues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message/bytes.h"
#include "store/queue_ext.h"

/* ---- the queues that are open */

static void note_open(struct queue *queue, void *user)
{
	struct queue_walk *walk = user;

	if (!queue_is_open(queue))
		return;
	if (walk->count == walk->room) {
		uint32_t room = walk->room ? 2 * walk->room : 64;
		struct queue **open = realloc(walk->open, room * sizeof(*open));

		if (!open)
			return; /* the next walk comes by */
		walk->open = open;
		walk->room = room;
	}
	walk->open[walk->count++] = queue;
}

/* Returns how many files it lost. */
static int expire_open(struct queue *queue, uint64_t log_first)
{
	int removed = queue_is_open(queue) ? queue_expire(queue, log_first) : 0;

	if (removed < 0)
		gantry_log(queue->store->inst, WARNING,
			   "cannot find where queue %s-%d begins now: %s", queue->topic->name,
			   queue->id, strerror(-removed));
	return removed > 0 ? removed : 0;
}

/* ---- the others */

/* Where the files begin that have an entry of a message that is there; the last one always does.
 * As RocketMQ, a file is judged by its last entry. */
static int first_needed(struct store *store, struct gantry_log *log, uint32_t unit_size,
			uint64_t log_first, uint64_t *ret)
{
	const struct gantry_log_ops *ops = store->engine->log;
	struct gantry_bounds file;
	uint64_t at;

	ops->bounds(log, &file);
	for (at = file.first; at + file.segment_bytes < file.end; at += file.segment_bytes) {
		uint8_t unit[UNIT_MAX];
		int64_t got = ops->copy(log, at + file.segment_bytes - unit_size, unit, unit_size);

		if (got != unit_size)
			return got < 0 ? (int)got : -ERANGE;
		if (message_get64(unit) >= log_first)
			break;
	}
	*ret = at;
	return at > file.first;
}

/* Under open_lock, and it is not open. */
static int expire_files(struct store *store, enum queue_kind kind, const char *topic, int32_t id,
			uint64_t log_first)
{
	const struct gantry_log_ops *ops = store->engine->log;
	struct queue_unit first = {0};
	uint8_t bytes[STORE_UNIT];
	struct gantry_log *log;
	uint64_t needed = 0;
	int removed, status = store_queue_files(store, kind, topic, id, GANTRY_LOG_READ_ONLY, &log);

	if (status)
		return status;
	status = first_needed(store, log, kind == KIND_BATCH ? MESSAGE_BATCH_UNIT_SIZE : STORE_UNIT,
			      log_first, &needed);
	ops->close(log);
	if (status <= 0)
		return status;
	status = store_queue_files(store, kind, topic, id, 0, &log);
	if (status)
		return status;
	removed = ops->expire(log, needed);
	/* the units of what is left begin with that of its first entry */
	if (kind == KIND_PLAIN && ops->copy(log, needed, bytes, sizeof(bytes)) == sizeof(bytes))
		message_unit_read(bytes, &first);
	ops->close(log);
	status = removed < 0 ? removed : store_ext_expire(store, topic, id, first.tags_code);
	return status < 0 ? status : removed + status;
}

static int expire_closed(struct store *store, enum queue_kind kind, const char *topic, int32_t id,
			 uint64_t log_first)
{
	int removed;

	pthread_mutex_lock(&store->open_lock);
	removed = store_queue_has_file(store, topic, id)
			  ? 0
			  : expire_files(store, kind, topic, id, log_first);
	pthread_mutex_unlock(&store->open_lock);
	if (removed < 0)
		gantry_log(store->inst, WARNING, "cannot remove old files of queue %s-%d: %s",
			   topic, id, strerror(-removed));
	return removed > 0 ? removed : 0;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
	*folder = NULL;
}

static const char *folder_of(const struct store *store, const struct queue_walk *walk)
{
	return store->folders[walk->kind];
}

/* The queues of batches come behind the others. -ENOENT: they were there. */
static int next_folder(struct store *store, struct queue_walk *walk)
{
	if (walk->kind == KIND_BATCH)
		return -ENOENT;
	walk->kind = KIND_BATCH;
	close_folder(&walk->topics);
	walk->topics = opendir(folder_of(store, walk));
	return 0;
}

/* Goes on with the next topic's folder. -ENOENT: there is none. */
static int next_topic(struct store *store, struct queue_walk *walk)
{
	char path[4096];
	struct dirent *entry;
	int size;

	close_folder(&walk->queues);
	do
		entry = walk->topics ? readdir(walk->topics) : NULL;
	while (entry && entry->d_name[0] == '.');
	if (!entry)
		return next_folder(store, walk);
	snprintf(walk->topic, sizeof(walk->topic), "%s", entry->d_name);
	size = snprintf(path, sizeof(path), "%s/%s", folder_of(store, walk), walk->topic);
	if (size > 0 && size < (int)sizeof(path))
		walk->queues = opendir(path);
	return 0;
}

/* Of the next queue on the disk: how many files it lost, or -ENOENT. */
static int expire_next_closed(struct store *store, struct queue_walk *walk)
{
	struct dirent *entry = walk->queues ? readdir(walk->queues) : NULL;
	int32_t id;

	if (!entry)
		return next_topic(store, walk);
	id = store_queue_of_folder(entry->d_name);
	return id < 0 ? 0 : expire_closed(store, walk->kind, walk->topic, id, walk->first);
}

/* ---- the walk */

int queue_walk_begin(struct store *store, struct queue_walk *walk, uint64_t first)
{
	*walk = (struct queue_walk){.first = first, .running = true};
	store_each_queue(store, note_open, walk);
	walk->topics = opendir(folder_of(store, walk)); /* NULL: there is nothing on the disk */
	return 0;
}

int queue_walk_step(struct store *store, struct queue_walk *walk)
{
	for (uint32_t i = 0; i < EXPIRE_QUEUES_STEP; i++) {
		int removed = walk->next < walk->count
				      ? expire_open(walk->open[walk->next++], walk->first)
				      : expire_next_closed(store, walk);

		if (removed)
			return removed > 0 ? 1 : removed;
	}
	return 0;
}

void queue_walk_end(struct queue_walk *walk)
{
	close_folder(&walk->queues);
	close_folder(&walk->topics);
	free(walk->open);
	*walk = (struct queue_walk){0};
}
