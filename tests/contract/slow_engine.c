/* SPDX-License-Identifier: Apache-2.0 */
/* The slow engine: a heap buffer as window, files that are opened for every access, slices that are
 * copies. Nothing of it is fast, so nothing of it is clever. */
#include "slow_impl.h"

#include "../../plugins/lib/segments/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STAGE = 64 * 1024, SLICE = GANTRY_SLICE_MAX };

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t start_of(const struct gantry_log *log, uint64_t at)
{
	return at - at % log->segment_bytes;
}

/* ---- files */

static void path_in(const struct gantry_log *log, uint64_t start, uint32_t directory,
		    char to[PATH_MAX])
{
	char name[FILES_NAME];

	files_name(name, start);
	snprintf(to, PATH_MAX, "%s/%s", log->directory[directory], name);
}

/* Where it is, or where a new one belongs. */
static void path_of(const struct gantry_log *log, uint64_t start, char to[PATH_MAX])
{
	for (uint32_t i = 0; i < log->directory_count; ++i) {
		path_in(log, start, i, to);
		if (access(to, F_OK) == 0)
			return;
	}
	path_in(log, start, (uint32_t)(start / log->segment_bytes % log->directory_count), to);
}

static int open_file(struct gantry_log *log, uint64_t start, bool make)
{
	char path[PATH_MAX];

	path_of(log, start, path);
	if (make)
		files_make_directory(
			log->directory[start / log->segment_bytes % log->directory_count]);
	int fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0644);
	if (fd >= 0 && make && ftruncate(fd, (off_t)log->segment_bytes))
		abort();
	return fd < 0 ? -errno : fd;
}

static void write_file(struct gantry_log *log, uint64_t at, const uint8_t *from, uint64_t bytes)
{
	int fd = open_file(log, start_of(log, at), true);

	if (fd < 0 || files_write(fd, at - start_of(log, at), from, bytes) < 0)
		abort();
	close(fd);
	log->file_end = start_of(log, at) + log->segment_bytes;
}

static void remove_file(struct gantry_log *log, uint64_t start)
{
	char path[PATH_MAX];

	path_of(log, start, path);
	unlink(path);
}

/* ---- opening */

static int load(struct gantry_log *log)
{
	struct listing listing = {0};
	int rc = 0;

	for (uint32_t i = 0; i < log->directory_count && rc == 0; ++i)
		rc = files_list(log->inst, log->directory[i], i, &listing);
	files_sort(&listing);
	for (uint32_t i = 0; i < listing.count && rc == 0; ++i) {
		char path[PATH_MAX];
		struct stat st;

		path_in(log, listing.files[i].start, listing.files[i].directory, path);
		rc = stat(path, &st) ? -errno : 0;
		if (st.st_size == 0 && i + 1 == listing.count) {
			unlink(path);
			--listing.count;
		} else if (i == 0) {
			log->segment_bytes = (uint64_t)st.st_size;
		} else if ((uint64_t)st.st_size != log->segment_bytes) {
			rc = -EUCLEAN;
		}
	}
	if (rc == 0)
		rc = files_check_gaps(log->inst, log->directory[0], &listing, log->segment_bytes);
	if (rc == 0 && listing.count) {
		log->first = listing.files[0].start;
		log->end = listing.files[listing.count - 1].start + log->segment_bytes;
		log->durable = log->file_end = log->end;
	}
	files_forget(&listing);
	return rc;
}

static void log_free(struct gantry_log *log)
{
	for (uint32_t i = 0; i < log->directory_count; ++i)
		free(log->directory[i]);
	free(log->directory);
	free(log->stage);
	free(log);
}

static int log_open(struct gantry_inst *inst, const struct gantry_shape *shape,
		    struct gantry_log **ret)
{
	struct gantry_log *log = calloc(1, sizeof(*log));
	int rc = 0;

	log->inst = inst;
	log->flags = shape->flags;
	log->segment_bytes = shape->segment_bytes;
	log->directory = calloc(shape->directory_count, sizeof(*log->directory));
	for (uint32_t i = 0; i < shape->directory_count; ++i)
		log->directory[log->directory_count++] = strdup(shape->directories[i]);
	log->first = log->durable = log->end = log->file_end =
		shape->start - shape->start % shape->segment_bytes;
	memset(log->warm, 0xff, sizeof(log->warm));
	if (!(shape->flags & GANTRY_LOG_EMPTY))
		rc = load(log);
	if (rc < 0)
		log_free(log);
	else
		*ret = log;
	return rc;
}

static void log_close(struct gantry_log *log)
{
	if (log)
		log_free(log);
}

static void log_bounds(const struct gantry_log *log, struct gantry_bounds *ret)
{
	struct slow *slow = slow_of(log->inst);

	pthread_mutex_lock(&slow->lock);
	*ret = (struct gantry_bounds){log->first, log->durable, log->end, log->segment_bytes};
	pthread_mutex_unlock(&slow->lock);
}

/* ---- writing */

static int writable(const struct gantry_log *log)
{
	if (log->flags & GANTRY_LOG_READ_ONLY)
		return -EROFS;
	return log->fenced ? -EIO : 0;
}

static int log_window(struct gantry_log *log, uint64_t need, struct gantry_window *ret)
{
	struct slow *slow = slow_of(log->inst);
	int rc = log->flags & GANTRY_LOG_SMALL ? -ENOTSUP : 0;
	uint64_t left;

	pthread_mutex_lock(&slow->lock);
	if (rc == 0)
		rc = writable(log);
	if (rc == 0 && slow->refuse_after) {
		--slow->refuse_after;
	} else if (rc == 0 && slow->refusals) {
		--slow->refusals;
		rc = slow->refuse_status;
	}
	left = start_of(log, log->end) + log->segment_bytes - log->end;
	need = smaller(need, left);
	if (need < STAGE)
		need = STAGE;
	if (rc == 0 && log->stage_bytes < need) {
		log->stage = realloc(log->stage, need);
		log->stage_bytes = need;
	}
	if (rc == 0) {
		memset(log->stage, 0, log->stage_bytes);
		*ret = (struct gantry_window){log->stage, log->end, left,
					      smaller(left, log->stage_bytes)};
	}
	pthread_mutex_unlock(&slow->lock);
	return rc;
}

static void log_advance(struct gantry_log *log, uint64_t used)
{
	struct slow *slow = slow_of(log->inst);
	uint64_t bytes = smaller(used, log->stage_bytes);

	pthread_mutex_lock(&slow->lock);
	if (bytes) {
		write_file(log, log->end, log->stage, bytes);
		slow_note(slow, SLOW_WRITE, log->end, log->stage, bytes);
	}
	log->end += used;
	pthread_mutex_unlock(&slow->lock);
}

static int log_append(struct gantry_log *log, const void *from, uint64_t bytes)
{
	struct slow *slow = slow_of(log->inst);
	uint64_t done = 0;
	int rc = log->flags & GANTRY_LOG_SMALL ? 0 : -ENOTSUP;

	pthread_mutex_lock(&slow->lock);
	if (rc == 0)
		rc = writable(log);
	while (done < bytes && rc == 0) {
		uint64_t at = log->end + done;
		uint64_t left = start_of(log, at) + log->segment_bytes - at;
		uint64_t piece = smaller(bytes - done, left);

		write_file(log, at, (const uint8_t *)from + done, piece);
		done += piece;
	}
	log->end += done;
	pthread_mutex_unlock(&slow->lock);
	return rc;
}

/* ---- reading */

static int64_t copy_locked(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	uint64_t done = 0;

	if (at < log->first || at > log->end)
		return -ERANGE;
	bytes = smaller(bytes, log->end - at);
	while (done < bytes) {
		uint64_t start = start_of(log, at + done);
		uint64_t piece = smaller(bytes - done, start + log->segment_bytes - (at + done));
		int fd = open_file(log, start, false);
		int64_t got =
			fd < 0 ? fd
			       : files_read(fd, at + done - start, (uint8_t *)to + done, piece);

		if (fd >= 0)
			close(fd);
		if (got <= 0)
			return got < 0 ? got : -EIO;
		done += (uint64_t)got;
	}
	return (int64_t)done;
}

static int64_t log_copy(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	struct slow *slow = slow_of(log->inst);

	pthread_mutex_lock(&slow->lock);
	int64_t got = copy_locked(log, at, to, bytes);
	pthread_mutex_unlock(&slow->lock);
	return got;
}

static int64_t log_copy_hot(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	struct slow *slow = slow_of(log->inst);
	int64_t got = -EAGAIN;

	pthread_mutex_lock(&slow->lock);
	if (slow_is_warm(log, at))
		got = copy_locked(log, at, to, bytes);
	else
		log->warm[log->warm_next++ % SLOW_WARM] = at;
	pthread_mutex_unlock(&slow->lock);
	return got;
}

static void slice_release(struct gantry_slice *slice)
{
	free(slice->lease);
}

static int read_locked(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	uint64_t left = start_of(log, at) + log->segment_bytes - at;
	uint64_t size = smaller(smaller(max, SLICE), smaller(left, log->end - at));
	uint8_t *bytes = malloc(size);
	int64_t got = copy_locked(log, at, bytes, size);

	if (got < 0) {
		free(bytes);
		return -EIO;
	}
	*ret = (struct gantry_slice){bytes, size, at, bytes, slice_release};
	return 0;
}

static int log_read(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op)
{
	struct slow *slow = slow_of(log->inst);
	int rc = log->flags & GANTRY_LOG_SMALL ? -ENOTSUP : 0;

	pthread_mutex_lock(&slow->lock);
	if (rc == 0 && (at < log->first || at >= log->end || max == 0))
		rc = -ERANGE;
	if (rc == 0 && slow_is_warm(log, at))
		rc = read_locked(log, at, max, ret);
	else if (rc == 0 && !op)
		rc = -EAGAIN;
	else if (rc == 0) {
		slow_wait(slow, log, op, at, true);
		rc = GANTRY_PENDING;
	}
	pthread_mutex_unlock(&slow->lock);
	return rc;
}

static int log_fetch(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	struct slow *slow = slow_of(log->inst);
	int rc = log->flags & GANTRY_LOG_SMALL ? -ENOTSUP : 0;

	pthread_mutex_lock(&slow->lock);
	if (rc == 0 && (at < log->first || at >= log->end || max == 0))
		rc = -ERANGE;
	if (rc == 0)
		rc = read_locked(log, at, max, ret);
	pthread_mutex_unlock(&slow->lock);
	return rc;
}

/* ---- syncing, taking away */

static int log_sync(struct gantry_log *log, uint64_t upto, struct gantry_op *op)
{
	struct slow *slow = slow_of(log->inst);
	int rc = 0;

	pthread_mutex_lock(&slow->lock);
	if (upto > log->end)
		rc = -ERANGE;
	else if (upto > log->durable)
		rc = log->fenced ? -EIO : GANTRY_PENDING;
	if (rc == GANTRY_PENDING)
		slow_wait(slow, log, op, log->end, false);
	pthread_mutex_unlock(&slow->lock);
	return rc;
}

static void remove_from(struct gantry_log *log, uint64_t start)
{
	while (log->file_end > start && log->file_end > start_of(log, log->first)) {
		log->file_end -= log->segment_bytes;
		remove_file(log, log->file_end);
	}
}

static int log_reset(struct gantry_log *log, uint64_t at)
{
	struct slow *slow = slow_of(log->inst);

	pthread_mutex_lock(&slow->lock);
	int rc = writable(log);
	if (rc == 0) {
		remove_from(log, 0);
		log->first = log->durable = log->end = at;
		log->file_end = start_of(log, at);
		slow_note(slow, SLOW_RESET, at, NULL, 0);
	}
	pthread_mutex_unlock(&slow->lock);
	return rc;
}

static int cut_locked(struct gantry_log *log, uint64_t at)
{
	uint64_t start = start_of(log, at);

	if (at < log->first || at > log->end)
		return -ERANGE;
	if (at == log->end) {
		log->durable = at;
		return 0;
	}
	remove_from(log, start == at ? at : start + log->segment_bytes);
	if (start != at) {
		int fd = open_file(log, start, false);

		if (fd < 0 || ftruncate(fd, (off_t)(at - start)) ||
		    ftruncate(fd, (off_t)log->segment_bytes))
			abort();
		close(fd);
	}
	log->durable = log->end = at;
	return 0;
}

static int log_cut(struct gantry_log *log, uint64_t at)
{
	struct slow *slow = slow_of(log->inst);

	pthread_mutex_lock(&slow->lock);
	int rc = writable(log);
	if (rc == 0)
		rc = cut_locked(log, at);
	if (rc == 0)
		slow_note(slow, SLOW_CUT, at, NULL, 0);
	pthread_mutex_unlock(&slow->lock);
	return rc;
}

static int log_expire(struct gantry_log *log, uint64_t before)
{
	struct slow *slow = slow_of(log->inst);
	int removed = 0;

	pthread_mutex_lock(&slow->lock);
	if (log->flags & GANTRY_LOG_READ_ONLY) {
		pthread_mutex_unlock(&slow->lock);
		return -EROFS;
	}
	for (;;) {
		uint64_t start = start_of(log, log->first), next = start + log->segment_bytes;

		if (next > before || next >= log->end)
			break;
		remove_file(log, start);
		log->first = next;
		++removed;
	}
	if (log->durable < log->first)
		log->durable = log->first;
	slow_note(slow, SLOW_EXPIRE, log->first, NULL, 0);
	pthread_mutex_unlock(&slow->lock);
	return removed;
}

static int64_t log_modified_ms(struct gantry_log *log, uint64_t at)
{
	struct gantry_bounds bounds;
	char path[PATH_MAX];
	struct stat st;

	log_bounds(log, &bounds);
	if (at < bounds.first || at >= bounds.end)
		return -ERANGE;
	path_of(log, start_of(log, at), path);
	if (stat(path, &st))
		return -errno;
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

/* ---- the plugin */

static int setup(struct gantry_inst *inst)
{
	return pthread_mutex_init(&slow_of(inst)->lock, NULL);
}

static void cleanup(struct gantry_inst *inst)
{
	struct slow *slow = slow_of(inst);

	for (size_t i = 0; i < slow->events; ++i)
		free(slow->event[i].data);
	free(slow->event);
	pthread_mutex_destroy(&slow->lock);
}

static const struct gantry_log_ops log_ops = {
	.size = sizeof(log_ops),
	.open = log_open,
	.close = log_close,
	.bounds = log_bounds,
	.window = log_window,
	.advance = log_advance,
	.append = log_append,
	.read = log_read,
	.copy = log_copy,
	.sync = log_sync,
	.reset = log_reset,
	.cut = log_cut,
	.expire = log_expire,
	.modified_ms = log_modified_ms,
	.copy_hot = log_copy_hot,
	.fetch = log_fetch,
};

static const struct gantry_storage_ops storage_ops = {.size = sizeof(storage_ops), .log = &log_ops};

static const struct gantry_service offers[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT, "slow", &storage_ops},
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.inst_size = sizeof(struct slow),
	.setup = setup,
	.free = cleanup,
};

GANTRY_PLUGIN(storage_slow, "storage-slow", .version = "1", .license = "Apache-2.0",
	      .summary = "a storage engine that completes later", .offers = offers, .life = &life)
