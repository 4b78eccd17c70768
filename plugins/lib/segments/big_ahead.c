/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead. Who reads cold bytes in order, as a consumer does that catches up, would wait for
 * the disk at every run, and the disk for him. From his second run on, BIG_AHEAD bytes are asked
 * for ahead of him, on a worker, since asking may wait for the disk's queue. One position a
 * segment: of several readers the last that met cold bytes is served. */
#include "big.h"

#include <sys/mman.h>

static uint64_t limit(const struct segment *segment, uint64_t to)
{
	uint64_t end = atomic_load_explicit(&segment->log->end, memory_order_relaxed);

	if (end > segment_end(segment))
		end = segment_end(segment);
	end = end > segment->start ? end - segment->start : 0;
	return to < end ? to : end;
}

/* Asks the disk, and does not wait for it. What fails is met again by who loads it. */
static void ask(struct segment *segment, uint64_t from, uint64_t to)
{
	uint8_t *map = atomic_load_explicit(&segment->map, memory_order_relaxed);

	from -= from % FILES_PAGE;
	if (from < to)
		madvise(map + from, to - from, MADV_WILLNEED);
}

void ahead_after_cold(struct segment *segment, uint64_t from, uint64_t to)
{
	uint64_t before = atomic_exchange(&segment->cold_to, to);
	uint64_t until = limit(segment, to + BIG_AHEAD);

	/* In order: somewhere behind the last run, not farther than what was read ahead of it. */
	if (from + BIG_LOOK < before || from > before + BIG_AHEAD || !before)
		return;
	atomic_store(&segment->ahead_to, until);
	ask(segment, to, until);
}

static void ahead_run(struct job *job)
{
	struct big_log *log = job->user;

	ask(log->ahead_segment, log->ahead_from, log->ahead_end);
	segment_put(log->ahead_segment);
	big_job_ran(log);
}

static void ahead_done(struct job *job)
{
	struct big_log *log = job->user;

	atomic_store(&log->ahead_busy, false);
	big_job_done(log);
}

static void start(struct segment *segment, uint64_t from)
{
	struct big_log *log = segment->log;

	if (atomic_exchange(&log->ahead_busy, true))
		return;
	log->ahead_end = limit(segment, from + BIG_AHEAD);
	log->ahead_from = from;
	log->ahead_segment =
		from < log->ahead_end ? segment_get(log, segment->start + from, 0) : NULL;
	if (!log->ahead_segment) {
		atomic_store(&log->ahead_busy, false);
		return;
	}
	atomic_store(&segment->ahead_to, log->ahead_end);
	atomic_store(&segment->cold_to, log->ahead_end);
	big_job(log, &log->ahead_job, ahead_run, ahead_done);
}

void ahead_of(struct segment *segment, uint64_t from, uint64_t size)
{
	uint64_t to = atomic_load_explicit(&segment->ahead_to, memory_order_relaxed);

	if (to && from < to && from + size + BIG_AHEAD / 2 > to)
		start(segment, to);
}
