/* SPDX-License-Identifier: Apache-2.0 */
/* The replication service of a mode that is nothing but a door with rules. */
#include "door.h"

#include <gantry/plugin.h>

static struct door *door_of(const struct gantry_inst *inst)
{
	return *(struct door **)gantry_data(inst);
}

static int attach(struct gantry_inst *inst, const struct gantry_shape *shape,
		  const struct gantry_log_client *client, void *user)
{
	return door_attach(door_of(inst), shape, client, user);
}

static int recovered(struct gantry_inst *inst, uint64_t end, int64_t store_ms)
{
	return door_recovered(door_of(inst), end, store_ms);
}

static int propose(struct gantry_inst *inst, struct gantry_batch *batch, struct gantry_op *op)
{
	return door_propose(door_of(inst), batch, op);
}

static int wait(struct gantry_inst *inst, enum gantry_mark mark, uint64_t upto,
		struct gantry_op *op)
{
	return door_wait(door_of(inst), mark, upto, op);
}

static uint64_t mark(const struct gantry_inst *inst, enum gantry_mark which)
{
	return door_mark(door_of(inst), which);
}

static void bounds(const struct gantry_inst *inst, struct gantry_bounds *ret)
{
	door_bounds(door_of(inst), ret);
}

static int read(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret,
		struct gantry_op *op)
{
	return door_read(door_of(inst), at, max, ret, op);
}

static int fetch(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	return door_fetch(door_of(inst), at, max, ret);
}

static int expire(struct gantry_inst *inst, uint64_t before)
{
	return door_expire(door_of(inst), before);
}

static int64_t modified_ms(struct gantry_inst *inst, uint64_t at)
{
	return door_modified_ms(door_of(inst), at);
}

static void detach(struct gantry_inst *inst)
{
	door_detach(door_of(inst));
}

const struct gantry_replication_ops door_ops = {
	.size = sizeof(door_ops),
	.attach = attach,
	.recovered = recovered,
	.propose = propose,
	.wait = wait,
	.mark = mark,
	.bounds = bounds,
	.read = read,
	.expire = expire,
	.modified_ms = modified_ms,
	.detach = detach,
	.fetch = fetch,
};
