/* SPDX-License-Identifier: Apache-2.0 */
/* The replication service of a mode that is nothing but a door with rules. */
#include "service.h"

#include <gantry/plugin.h>

static struct door *door_of(const struct gantry_inst *inst)
{
	return *(struct door **)gantry_data(inst);
}

int door_serve_attach(struct gantry_inst *inst, const struct gantry_shape *shape,
		      const struct gantry_log_client *client, void *user)
{
	return door_attach(door_of(inst), shape, client, user);
}

int door_serve_recovered(struct gantry_inst *inst, uint64_t end, int64_t store_ms)
{
	return door_recovered(door_of(inst), end, store_ms);
}

int door_serve_propose(struct gantry_inst *inst, struct gantry_batch *batch, struct gantry_op *op)
{
	return door_propose(door_of(inst), batch, op);
}

int door_serve_wait(struct gantry_inst *inst, enum gantry_mark mark, uint64_t upto,
		    struct gantry_op *op)
{
	return door_wait(door_of(inst), mark, upto, op);
}

uint64_t door_serve_mark(const struct gantry_inst *inst, enum gantry_mark which)
{
	return door_mark(door_of(inst), which);
}

void door_serve_bounds(const struct gantry_inst *inst, struct gantry_bounds *ret)
{
	door_bounds(door_of(inst), ret);
}

int door_serve_read(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op)
{
	return door_read(door_of(inst), at, max, ret, op);
}

int door_serve_fetch(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	return door_fetch(door_of(inst), at, max, ret);
}

int door_serve_expire(struct gantry_inst *inst, uint64_t before)
{
	return door_expire(door_of(inst), before);
}

int64_t door_serve_modified_ms(struct gantry_inst *inst, uint64_t at)
{
	return door_modified_ms(door_of(inst), at);
}

void door_serve_detach(struct gantry_inst *inst)
{
	door_detach(door_of(inst));
}

const struct gantry_replication_ops door_ops = {
	.size = sizeof(door_ops),
	DOOR_SERVE_COMMON,
	.recovered = door_serve_recovered,
	.propose = door_serve_propose,
	.detach = door_serve_detach,
};
