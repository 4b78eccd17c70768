/* SPDX-License-Identifier: Apache-2.0 */
/* Logs and areas over files: what the storage engines share. docs/design/storage.md says why things
 * are as they are.
 *
 * A log is big (mapped, big.h) or small (small.h); the calls in segments.c tell them apart. */
#ifndef SEGMENTS_SEGMENTS_H
#define SEGMENTS_SEGMENTS_H

#include <gantry/plugin.h>
#include <gantry/storage.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "descriptors.h"
#include "job.h"

struct segments_conf { /* begins the snapshot of a plugin's keys; keys.h */
	int64_t prepared_bytes;
	int64_t hot_bytes;
	int64_t cold_read_bytes, ahead_bytes;
	int64_t small_descriptors;
	int64_t full_percent;
	/* staging, stage.h */
	bool transient_pool;
	int32_t flush_disk_type; /* enum segments_flush_type */
	int32_t broker_role;     /* enum segments_role */
	bool controller_mode;
	int64_t staging_bytes;
	int64_t commit_interval_ms, commit_least_pages, commit_thorough_ms;
};

enum segments_flush_type { SEGMENTS_ASYNC_FLUSH, SEGMENTS_SYNC_FLUSH };
extern const char *const segments_flush_types[]; /* for the key's table */

enum segments_role { SEGMENTS_ASYNC_MASTER, SEGMENTS_SYNC_MASTER, SEGMENTS_SLAVE };
extern const char *const segments_roles[]; /* for the key's table */

/* One file of a log that is staged: bytes that are not in it yet, and its sync. */
struct segments_flush {
	int fd;
	uint64_t file; /* tells files apart for as long as the engine lives; 0 is none */
	uint64_t at;   /* in the file */
	const uint8_t *from;
	uint64_t bytes; /* 0: there are none, sync alone */
	uint64_t pad;   /* up to a page's end; from has so many more: zeros, or what comes next */
	void (*written)(struct segments_flush *flush);
	void *user;
};

/* How an engine writes and syncs what is staged; blocking, on workers. Without one: pwrite and
 * fdatasync. */
struct segments_flusher {
	/* ring: all bytes to flush will stand in there. Failing is fine: then it is not used. */
	int (*open)(struct gantry_inst *inst, uint8_t *ring, uint64_t bytes, void **ret);
	void (*close)(void *flusher);
	/* Writes, calls written once when all bytes are in the file, then makes them durable. One
	 * call at a time. A negative errno, with or without written: -ENOSPC and -EDQUOT without it
	 * are tried again, nothing else is. */
	int (*flush)(void *flusher, struct segments_flush *flush);
};

struct small_log;
struct big_log;
struct gantry_counter;
struct gantry_timer;

/* Syncs of small logs: one after the other on one worker. */
struct small_syncs {
	pthread_mutex_t lock;
	pthread_cond_t quiet;
	struct small_log *first, **last; /* lock; logs that have asks */
	bool busy;                       /* lock; the job is not done yet */
	struct job job;
};

struct segments_engine { /* begins gantry_data() of a plugin */
	struct gantry_inst *inst;
	struct descriptors *descriptors;
	struct small_syncs syncs;
	struct jobs jobs;
	struct gantry_counter *cold_reads, *bytes_ahead;
	/* Before the first log is opened: */
	_Atomic uint64_t segments_made;
	bool staged; /* big logs are written by way of memory of our own */
	const struct segments_flusher *flusher; /* of staged logs; NULL: plain system calls */

	pthread_mutex_t staged_lock;
	struct big_log *staged_logs;       /* staged_lock */
	struct gantry_timer *commit_timer; /* staged_lock; runs from the first of them on */
};

struct gantry_log {
	struct gantry_inst *inst;
	bool small;
};

static inline struct segments_engine *segments_engine(const struct gantry_inst *inst)
{
	return gantry_data(inst);
}

extern const struct gantry_area_ops segments_area_ops;
extern const struct gantry_storage_ops segments_ops; /* for the plugin's offer */

/* The plugin's lifecycle calls, or the beginning of them. */
int segments_setup(struct gantry_inst *inst);
int segments_stop(struct gantry_inst *inst, struct gantry_op *op);
void segments_cleanup(struct gantry_inst *inst);

#endif
