/* SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_ext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/bytes.h"

enum {
	TAGS_AT = 12,  /* in an entry */
	BLANK_MIN = 4, /* of a file is left after the last unit: RocketMQ's END_BLANK_DATA_LENGTH */
	FILE_MIN = MESSAGE_EXT_UNIT_MIN + BLANK_MIN,
	UNIT_ROOM = 2 * FILE_MIN, /* a unit, and the end of a file that it does not fit in */
	FILES_SEARCHED = 3,       /* of the queue, for the last address: as RocketMQ */
};

static const struct gantry_log_ops *log_of(const struct queue *queue)
{
	return queue->store->engine->log;
}

static void tell(struct queue *queue, const char *what, int status)
{
	gantry_log_limited(queue->store->inst, &queue->store->ext_limit, WARNING,
			   "%s/%s/%d: %s: %s", queue->store->folders[KIND_EXT], queue->topic->name,
			   queue->id, what, strerror(-status));
}

static void turn_off(struct queue *queue)
{
	__atomic_store_n(&queue->ext_off, true, __ATOMIC_RELAXED);
}

/* ---- opening */

int queue_ext_open(struct queue *queue)
{
	struct store *store = queue->store;
	bool writes = store->broker->conf->enableConsumeQueueExt;
	struct gantry_bounds bounds;
	int status;

	if (queue->batch || !store->ext_there)
		return 0;
	status = store_queue_files(store, KIND_EXT, queue->topic->name, queue->id,
				   writes ? 0 : GANTRY_LOG_READ_ONLY, &queue->ext);
	if (status == -ENOMEM)
		return status;
	if (status) {
		tell(queue, "cannot be opened, entries are written without units", status);
		return 0;
	}
	log_of(queue)->bounds(queue->ext, &bounds);
	queue->ext_writes = writes && bounds.segment_bytes >= FILE_MIN;
	return 0;
}

/* ---- reading */

/* Some of the units' bytes, as far as they have been read. */
struct window {
	struct queue *queue;
	bool waits;
	uint64_t at, last; /* last: the address of the last entry that is asked for */
	uint32_t size;
	uint8_t bytes[4096];
};

static int fill(struct window *window, uint64_t at)
{
	const struct gantry_log_ops *ops = log_of(window->queue);
	uint64_t size = sizeof(window->bytes);
	int64_t got;

	if (window->last < at || window->last - at < size - MESSAGE_EXT_UNIT_MIN)
		size = (window->last < at ? 0 : window->last - at) + MESSAGE_EXT_UNIT_MIN;
	got = window->waits ? ops->copy(window->queue->ext, at, window->bytes, size)
			    : ops->copy_hot(window->queue->ext, at, window->bytes, size);
	window->at = at;
	window->size = got < 0 ? 0 : (uint32_t)got;
	return got < 0 ? (int)got : 0;
}

/* 0: the unit's head is in ret; -EBADMSG: none begins there. */
static int look(struct window *window, uint64_t at, struct ext_unit *ret)
{
	int status = 0;

	if (at < window->at || at + MESSAGE_EXT_UNIT_MIN > window->at + window->size)
		status = fill(window, at);
	if (status)
		return status;
	if (window->at + window->size < at + MESSAGE_EXT_UNIT_MIN)
		return -EBADMSG;
	return message_ext_unit_head(window->bytes + (at - window->at), ret) == 1 ? 0 : -EBADMSG;
}

static bool address_in(const uint8_t *entry, uint64_t *ret)
{
	return message_unit_ext_address((int64_t)message_get64(entry + TAGS_AT), ret);
}

int queue_ext_resolve(struct queue *queue, uint8_t *entries, uint32_t count, bool waits)
{
	struct window window;
	uint32_t left = count;
	uint64_t at;

	if (!queue->ext)
		return 0;
	while (left && !address_in(entries + (size_t)(left - 1) * STORE_UNIT, &at))
		left--;
	if (!left)
		return 0;
	window.queue = queue;
	window.waits = waits;
	window.last = at;
	window.at = window.size = 0;
	for (uint32_t i = 0; i < left; i++) {
		uint8_t *entry = entries + (size_t)i * STORE_UNIT;
		struct ext_unit unit;
		int status = address_in(entry, &at) ? look(&window, at, &unit) : -ENOENT;

		if (status == -EAGAIN || status == -ENOMEM)
			return status;
		if (!status)
			message_put64(entry + TAGS_AT, (uint64_t)unit.tags_code);
		else if (status != -ENOENT)
			tell(queue, "has no unit that an entry names", status);
	}
	return 0;
}

/* ---- the end */

/* The last address among the entries. -ENOENT: none has one. */
static int find_last(struct queue *queue, int64_t first, int64_t end, uint64_t *ret)
{
	int64_t searched =
		FILES_SEARCHED * (int64_t)(queue->store->kind_bytes[KIND_PLAIN] / STORE_UNIT);
	struct queue_look entries = {.queue = queue};
	struct queue_unit entry;

	if (end - first > searched)
		first = end - searched;
	while (end > first) {
		int status = queue_look(&entries, --end, &entry);

		if (status)
			return status;
		if (message_unit_ext_address(entry.tags_code, ret))
			return 0;
	}
	return -ENOENT;
}

/* The unit of the last entry is not there. No other may take its address. */
static int go_past(struct queue *queue, uint64_t last, const struct gantry_bounds *bounds)
{
	tell(queue, "has no unit that the last entry names", -ENOENT);
	if (last < bounds->end) /* they go on in a new file */
		return 0;
	if (bounds->first == bounds->end && last < INT64_MAX - bounds->segment_bytes)
		return log_of(queue)->reset(queue->ext, last - last % bounds->segment_bytes +
								bounds->segment_bytes);
	turn_off(queue);
	return 0;
}

static int trim(struct queue *queue, int64_t first, int64_t end)
{
	struct window window = {.queue = queue, .waits = true};
	struct gantry_bounds bounds;
	struct ext_unit unit;
	uint64_t last;
	int status = find_last(queue, first, end, &last);

	log_of(queue)->bounds(queue->ext, &bounds);
	if (status)
		return status == -ENOENT ? 0 : status;
	window.last = last;
	status = look(&window, last, &unit);
	if (status == -EBADMSG || status == -ERANGE)
		return go_past(queue, last, &bounds);
	if (status || last + unit.size >= bounds.end)
		return status;
	return log_of(queue)->cut(queue->ext, last + unit.size);
}

int queue_ext_trim(struct queue *queue, int64_t first, int64_t end)
{
	struct gantry_bounds bounds;
	int status = 0;

	if (!queue->ext_writes || queue_ext_is_off(queue))
		return 0;
	log_of(queue)->bounds(queue->ext, &bounds);
	if (end > first)
		status = trim(queue, first, end);
	else if (bounds.first != bounds.end)
		status = log_of(queue)->reset(queue->ext, 0);
	if (status && status != -ENOMEM) {
		tell(queue, "cannot be cut, entries are written without units", status);
		turn_off(queue);
		return 0;
	}
	return status;
}

/* ---- writing */

/* A run as it is going to be written. */
struct draft {
	uint8_t *entries, *units; /* one allocation */
	uint32_t entry_bytes;
	uint64_t unit_bytes;
};

/* The unit of one entry, at the end of the others, in the next file if need be. Returns what the
 * entry says. */
static uint64_t add_unit(struct draft *draft, const struct gantry_bounds *bounds,
			 const struct ext_unit *unit)
{
	uint64_t at = bounds->end + draft->unit_bytes;
	uint64_t left = bounds->segment_bytes - at % bounds->segment_bytes;

	if (left < FILE_MIN) {
		memset(draft->units + draft->unit_bytes, 0, left);
		message_put16(draft->units + draft->unit_bytes, UINT16_MAX);
		draft->unit_bytes += left;
		at += left;
	}
	message_ext_unit_write(draft->units + draft->unit_bytes, unit);
	draft->unit_bytes += MESSAGE_EXT_UNIT_MIN;
	return message_ext_unit_address(at);
}

/* bounds NULL: without units. */
static void make_draft(struct draft *draft, const struct queue *queue,
		       const struct gantry_bounds *bounds)
{
	const uint8_t *from = queue->run.at;
	uint8_t *to = draft->entries;

	draft->unit_bytes = 0;
	for (uint32_t i = 0; i < queue->run.used; i += queue_stride(queue)) {
		const struct ext_unit unit = {
			.tags_code = (int64_t)message_get64(from + i + TAGS_AT),
			.store_ms = (int64_t)message_get64(from + i + STORE_UNIT)};

		memcpy(to, from + i, STORE_UNIT);
		/* fillers, and what is in light queues, has none */
		if (bounds && unit.store_ms > 0)
			message_put64(to + TAGS_AT, add_unit(draft, bounds, &unit));
		to += STORE_UNIT;
	}
	draft->entry_bytes = (uint32_t)(to - draft->entries);
}

static int write_draft(struct queue *queue, struct draft *draft)
{
	const struct gantry_log_ops *ops = log_of(queue);
	struct gantry_bounds bounds;
	int status;

	ops->bounds(queue->ext, &bounds);
	make_draft(draft, queue, queue_ext_is_off(queue) ? NULL : &bounds);
	status = draft->unit_bytes ? ops->append(queue->ext, draft->units, draft->unit_bytes) : 0;
	if (status && status != -EIO)
		return status;
	if (status) {
		tell(queue, "cannot be written, entries are written without units", status);
		turn_off(queue);
		make_draft(draft, queue, NULL);
	}
	status = ops->append(queue->file, draft->entries, draft->entry_bytes);
	if (status && draft->unit_bytes) /* if they stay, they are only in the way */
		ops->cut(queue->ext, bounds.end);
	return status;
}

int queue_ext_write(struct queue *queue)
{
	uint32_t count = queue->run.used / queue_stride(queue);
	struct draft draft;
	int status;

	draft.entries = malloc((size_t)count * (STORE_UNIT + UNIT_ROOM));
	if (!draft.entries)
		return -ENOMEM;
	draft.units = draft.entries + (size_t)count * STORE_UNIT;
	status = write_draft(queue, &draft);
	free(draft.entries);
	return status;
}

/* ---- old files */

int queue_ext_expire(struct queue *queue, int64_t min)
{
	struct queue_look entries = {.queue = queue};
	struct queue_unit entry;
	uint64_t address;
	int removed = 0;

	if (!queue->ext_writes || queue_look(&entries, min, &entry) ||
	    !message_unit_ext_address(entry.tags_code, &address))
		return 0;
	pthread_mutex_lock(&queue->store->file_lock);
	if (queue_is_open(queue))
		removed = log_of(queue)->expire(queue->ext, address);
	pthread_mutex_unlock(&queue->store->file_lock);
	return removed > 0 ? removed : 0;
}

int store_ext_expire(struct store *store, const char *topic, int32_t id, int64_t tags_code)
{
	struct gantry_log *log;
	uint64_t address;
	int removed;

	if (!store->broker->conf->enableConsumeQueueExt ||
	    !message_unit_ext_address(tags_code, &address))
		return 0;
	removed = store_queue_files(store, KIND_EXT, topic, id, 0, &log);
	if (removed)
		return removed;
	removed = store->engine->log->expire(log, address);
	store->engine->log->close(log);
	return removed;
}
