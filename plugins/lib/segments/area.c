/* SPDX-License-Identifier: Apache-2.0 */
/* Areas: a file of a fixed size, sparse, read and written in place. */
#include "files.h"
#include "segments.h"

#include <errno.h>
#include <fcntl.h>
#include <gantry/log.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gantry_area {
	struct gantry_inst *inst;
	char *path;
	uint64_t bytes;
	int fd;
	atomic_bool fenced;
};

struct area_sync {
	struct job job; /* first: its done frees the whole */
	struct gantry_area *area;
	struct gantry_op *asker;
};

static int make_parent(const char *path, char parent[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t size = slash ? (size_t)(slash - path) : 0;

	if (size >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(parent, path, size);
	parent[size] = 0;
	if (size == 0) {
		memcpy(parent, slash ? "/" : ".", 2);
		return 0;
	}
	return files_make_directory(parent);
}

static int make_file(const char *path, uint64_t bytes, int *ret_fd)
{
	char parent[PATH_MAX];
	int rc = make_parent(path, parent);

	if (rc < 0)
		return rc;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	rc = ftruncate(fd, (off_t)bytes) ? -errno : files_sync_directory_at(parent);
	if (rc < 0) {
		unlink(path);
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

/* What was made a moment before a crash has no length yet: it is as good as new. */
static int open_file(const char *path, uint64_t bytes, int *ret_fd, int *ret_made)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		int rc = make_file(path, bytes, ret_fd);

		*ret_made = rc == 0;
		return rc;
	}
	if (fd < 0)
		return -errno;
	int rc = fstat(fd, &st) ? -errno : 0;
	if (rc == 0 && st.st_size == 0) {
		*ret_made = 1;
		rc = ftruncate(fd, (off_t)bytes) ? -errno : 0;
	} else if (rc == 0 && (uint64_t)st.st_size != bytes) {
		rc = -EUCLEAN;
	}
	if (rc < 0)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

static int area_open(struct gantry_inst *inst, const char *path, uint64_t bytes,
		     struct gantry_area **ret, int *ret_made)
{
	struct gantry_area *area = calloc(1, sizeof(*area));
	int made = 0, rc = -ENOMEM;

	if (area && (area->path = strdup(path)))
		rc = open_file(path, bytes, &area->fd, &made);
	if (rc < 0) {
		if (rc == -EUCLEAN)
			gantry_log(inst, ERROR, "%s is not %llu bytes long", path,
				   (unsigned long long)bytes);
		if (area)
			free(area->path);
		free(area);
		return rc;
	}
	area->inst = inst;
	area->bytes = bytes;
	*ret = area;
	if (ret_made)
		*ret_made = made;
	return 0;
}

static void area_close(struct gantry_area *area)
{
	if (!area)
		return;
	close(area->fd);
	free(area->path);
	free(area);
}

static bool outside(const struct gantry_area *area, uint64_t at, uint64_t bytes)
{
	return at > area->bytes || bytes > area->bytes - at;
}

static int area_read(struct gantry_area *area, uint64_t at, void *to, uint64_t bytes)
{
	int64_t got;

	if (outside(area, at, bytes))
		return -ERANGE;
	got = files_read(area->fd, at, to, bytes);
	if (got < 0)
		return (int)got;
	return (uint64_t)got == bytes ? 0 : -EIO;
}

static int area_write(struct gantry_area *area, uint64_t at, const void *from, uint64_t bytes)
{
	int rc;

	if (outside(area, at, bytes))
		return -ERANGE;
	if (atomic_load(&area->fenced))
		return -EIO;
	rc = files_write(area->fd, at, from, bytes);
	return rc == -EDQUOT ? -ENOSPC : rc;
}

static void sync_run(struct job *job)
{
	struct area_sync *sync = (struct area_sync *)job;
	struct gantry_area *area = sync->area;
	int rc = -EIO;

	if (!atomic_load(&area->fenced) && fdatasync(area->fd) == 0)
		rc = 0;
	else if (!atomic_exchange(&area->fenced, true))
		gantry_log(area->inst, ERROR, "%s: cannot sync: %s; it is not written any more",
			   area->path, strerror(errno));
	gantry_op_finish(sync->asker, rc, 0);
}

static void sync_done(struct job *job)
{
	free(job);
}

static int area_sync(struct gantry_area *area, struct gantry_op *op)
{
	struct area_sync *sync = calloc(1, sizeof(*sync));

	if (!sync)
		return -ENOMEM;
	sync->area = area;
	sync->asker = op;
	sync->job.run = sync_run;
	sync->job.done = sync_done;
	gantry_op_take(op, NULL, area);
	job_start(area->inst, &sync->job);
	return GANTRY_PENDING;
}

const struct gantry_area_ops segments_area_ops = {
	.size = sizeof(segments_area_ops),
	.open = area_open,
	.close = area_close,
	.read = area_read,
	.write = area_write,
	.sync = area_sync,
};
