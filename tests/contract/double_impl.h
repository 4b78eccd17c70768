/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACT_DOUBLE_IMPL_H
#define CONTRACT_DOUBLE_IMPL_H

#include "doubles.h"

#include "door/door.h"

#include <gantry/conf.h>
#include <gantry/loop.h>
#include <gantry/plugin.h>

/* A cut on a worker: door_cut() blocks. */
struct double_cut {
	struct gantry_work work;
	struct door *door;
	uint64_t at;
};
int double_cut(struct gantry_inst *inst, struct double_cut *cut, struct door *door, uint64_t at,
	       struct gantry_op *op);

extern const struct gantry_need double_needs[]; /* a storage engine that can cut */

/* 48-byte frames, numbered; both framed doubles have one. */
struct double_frames {
	uint64_t index, term; /* of the next frame; the door's lock, or nobody appends */
};
void double_frame(void *user, uint8_t *to, uint64_t at, uint32_t record_bytes);
/* Numbers go on behind the last frame before end. */
void double_frames_resume(struct double_frames *frames, const struct door *door, uint64_t first,
			  uint64_t end);

#endif
