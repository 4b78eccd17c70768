/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing big logs; the work they put on workers. */
#include "big.h"

#include <errno.h>
#include <fcntl.h>
#include <gantry/log.h>
#include <gantry/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

/* ---- jobs */

void big_job(struct big_log *log, struct job *job, void (*run)(struct job *),
	     void (*done)(struct job *))
{
	pthread_mutex_lock(&log->lock);
	++log->running;
	++log->unfinished;
	pthread_mutex_unlock(&log->lock);
	job->run = run;
	job->done = done;
	job->user = log;
	job_start(log->base.inst, job);
}

void big_job_ran(struct big_log *log)
{
	pthread_mutex_lock(&log->lock);
	--log->running;
	pthread_cond_broadcast(&log->changed);
	pthread_mutex_unlock(&log->lock);
}

static void big_free(struct big_log *log)
{
	for (uint32_t i = 0; i < log->directory_count; ++i) {
		if (log->directory[i].fd >= 0)
			close(log->directory[i].fd);
		free(log->directory[i].path);
	}
	pthread_cond_destroy(&log->changed);
	pthread_mutex_destroy(&log->ahead.lock);
	pthread_mutex_destroy(&log->lock);
	pthread_mutex_destroy(&log->map_lock);
	pthread_mutex_destroy(&log->prepare_lock);
	pthread_mutex_destroy(&log->sync_lock);
	pthread_mutex_destroy(&log->remove_lock);
	stage_free(log, atomic_load(&log->stage));
	free(log->directory);
	free(log->table);
	free(log);
}

void big_job_done(struct big_log *log)
{
	pthread_mutex_lock(&log->lock);
	bool last = --log->unfinished == 0 && log->closed;
	pthread_mutex_unlock(&log->lock);
	if (last)
		big_free(log);
}

void big_fence(struct big_log *log, const char *what, int rc)
{
	if (!atomic_exchange(&log->fenced, true))
		gantry_log(log->base.inst, ERROR,
			   "%s: %s: %s; nothing is written to this log any more",
			   log->directory[0].path, what, strerror(-rc));
}

/* ---- opening */

static int open_directories(struct big_log *log, const struct gantry_shape *shape)
{
	log->directory = calloc(shape->directory_count, sizeof(*log->directory));
	if (!log->directory)
		return -ENOMEM;
	if (GANTRY_LOG_KEPT_OF(shape->flags) >= shape->directory_count)
		return -EINVAL;
	log->new_count = shape->directory_count - GANTRY_LOG_KEPT_OF(shape->flags);
	for (uint32_t i = 0; i < shape->directory_count; ++i) {
		struct directory *directory = &log->directory[i];
		int rc = 0;

		directory->fd = -1;
		directory->path = strdup(shape->directories[i]);
		++log->directory_count;
		if (!directory->path)
			return -ENOMEM;
		if (!(log->flags & GANTRY_LOG_READ_ONLY))
			rc = files_make_directory(directory->path);
		if (rc == 0) {
			directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			rc = directory->fd < 0 ? -errno : 0;
		}
		if (rc < 0) {
			gantry_log(log->base.inst, ERROR, "cannot open directory %s: %s",
				   directory->path, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static int64_t file_size(struct big_log *log, const struct found *found)
{
	char name[FILES_NAME];
	struct stat st;

	files_name(name, found->start);
	if (fstatat(log->directory[found->directory].fd, name, &st, 0))
		return -errno;
	return st.st_size;
}

/* Java leaves a last file empty when it is killed between making it and giving it its length. */
static void drop_empty_last(struct big_log *log, struct listing *listing)
{
	if (!listing->count || file_size(log, &listing->files[listing->count - 1]) != 0)
		return;
	const struct found *last = &listing->files[--listing->count];
	gantry_log(log->base.inst, WARNING, "%s/%020llu is empty and is left out",
		   log->directory[last->directory].path, (unsigned long long)last->start);
	if (!(log->flags & GANTRY_LOG_READ_ONLY)) {
		char name[FILES_NAME];

		files_name(name, last->start);
		unlinkat(log->directory[last->directory].fd, name, 0);
	}
}

static int check_sizes(struct big_log *log, const struct listing *listing)
{
	for (uint32_t i = 0; i < listing->count; ++i) {
		const struct found *found = &listing->files[i];
		int64_t size = file_size(log, found);

		if (size < 0)
			return (int)size;
		if (i == 0 && size > 0)
			log->segment_bytes = (uint64_t)size;
		if ((uint64_t)size == log->segment_bytes)
			continue;
		gantry_log(log->base.inst, ERROR, "%s/%020llu is %lld bytes long and not %llu",
			   log->directory[found->directory].path, (unsigned long long)found->start,
			   (long long)size, (unsigned long long)log->segment_bytes);
		return -EUCLEAN;
	}
	return 0;
}

static int load(struct big_log *log, struct listing *listing)
{
	int rc = 0;

	for (uint32_t i = 0; i < log->directory_count && rc == 0; ++i)
		rc = files_list(log->base.inst, log->directory[i].path, i, listing);
	if (rc < 0)
		return rc;
	files_sort(listing);
	drop_empty_last(log, listing);
	rc = check_sizes(log, listing);
	if (rc == 0)
		rc = files_check_gaps(log->base.inst, log->directory[0].path, listing,
				      log->segment_bytes);
	for (uint32_t i = 0; i < listing->count && rc == 0; ++i)
		rc = segment_list(log, listing->files[i].start, listing->files[i].directory);
	return rc;
}

static void place_all(struct big_log *log, uint64_t first, uint64_t end)
{
	atomic_store(&log->first, first);
	atomic_store(&log->durable, end);
	atomic_store(&log->end, end);
	atomic_store(&log->ready, end);
	atomic_store(&log->written, log->stage_bytes ? end : UINT64_MAX);
	atomic_store(&log->own_from, end);
}

/* Whoever wrote before us may have been killed with the last segments still in the cache. */
static int settle(struct big_log *log)
{
	uint64_t end = atomic_load(&log->end), first = atomic_load(&log->first);
	uint64_t last_two = 2 * log->segment_bytes;

	if (log->flags & GANTRY_LOG_READ_ONLY)
		return 0;
	return big_sync_range(log, end - first > last_two ? end - last_two : first, end);
}

/* Frees the segments; false: a slice or a read is still out, against the contract. */
static bool drop_all(struct big_log *log)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < log->count; ++i) {
		if (log->table[i]->users)
			++kept;
		else
			segment_free(log->table[i]);
	}
	log->count = 0;
	if (kept)
		gantry_log(log->base.inst, ERROR, "%s: %u segments are still read after closing",
			   log->directory[0].path, kept);
	return kept == 0;
}

static struct big_log *big_new(struct gantry_inst *inst, const struct gantry_shape *shape)
{
	const struct segments_conf *conf = gantry_conf(inst);
	struct big_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->base.inst = inst;
	log->flags = shape->flags;
	log->segment_bytes = shape->segment_bytes;
	log->prepare_bytes =
		shape->prepare_bytes ? shape->prepare_bytes : (uint64_t)conf->prepared_bytes;
	log->prepare_want = log->prepare_bytes < BIG_FIRST ? log->prepare_bytes : BIG_FIRST;
	if (segments_engine(inst)->staged && !(shape->flags & GANTRY_LOG_READ_ONLY))
		log->stage_bytes = (uint64_t)conf->staging_bytes;
	log->hot_bytes = (uint64_t)conf->hot_bytes;
	log->cold_bytes = (uint64_t)conf->cold_read_bytes;
	log->ahead.bytes_max = (uint64_t)conf->ahead_bytes;
	log->cold_end = &log->cold;
	log->full_percent = (uint64_t)(conf->full_percent < 30   ? 30
				       : conf->full_percent > 85 ? 85
								 : conf->full_percent);
	pthread_mutex_init(&log->remove_lock, NULL);
	pthread_mutex_init(&log->sync_lock, NULL);
	pthread_mutex_init(&log->prepare_lock, NULL);
	pthread_mutex_init(&log->map_lock, NULL);
	pthread_mutex_init(&log->lock, NULL);
	pthread_mutex_init(&log->ahead.lock, NULL);
	pthread_cond_init(&log->changed, NULL);
	return log;
}

/* Waits for work that runs; a job whose done is still to come frees the log then. */
static void big_quit(struct big_log *log)
{
	pthread_mutex_lock(&log->lock);
	while (log->running)
		pthread_cond_wait(&log->changed, &log->lock);
	log->closed = drop_all(log);
	bool last = log->closed && log->unfinished == 0;
	pthread_mutex_unlock(&log->lock);
	if (last)
		big_free(log);
}

int big_open(struct gantry_inst *inst, const struct gantry_shape *shape, struct gantry_log **ret)
{
	struct big_log *log = big_new(inst, shape);
	struct listing listing = {0};
	int rc;

	if (!log)
		return -ENOMEM;
	rc = open_directories(log, shape);
	if (rc == 0 && !(shape->flags & GANTRY_LOG_EMPTY))
		rc = load(log, &listing);
	files_forget(&listing);
	if (rc == 0 && log->count) {
		place_all(log, log->table[0]->start, segment_end(log->table[log->count - 1]));
		rc = settle(log);
	} else if (rc == 0) {
		uint64_t start = shape->start - shape->start % log->segment_bytes;

		place_all(log, start, start);
	}
	if (rc == 0 && log->stage_bytes)
		rc = stage_watch(log);
	if (rc < 0) {
		big_quit(log);
		return rc;
	}
	*ret = &log->base;
	return 0;
}

void big_close(struct big_log *log)
{
	uint64_t end = atomic_load(&log->end);

	if (log->stage_bytes)
		stage_unwatch(log);
	pthread_mutex_lock(&log->sync_lock);
	pthread_mutex_lock(&log->prepare_lock);
	atomic_store(&log->prepare_until, 0);
	if (!(log->flags & GANTRY_LOG_READ_ONLY)) {
		int rc = atomic_load(&log->fenced)
				 ? 0
				 : stage_sync(log, atomic_load(&log->durable), end);

		if (rc < 0)
			big_fence(log, "cannot sync while closing", rc);
		while (segment_remove_last(log, end))
			;
	}
	pthread_mutex_unlock(&log->prepare_lock);
	pthread_mutex_unlock(&log->sync_lock);
	big_quit(log);
}
