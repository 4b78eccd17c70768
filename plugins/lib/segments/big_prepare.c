/* SPDX-License-Identifier: Apache-2.0 */
/* Room for the writer: blocks that hold zeros, ahead of it. docs/design/storage.md tells how far.
 */
#include "big_prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum {
	FLUSHES_A_SECOND = 10,    /* from here on a flush must meet no zeros */
	FLUSHED_LAG = 8 << 20,    /* a step is made for as much as was written */
	WRITE_BACK = 1024 * 1024, /* of zeros at a time, then a flush waits for no more of them */
	FREE_SEGMENTS = 4,        /* with less room on the disk no whole segment is prepared */
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Touches pages that have their blocks, so that the writer meets no page fault; of a staged log,
 * that readers meet none. */
static int populate(struct segment *segment, uint64_t from, uint64_t to)
{
	uint8_t *map = atomic_load_explicit(&segment->map, memory_order_relaxed);

	from = from / FILES_PAGE * FILES_PAGE;
	/* what a flush takes has to be touched again for writing in any case */
	if (segment->log->stage_bytes || atomic_load(&segment->log->prepare_far)) {
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

/* Zeros of a file that no flush waits for. Past the page cache they cost a quarter of the CPU, and
 * whoever writes there later writes whole pages. */
static int zero_direct(struct segment *segment, uint64_t from, uint64_t bytes, uint64_t *ret_done)
{
	int fd = from % FILES_PAGE || bytes % FILES_PAGE ? -1 : segment_open_direct(segment);
	int rc = -EINVAL;

	*ret_done = 0;
	if (fd >= 0) {
		rc = files_zero(fd, from, bytes, ret_done);
		close(fd);
	}
	return rc;
}

static int prepare(struct big_log *log, uint64_t chunk, bool direct)
{
	uint64_t ready = atomic_load(&log->ready), end = atomic_load(&log->end), done = 0;
	uint64_t at = larger(ready, end), from, to;
	struct segment *segment = NULL;
	int rc = segment_for_room(log, at, &segment);

	if (rc < 0)
		return rc;
	from = at - segment->start;
	to = smaller(files_page_up(from + chunk), log->segment_bytes);
	rc = direct ? zero_direct(segment, from, to - from, &done) : -EINVAL;
	if (rc == -EINVAL && done == 0) {
		direct = false;
		rc = files_zero(segment->fd, from, to - from, &done);
	}
	if (from + done < to) /* whole pages only */
		to = (from + done) / FILES_PAGE * FILES_PAGE;
	if (to > from) {
		int touched = direct ? 0 : populate(segment, from, to);

		if (touched == 0)
			atomic_store_explicit(&log->ready, segment->start + to,
					      memory_order_release);
		rc = rc < 0 ? rc : touched;
	}
	segment_put(segment);
	return rc;
}

int prepare_chunk(struct big_log *log)
{
	return prepare(log, BIG_CHUNK, false);
}

/* ---- the worker */

static bool has_room(const struct big_log *log)
{
	struct statvfs room;

	return fstatvfs(log->directory[0].fd, &room) == 0 &&
	       room.f_bavail * room.f_frsize >= FREE_SEGMENTS * log->segment_bytes;
}

/* 1: there is nothing left to do. */
static int prepare_next(struct big_log *log)
{
	int rc = 1;

	pthread_mutex_lock(&log->prepare_lock);
	uint64_t ready = atomic_load(&log->ready);
	bool next_segment = ready >= atomic_load(&log->prepare_limit);

	if (ready < atomic_load(&log->prepare_until) &&
	    (!next_segment || !atomic_load(&log->prepare_far) || has_room(log)))
		rc = log->stage_bytes && next_segment ? prepare(log, WRITE_BACK, true)
						      : prepare_chunk(log);
	pthread_mutex_unlock(&log->prepare_lock);
	return rc;
}

/* Has zeros written now, by who waits for nothing: a flush of the file would wait for them. Errors
 * are the flush's to find. */
static void write_back(struct big_log *log, uint64_t from, uint64_t to)
{
	while (from < to) {
		struct segment *segment = segment_get(log, from, 0);
		uint64_t until;

		if (!segment)
			return;
		until = smaller(to, segment_end(segment));
		if (segment_map(segment) == 0)
			sync_file_range(segment->fd, (off_t)(from - segment->start),
					(off_t)(until - from),
					SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
						SYNC_FILE_RANGE_WAIT_AFTER);
		segment_put(segment);
		from = until;
	}
}

/* What was prepared long ago may have left memory, or have no page tables yet. */
static void touch_near(struct big_log *log)
{
	uint64_t from = atomic_load(&log->end);
	struct segment *segment = segment_get(log, from, 0);
	uint64_t to = smaller(from + BIG_STEP, atomic_load(&log->ready));

	if (!segment)
		return;
	to = smaller(to, segment_end(segment));
	if (to > from && segment_map(segment) == 0)
		populate(segment, from - segment->start, to - segment->start);
	segment_put(segment);
}

static void prepare_run(struct job *job)
{
	enum { AGAIN_MS = 1000 };
	struct big_log *log = job->user;
	bool far = atomic_load(&log->prepare_far);
	uint64_t from = larger(atomic_load(&log->ready), atomic_load(&log->end));
	int rc = 0;

	if (far && !log->stage_bytes)
		touch_near(log);
	while (rc == 0) {
		rc = prepare_next(log);
		uint64_t ready = atomic_load(&log->ready);

		if (far && ready > from && (rc || ready - from >= WRITE_BACK)) {
			write_back(log, from, ready);
			from = ready;
		}
	}
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

/* ---- the writer */

/* How much shall be ready: what is written in BIG_AHEAD_MS at the pace since the last time. Not
 * more, since what a flush finds prepared and not yet written costs a write of zeros and a page
 * fault each. Where flushes come one after another the opposite is right: far ahead, and best in
 * another file, where none of them has to wait for zeros and the blocks' metadata. */
static void pace(struct big_log *log, uint64_t end, uint64_t need)
{
	uint64_t now_ms = gantry_clock_ms(), took_ms = now_ms - log->paced_ms + 1;
	uint64_t written = end > log->paced_at ? end - log->paced_at : 0;
	uint64_t want = written * BIG_AHEAD_MS / took_ms;
	uint64_t flushes = atomic_load_explicit(&log->flushes, memory_order_relaxed);

	atomic_store(&log->prepare_far,
		     (flushes - log->paced_flushes) * 1000 / took_ms >= FLUSHES_A_SECOND);
	log->paced_ms = now_ms;
	log->paced_at = end;
	log->paced_flushes = flushes;
	if (want < 4 * need) /* long records */
		want = 4 * need;
	log->prepare_want = smaller(larger(want, BIG_FIRST), log->prepare_bytes);
}

/* Whether less than half of what shall be ready is left, or another step towards the next segment's
 * end is due. */
static bool is_due(struct big_log *log, uint64_t end, uint64_t need, uint64_t ready)
{
	uint64_t left = ready > end ? ready - end : 0;
	uint64_t least = log->prepare_want / 2;

	if (least < need + BIG_GUARD)
		least = smaller(need + BIG_GUARD, log->prepare_bytes);
	if (left < least)
		return true;
	return atomic_load_explicit(&log->prepare_far, memory_order_relaxed) &&
	       end > log->paced_at + FLUSHED_LAG &&
	       ready < segment_end(log->tail) + log->segment_bytes;
}

void prepare_ahead(struct big_log *log, uint64_t end, uint64_t need)
{
	uint64_t ready = atomic_load_explicit(&log->ready, memory_order_relaxed);

	if (!is_due(log, end, need, ready))
		return;
	uint64_t again_ms = atomic_load_explicit(&log->prepare_again_ms, memory_order_relaxed);
	if (again_ms && gantry_clock_ms() < again_ms)
		return;
	if (atomic_load_explicit(&log->preparing, memory_order_relaxed) ||
	    atomic_exchange(&log->preparing, true))
		return;
	pace(log, end, need);
	uint64_t from = larger(ready, end);
	uint64_t until = smaller(end + log->prepare_want, from + BIG_STEP);

	if (atomic_load(&log->prepare_far))
		until = larger(until, smaller(from + BIG_STEP,
					      segment_end(log->tail) + log->segment_bytes));
	atomic_store(&log->prepare_limit, segment_end(log->tail));
	atomic_store(&log->prepare_until, until);
	big_job(log, &log->prepare_job, prepare_run, prepare_done);
}
