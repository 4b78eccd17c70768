/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACT_SLOW_IMPL_H
#define CONTRACT_SLOW_IMPL_H

#include "slow_engine.h"

#include <gantry/op.h>
#include <gantry/plugin.h>
#include <pthread.h>
#include <stdbool.h>

enum { SLOW_WARM = 16 };

enum slow_act { SLOW_WRITE, SLOW_SYNC, SLOW_CUT, SLOW_RESET, SLOW_EXPIRE };

struct slow_event {
	enum slow_act act;
	uint64_t at; /* of a sync, cut or reset: the offset; of an expiry: the new first */
	uint64_t bytes;
	uint8_t *data; /* of a write */
};

struct slow_held { /* an op that waits for the script */
	struct gantry_op *op;
	struct gantry_log *log;
	uint64_t at; /* of a read: its offset; of a sync: the end when it was asked for */
	bool read;
	struct slow_held *next;
};

struct slow { /* gantry_data(); everything: lock */
	pthread_mutex_t lock;
	unsigned hold, refuse_after, refusals;
	int refuse_status;
	bool fail_sync, record;
	struct slow_held *held; /* the oldest first */
	struct slow_event *event;
	size_t events, room;
};

struct gantry_log { /* positions: the engine's lock */
	struct gantry_inst *inst;
	uint32_t flags;
	char **directory;
	uint32_t directory_count;
	uint64_t segment_bytes;
	uint64_t first, durable, end, file_end;
	bool fenced;
	uint8_t *stage;
	uint64_t stage_bytes;
	uint64_t warm[SLOW_WARM]; /* offsets that were read lately */
	unsigned warm_next;
};

static inline struct slow *slow_of(const struct gantry_inst *inst)
{
	return gantry_data(inst);
}

/* ---- script and record, slow_script.c; lock held */
bool slow_is_warm(const struct gantry_log *log, uint64_t at);
void slow_wait(struct slow *slow, struct gantry_log *log, struct gantry_op *op, uint64_t at,
	       bool read);
void slow_note(struct slow *slow, enum slow_act act, uint64_t at, const void *data, uint64_t bytes);

#endif
