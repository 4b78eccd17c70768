/* SPDX-License-Identifier: Apache-2.0 */
/* Small logs: taking away at the front, at the end, everything. Newest first, so that a crash in
 * between leaves no gap. */
#include "small.h"

#include <errno.h>
#include <gantry/log.h>
#include <gantry/plugin.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void remove_file(struct small_log *log, uint64_t start)
{
	char path[PATH_MAX];

	descriptors_drop(segments_engine(log->base.inst)->descriptors, log, start);
	if (small_path(log, start, path, sizeof(path)) == 0 && unlink(path) && errno != ENOENT)
		gantry_log(log->base.inst, WARNING, "cannot remove %s: %s", path, strerror(errno));
}

/* Removes files that begin at from or later; returns how many. */
static int remove_last(struct small_log *log, uint64_t from)
{
	uint64_t file_end = atomic_load(&log->file_end);
	uint64_t first = small_start(log, atomic_load(&log->first));
	int removed = 0;

	while (file_end > first && file_end - log->segment_bytes >= from) {
		file_end -= log->segment_bytes;
		atomic_store(&log->file_end, file_end);
		remove_file(log, file_end);
		++removed;
	}
	return removed;
}

static int erase_behind(struct small_log *log, uint64_t at)
{
	uint64_t start = small_start(log, at);
	struct descriptor file;
	int rc = small_file(log, start, false, &file);

	if (rc < 0)
		return rc;
	rc = files_erase(file.fd, at - start, log->segment_bytes);
	if (rc > 0)
		rc = fdatasync(file.fd) ? -errno : 0;
	descriptors_put(segments_engine(log->base.inst)->descriptors, &file);
	return rc;
}

static int cut_locked(struct small_log *log, uint64_t at)
{
	int rc = 0;

	atomic_store(&log->end, at);
	if (atomic_load(&log->durable) > at)
		atomic_store(&log->durable, at);
	if (log->own_from > at)
		log->own_from = at;
	if (remove_last(log, at))
		rc = files_sync_directory_at(log->directory);
	if (rc == 0 && at < atomic_load(&log->file_end))
		rc = erase_behind(log, at);
	return rc;
}

int small_cut(struct small_log *log, uint64_t at)
{
	int rc = 0;

	if (at < atomic_load(&log->first) || at > atomic_load(&log->end))
		return -ERANGE;
	if (log->read_only)
		return -EROFS;
	if (atomic_load(&log->fenced))
		return -EIO;
	small_sync_pause(log);
	if (at < atomic_load(&log->end))
		rc = cut_locked(log, at);
	small_sync_resume(log);
	if (rc < 0)
		small_fence(log, "cannot cut", rc);
	return rc < 0 ? -EIO : 0;
}

int small_reset(struct small_log *log, uint64_t at)
{
	int rc = 0;

	if (log->read_only)
		return -EROFS;
	if (atomic_load(&log->fenced))
		return -EIO;
	small_sync_pause(log);
	atomic_store(&log->end, atomic_load(&log->first));
	if (remove_last(log, 0))
		rc = files_sync_directory_at(log->directory);
	log->own_from = at;
	atomic_store(&log->first, at);
	atomic_store(&log->file_end, small_start(log, at));
	atomic_store(&log->durable, at);
	atomic_store(&log->end, at);
	small_sync_resume(log);
	if (rc < 0)
		small_fence(log, "cannot reset", rc);
	return rc < 0 ? -EIO : 0;
}

int small_expire(struct small_log *log, uint64_t before)
{
	uint64_t end = atomic_load(&log->end);
	int removed = 0;

	if (log->read_only)
		return -EROFS;
	if (end == 0)
		return 0;
	if (before >= end) /* the last one stays, even if it is full */
		before = end - 1;
	small_sync_pause(log);
	for (;;) {
		uint64_t start = small_start(log, atomic_load(&log->first));
		uint64_t next = start + log->segment_bytes;

		if (next > before || next >= atomic_load(&log->file_end))
			break;
		if (atomic_load(&log->durable) < next)
			atomic_store(&log->durable, next);
		atomic_store(&log->first, next);
		remove_file(log, start);
		++removed;
	}
	small_sync_resume(log);
	return removed;
}

int64_t small_modified_ms(struct small_log *log, uint64_t at)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = small_path(log, small_start(log, at), path, sizeof(path));

	if (rc < 0)
		return rc;
	if (stat(path, &st))
		return -errno;
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}
