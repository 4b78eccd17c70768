/* SPDX-License-Identifier: Apache-2.0 */
/* After a start: where the log's records end is found, and those that may not have been dispatched
 * are. On a worker; nothing else runs in the store yet. */
#include <errno.h>

#include "store/cursor.h"

enum { REST_LOOK = 64 }; /* bytes behind the end that tell whether something was written there */

struct recovery { /* offsets of the log */
	uint64_t start, end, count;
	bool from_point; /* what was written before the last stop is there still */
};

/* ---- where to begin */

/* Whether a record begins there, or first behind there, that is old enough to begin with: what is
 * before it was safe in log and queues. ret: where it begins. */
static bool is_start(struct store *store, uint64_t at, bool any_age, uint64_t *ret)
{
	struct cursor cursor = {.store = store, .at = at, .check_crc = true};
	bool good = cursor_next(&cursor) == 1 &&
		    cursor.record.physical_offset == (int64_t)cursor.record_at &&
		    cursor.record.store_ms > 0;

	if (good && store->unclean && !any_age)
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

	if (confirm >= log->first && confirm < log->end &&
	    is_start(store, confirm, point_knows_checkpoint(store), &start) && start == confirm)
		return start;
	for (uint64_t at = (log->end - 1) / segment * segment; at > log->first; at -= segment)
		if (is_start(store, at, false, &start))
			return start;
	return log->first;
}

/* ---- dispatching what is found */

static bool is_broken(const struct queue *queue)
{
	return __atomic_load_n(&queue->state, __ATOMIC_ACQUIRE) == QUEUE_BROKEN;
}

/* Opens or writes the queue that a record has to wait for. A disk that became full while the log
 * still had room is no reason not to start. */
static int make_way(struct store *store, struct queue *queue)
{
	int status = queue_is_open(queue) ? writer_write_all(store) : queue_open_now(queue);

	if (is_broken(queue))
		return 0; /* its records are then left out */
	if (status != -EAGAIN || !queue_is_open(queue) || store->unwritable)
		return status;
	store->unwritable = true;
	return 0;
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
		if (!status && !store->unwritable && writer_is_full(store))
			writer_write_all(store); /* what fails is tried again */
	}
	if (status || found || !cursor->too_long)
		return status ? status : found;
	gantry_log(
		store->inst, ERROR,
		"the message at log offset %llu has %u bytes: only a Java broker reads more than "
		"%d MiB; nothing of the store was changed",
		(unsigned long long)cursor->at, cursor->too_long, GANTRY_SLICE_MAX >> 20);
	return -EFBIG;
}

/* Dispatches what stands in the log from start on. valid: entries of queue files are good up to
 * that offset of the log. */
static int recover_from(struct store *store, uint64_t start, uint64_t valid, struct recovery *ret)
{
	struct cursor cursor = {.store = store,
				.at = start,
				.check_crc = store->broker->conf->checkCRCOnRecover,
				.check_sum = store->broker->conf->forceVerifyPropCRC};
	struct gantry_bounds log;
	int status = 0;

	*ret = (struct recovery){.start = start};
	store->door->bounds(store->door_inst, &log);
	__atomic_store_n(&store->valid_end, valid, __ATOMIC_RELEASE);
	if (log.end > log.first)
		status = scan(store, &cursor, &ret->count);
	cursor_close(&cursor);
	ret->end = cursor.at;
	return status;
}

/* From the recovery point, whose queues have all entries that were ever dispatched. -ESTALE: they
 * have not. */
static int recover_from_point(struct store *store, struct recovery *ret)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	const struct point *point = &store->point.says;
	int status;

	if (!point_is_trusted(store))
		return -ESTALE;
	dispatcher->record_at = point->record_at;
	dispatcher->record_ms = point->record_ms;
	store->trusting = true;
	status = recover_from(store, point->written, UINT64_MAX, ret);
	store->trusting = false;
	if (!status && store->opened_end > ret->end)
		status = -ESTALE;
	if (status == -ESTALE) {
		gantry_log(store->inst, WARNING,
			   "%s/gantry.point is wrong: not all queues were written up to %llu",
			   store->root, (unsigned long long)point->written);
		point_forget(store); /* the next start shall not believe it, whatever ends this */
		store->point.found = false; /* nor is anything else that it says good */
		store->checked_end = UINT64_MAX;
	}
	return status;
}

static void unopen(struct queue *queue, void *user)
{
	(void)user;
	queue_unopen(queue);
}

/* anew: from all of the log instead. */
static int recover_from_checkpoint(struct store *store, bool anew, struct recovery *ret)
{
	struct gantry_bounds log;

	writer_forget(store);
	store_each_queue(store, unopen, NULL);
	store->dispatcher.record_at = 0;
	store->dispatcher.record_ms = 0;
	store->door->bounds(store->door_inst, &log);
	ret->start = log.end > log.first && !anew ? find_start(store, &log) : log.first;
	return recover_from(store, ret->start, ret->start, ret);
}

static bool lacks_queues(struct store *store)
{
	struct gantry_bounds log;

	store->door->bounds(store->door_inst, &log);
	return log.end > log.first &&
	       (point_misses(store, KIND_PLAIN) || point_misses(store, KIND_BATCH));
}

static int recover(struct store *store, struct recovery *ret)
{
	bool anew = lacks_queues(store);
	int status;

	if (anew) { /* until it is done nothing vouches for any queue, should this be cut off */
		point_forget(store);
		store->point.found = false;
		status = store_distrust_checkpoint(store);
		if (status)
			return status;
	}
	point_know_kinds(store);
	store->checked_end = point_knows_checkpoint(store) ? store->point.says.trimmed : UINT64_MAX;
	status = recover_from_point(store, ret);
	ret->from_point = !status;
	if (status == -ESTALE)
		status = recover_from_checkpoint(store, anew, ret);
	if (status)
		return status;
	__atomic_store_n(&store->valid_end, ret->end, __ATOMIC_RELEASE);
	__atomic_store_n(&store->dispatcher.at, ret->end, __ATOMIC_RELEASE);
	point_begin(store, store->checked_end < ret->end ? store->checked_end : ret->end,
		    ret->start >= (uint64_t)store->checkpoint.says.confirm);
	return 0;
}

/* What was written there but is no message is going to be cut: half of one after a kill, else a
 * damage that somebody should know of. */
static void tell_rest(struct store *store, uint64_t end)
{
	struct gantry_slice slice;
	uint64_t segment = store->segment_bytes;
	bool zeros = true;

	if (store_fetch(store, end, REST_LOOK, &slice))
		return; /* nothing follows */
	for (size_t i = 0; i < slice.size; i++)
		zeros = zeros && slice.bytes[i] == 0;
	if (!zeros)
		gantry_log(store->inst, WARNING,
			   "the log is cut at %llu, in file %020llu at %llu: what stands there is "
			   "no whole message",
			   (unsigned long long)end, (unsigned long long)(end - end % segment),
			   (unsigned long long)(end % segment));
	gantry_slice_release(&slice);
}

int store_recover(struct gantry_work *work)
{
	struct store *store = work->user;
	uint64_t began_ms = gantry_clock_ms();
	struct recovery found;
	int status = recover(store, &found);

	if (status)
		return status;
	store->unwritable = false;
	store_index_recovered(store, found.end, found.from_point);
	tell_rest(store, found.end);
	gantry_log(store->inst, NOTICE,
		   "the log ends at %llu; %llu messages from %llu on were checked in %llu ms%s",
		   (unsigned long long)found.end, (unsigned long long)found.count,
		   (unsigned long long)found.start,
		   (unsigned long long)(gantry_clock_ms() - began_ms),
		   store->unclean ? ", since the last stop was not clean" : "");
	return store->door->recovered(store->door_inst, found.end, store->dispatcher.record_ms);
}
