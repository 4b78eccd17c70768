/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the replication service for a mode whose gantry_data() begins with its struct door
 * *: what such a mode's own table is made of when some of them are its own. */
#ifndef DOOR_SERVICE_H
#define DOOR_SERVICE_H

#include "door.h"

#ifdef __cplusplus
extern "C" {
#endif

int door_serve_attach(struct gantry_inst *inst, const struct gantry_shape *shape,
		      const struct gantry_log_client *client, void *user);
int door_serve_recovered(struct gantry_inst *inst, uint64_t end, int64_t store_ms);
int door_serve_propose(struct gantry_inst *inst, struct gantry_batch *batch, struct gantry_op *op);
int door_serve_wait(struct gantry_inst *inst, enum gantry_mark mark, uint64_t upto,
		    struct gantry_op *op);
uint64_t door_serve_mark(const struct gantry_inst *inst, enum gantry_mark which);
void door_serve_bounds(const struct gantry_inst *inst, struct gantry_bounds *ret);
int door_serve_read(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op);
int door_serve_fetch(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret);
int door_serve_expire(struct gantry_inst *inst, uint64_t before);
int64_t door_serve_modified_ms(struct gantry_inst *inst, uint64_t at);
void door_serve_detach(struct gantry_inst *inst);

/* Those that no mode has of its own. */
#define DOOR_SERVE_COMMON                                                                          \
	.attach = door_serve_attach, .wait = door_serve_wait, .mark = door_serve_mark,             \
	.bounds = door_serve_bounds, .read = door_serve_read, .expire = door_serve_expire,         \
	.modified_ms = door_serve_modified_ms, .fetch = door_serve_fetch

#ifdef __cplusplus
}
#endif
#endif
