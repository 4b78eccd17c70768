/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's own types. docs/design/storage.md says why they are as they are.
 *
 * A log is big (mapped, big.h) or small (small.h); the calls in mmap.c tell them apart. */
#ifndef MMAP_MMAP_H
#define MMAP_MMAP_H

#include <gantry/plugin.h>
#include <gantry/storage.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "descriptors.h"
#include "job.h"

struct mmap_conf { /* the snapshot of the plugin's keys */
	int64_t prepared_bytes;
	int64_t hot_bytes;
	int64_t cold_read_bytes;
	int64_t small_descriptors;
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

struct mmap_engine { /* gantry_data() */
	struct gantry_inst *inst;
	struct descriptors *descriptors;
	struct small_syncs syncs;
	struct jobs jobs;
};

struct gantry_log {
	struct gantry_inst *inst;
	bool small;
};

static inline struct mmap_engine *mmap_engine(const struct gantry_inst *inst)
{
	return gantry_data(inst);
}

extern const struct gantry_area_ops mmap_area_ops;

#endif
