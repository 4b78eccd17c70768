/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's side: room, and preparing more of it. */
#include "big.h"
#include "stage.h"

#include <errno.h>
#include <gantry/log.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- preparing */

/* Touches pages that have their blocks, so that the writer meets no page fault; of a staged log,
 * that readers meet none. */
static int populate(struct segment *segment, uint64_t from, uint64_t to)
{
	uint8_t *map = atomic_load_explicit(&segment->map, memory_order_relaxed);

	from = from / FILES_PAGE * FILES_PAGE;
	if (segment->log->stage_bytes) {
		madvise(map + from, to - from, MADV_POPULATE_READ);
		return 0;
	}
	if (madvise(map + from, to - from, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno != EINVAL) /* a store would have been a SIGBUS */
		return -EAGAIN;
	/* Linux before 5.14. Nobody else writes there: a byte may be written as it was. */
	for (volatile uint8_t *at = map + from; at < map + to; at += FILES_PAGE)
		*at = *at;
	return 0;
}

static int segment_for_room(struct big_log *log, uint64_t at, struct segment **ret)
{
	struct segment *segment = segment_get(log, at, 0);
	int rc = 0;

	if (!segment) {
		rc = segment_make(log, at, &segment);
		/* In use like one that was found; nobody else removes it: prepare_lock is held. */
		if (rc == 0)
			segment = segment_get(log, at, 0);
	}
	if (rc == 0 && (rc = segment_map(segment)) < 0)
		segment_put(segment);
	if (rc == 0)
		*ret = segment;
	return rc;
}

/* Zero-writes the next bytes, not beyond a segment's end. prepare_lock is held. */
static int prepare_chunk(struct big_log *log, uint64_t bytes)
{
	uint64_t ready = atomic_load(&log->ready), end = atomic_load(&log->end), done = 0;
	uint64_t at = ready > end ? ready : end, from, to;
	struct segment *segment = NULL;
	int rc = segment_for_room(log, at, &segment);

	if (rc < 0)
		return rc;
	from = at - segment->start;
	to = smaller(files_page_up(from + bytes), log->segment_bytes);
	rc = files_zero(segment->fd, from, to - from, &done);
	if (from + done < to) /* whole pages only */
		to = (from + done) / FILES_PAGE * FILES_PAGE;
	if (to > from) {
		int touched = populate(segment, from, to);

		if (touched == 0)
			atomic_store_explicit(&log->ready, segment->start + to,
					      memory_order_release);
		rc = rc < 0 ? rc : touched;
	}
	segment_put(segment);
	return rc;
}

/* 1: there is nothing left to do. */
static int prepare_next(struct big_log *log)
{
	int rc = 1;

	pthread_mutex_lock(&log->prepare_lock);
	if (atomic_load(&log->ready) < atomic_load(&log->prepare_until))
		rc = prepare_chunk(log, BIG_CHUNK);
	pthread_mutex_unlock(&log->prepare_lock);
	return rc;
}

static void prepare_run(struct job *job)
{
	enum { AGAIN_MS = 1000 };
	struct big_log *log = job->user;
	int rc = 0;

	while (rc == 0)
		rc = prepare_next(log);
	/* The writer, who tries for itself, decides what a failure means. */
	if (rc < 0)
		atomic_store(&log->prepare_again_ms, gantry_clock_ms() + AGAIN_MS);
	big_job_ran(log);
}

static void prepare_done(struct job *job)
{
	struct big_log *log = job->user;

	atomic_store(&log->preparing, false);
	big_job_done(log);
}

/* How much shall be ready: what is written in BIG_AHEAD_MS at the pace since the last time. Not
 * more, since what a flush finds prepared and not yet written costs a write of zeros and a page
 * fault each. */
static void pace(struct big_log *log, uint64_t end, uint64_t need)
{
	uint64_t now_ms = gantry_clock_ms(), took_ms = now_ms - log->paced_ms + 1;
	uint64_t written = end > log->paced_at ? end - log->paced_at : 0;
	uint64_t want = written * BIG_AHEAD_MS / took_ms;

	log->paced_ms = now_ms;
	log->paced_at = end;
	if (want < 4 * need) /* long records */
		want = 4 * need;
	log->prepare_want = smaller(want > BIG_FIRST ? want : BIG_FIRST, log->prepare_bytes);
}

/* Wakes a worker when half of what shall be ready is used up. */
static void prepare_behind(struct big_log *log, uint64_t end, uint64_t need)
{
	uint64_t ready = atomic_load_explicit(&log->ready, memory_order_relaxed);
	uint64_t left = ready > end ? ready - end : 0;

	uint64_t least = log->prepare_want / 2;

	if (least < need + BIG_GUARD)
		least = smaller(need + BIG_GUARD, log->prepare_bytes);
	if (left >= least)
		return;
	uint64_t again_ms = atomic_load_explicit(&log->prepare_again_ms, memory_order_relaxed);
	if (again_ms && gantry_clock_ms() < again_ms)
		return;
	if (atomic_load_explicit(&log->preparing, memory_order_relaxed) ||
	    atomic_exchange(&log->preparing, true))
		return;
	pace(log, end, need);
	atomic_store(&log->prepare_until, smaller(end + log->prepare_want, end + left + BIG_STEP));
	big_job(log, &log->prepare_job, prepare_run, prepare_done);
}

/* ---- the window */

/* What may be written at end, in a segment that ends at limit. Zeros stay behind it. */
static uint64_t usable_at(struct big_log *log, uint64_t end, uint64_t limit)
{
	uint64_t ready = atomic_load_explicit(&log->ready, memory_order_acquire);

	if (ready >= limit)
		return limit - end;
	return ready > end + BIG_GUARD ? ready - BIG_GUARD - end : 0;
}

/* The worker is late: prepares what is needed here and now. */
static int prepare_here(struct big_log *log, uint64_t end, uint64_t need, uint64_t limit)
{
	int rc = 0;

	pthread_mutex_lock(&log->prepare_lock);
	while (rc == 0 && usable_at(log, end, limit) < need)
		rc = prepare_chunk(log, BIG_CHUNK);
	pthread_mutex_unlock(&log->prepare_lock);
	if (rc == 0 || usable_at(log, end, limit) >= need)
		return 0;
	if (rc == -ENOSPC || rc == -EDQUOT) {
		gantry_log_limited(log->base.inst, &log->full_limit, WARNING,
				   "%s: the disk is full, writes are refused",
				   log->directory[0].path);
		return -ENOSPC;
	}
	if (rc == -EAGAIN || rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE)
		return rc;
	big_fence(log, "cannot prepare a segment", rc);
	return -EIO;
}

/* The end stands in a segment that the writer has not met yet; there may be no such segment. */
static int enter_segment(struct big_log *log, uint64_t end)
{
	struct segment *segment = segment_get(log, end, 0);

	if (!segment) {
		/* Its limit is not known before it is made: any room will make it. */
		int rc = prepare_here(log, end, 1, UINT64_MAX);

		if (rc < 0)
			return rc;
		segment = segment_get(log, end, 0);
	}
	int rc = segment_map(segment);
	/* Not counted: the table keeps what the end stands in, and only the writer cuts. */
	if (rc == 0)
		log->tail = segment;
	segment_put(segment);
	return rc;
}

int big_window(struct big_log *log, uint64_t need, struct gantry_window *ret)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed), limit, usable;
	int rc;

	if (log->flags & GANTRY_LOG_READ_ONLY)
		return -EROFS;
	if (atomic_load_explicit(&log->fenced, memory_order_relaxed))
		return -EIO;
	if (!log->tail || end >= segment_end(log->tail)) {
		rc = enter_segment(log, end);
		if (rc < 0)
			return rc;
	}
	limit = segment_end(log->tail);
	need = smaller(need, limit - end);
	if (usable_at(log, end, limit) < need) {
		rc = prepare_here(log, end, need, limit);
		if (rc < 0)
			return rc;
	}
	usable = usable_at(log, end, limit);
	prepare_behind(log, end, need);
	struct gantry_window window = {
		.to = atomic_load_explicit(&log->tail->map, memory_order_relaxed) +
		      (end - log->tail->start),
		.at = end,
		.left = limit - end,
		.usable = usable,
	};
	rc = log->stage_bytes ? stage_room(log, end, need, usable, &window) : 0;
	if (rc == 0)
		*ret = window;
	return rc;
}

void big_advance(struct big_log *log, uint64_t used)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed);

	if (log->stage_bytes)
		stage_advance(log, end, used);
	else
		atomic_store_explicit(&log->end, end + used, memory_order_release);
}
