/* SPDX-License-Identifier: Apache-2.0 */
/* A quorum mode: records in frames, visible when committed, terms that are lost, cuts. */
#include "double_impl.h"

struct quorum_double {
	struct door *door; /* first, as door_ops wants it */
	struct door_format format;
	struct double_frames frames;
	struct double_cut cut;
};

static struct quorum_double *data_of(const struct gantry_inst *inst)
{
	return gantry_data(inst);
}

int quorum_double_lead(struct gantry_inst *inst, uint64_t term)
{
	struct quorum_double *quorum = data_of(inst);
	struct gantry_bounds bounds;

	door_bounds(quorum->door, &bounds);
	double_frames_resume(&quorum->frames, quorum->door, bounds.first, bounds.end);
	quorum->frames.term = term;
	return door_role(quorum->door, true, term);
}

void quorum_double_committed(struct gantry_inst *inst, uint64_t upto)
{
	door_move(data_of(inst)->door, GANTRY_REPLICATED, upto);
}

void quorum_double_lost(struct gantry_inst *inst, uint64_t term)
{
	door_role(data_of(inst)->door, false, term);
}

int quorum_double_cut(struct gantry_inst *inst, uint64_t at, struct gantry_op *op)
{
	struct quorum_double *quorum = data_of(inst);

	return double_cut(inst, &quorum->cut, quorum->door, at, op);
}

int quorum_double_receive(struct gantry_inst *inst, uint64_t at, const void *frames, uint64_t bytes)
{
	return door_feed(data_of(inst)->door, at, frames, bytes);
}

static int setup(struct gantry_inst *inst)
{
	struct quorum_double *quorum = data_of(inst);
	struct door_rules rules = {
		.format = &quorum->format,
		.user = &quorum->frames,
		.replicated = DOOR_BY_HAND,
		.visible = GANTRY_REPLICATED,
		.replica_wait_ms = 2500,
		.flush_every_ms = 20,
	};

	quorum->format = door_framed;
	quorum->format.frame = double_frame;
	return door_new(inst, &rules, &quorum->door);
}

static void cleanup(struct gantry_inst *inst)
{
	door_free(data_of(inst)->door);
}

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "quorum-double", &door_ops},
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.inst_size = sizeof(struct quorum_double),
	.setup = setup,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_quorum_double, "replication-quorum-double", .version = "1",
	      .license = "Apache-2.0", .summary = "frames, commits, terms and cuts",
	      .offers = offers, .needs = double_needs, .life = &life)
