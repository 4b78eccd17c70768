/* SPDX-License-Identifier: Apache-2.0 */
/* A state file that changes too often to be written at each change: it is written every so often,
 * if its table's counter of changes has moved. Control thread. */
#ifndef STATE_PACED_H
#define STATE_PACED_H

#include <stdint.h>

#include <gantry/op.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gantry_inst;
struct gantry_timer;
struct state;

struct paced {
	struct state *file;      /* the user's; NULL: nothing is written */
	const uint64_t *changes; /* atomic; the user's */
	uint64_t written;        /* changes when it was last written */
	struct gantry_timer *timer;
};

/* 0 or a negative errno. period_ms: not 0. */
int paced_start(struct paced *paced, struct gantry_inst *inst, uint64_t period_ms);
/* The last write; as state_close(). Also where it was never started. */
int paced_close(struct paced *paced, struct gantry_op *op);

#ifdef __cplusplus
}
#endif
#endif
