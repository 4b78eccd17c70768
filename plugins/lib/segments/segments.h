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
	int64_t cold_read_bytes;
	int64_t small_descriptors;
	int64_t full_percent;
};

struct small_log;

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
