/* SPDX-License-Identifier: Apache-2.0 */
/* The index's job on a worker: writes what the dispatcher fed, and what it could not feed it reads
 * from the log; then full files are synced. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/cursor.h"
#include "store/index.h"

enum {
	KEEP_ROOM = 4096, /* keys; a larger buffer that is hardly used is given back */
	NEAR = 16 << 20,  /* bytes of the log that a query reads itself */
};

/* ---- on the worker, under file_lock */

void index_break(struct index *index, int status)
{
	pthread_mutex_lock(&index->lock);
	index->broken = true;
	index->behind = true;
	index->fresh.used = 0;
	pthread_mutex_unlock(&index->lock);
	index->writing.used = 0;
	gantry_log(index->store->inst, ERROR,
		   "the index in %s cannot be written: %s; new messages are not found by key "
		   "until the next start",
		   index->folder, strerror(-status));
}

/* A full disk and missing memory come and go; what was not written is tried again. */
static int write_or_break(struct index *index)
{
	int status = index_write(index);

	if (!status)
		return 0;
	if (status == -ENOSPC || status == -EDQUOT || status == -ENOMEM)
		gantry_log_limited(index->store->inst, &index->limit, ERROR,
				   "cannot write the index in %s: %s; tried again", index->folder,
				   strerror(-status));
	else
		index_break(index, status);
	return status;
}

int index_write_fresh(struct index *index)
{
	struct index_puts *writing = &index->writing;
	int status = 0;
	bool few;

	if (index->broken)
		return -EIO;
	if (writing->used) /* left by a disk that was full */
		status = write_or_break(index);
	if (status)
		return status;
	pthread_mutex_lock(&index->lock);
	if (index->fresh.room) {
		struct index_puts fresh = index->fresh;

		index->fresh = *writing;
		*writing = fresh;
	}
	pthread_mutex_unlock(&index->lock);
	few = writing->used < KEEP_ROOM / 4;
	status = write_or_break(index);
	if (!status && few && writing->room > KEEP_ROOM) {
		free(writing->at);
		*writing = (struct index_puts){0};
		index_drop_room(index);
	}
	return status;
}

/* ---- catching up */

/* Reads keys from the log into writing, as far as everything is dispatched and there is room.
 * Returns the cursor's error, if it cannot go on. */
static int read_keys(struct index *index, struct cursor *cursor, uint64_t next, uint64_t limit)
{
	uint64_t segment = index->store->segment_bytes;
	int found, status = 0;

	while (cursor->at < limit) {
		uint64_t before = cursor->at;

		found = cursor_next(cursor);
		if (found == -ENOMEM || found == -ECANCELED)
			return found;
		if (found != 1) { /* damaged: the dispatcher has said so */
			cursor_close(cursor);
			cursor->at = (before / segment + 1) * segment;
			continue;
		}
		if (cursor->record_at >= limit) {
			cursor->at = cursor->record_at;
			break;
		}
		if (cursor->record_at >= next && index_has_keys(&cursor->record))
			status = index_collect(&index->read_topic, &cursor->record,
					       cursor->record_at, &index->writing);
		if (status) {
			cursor->at = cursor->record_at; /* the next batch begins with it */
			return status;
		}
		if (index->writing.used >= INDEX_BATCH / 2)
			break;
	}
	return 0;
}

static bool is_behind(struct index *index, uint64_t *ret_next, uint64_t *ret_resume)
{
	bool behind;

	pthread_mutex_lock(&index->lock);
	behind = index->behind && !index->broken;
	*ret_next = index->next;
	*ret_resume = index->resume;
	pthread_mutex_unlock(&index->lock);
	return behind;
}

/* What is before at is in writing or further. True: there is more. */
static bool move_on(struct index *index, uint64_t at, uint64_t limit)
{
	bool more;

	pthread_mutex_lock(&index->lock);
	index->resume = at;
	if (at > index->next)
		index->next = at;
	if (at >= limit && at >= index->fed)
		index->behind = index->broken;
	more = index->behind && at < limit;
	pthread_mutex_unlock(&index->lock);
	return more;
}

/* One batch. The index is no longer behind if the log has no more that the dispatcher has seen.
 * Positive: there is more. */
static int catch_up(struct index *index)
{
	struct cursor cursor = {.store = index->store};
	struct gantry_bounds log;
	uint64_t next, limit = store_dispatched(index->store);
	int status, written;
	bool more;

	if (!is_behind(index, &next, &cursor.at))
		return 0;
	index->store->door->bounds(index->store->door_inst, &log);
	if (cursor.at < log.first)
		cursor.at = log.first;
	status = read_keys(index, &cursor, next, limit);
	cursor_close(&cursor);
	written = write_or_break(index);
	more = move_on(index, cursor.at, limit);
	if (status || written)
		return status ? status : written;
	return more;
}

/* Messages that came while the job caught up would wait for its next run otherwise. */
void index_catch_up_near(struct index *index)
{
	uint64_t next, resume, end = store_dispatched(index->store);

	if (is_behind(index, &next, &resume) && end > resume && end - resume <= NEAR)
		catch_up(index);
}

static bool may_go_on(const struct index *index)
{
	uint64_t stop_ms = __atomic_load_n(&index->stop_ms, __ATOMIC_ACQUIRE);

	return !stop_ms || gantry_clock_ms() < stop_ms;
}

static int run_on_worker(struct gantry_work *work)
{
	struct index *index = work->user;
	int status;

	do {
		pthread_mutex_lock(&index->file_lock);
		status = index_write_fresh(index);
		if (!status)
			status = catch_up(index);
		pthread_mutex_unlock(&index->file_lock);
	} while (status > 0 && may_go_on(index));
	return status < 0 ? status : 0;
}

/* ---- on the dispatcher's loop */

static void sync_next(struct index *index);

static void synced(struct gantry_op *op)
{
	struct index *index = op->user;
	struct index_file *file = index->to_sync;

	pthread_mutex_lock(&index->lock);
	index->to_sync = file->next_sync;
	pthread_mutex_unlock(&index->lock);
	index->syncing = false;
	if (op->status) {
		index->sync_failed = true;
		gantry_log(index->store->inst, ERROR, "cannot sync the index in %s: %s",
			   index->folder, strerror(-op->status));
	} else if (file->sync_ms && !index->sync_failed) {
		index->store->checkpoint.says.index_ms = file->sync_ms;
	}
	index_release(index, file);
	sync_next(index);
	dispatcher_go(index->store);
}

static void sync_next(struct index *index)
{
	struct index_file *file;

	if (index->syncing)
		return;
	pthread_mutex_lock(&index->lock);
	file = index->to_sync;
	pthread_mutex_unlock(&index->lock);
	if (!file)
		return;
	index->syncing = true;
	index->sync_op = (struct gantry_op){
		.done = synced, .loop = index->store->dispatcher.loop, .user = index};
	index->ops->sync(file->area, &index->sync_op);
}

static void wrote(struct gantry_op *op)
{
	struct index *index = op->user;

	index->running = false;
	index->failed = op->status != 0;
	sync_next(index);
	dispatcher_go(index->store);
}

static void run(struct index *index)
{
	if (index->running)
		return;
	index->running = true;
	index->wanted = false;
	index->op = (struct gantry_op){
		.done = wrote, .loop = index->store->dispatcher.loop, .user = index};
	gantry_work(index->store->inst, &index->work, &index->op);
}

void index_init_run(struct index *index)
{
	index->work = (struct gantry_work){.run = run_on_worker, .user = index};
}

/* Whether a job would have anything to do: to give memory back, too. */
static bool has_work(struct index *index)
{
	bool has;

	pthread_mutex_lock(&index->lock);
	has = !index->broken &&
	      (index->fresh.used || index->behind || index->fresh.room > KEEP_ROOM);
	pthread_mutex_unlock(&index->lock);
	return has;
}

void store_index_look(struct store *store)
{
	if (store->index && store->index->wanted)
		run(store->index);
}

void store_index_tick(struct store *store)
{
	struct index *index = store->index;

	/* failed: there may be something left in writing, which is the job's alone to see */
	if (index && !index->running && (has_work(index) || index->failed))
		run(index);
}

/* ---- stopping */

static void sync_last(struct index *index)
{
	pthread_mutex_lock(&index->lock);
	if (index->file_count && index->files[index->file_count - 1]->unsynced) {
		struct index_file *file = index->files[index->file_count - 1];

		file->refs++;
		file->unsynced = false;
		file->sync_ms = 0;
		file->next_sync = NULL;
		index->to_sync = file;
	}
	pthread_mutex_unlock(&index->lock);
	sync_next(index);
}

bool store_index_drained(struct store *store)
{
	struct index *index = store->index;

	if (!index)
		return true;
	if (!index->stop_ms)
		__atomic_store_n(&index->stop_ms, store->drain_deadline_ms, __ATOMIC_RELEASE);
	if (index->running || index->syncing)
		return false;
	switch (index->drain_step++) {
	case 0:
		run(index);
		return false;
	case 1: /* no job runs any more: the files are this thread's */
		sync_last(index);
		return !index->syncing;
	default:
		return true;
	}
}

bool store_index_is_safe(const struct store *store)
{
	const struct index *index = store->index;

	return !index || (!index->behind && !index->broken && !index->sync_failed &&
			  !index->fresh.used && !index->writing.used);
}
