/* SPDX-License-Identifier: Apache-2.0 */
/* The mmap engine with a witness: what was written, synced and cut, in which order, of every log
 * and area; and with faults: the nth call of a kind fails. One recording at a time. */
#ifndef CRASH_RECORDER_H
#define CRASH_RECORDER_H

#include <gantry/storage.h>

#ifdef __cplusplus
extern "C" {
#endif

enum recorder_act {
	RECORDER_BASE,  /* what was there when the file was opened first */
	RECORDER_WRITE, /* begun; done when the next event comes */
	RECORDER_SYNC,  /* at: what is before it is durable; of an area: writes before event at */
	RECORDER_CUT,   /* at: what is behind it reads as zeros; durable */
	RECORDER_RESET,
	RECORDER_EXPIRE, /* at: the new first byte's segment */
	RECORDER_NOTE,   /* the test's own */
};

struct recorder_file {
	char *path; /* a log's directory, or an area */
	int is_area, is_small;
	uint64_t bytes; /* of a segment, or of the area */
};

struct recorder_event {
	enum recorder_act act;
	uint32_t file;
	uint64_t at, bytes;
	uint8_t *data; /* of a base and a write */
};

/* Forgets what was recorded, and records from here on. Files must be closed. */
void recorder_start(void);
void recorder_stop(void);
size_t recorder_events(void);
/* A note; returns how many events there are now. Everything that is durable by now was noted to be
 * so before. */
size_t recorder_note(void);
/* For the time after recorder_stop(). */
const struct recorder_event *recorder_event_at(size_t i);
uint32_t recorder_files(void);
const struct recorder_file *recorder_file_at(uint32_t i);
/* Called at every event, on whatever thread it happens. NULL: not any more. */
void recorder_watch(void (*watch)(void *user), void *user);

enum recorder_call {
	RECORDER_LOG_OPEN,
	RECORDER_LOG_WINDOW,
	RECORDER_LOG_APPEND,
	RECORDER_LOG_READ,
	RECORDER_LOG_COPY,
	RECORDER_LOG_COPY_HOT,
	RECORDER_LOG_SYNC,
	RECORDER_LOG_CUT,
	RECORDER_AREA_OPEN,
	RECORDER_AREA_READ,
	RECORDER_AREA_WRITE,
	RECORDER_AREA_SYNC,
	RECORDER_CALLS,
};

/* From now on the nth call of that kind, and those that follow it, count in all, fail with status;
 * as an engine would, an -EIO of what writes fences the log. count 0: none. */
void recorder_fail(enum recorder_call call, uint32_t nth, uint32_t count, int status);
uint32_t recorder_failed(void); /* how many did */

const struct gantry_plugin *gantry_plugin_storage_recorder(void);

#ifdef __cplusplus
}
#endif
#endif
