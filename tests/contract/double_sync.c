/* SPDX-License-Identifier: Apache-2.0 */
/* A synchronous mode, whose follower is late, or silent, or gone. */
#include "double_impl.h"

struct conf {
	int64_t flush_wait_ms, replica_wait_ms, flush_every_ms;
};

struct sync_double {
	struct door *door;
};

static struct door *door_of(const struct gantry_inst *inst)
{
	return ((struct sync_double *)gantry_data(inst))->door;
}

void sync_double_acked(struct gantry_inst *inst, uint64_t upto)
{
	door_move(door_of(inst), GANTRY_REPLICATED, upto);
}

void sync_double_lost_followers(struct gantry_inst *inst)
{
	door_answer(door_of(inst), GANTRY_REPLICA_FEW);
}

static int setup(struct gantry_inst *inst)
{
	const struct conf *conf = gantry_conf(inst);
	struct door_rules rules = {
		.format = &door_plain,
		.replicated = DOOR_BY_HAND,
		.visible = conf->flush_wait_ms ? GANTRY_DURABLE : GANTRY_APPENDED,
		.leads_always = true,
		.flush_wait_ms = (uint64_t)conf->flush_wait_ms,
		.replica_wait_ms = (uint64_t)conf->replica_wait_ms,
		.flush_every_ms = (uint64_t)conf->flush_every_ms,
	};

	return door_new(inst, &rules, &((struct sync_double *)gantry_data(inst))->door);
}

static void cleanup(struct gantry_inst *inst)
{
	door_free(door_of(inst));
}

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "sync-double", &door_ops},
	{0},
};

static const struct gantry_conf_item keys[] = {
	GANTRY_KEY(DURATION, struct conf, flush_wait_ms, "flushWait", .dflt = "0"),
	GANTRY_KEY(DURATION, struct conf, replica_wait_ms, "replicaWait", .dflt = "0"),
	GANTRY_KEY(DURATION, struct conf, flush_every_ms, "flushEvery", .dflt = "20"),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct conf),
	.inst_size = sizeof(struct sync_double),
	.setup = setup,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_sync_double, "replication-sync-double", .version = "1",
	      .license = "Apache-2.0", .summary = "waits for followers that are late",
	      .offers = offers, .needs = double_needs, .keys = keys, .life = &life)
