/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a ConsumeQueue: its files are of full size from the start, so the end of its entries has
 * to be found. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/queue_ext.h"
#include "store/queue_mend.h"

enum { CHECKED = 200 }; /* entries before the end that must be in order */

static bool is_entry(const struct queue_unit *unit)
{
	return unit->physical_offset >= 0 && unit->size > 0 && unit->offset >= 0 && unit->count > 0;
}

static bool is_older(const struct queue_unit *unit, uint64_t at)
{
	return is_entry(unit) && (uint64_t)unit->physical_offset < at;
}

/* From the front in steps that double, then by halves: most of a new queue's file is a hole, which
 * is left alone so. */
int64_t queue_search(struct queue *queue, int64_t from, int64_t to, uint64_t at)
{
	struct queue_look look = {.queue = queue};
	bool near = false;

	for (int64_t step = sizeof(look.bytes) / queue->unit; from < to; step *= 2) {
		int64_t middle = from + (!near && step < to - from ? step - 1 : (to - from) / 2);
		struct queue_unit unit;
		int status = queue_look(&look, middle, &unit);

		if (status)
			return status;
		if (is_older(&unit, at)) {
			near = near || step >= to - from;
			from = middle + 1;
		} else {
			near = true;
			to = middle;
		}
	}
	return from;
}

/* Where entries from from on stop being in order; to if they do not. */
static int64_t ordered_until(struct queue *queue, int64_t from, int64_t to)
{
	struct queue_look look = {.queue = queue};
	int64_t last = -1;

	for (int64_t i = from; i < to; i++) {
		struct queue_unit unit;
		int status = queue_look(&look, i, &unit);

		if (status)
			return status;
		if (unit.size == FILLER_SIZE)
			continue;
		if (!is_entry(&unit) || unit.physical_offset <= last)
			return i;
		last = unit.physical_offset;
	}
	return to;
}

static uint32_t segment_bytes(const struct queue *queue)
{
	return queue->store->kind_bytes[queue_kind_of(queue)];
}

/* The end of the entries in [first, last) that are older than the log offset. Entries of an earlier
 * life may stand behind the end: a search can take them for newer ones, and then they are out of
 * order with those before. */
static int64_t find_end(struct queue *queue, int64_t first, int64_t last, uint64_t at)
{
	int64_t segment = segment_bytes(queue) / queue->unit;
	int64_t end = queue_search(queue, first, last, at);
	int64_t from, ordered;

	if (end <= first)
		return end;
	from = end - first > CHECKED ? end - CHECKED : first;
	ordered = ordered_until(queue, from, end);
	if (ordered == end || ordered < 0)
		return ordered;
	from = (end - 1) / segment * segment;
	return ordered_until(queue, from > first ? from : first, end);
}

int64_t queue_find_min(struct queue *queue, int64_t first, int64_t end, uint64_t log_first)
{
	struct queue_look look = {.queue = queue};

	while (first < end) {
		int64_t middle = first + (end - first) / 2;
		struct queue_unit unit;
		int status = queue_look(&look, middle, &unit);

		if (status)
			return status;
		if (unit.size == FILLER_SIZE || (uint64_t)unit.physical_offset < log_first)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

int store_queue_files(struct store *store, enum queue_kind kind, const char *topic, int32_t id,
		      uint32_t flags, struct gantry_log **ret)
{
	char path[4096];
	const char *directory = path;
	struct gantry_shape shape = {
		.directories = &directory,
		.directory_count = 1,
		.flags = GANTRY_LOG_SMALL | flags,
		.segment_bytes = store->kind_bytes[kind],
	};
	int size = snprintf(path, sizeof(path), "%s/%s/%d", store->folders[kind], topic, id);

	if (size < 0 || size >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return store->engine->log->open(store->engine_inst, &shape, ret);
}

static int open_file(struct queue *queue)
{
	struct topics *topics = queue->store->broker->topics;
	struct gantry_str name = queue->topic->entry.key;
	const struct topic *topic = topics ? topics_find(topics, name) : NULL;
	int status;

	queue->batch = topic && topic_batch(topic);
	queue->unit = queue->batch ? MESSAGE_BATCH_UNIT_SIZE : STORE_UNIT;
	status = store_queue_files(queue->store, queue_kind_of(queue), queue->topic->name,
				   queue->id, 0, &queue->file);
	return status ? status : queue_ext_open(queue);
}

/* The file has the entries [first, end): takes over where they begin and end. */
static int take_bounds(struct queue *queue, int64_t first, int64_t end)
{
	struct store *store = queue->store;
	struct gantry_bounds log;
	int64_t min;

	store->door->bounds(store->door_inst, &log);
	min = queue_find_min(queue, first, end, log.first);
	if (min < 0)
		return (int)min;
	pthread_mutex_lock(&queue->lock);
	queue->min = min;
	queue->next = queue->filed = queue->end = end;
	pthread_mutex_unlock(&queue->lock);
	return queue->batch ? batch_set_bounds(queue) : queue_ext_trim(queue, first, end);
}

/* Trims the file to the entries that are trusted, and takes over where they begin and end. */
static int find_bounds(struct queue *queue)
{
	struct store *store = queue->store;
	const struct gantry_log_ops *ops = store->engine->log;
	uint64_t valid_end = __atomic_load_n(&store->valid_end, __ATOMIC_ACQUIRE);
	struct gantry_bounds log, file;
	int64_t first, last, end;
	int status;

	ops->bounds(queue->file, &file);
	if (file.first == file.end) /* it begins with 0, or with its first message */
		return queue_ext_trim(queue, 0, 0);
	store->door->bounds(store->door_inst, &log);
	if (valid_end <= log.first) { /* no message is left */
		status = ops->reset(queue->file, 0);
		return status ? status : queue_ext_trim(queue, 0, 0);
	}
	first = (int64_t)(file.first / queue->unit);
	last = (int64_t)(file.end / queue->unit);
	end = find_end(queue, first, last, valid_end);
	if (end >= 0)
		end = queue_check(queue, first, end);
	if (end < 0)
		return (int)end;
	status = queue_look_behind(queue, end, last, valid_end);
	if (!status && end != last)
		status = ops->cut(queue->file, (uint64_t)end * queue->unit);
	if (!status)
		status = take_bounds(queue, first, end);
	if (status || !queue->lacks)
		return status;
	status = queue_mend(queue, first, valid_end);
	return status ? status : take_bounds(queue, first, queue->end);
}

static int open_locked(struct queue *queue)
{
	int status;

	if (__atomic_load_n(&queue->state, __ATOMIC_RELAXED) == QUEUE_OPEN)
		return 0;
	if (queue->state == QUEUE_BROKEN)
		return -EIO;
	if (queue->state == QUEUE_GONE)
		return -ENOENT;
	status = queue->file ? 0 : open_file(queue);
	if (!status)
		status = find_bounds(queue);
	if (!status) {
		__atomic_store_n(&queue->state, QUEUE_OPEN, __ATOMIC_RELEASE);
		return 0;
	}
	gantry_log(queue->store->inst, ERROR, "cannot open queue %s-%d: %s", queue->topic->name,
		   queue->id, strerror(-status));
	if (status == -EIO || status == -EUCLEAN)
		queue_break(queue);
	return status;
}

int queue_open_now(struct queue *queue)
{
	struct store *store = queue->store;
	int status;

	pthread_mutex_lock(&store->open_lock);
	status = open_locked(queue);
	pthread_mutex_unlock(&store->open_lock);
	return status;
}

void queue_break(struct queue *queue)
{
	if (__atomic_load_n(&queue->state, __ATOMIC_ACQUIRE) == QUEUE_GONE)
		return;
	__atomic_store_n(&queue->store->hole, true, __ATOMIC_RELEASE);
	__atomic_store_n(&queue->state, QUEUE_BROKEN, __ATOMIC_RELEASE);
	gantry_log(queue->store->inst, ERROR,
		   "queue %s-%d is out of use until the next start: its files cannot be used; its "
		   "messages are safe in the log",
		   queue->topic->name, queue->id);
}
