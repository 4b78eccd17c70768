/* SPDX-License-Identifier: Apache-2.0 */
/* Reads that wait for the disk. A worker takes all that wait, asks the disk for all of them at
 * once, and then waits for one after the other. No more than BIG_READERS workers do so at a time:
 * however many consumers read old messages, syncs and what prepares room for the writer find a
 * worker. */
#include "big.h"
#include "stage.h"

#include <errno.h>
#include <gantry/op.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

struct cold {
	struct job job; /* first; of bytes that are staged, which wait for no disk */
	struct cold *next;
	struct gantry_op *asker;
	struct segment *segment; /* leased */
	uint64_t at, size;       /* in the segment; what was asked for */
	uint64_t run;            /* how much is read at once */
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- pages */

/* Offsets in the segment, of whole pages. No page fault of ours is behind it, so an error is a
 * return code. */
static int populate(struct segment *segment, uint64_t from, uint64_t to)
{
	uint8_t *map = atomic_load_explicit(&segment->map, memory_order_relaxed);

	return madvise(map + from, to - from, MADV_POPULATE_READ) ? -errno : 0;
}

/* Pages that the file has and the mapping cannot show: those of a tmpfs that take room when they
 * are first read, and there is none. */
static void say_no_room(struct segment *segment, uint64_t from, int rc)
{
	struct big_log *log = segment->log;

	gantry_log_limited(log->base.inst, &log->no_room_limit, ERROR,
			   "%s/%020llu at %llu is not in memory and cannot be brought there: %s "
			   "(a full tmpfs?)",
			   log->directory[segment->directory].path,
			   (unsigned long long)segment->start, (unsigned long long)from,
			   strerror(-rc));
}

/* Brings the run into memory; if not all of it can be had, what was asked for. Pages that the file
 * cannot give are noted: who reads again learns of them. */
static int fetch_pages(struct segment *segment, uint64_t from, uint64_t asked, uint64_t run)
{
	int rc;

	from -= from % FILES_PAGE;
	if (populate(segment, from, run) == 0)
		return 0;
	rc = populate(segment, from, asked);
	/* Linux before 5.14 has no such advice: reading the file brings the pages in, too. */
	if (rc < 0)
		damage_find(segment, from, asked);
	if (rc == 0 || rc == -EINVAL || gantry_guard_overlaps(&segment->guard, from, asked))
		return 0;
	say_no_room(segment, from, rc);
	return -EIO;
}

/* As far as the log goes. */
static uint64_t limit(const struct segment *segment, uint64_t to)
{
	uint64_t end = atomic_load_explicit(&segment->log->end, memory_order_relaxed);

	end = smaller(end, segment_end(segment));
	return smaller(to, end > segment->start ? end - segment->start : 0);
}

/* ---- a worker's turn */

static void finish(struct cold *cold, int rc)
{
	gantry_op_finish(cold->asker, rc < 0 ? -EIO : 0, 0);
	segment_unlease(cold->segment);
}

static struct cold *take_all(struct big_log *log)
{
	struct cold *batch;

	pthread_mutex_lock(&log->lock);
	batch = log->cold;
	log->cold = NULL;
	log->cold_end = &log->cold;
	pthread_mutex_unlock(&log->lock);
	return batch;
}

/* The disk may work on all of them. */
static void ask_all(const struct cold *batch)
{
	for (const struct cold *cold = batch; cold; cold = cold->next)
		if (segment_map(cold->segment) == 0)
			ahead_ask(cold->segment, cold->at,
				  limit(cold->segment, cold->at + cold->run));
}

/* at: in the segment. */
static int load(struct segment *segment, uint64_t at, uint64_t size, uint64_t run)
{
	uint64_t asked = limit(segment, at + size);
	int rc = segment_map(segment);

	if (rc == 0 && at < asked)
		rc = fetch_pages(segment, at, asked, limit(segment, at + run));
	return rc;
}

static void serve(struct cold *cold)
{
	finish(cold, load(cold->segment, cold->at, cold->size, cold->run));
}

static void reader_run(struct job *job)
{
	struct big_log *log = job->user;
	struct cold *cold = take_all(log);

	ask_all(cold);
	while (cold) {
		struct cold *next = cold->next;

		serve(cold);
		free(cold);
		cold = next;
	}
	ahead_run(log);
	big_job_ran(log);
}

/* ---- its turns */

static bool is_due(const struct big_log *log)
{
	return log->cold || atomic_load(&log->ahead.due);
}

static void reader_done(struct job *job)
{
	struct big_reader *reader = (struct big_reader *)job;
	struct big_log *log = job->user;
	bool again;

	pthread_mutex_lock(&log->lock);
	again = reader->busy = is_due(log) && !log->closed;
	pthread_mutex_unlock(&log->lock);
	if (again)
		big_job(log, &reader->job, reader_run, reader_done);
	big_job_done(log);
}

void readers_start(struct big_log *log)
{
	struct big_reader *idle = NULL;

	pthread_mutex_lock(&log->lock);
	for (uint32_t i = 0; i < BIG_READERS && !idle && is_due(log); ++i)
		if (!log->reader[i].busy)
			idle = &log->reader[i];
	if (idle)
		idle->busy = true;
	pthread_mutex_unlock(&log->lock);
	if (idle)
		big_job(log, &idle->job, reader_run, reader_done);
}

/* ---- asking */

/* Bytes of the log that are staged. If a log that was fenced has only the first of them they can be
 * read all the same. */
static int commit(struct segment *segment, uint64_t at, uint64_t size)
{
	int rc = stage_commit(segment->log, at + size);

	return rc == 0 || big_lost_behind(segment->log, at) ? segment_map(segment) : rc;
}

static void commit_run(struct job *job)
{
	struct cold *cold = (struct cold *)job;
	struct segment *segment = cold->segment;

	finish(cold, commit(segment, segment->start + cold->at, cold->size));
	big_job_ran(job->user);
}

static void commit_done(struct job *job)
{
	big_job_done(job->user);
	free(job);
}

/* How much is read at once, of who asks for size bytes at a log offset. */
static uint64_t run_at(struct big_log *log, uint64_t at, uint64_t size)
{
	uint64_t run = log->cold_bytes;

	gantry_counter_add(segments_engine(log->base.inst)->cold_reads, 1);
	if (ahead_cold(log, at, size) && run < BIG_RUN)
		run = BIG_RUN;
	return size > run ? size : run;
}

static void wait_for_disk(struct big_log *log, struct cold *cold)
{
	cold->run = run_at(log, cold->segment->start + cold->at, cold->size);
	pthread_mutex_lock(&log->lock);
	*log->cold_end = cold;
	log->cold_end = &cold->next;
	pthread_mutex_unlock(&log->lock);
	readers_start(log);
}

int cold_read(struct segment *segment, uint64_t at, uint64_t size, struct gantry_op *asker)
{
	struct big_log *log = segment->log;
	uint64_t written = atomic_load_explicit(&log->written, memory_order_acquire);
	struct cold *cold = asker ? calloc(1, sizeof(*cold)) : NULL;

	if (!cold) {
		segment_unlease(segment);
		return asker ? -ENOMEM : -EAGAIN;
	}
	cold->asker = asker;
	cold->segment = segment;
	cold->at = at - segment->start;
	cold->size = size;
	gantry_op_take(asker, NULL, NULL);
	if (at + size > written)
		big_job(log, &cold->job, commit_run, commit_done);
	else
		wait_for_disk(log, cold);
	return GANTRY_PENDING;
}

int cold_fetch(struct segment *segment, uint64_t at, uint64_t size)
{
	struct big_log *log = segment->log;
	uint64_t run;
	int rc;

	if (at + size > atomic_load_explicit(&log->written, memory_order_acquire))
		return commit(segment, at, size);
	run = run_at(log, at, size);
	readers_start(log); /* for what is to be read ahead */
	rc = load(segment, at - segment->start, size, run);
	return rc < 0 ? -EIO : 0;
}
