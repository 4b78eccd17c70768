/* SPDX-License-Identifier: Apache-2.0 */
/* A follower: its log is what a master sends, in fragments that end anywhere. */
#include "double_impl.h"

struct follower_double {
	struct door *door; /* first, as door_ops wants it */
	struct double_cut cut;
};

static struct follower_double *data_of(const struct gantry_inst *inst)
{
	return gantry_data(inst);
}

int follower_double_receive(struct gantry_inst *inst, uint64_t at, const void *bytes, uint64_t size)
{
	return door_feed(data_of(inst)->door, at, bytes, size);
}

int follower_double_lead(struct gantry_inst *inst, uint64_t term)
{
	return door_role(data_of(inst)->door, true, term);
}

void follower_double_lost(struct gantry_inst *inst, uint64_t term)
{
	door_role(data_of(inst)->door, false, term);
}

int follower_double_cut(struct gantry_inst *inst, uint64_t at, struct gantry_op *op)
{
	return double_cut(inst, &data_of(inst)->cut, data_of(inst)->door, at, op);
}

static int setup(struct gantry_inst *inst)
{
	static const struct door_rules rules = {
		.format = &door_plain,
		.replicated = GANTRY_APPENDED,
		.visible = GANTRY_APPENDED,
		.flush_every_ms = 20,
	};

	return door_new(inst, &rules, &data_of(inst)->door);
}

static void cleanup(struct gantry_inst *inst)
{
	door_free(data_of(inst)->door);
}

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "follower-double", &door_ops},
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.inst_size = sizeof(struct follower_double),
	.setup = setup,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_follower_double, "replication-follower-double", .version = "1",
	      .license = "Apache-2.0", .summary = "stores what a master sends", .offers = offers,
	      .needs = double_needs, .life = &life)
