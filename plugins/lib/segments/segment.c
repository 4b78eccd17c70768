/* SPDX-License-Identifier: Apache-2.0 */
/* Segments: the table of a big log, who uses what, files and mappings. */
#include "big.h"

#include <errno.h>
#include <fcntl.h>
#include <gantry/log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct farewell {       /* unmaps a segment away from the thread that used it last */
	struct job job; /* first: its done frees the whole */
	struct segment *segment;
};

void segment_free(struct segment *segment)
{
	uint8_t *map = atomic_load_explicit(&segment->map, memory_order_relaxed);

	gantry_guard_remove(&segment->guard);
	if (map)
		munmap(map, segment->log->segment_bytes);
	if (segment->fd >= 0)
		close(segment->fd);
	free((void *)segment->seen);
	free(segment);
}

static void farewell_run(struct job *job)
{
	segment_free(((struct farewell *)job)->segment);
	big_job_ran(job->user);
}

static void farewell_done(struct job *job)
{
	big_job_done(job->user);
	free(job);
}

/* Nobody can reach it any more. Unmapping a gigabyte takes milliseconds: not here. */
static void segment_bury(struct segment *segment)
{
	struct farewell *farewell = calloc(1, sizeof(*farewell));

	if (!farewell) {
		segment_free(segment);
		return;
	}
	farewell->segment = segment;
	big_job(segment->log, &farewell->job, farewell_run, farewell_done);
}

struct segment *segment_get(struct big_log *log, uint64_t at, uint64_t leased_to)
{
	struct segment *segment = NULL;

	pthread_mutex_lock(&log->lock);
	if (log->count && at >= log->table[0]->start) {
		uint64_t i = (at - log->table[0]->start) / log->segment_bytes;

		if (i < log->count)
			segment = log->table[i];
	}
	/* The end may have been cut since the caller looked. */
	if (segment && leased_to > atomic_load_explicit(&log->end, memory_order_relaxed))
		segment = NULL;
	if (segment) {
		++segment->users;
		segment->slices += leased_to != 0;
		if (segment->leased_to < leased_to)
			segment->leased_to = leased_to;
	}
	pthread_mutex_unlock(&log->lock);
	return segment;
}

static void put(struct segment *segment, bool slice)
{
	struct big_log *log = segment->log;

	pthread_mutex_lock(&log->lock);
	if (slice && --segment->slices == 0) {
		segment->leased_to = 0;
		pthread_cond_broadcast(&log->changed);
	}
	bool gone = --segment->users == 0 && !segment->listed;
	pthread_mutex_unlock(&log->lock);
	if (gone)
		segment_bury(segment);
}

void segment_put(struct segment *segment)
{
	put(segment, false);
}

void segment_unlease(struct segment *segment)
{
	put(segment, true);
}

static int open_file(struct big_log *log, struct segment *segment, int flags)
{
	char name[FILES_NAME];

	files_name(name, segment->start);
	int fd = openat(log->directory[segment->directory].fd, name, flags | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

int segment_open_direct(struct segment *segment)
{
	return open_file(segment->log, segment, O_RDWR | O_DIRECT);
}

static int map_locked(struct segment *segment)
{
	struct big_log *log = segment->log;
	bool read_only = log->flags & GANTRY_LOG_READ_ONLY;

	if (segment->fd < 0) {
		int fd = open_file(log, segment, read_only ? O_RDONLY : O_RDWR);

		if (fd < 0)
			return fd;
		segment->fd = fd;
	}
	if (!segment->seen)
		segment->seen = calloc(log->segment_bytes / BIG_LOOK + 1, sizeof(*segment->seen));
	if (!segment->seen)
		return -ENOMEM;
	void *map = mmap(NULL, log->segment_bytes, read_only ? PROT_READ : PROT_READ | PROT_WRITE,
			 MAP_SHARED, segment->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	int rc = damage_watch(segment, map);
	if (rc < 0) {
		munmap(map, log->segment_bytes);
		return rc;
	}
	atomic_store_explicit(&segment->map, map, memory_order_release);
	return 0;
}

int segment_map(struct segment *segment)
{
	struct big_log *log = segment->log;
	int rc = 0;

	if (atomic_load_explicit(&segment->map, memory_order_acquire))
		return 0;
	pthread_mutex_lock(&log->map_lock);
	if (!atomic_load_explicit(&segment->map, memory_order_relaxed))
		rc = map_locked(segment);
	pthread_mutex_unlock(&log->map_lock);
	return rc;
}

static struct segment *segment_new(struct big_log *log, uint64_t start, uint32_t directory)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	if (!segment)
		return NULL;
	segment->log = log;
	segment->start = start;
	segment->number = 1 + atomic_fetch_add(&segments_engine(log->base.inst)->segments_made, 1);
	segment->directory = directory;
	segment->fd = -1;
	return segment;
}

static int table_push(struct big_log *log, struct segment *segment)
{
	int rc = 0;

	pthread_mutex_lock(&log->lock);
	if (log->count == log->room) {
		uint32_t room = log->room ? log->room * 2 : 16;
		struct segment **table = realloc(log->table, room * sizeof(*table));

		if (table) {
			log->table = table;
			log->room = room;
		} else {
			rc = -ENOMEM;
		}
	}
	if (rc == 0) {
		segment->listed = true;
		log->table[log->count++] = segment;
	}
	pthread_mutex_unlock(&log->lock);
	return rc;
}

int segment_list(struct big_log *log, uint64_t start, uint32_t directory)
{
	struct segment *segment = segment_new(log, start, directory);
	int rc = segment ? table_push(log, segment) : -ENOMEM;

	if (rc < 0)
		free(segment);
	return rc;
}

static int unlink_file(struct segment *segment)
{
	char name[FILES_NAME];

	files_name(name, segment->start);
	return unlinkat(segment->log->directory[segment->directory].fd, name, 0) ? -errno : 0;
}

/* A file of its full length, mapped. The table knows of no such file: what bears its name, perhaps
 * because it could not be removed, is emptied. */
static int make_file(struct segment *segment)
{
	struct big_log *log = segment->log;
	int fd = open_file(log, segment, O_RDWR | O_CREAT | O_TRUNC);

	if (fd < 0)
		return fd;
	segment->fd = fd;
	return ftruncate(fd, (off_t)log->segment_bytes) ? -errno : segment_map(segment);
}

/* A file system keeps the order in which names come and go, several do not: then a crash could
 * leave a gap between files. */
static int keep_order(struct segment *segment)
{
	struct big_log *log = segment->log;

	if (log->directory_count == 1)
		return 0;
	return files_sync_directory(log->directory[segment->directory].fd);
}

int segment_make(struct big_log *log, uint64_t at, struct segment **ret)
{
	uint64_t start = at - at % log->segment_bytes;
	struct segment *segment;
	int rc;

	pthread_mutex_lock(&log->lock);
	if (log->count)
		start = segment_end(log->table[log->count - 1]);
	pthread_mutex_unlock(&log->lock);
	segment = segment_new(log, start, big_choose_directory(log, start));
	if (!segment)
		return -ENOMEM;
	segment->unsynced_name = true;
	rc = make_file(segment);
	if (rc == 0)
		rc = keep_order(segment);
	if (rc == 0)
		rc = table_push(log, segment);
	if (rc < 0) {
		if (segment->fd >= 0)
			unlink_file(segment);
		segment_free(segment);
		return rc;
	}
	*ret = segment;
	return 0;
}

/* It is in the table no more: it goes with its last user. */
static void unlist(struct segment *segment)
{
	struct big_log *log = segment->log;
	bool gone;

	pthread_mutex_lock(&log->lock);
	segment->listed = false;
	gone = segment->users == 0;
	pthread_mutex_unlock(&log->lock);
	if (gone)
		segment_free(segment);
}

static int remove_file(struct segment *segment)
{
	struct big_log *log = segment->log;
	int rc = unlink_file(segment);

	if (rc < 0 && rc != -ENOENT)
		gantry_log(log->base.inst, WARNING, "cannot remove %s/%020llu: %s",
			   log->directory[segment->directory].path,
			   (unsigned long long)segment->start, strerror(-rc));
	keep_order(segment);
	unlist(segment);
	return 1;
}

/* So that who still reads a segment whose name is gone can map it. */
static int keep_open(struct segment *segment)
{
	struct big_log *log = segment->log;

	pthread_mutex_lock(&log->map_lock);
	if (segment->fd < 0)
		segment->fd = open_file(log, segment, O_RDWR);
	int rc = segment->fd < 0 ? segment->fd : 0;
	pthread_mutex_unlock(&log->map_lock);
	return rc;
}

/* A file that cannot be removed stays in the table: forgotten, it would be a gap after a restart.
 */
int segment_remove_first(struct big_log *log, uint64_t before)
{
	struct segment *segment = NULL;
	int rc;

	pthread_mutex_lock(&log->lock);
	if (log->count > 1 && segment_end(log->table[0]) <= before)
		segment = log->table[0];
	pthread_mutex_unlock(&log->lock);
	if (!segment)
		return 0;
	rc = keep_open(segment);
	if (rc == 0)
		rc = unlink_file(segment);
	if (rc < 0 && rc != -ENOENT) {
		gantry_log(log->base.inst, WARNING, "cannot remove %s/%020llu: %s",
			   log->directory[segment->directory].path,
			   (unsigned long long)segment->start, strerror(-rc));
		return rc;
	}
	keep_order(segment);
	pthread_mutex_lock(&log->lock);
	memmove(log->table, log->table + 1, --log->count * sizeof(*log->table));
	atomic_store_explicit(&log->first, log->table[0]->start, memory_order_relaxed);
	pthread_mutex_unlock(&log->lock);
	unlist(segment);
	return 1;
}

int segment_remove_last(struct big_log *log, uint64_t from)
{
	struct segment *segment = NULL;

	pthread_mutex_lock(&log->lock);
	if (log->count && log->table[log->count - 1]->start >= from)
		segment = log->table[--log->count];
	pthread_mutex_unlock(&log->lock);
	return segment ? remove_file(segment) : 0;
}

int64_t big_modified_ms(struct big_log *log, uint64_t at)
{
	struct segment *segment = segment_get(log, at, 0);
	char name[FILES_NAME];
	struct stat st;
	int rc;

	if (!segment)
		return -ERANGE;
	files_name(name, segment->start);
	rc = fstatat(log->directory[segment->directory].fd, name, &st, 0) ? -errno : 0;
	segment_put(segment);
	return rc < 0 ? rc : (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}
