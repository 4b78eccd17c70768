/* SPDX-License-Identifier: Apache-2.0 */
/* Small logs: opening, appending, copying. */
#include "small.h"

#include <errno.h>
#include <fcntl.h>
#include <gantry/log.h>
#include <gantry/plugin.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct descriptors *cache_of(const struct small_log *log)
{
	return segments_engine(log->base.inst)->descriptors;
}

int small_path(const struct small_log *log, uint64_t start, char *to, size_t size)
{
	char name[FILES_NAME];

	files_name(name, start);
	return (size_t)snprintf(to, size, "%s/%s", log->directory, name) < size ? 0 : -ENAMETOOLONG;
}

void small_fence(struct small_log *log, const char *what, int rc)
{
	if (!atomic_exchange(&log->fenced, true))
		gantry_log(log->base.inst, ERROR,
			   "%s: %s: %s; nothing is written to this log any more", log->directory,
			   what, strerror(-rc));
}

/* ---- files */

static int make_directory(struct small_log *log)
{
	int rc = log->made ? 0 : files_make_directory(log->directory);

	log->made = rc == 0;
	return rc;
}

/* A file that Java was killed in making has no length yet. */
static int check_length(struct small_log *log, int fd, bool fresh)
{
	struct stat st;

	if (!fresh && fstat(fd, &st))
		return -errno;
	if (!fresh && (uint64_t)st.st_size == log->segment_bytes)
		return 0;
	if (!fresh && (st.st_size != 0 || log->read_only))
		return -EUCLEAN;
	return ftruncate(fd, (off_t)log->segment_bytes) ? -errno : 0;
}

static int open_file(struct small_log *log, uint64_t start, bool make)
{
	int flags = log->read_only ? O_RDONLY : O_RDWR;
	char path[PATH_MAX];
	int rc = small_path(log, start, path, sizeof(path));

	if (rc == 0 && make)
		rc = make_directory(log);
	if (rc < 0)
		return rc;
	int fd = open(path, flags | O_CLOEXEC | (make ? O_CREAT | O_TRUNC : 0), 0644);
	if (fd < 0)
		return -errno;
	/* it is opened again and again, and looked at once */
	if (make || atomic_load(&log->checked) != start + log->segment_bytes)
		rc = check_length(log, fd, make);
	if (rc == 0)
		atomic_store(&log->checked, start + log->segment_bytes);
	if (rc == -EUCLEAN)
		gantry_log(log->base.inst, ERROR, "%s is not %llu bytes long", path,
			   (unsigned long long)log->segment_bytes);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int small_file(struct small_log *log, uint64_t start, bool make, struct descriptor *ret)
{
	struct descriptors *cache = cache_of(log);

	if (!make && descriptors_find(cache, log, start, ret))
		return 0;
	int fd = open_file(log, start, make);
	if (fd < 0)
		return fd;
	descriptors_add(cache, log, start, fd, ret);
	return 0;
}

/* ---- opening */

static int size_of_only_file(struct small_log *log, uint64_t start, uint64_t *ret)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = small_path(log, start, path, sizeof(path));

	if (rc < 0)
		return rc;
	if (stat(path, &st))
		return -errno;
	if (st.st_size > 0)
		*ret = (uint64_t)st.st_size;
	return 0;
}

/* Names alone tell the size, unless there is just one. */
static int load(struct small_log *log)
{
	struct listing listing = {0};
	int rc = files_list(log->base.inst, log->directory, 0, &listing);

	files_sort(&listing);
	if (rc == 0 && listing.count == 1)
		rc = size_of_only_file(log, listing.files[0].start, &log->segment_bytes);
	if (rc == 0 && listing.count > 1)
		log->segment_bytes = listing.files[1].start - listing.files[0].start;
	if (rc == 0 && log->segment_bytes == 0)
		rc = -EUCLEAN;
	if (rc == 0)
		rc = files_check_gaps(log->base.inst, log->directory, &listing, log->segment_bytes);
	if (rc == 0 && listing.count) {
		uint64_t first = listing.files[0].start;
		uint64_t last = listing.files[listing.count - 1].start;

		log->made = true;
		atomic_store(&log->first, first);
		/* The first sync covers what the process before us may have left in the cache. */
		atomic_store(&log->durable, last);
		atomic_store(&log->end, last + log->segment_bytes);
		atomic_store(&log->file_end, last + log->segment_bytes);
		log->own_from = last + log->segment_bytes;
	}
	files_forget(&listing);
	return rc;
}

int small_open(struct gantry_inst *inst, const struct gantry_shape *shape, struct gantry_log **ret)
{
	uint64_t start = shape->start - shape->start % shape->segment_bytes;
	struct small_log *log = calloc(1, sizeof(*log));
	int rc = 0;

	if (!log)
		return -ENOMEM;
	log->base.inst = inst;
	log->base.small = true;
	log->read_only = shape->flags & GANTRY_LOG_READ_ONLY;
	log->segment_bytes = shape->segment_bytes;
	log->directory = strdup(shape->directories[0]);
	atomic_store(&log->first, start);
	atomic_store(&log->durable, start);
	atomic_store(&log->end, start);
	atomic_store(&log->file_end, start);
	log->own_from = start;
	if (!log->directory)
		rc = -ENOMEM;
	if (rc == 0 && !(shape->flags & GANTRY_LOG_EMPTY))
		rc = load(log);
	if (rc < 0) {
		free(log->directory);
		free(log);
		return rc;
	}
	*ret = &log->base;
	return 0;
}

void small_close(struct small_log *log)
{
	struct descriptors *cache = cache_of(log);

	small_sync_pause(log);
	uint64_t from = atomic_load(&log->durable), end = atomic_load(&log->end);
	if (from < log->own_from)
		from = log->own_from;
	if (!log->read_only && !atomic_load(&log->fenced) && from < end) {
		int rc = small_sync_now(log, from, end);

		if (rc < 0)
			small_fence(log, "cannot sync while closing", rc);
	}
	small_sync_resume(log);
	for (uint64_t at = small_start(log, atomic_load(&log->first));
	     at < atomic_load(&log->file_end); at += log->segment_bytes)
		descriptors_drop(cache, log, at);
	free(log->directory);
	free(log);
}

/* ---- writing and reading */

static int append_piece(struct small_log *log, uint64_t at, const uint8_t *from, uint64_t bytes)
{
	uint64_t start = small_start(log, at);
	bool make = start >= atomic_load(&log->file_end);
	struct descriptor file;
	int rc = small_file(log, start, make, &file);

	if (rc < 0)
		return rc;
	if (make) {
		atomic_store(&log->file_end, start + log->segment_bytes);
		struct small_syncs *syncs = &segments_engine(log->base.inst)->syncs;

		pthread_mutex_lock(&syncs->lock);
		log->unsynced_names = true;
		pthread_mutex_unlock(&syncs->lock);
	}
	rc = files_write(file.fd, at - start, from, bytes);
	descriptors_put(cache_of(log), &file);
	return rc;
}

static uint64_t piece_at(const struct small_log *log, uint64_t at, uint64_t bytes)
{
	uint64_t left = small_start(log, at) + log->segment_bytes - at;

	return bytes < left ? bytes : left;
}

int small_append(struct small_log *log, const void *from, uint64_t bytes)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed), done = 0;

	if (log->read_only)
		return -EROFS;
	if (atomic_load(&log->fenced))
		return -EIO;
	while (done < bytes) {
		uint64_t piece = piece_at(log, end + done, bytes - done);
		int rc = append_piece(log, end + done, (const uint8_t *)from + done, piece);

		if (rc == -ENOSPC || rc == -EDQUOT)
			return -ENOSPC;
		if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM)
			return rc;
		if (rc < 0) {
			small_fence(log, "cannot write", rc);
			return -EIO;
		}
		done += piece;
	}
	atomic_store_explicit(&log->end, end + bytes, memory_order_release);
	return 0;
}

static int64_t copy_piece(struct small_log *log, uint64_t at, void *to, uint64_t bytes, bool hot)
{
	uint64_t start = small_start(log, at);
	struct descriptor file;
	int64_t got;
	int rc = 0;

	if (!hot)
		rc = small_file(log, start, false, &file);
	else if (!descriptors_find(cache_of(log), log, start, &file))
		rc = -EAGAIN;
	if (rc < 0)
		return rc;
	got = hot ? files_read_hot(file.fd, at - start, to, bytes)
		  : files_read(file.fd, at - start, to, bytes);
	descriptors_put(cache_of(log), &file);
	return got;
}

int64_t small_copy(struct small_log *log, uint64_t at, void *to, uint64_t bytes, bool hot)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_acquire), done = 0;

	if (at < atomic_load_explicit(&log->first, memory_order_relaxed) || at > end)
		return -ERANGE;
	if (bytes > end - at)
		bytes = end - at;
	while (done < bytes) {
		uint64_t piece = piece_at(log, at + done, bytes - done);
		int64_t got = copy_piece(log, at + done, (uint8_t *)to + done, piece, hot);

		if (got == 0)
			return -EIO;
		if (got < 0)
			return got;
		done += (uint64_t)got;
	}
	return (int64_t)done;
}
