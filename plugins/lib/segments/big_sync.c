/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: whoever asks while one fdatasync runs shares the next. */
#include "big.h"
#include "stage.h"

#include <errno.h>
#include <gantry/op.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int segment_sync_name(struct segment *segment)
{
	struct big_log *log = segment->log;

	pthread_mutex_lock(&log->lock);
	bool unsynced = segment->unsynced_name;
	segment->unsynced_name = false;
	pthread_mutex_unlock(&log->lock);
	return unsynced ? files_sync_directory(log->directory[segment->directory].fd) : 0;
}

/* What was stored where the file could not take it is not in the file. */
static int sync_segment(struct segment *segment, uint64_t from, uint64_t to)
{
	int rc = segment_map(segment);

	if (rc < 0)
		return rc;
	if (fdatasync(segment->fd))
		return -errno;
	if (gantry_guard_overlaps(&segment->guard, from - segment->start, to - segment->start))
		return -EIO;
	return segment_sync_name(segment);
}

int big_sync_range(struct big_log *log, uint64_t from, uint64_t to)
{
	int rc = 0;

	while (from < to && rc == 0) {
		struct segment *segment = segment_get(log, from, 0);

		if (!segment) { /* expired meanwhile */
			uint64_t first = atomic_load(&log->first);

			if (first <= from)
				return -EIO;
			from = first;
			continue;
		}
		rc = sync_segment(segment, from,
				  to < segment_end(segment) ? to : segment_end(segment));
		from = segment_end(segment);
		segment_put(segment);
	}
	return rc;
}

int big_sync_directories(struct big_log *log)
{
	int rc = 0;

	for (uint32_t i = 0; i < log->directory_count && rc == 0; ++i)
		rc = files_sync_directory(log->directory[i].fd);
	return rc;
}

void big_raise_durable(struct big_log *log, uint64_t at)
{
	uint64_t old = atomic_load(&log->durable);

	while (old < at && !atomic_compare_exchange_weak(&log->durable, &old, at))
		;
}

/* One round: durable becomes the end as it was before. */
static int sync_round(struct big_log *log)
{
	int rc = -EIO;

	pthread_mutex_lock(&log->sync_lock);
	if (!atomic_load(&log->fenced)) {
		uint64_t end = atomic_load_explicit(&log->end, memory_order_acquire);

		atomic_fetch_add_explicit(&log->flushes, 1, memory_order_relaxed);
		rc = stage_sync(log, atomic_load(&log->durable), end);
		if (rc == 0)
			big_raise_durable(log, end);
		else if (rc != -ENOSPC) /* then it is staged still */
			big_fence(log, "cannot sync", rc);
	}
	pthread_mutex_unlock(&log->sync_lock);
	return rc;
}

static struct gantry_op *take_asks(struct big_log *log)
{
	pthread_mutex_lock(&log->lock);
	struct gantry_op *asks = log->asks;
	log->asks = NULL;
	pthread_mutex_unlock(&log->lock);
	return asks;
}

static void answer(struct gantry_op *asks, int status, uint64_t durable)
{
	while (asks) {
		struct gantry_op *op = asks;

		asks = op->next;
		gantry_op_finish(op, status, durable);
	}
}

/* Linux's struct sched_attr in its first size, which glibc does not declare. */
struct slice_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/* Since 6.12 a thread of the ordinary policy may ask for short slices: it is then let in as soon as
 * its disk has answered, where a busy loop would otherwise keep its core for milliseconds. 0: the
 * system's own. Where the kernel knows nothing of it nothing changes. */
static void ask_for_slice(uint64_t ns)
{
	struct slice_attr attr = {0};

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) || attr.policy != SCHED_OTHER)
		return;
	attr.runtime = ns;
	syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void sync_run(struct job *job)
{
	enum { ROUNDS = 64, SLICE_NS = 100000 }; /* ROUNDS: then others may have the worker */
	struct big_log *log = job->user;
	struct gantry_op *asks;

	ask_for_slice(SLICE_NS);
	for (int i = 0; i < ROUNDS && (asks = take_asks(log)); ++i) {
		int rc = sync_round(log);

		answer(asks, rc < 0 && rc != -ENOSPC ? -EIO : rc, atomic_load(&log->durable));
	}
	ask_for_slice(0);
	big_job_ran(log);
}

static void sync_done(struct job *job);

static void sync_start(struct big_log *log)
{
	big_job(log, &log->sync_job, sync_run, sync_done);
}

/* An ask that came after the worker's last look starts the next job. */
static void sync_done(struct job *job)
{
	struct big_log *log = job->user;

	pthread_mutex_lock(&log->lock);
	log->syncing = log->asks != NULL;
	bool again = log->syncing;
	pthread_mutex_unlock(&log->lock);
	if (again)
		sync_start(log);
	big_job_done(log);
}

int big_sync(struct big_log *log, uint64_t upto, struct gantry_op *op)
{
	if (upto <= atomic_load_explicit(&log->durable, memory_order_acquire))
		return GANTRY_OK;
	if (upto > atomic_load_explicit(&log->end, memory_order_acquire))
		return -ERANGE;
	if (atomic_load(&log->fenced))
		return -EIO;
	gantry_op_take(op, NULL, log);
	pthread_mutex_lock(&log->lock);
	op->next = log->asks;
	log->asks = op;
	bool start = !log->syncing;
	log->syncing = true;
	pthread_mutex_unlock(&log->lock);
	if (start)
		sync_start(log);
	return GANTRY_PENDING;
}
