/* SPDX-License-Identifier: Apache-2.0 */
/* After a start: where the log's records end is found, and those that may not have been dispatched
 * are. On a worker; nothing else runs in the store yet. */
#include <errno.h>

#include "store/cursor.h"

/* ---- where to begin */

/* Whether a record begins there, or first behind there, that is old enough to begin with: what is
 * before it was safe in log and queues. ret: where it begins. */
static bool is_start(struct store *store, uint64_t at, uint64_t *ret)
{
	struct cursor cursor = {.store = store, .at = at, .check_crc = true};
	bool good = cursor_next(&cursor) == 1 &&
		    cursor.record.physical_offset == (int64_t)cursor.record_at &&
		    cursor.record.store_ms > 0;

	if (good && store->unclean)
		good = cursor.record.store_ms <=
		       message_checkpoint_safe_ms(&store->checkpoint.says);
	if (good)
		*ret = cursor.record_at;
	cursor_close(&cursor);
	return good;
}

static uint64_t find_start(struct store *store, const struct gantry_bounds *log)
{
	uint64_t confirm = (uint64_t)store->checkpoint.says.confirm;
	uint64_t segment = log->segment_bytes;
	uint64_t start = log->first;

	if (files_folder_is_empty(store->queue_root))
		return log->first; /* the queues are to be built anew */
	if (confirm >= log->first && confirm < log->end && is_start(store, confirm, &start) &&
	    start == confirm)
		return start;
	for (uint64_t at = (log->end - 1) / segment * segment; at > log->first; at -= segment)
		if (is_start(store, at, &start))
			return start;
	return log->first;
}

/* ---- dispatching what is found */

static bool is_broken(const struct queue *queue)
{
	return __atomic_load_n(&queue->state, __ATOMIC_ACQUIRE) == QUEUE_BROKEN;
}

/* Opens or writes the queue that a record has to wait for. */
static int make_way(struct store *store, struct queue *queue)
{
	int status = queue_is_open(queue) ? writer_write_all(store) : queue_open_now(queue);

	return is_broken(queue) ? 0 : status; /* its records are then left out */
}

static int dispatch(struct store *store, const struct cursor *cursor)
{
	int status;

	do {
		struct queue *queue = NULL;

		status = store_dispatch(store, &cursor->record, cursor->record_at, &queue);
		if (status != -EAGAIN)
			return status;
		status = make_way(store, queue);
	} while (!status);
	return status;
}

static void check_place(struct store *store, const struct cursor *cursor)
{
	if (cursor->record.physical_offset != (int64_t)cursor->record_at)
		gantry_log_limited(store->inst, &store->dispatcher.limit, WARNING,
				   "the message at log offset %llu says that it is at %lld",
				   (unsigned long long)cursor->record_at,
				   (long long)cursor->record.physical_offset);
}

/* Dispatches from the cursor's place to where the records end. */
static int scan(struct store *store, struct cursor *cursor, uint64_t *ret_count)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	int found, status = 0;

	while (!status && (found = cursor_next(cursor)) == 1) {
		check_place(store, cursor);
		status = dispatch(store, cursor);
		dispatcher->record_at = cursor->record_at;
		dispatcher->record_ms = cursor->record.store_ms;
		++*ret_count;
	}
	return status ? status : found;
}

int store_recover(struct gantry_work *work)
{
	struct store *store = work->user;
	struct cursor cursor = {.store = store,
				.check_crc = store->broker->conf->checkCRCOnRecover};
	uint64_t began_ms = gantry_clock_ms(), count = 0;
	struct gantry_bounds log;
	uint64_t start;
	int status = 0;

	store->door->bounds(store->door_inst, &log);
	start = log.end > log.first ? find_start(store, &log) : log.first;
	cursor.at = start;
	__atomic_store_n(&store->valid_end, start, __ATOMIC_RELEASE);
	if (log.end > log.first)
		status = scan(store, &cursor, &count);
	cursor_close(&cursor);
	if (status)
		return status;
	__atomic_store_n(&store->valid_end, cursor.at, __ATOMIC_RELEASE);
	__atomic_store_n(&store->dispatcher.at, cursor.at, __ATOMIC_RELEASE);
	gantry_log(store->inst, NOTICE,
		   "the log ends at %llu; %llu messages from %llu on were checked in %llu ms%s",
		   (unsigned long long)cursor.at, (unsigned long long)count,
		   (unsigned long long)start, (unsigned long long)(gantry_clock_ms() - began_ms),
		   store->unclean ? ", since the last stop was not clean" : "");
	return store->door->recovered(store->door_inst, cursor.at, store->dispatcher.record_ms);
}
