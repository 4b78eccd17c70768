/* SPDX-License-Identifier: Apache-2.0 */
/* Taking away: at the front, at the end, everything. */
#include "big.h"
#include "stage.h"

#include <errno.h>
#include <unistd.h>

/* Nobody syncs or prepares meanwhile, or goes on with what was there; the writer is the caller. */
static void lock_all(struct big_log *log)
{
	pthread_mutex_lock(&log->remove_lock);
	pthread_mutex_lock(&log->sync_lock);
	pthread_mutex_lock(&log->prepare_lock);
	atomic_store(&log->prepare_until, 0);
	log->tail = NULL;
}

static void unlock_all(struct big_log *log)
{
	pthread_mutex_unlock(&log->prepare_lock);
	pthread_mutex_unlock(&log->sync_lock);
	pthread_mutex_unlock(&log->remove_lock);
}

static void lower(_Atomic uint64_t *mark, uint64_t at)
{
	if (atomic_load(mark) > at)
		atomic_store(mark, at);
}

/* Bytes that a slice shows are going to be written again: waits until none does. */
static void wait_for_slices(struct big_log *log, struct segment *segment, uint64_t at)
{
	pthread_mutex_lock(&log->lock);
	while (segment->leased_to > at)
		pthread_cond_wait(&log->changed, &log->lock);
	pthread_mutex_unlock(&log->lock);
}

/* at stands in this segment, behind its start. */
static int erase_behind(struct big_log *log, struct segment *segment, uint64_t at)
{
	int rc = segment_map(segment);

	if (rc < 0)
		return rc;
	wait_for_slices(log, segment, at);
	rc = files_erase(segment->fd, at - segment->start, log->segment_bytes);
	if (rc <= 0)
		return rc;
	return fdatasync(segment->fd) ? -errno : 0;
}

/* Nothing is dropped: what is there becomes durable. */
static int settle_locked(struct big_log *log, uint64_t at)
{
	int rc = stage_sync(log, atomic_load(&log->durable), at);

	if (rc == 0)
		atomic_store(&log->durable, at);
	return rc;
}

static int cut_locked(struct big_log *log, uint64_t at)
{
	uint64_t durable = atomic_load(&log->durable);
	struct segment *segment;
	int rc, removed = 0;

	atomic_store(&log->end, at); /* from here on no slice reaches beyond */
	rc = stage_cut(log, at);
	if (rc < 0)
		return rc;
	lower(&log->durable, at);
	lower(&log->own_from, at);
	while (segment_remove_last(log, at))
		++removed;
	atomic_store(&log->ready, at);
	if (removed)
		rc = big_sync_directories(log);
	segment = rc == 0 ? segment_get(log, at, 0) : NULL;
	if (segment) {
		rc = erase_behind(log, segment, at);
		segment_put(segment);
	}
	if (rc == 0 && durable < at)
		rc = big_sync_range(log, durable, at);
	if (rc == 0)
		atomic_store(&log->durable, at);
	return rc;
}

int big_cut(struct big_log *log, uint64_t at)
{
	int rc;

	if (at < atomic_load(&log->first) || at > atomic_load(&log->end))
		return -ERANGE;
	if (log->flags & GANTRY_LOG_READ_ONLY)
		return -EROFS;
	if (atomic_load(&log->fenced))
		return -EIO;
	lock_all(log);
	rc = at < atomic_load(&log->end) ? cut_locked(log, at) : settle_locked(log, at);
	unlock_all(log);
	if (rc < 0)
		big_fence(log, "cannot cut", rc);
	return rc < 0 ? -EIO : 0;
}

int big_reset(struct big_log *log, uint64_t at)
{
	int rc;

	if (log->flags & GANTRY_LOG_READ_ONLY)
		return -EROFS;
	if (atomic_load(&log->fenced))
		return -EIO;
	lock_all(log);
	/* Readers find nothing from here on. */
	atomic_store(&log->first, at);
	atomic_store(&log->end, at);
	stage_reset(log, at);
	while (segment_remove_last(log, 0))
		;
	atomic_store(&log->durable, at);
	atomic_store(&log->ready, at);
	atomic_store(&log->own_from, at);
	rc = big_sync_directories(log);
	unlock_all(log);
	if (rc < 0)
		big_fence(log, "cannot reset", rc);
	return rc < 0 ? -EIO : 0;
}

/* Without sync_lock: unlinking a gigabyte takes long, and a flush shall not wait for it. */
int big_expire(struct big_log *log, uint64_t before)
{
	int removed = 0, rc;

	if (log->flags & GANTRY_LOG_READ_ONLY)
		return -EROFS;
	pthread_mutex_lock(&log->remove_lock);
	uint64_t end = atomic_load(&log->end);
	/* The last one stays, even if it is full. */
	if (before >= end)
		before = end ? end - 1 : 0;
	while ((rc = segment_remove_first(log, before)) > 0)
		++removed;
	if (removed)
		big_sync_directories(log);
	big_raise_durable(log, atomic_load(&log->first));
	pthread_mutex_unlock(&log->remove_lock);
	return removed ? removed : rc;
}
