/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/op.h>
#include <gantry/plugin.h>

enum { OPEN_MAX = 256 };

struct opened { /* a log or an area in use */
	const void *object;
	uint32_t file;
	bool fenced;
	uint64_t durable;
	struct gantry_window window;
};

static struct {
	pthread_mutex_t lock; /* guards the rest */
	bool on;
	struct recorder_file *files;
	uint32_t file_count;
	struct recorder_event *events;
	size_t count, room;
	struct opened opened[OPEN_MAX];
	void (*watch)(void *user);
	void *watch_user;
	enum recorder_call call;
	uint32_t nth, fail_count, failed;
	int status;
} recorder = {.lock = PTHREAD_MUTEX_INITIALIZER};

const struct gantry_plugin *gantry_plugin_storage_mmap(void);

static const struct gantry_log_ops *real(void)
{
	return ((const struct gantry_storage_ops *)gantry_plugin_storage_mmap()->offers[0].ops)
		->log;
}

static const struct gantry_area_ops *real_area(void)
{
	return ((const struct gantry_storage_ops *)gantry_plugin_storage_mmap()->offers[0].ops)
		->area;
}

/* ---- what is recorded; lock held */

static void add(enum recorder_act act, uint32_t file, uint64_t at, const void *data, uint64_t bytes)
{
	struct recorder_event *event;

	if (recorder.count == recorder.room) {
		recorder.room = recorder.room ? recorder.room * 2 : 1024;
		recorder.events =
			realloc(recorder.events, recorder.room * sizeof(*recorder.events));
	}
	event = &recorder.events[recorder.count++];
	*event = (struct recorder_event){act, file, at, bytes, NULL};
	if (data) {
		event->data = malloc(bytes ? bytes : 1);
		memcpy(event->data, data, bytes);
	}
}

/* What has become durable since the last event. */
static void note_durable(void)
{
	struct gantry_bounds bounds;

	for (int i = 0; i < OPEN_MAX; i++) {
		struct opened *opened = &recorder.opened[i];

		if (!opened->object || recorder.files[opened->file].is_area)
			continue;
		real()->bounds(opened->object, &bounds);
		if (bounds.durable > opened->durable)
			add(RECORDER_SYNC, opened->file, bounds.durable, NULL, 0);
		opened->durable = bounds.durable;
	}
}

static void note(enum recorder_act act, uint32_t file, uint64_t at, const void *data,
		 uint64_t bytes)
{
	if (!recorder.on)
		return;
	note_durable();
	add(act, file, at, data, bytes);
	if (recorder.watch)
		recorder.watch(recorder.watch_user);
}

static struct opened *find(const void *object)
{
	for (int i = 0; i < OPEN_MAX; i++)
		if (recorder.opened[i].object == object)
			return &recorder.opened[i];
	abort();
}

static uint32_t file_of(const char *path, int is_area, int is_small, uint64_t bytes, bool *ret_new)
{
	for (uint32_t i = 0; i < recorder.file_count; i++)
		if (strcmp(recorder.files[i].path, path) == 0)
			return i;
	recorder.files =
		realloc(recorder.files, (recorder.file_count + 1) * sizeof(*recorder.files));
	recorder.files[recorder.file_count] =
		(struct recorder_file){strdup(path), is_area, is_small, bytes};
	*ret_new = true;
	return recorder.file_count++;
}

/* Whether this call is one that shall fail. */
static int fails(enum recorder_call call)
{
	int status = 0;

	pthread_mutex_lock(&recorder.lock);
	if (call == recorder.call && recorder.fail_count) {
		if (recorder.nth > 1) {
			recorder.nth--;
		} else {
			recorder.fail_count--;
			recorder.failed++;
			status = recorder.status;
		}
	}
	pthread_mutex_unlock(&recorder.lock);
	return status;
}

/* The same for what writes: some failures are for good. */
static int write_fails(enum recorder_call call, const void *object)
{
	int status = fails(call);

	pthread_mutex_lock(&recorder.lock);
	if (status == -EIO)
		find(object)->fenced = true;
	else if (find(object)->fenced)
		status = -EIO;
	pthread_mutex_unlock(&recorder.lock);
	return status;
}

/* ---- the test's side */

void recorder_start(void)
{
	pthread_mutex_lock(&recorder.lock);
	for (size_t i = 0; i < recorder.count; i++)
		free(recorder.events[i].data);
	for (uint32_t i = 0; i < recorder.file_count; i++)
		free(recorder.files[i].path);
	recorder.count = recorder.file_count = 0;
	recorder.on = true;
	pthread_mutex_unlock(&recorder.lock);
}

void recorder_stop(void)
{
	pthread_mutex_lock(&recorder.lock);
	recorder.on = false;
	pthread_mutex_unlock(&recorder.lock);
}

size_t recorder_events(void)
{
	pthread_mutex_lock(&recorder.lock);
	size_t count = recorder.count;
	pthread_mutex_unlock(&recorder.lock);
	return count;
}

size_t recorder_note(void)
{
	pthread_mutex_lock(&recorder.lock);
	note(RECORDER_NOTE, 0, 0, NULL, 0);
	size_t count = recorder.count;
	pthread_mutex_unlock(&recorder.lock);
	return count;
}

const struct recorder_event *recorder_event_at(size_t i)
{
	return &recorder.events[i];
}

uint32_t recorder_files(void)
{
	return recorder.file_count;
}

const struct recorder_file *recorder_file_at(uint32_t i)
{
	return &recorder.files[i];
}

void recorder_watch(void (*watch)(void *user), void *user)
{
	pthread_mutex_lock(&recorder.lock);
	recorder.watch = watch;
	recorder.watch_user = user;
	pthread_mutex_unlock(&recorder.lock);
}

void recorder_fail(enum recorder_call call, uint32_t nth, uint32_t count, int status)
{
	pthread_mutex_lock(&recorder.lock);
	recorder.call = call;
	recorder.nth = nth;
	recorder.fail_count = count;
	recorder.status = status;
	recorder.failed = 0;
	pthread_mutex_unlock(&recorder.lock);
}

uint32_t recorder_failed(void)
{
	pthread_mutex_lock(&recorder.lock);
	uint32_t failed = recorder.failed;
	pthread_mutex_unlock(&recorder.lock);
	return failed;
}

/* ---- logs */

static void take(const void *object, uint32_t file, uint64_t durable)
{
	*find(NULL) = (struct opened){.object = object, .file = file, .durable = durable};
}

static int log_open(struct gantry_inst *inst, const struct gantry_shape *shape,
		    struct gantry_log **ret)
{
	struct gantry_bounds bounds;
	struct gantry_log *log;
	bool is_new = false;
	int status = fails(RECORDER_LOG_OPEN);

	if (!status)
		status = real()->open(inst, shape, &log);
	if (status)
		return status;
	real()->bounds(log, &bounds);
	pthread_mutex_lock(&recorder.lock);
	uint32_t file = file_of(shape->directories[0], 0, shape->flags & GANTRY_LOG_SMALL,
				bounds.segment_bytes, &is_new);
	take(log, file, bounds.durable);
	if (recorder.on && is_new && bounds.end > bounds.first) {
		uint64_t bytes = bounds.end - bounds.first;
		uint8_t *data = malloc(bytes);

		if (real()->copy(log, bounds.first, data, bytes) != (int64_t)bytes)
			abort();
		note(RECORDER_BASE, file, bounds.first, data, bytes);
		free(data);
	}
	pthread_mutex_unlock(&recorder.lock);
	*ret = log;
	return 0;
}

static void drop(const void *object)
{
	pthread_mutex_lock(&recorder.lock);
	if (recorder.on)
		note_durable();
	find(object)->object = NULL;
	pthread_mutex_unlock(&recorder.lock);
}

static void log_close(struct gantry_log *log)
{
	if (log)
		drop(log);
	real()->close(log);
}

static int log_window(struct gantry_log *log, uint64_t need, struct gantry_window *ret)
{
	int status = write_fails(RECORDER_LOG_WINDOW, log);

	if (!status)
		status = real()->window(log, need, ret);
	if (!status) {
		pthread_mutex_lock(&recorder.lock);
		find(log)->window = *ret;
		pthread_mutex_unlock(&recorder.lock);
	}
	return status;
}

static void log_advance(struct gantry_log *log, uint64_t used)
{
	pthread_mutex_lock(&recorder.lock);
	struct opened *opened = find(log);
	const struct gantry_window *window = &opened->window;
	struct gantry_bounds bounds;

	real()->bounds(log, &bounds);
	uint64_t from = bounds.end - window->at; /* one window may be used in pieces */
	uint64_t bytes = window->usable > from ? window->usable - from : 0;
	note(RECORDER_WRITE, opened->file, bounds.end, window->to + from,
	     used < bytes ? used : bytes);
	real()->advance(log, used);
	pthread_mutex_unlock(&recorder.lock);
}

static int log_append(struct gantry_log *log, const void *from, uint64_t bytes)
{
	struct gantry_bounds bounds;
	int status = write_fails(RECORDER_LOG_APPEND, log);

	if (status)
		return status;
	real()->bounds(log, &bounds);
	pthread_mutex_lock(&recorder.lock);
	note(RECORDER_WRITE, find(log)->file, bounds.end, from, bytes);
	pthread_mutex_unlock(&recorder.lock);
	return real()->append(log, from, bytes);
}

static int log_read(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op)
{
	int status = fails(RECORDER_LOG_READ);

	return status ? status : real()->read(log, at, max, ret, op);
}

static int log_fetch(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	int status = fails(RECORDER_LOG_READ);

	return status ? status : real()->fetch(log, at, max, ret);
}

static int64_t log_copy(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	int status = fails(RECORDER_LOG_COPY);

	return status ? status : real()->copy(log, at, to, bytes);
}

static int64_t log_copy_hot(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	int status = fails(RECORDER_LOG_COPY_HOT);

	return status ? status : real()->copy_hot(log, at, to, bytes);
}

static int log_sync(struct gantry_log *log, uint64_t upto, struct gantry_op *op)
{
	int status = write_fails(RECORDER_LOG_SYNC, log);

	return status ? status : real()->sync(log, upto, op);
}

static int note_cut(struct gantry_log *log, enum recorder_act act, uint64_t at)
{
	pthread_mutex_lock(&recorder.lock);
	struct opened *opened = find(log);

	note(act, opened->file, at, NULL, 0);
	if (act != RECORDER_EXPIRE)
		opened->durable = at;
	pthread_mutex_unlock(&recorder.lock);
	return 0;
}

static int log_cut(struct gantry_log *log, uint64_t at)
{
	int status = write_fails(RECORDER_LOG_CUT, log);

	if (!status)
		status = real()->cut(log, at);
	return status ? status : note_cut(log, RECORDER_CUT, at);
}

static int log_reset(struct gantry_log *log, uint64_t at)
{
	int status = real()->reset(log, at);

	return status ? status : note_cut(log, RECORDER_RESET, at);
}

static int log_expire(struct gantry_log *log, uint64_t before)
{
	struct gantry_bounds bounds;
	int removed = real()->expire(log, before);

	real()->bounds(log, &bounds);
	note_cut(log, RECORDER_EXPIRE, bounds.first);
	return removed;
}

/* ---- areas */

static int area_open(struct gantry_inst *inst, const char *path, uint64_t bytes,
		     struct gantry_area **ret, int *ret_made)
{
	struct gantry_area *area;
	bool is_new = false;
	int status = fails(RECORDER_AREA_OPEN);

	if (!status)
		status = real_area()->open(inst, path, bytes, &area, ret_made);
	if (status)
		return status;
	pthread_mutex_lock(&recorder.lock);
	uint32_t file = file_of(path, 1, 0, bytes, &is_new);
	take(area, file, 0);
	if (recorder.on && is_new) {
		uint8_t *data = calloc(1, bytes);

		if (real_area()->read(area, 0, data, bytes))
			abort();
		note(RECORDER_BASE, file, 0, data, bytes);
		free(data);
	}
	pthread_mutex_unlock(&recorder.lock);
	*ret = area;
	return 0;
}

static void area_close(struct gantry_area *area)
{
	if (area)
		drop(area);
	real_area()->close(area);
}

static int area_read(struct gantry_area *area, uint64_t at, void *to, uint64_t bytes)
{
	int status = fails(RECORDER_AREA_READ);

	return status ? status : real_area()->read(area, at, to, bytes);
}

static int area_write(struct gantry_area *area, uint64_t at, const void *from, uint64_t bytes)
{
	int status = write_fails(RECORDER_AREA_WRITE, area);

	if (status)
		return status;
	pthread_mutex_lock(&recorder.lock);
	note(RECORDER_WRITE, find(area)->file, at, from, bytes);
	pthread_mutex_unlock(&recorder.lock);
	return real_area()->write(area, at, from, bytes);
}

struct area_sync {
	struct gantry_op op;
	struct gantry_op *asker;
	uint32_t file;
	uint64_t upto;
};

static void area_synced(struct gantry_op *op)
{
	struct area_sync *sync = op->user;

	pthread_mutex_lock(&recorder.lock);
	if (!op->status)
		note(RECORDER_SYNC, sync->file, sync->upto, NULL, 0);
	pthread_mutex_unlock(&recorder.lock);
	gantry_op_finish(sync->asker, op->status, op->result);
	free(sync);
}

static int area_sync(struct gantry_area *area, struct gantry_op *op)
{
	int status = write_fails(RECORDER_AREA_SYNC, area);
	struct area_sync *sync;

	if (status) {
		gantry_op_take(op, NULL, NULL);
		gantry_op_finish(op, status, 0);
		return GANTRY_PENDING;
	}
	sync = calloc(1, sizeof(*sync));
	pthread_mutex_lock(&recorder.lock);
	*sync = (struct area_sync){.op = {.done = area_synced, .loop = op->loop, .user = sync},
				   .asker = op,
				   .file = find(area)->file,
				   .upto = recorder.count};
	pthread_mutex_unlock(&recorder.lock);
	gantry_op_take(op, NULL, NULL);
	status = real_area()->sync(area, &sync->op);
	if (status > 0)
		return status;
	gantry_op_finish(op, status, 0);
	free(sync);
	return GANTRY_PENDING;
}

const struct gantry_plugin *gantry_plugin_storage_recorder(void)
{
	static struct gantry_plugin self;
	static struct gantry_log_ops log;
	static struct gantry_area_ops area;
	static struct gantry_storage_ops ops;
	static struct gantry_service offers[2];

	log = *real();
	log.open = log_open;
	log.close = log_close;
	log.window = log_window;
	log.advance = log_advance;
	log.append = log_append;
	log.read = log_read;
	log.fetch = log_fetch;
	log.copy = log_copy;
	log.copy_hot = log_copy_hot;
	log.sync = log_sync;
	log.cut = log_cut;
	log.reset = log_reset;
	log.expire = log_expire;
	area = *real_area();
	area.open = area_open;
	area.close = area_close;
	area.read = area_read;
	area.write = area_write;
	area.sync = area_sync;
	ops = *(const struct gantry_storage_ops *)gantry_plugin_storage_mmap()->offers[0].ops;
	ops.log = &log;
	ops.area = &area;
	offers[0] = gantry_plugin_storage_mmap()->offers[0];
	offers[0].ops = &ops;
	self = *gantry_plugin_storage_mmap();
	self.name = "storage-recorder";
	self.offers = offers;
	return &self;
}
