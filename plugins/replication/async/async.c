/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's ASYNC_MASTER: this node leads, followers are not waited for. Visible is what readers
 * may have: durable under SYNC_FLUSH, appended otherwise. */
#include "door/door.h"

#include <gantry/conf.h>
#include <gantry/plugin.h>

enum { ASYNC_FLUSH, SYNC_FLUSH };

struct async_conf {
	int32_t flush_disk_type;
	int64_t flush_interval_ms;
	int64_t sync_timeout_ms;
};

struct async { /* gantry_data() */
	struct door *door;
};

static struct door *door_of(const struct gantry_inst *inst)
{
	return ((struct async *)gantry_data(inst))->door;
}

static int setup(struct gantry_inst *inst)
{
	const struct async_conf *conf = gantry_conf(inst);
	bool sync = conf->flush_disk_type == SYNC_FLUSH;
	struct door_rules rules = {
		.format = &door_plain,
		.replicated = GANTRY_APPENDED,
		.visible = sync ? GANTRY_DURABLE : GANTRY_APPENDED,
		.leads_always = true,
		.flush_wait_ms = sync ? (uint64_t)conf->sync_timeout_ms : 0,
		.flush_every_ms = (uint64_t)conf->flush_interval_ms,
	};

	return door_new(inst, &rules, &((struct async *)gantry_data(inst))->door);
}

static void cleanup(struct gantry_inst *inst)
{
	door_free(door_of(inst));
}

/* ---- the service: the door's calls */

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

static const struct gantry_replication_ops ops = {
	.size = sizeof(ops),
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
};

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "async", &ops},
	{0},
};

static const struct gantry_need needs[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT, sizeof(struct gantry_storage_ops), 0, NULL},
	{0},
};

static const char *const flush_types[] = {"ASYNC_FLUSH", "SYNC_FLUSH", NULL};

static const struct gantry_conf_item keys[] = {
	GANTRY_KEY(ENUM, struct async_conf, flush_disk_type, "flushDiskType",
		   .choices = flush_types, .dflt = "ASYNC_FLUSH",
		   .help = "whether a message is on the disk before it is acknowledged"),
	GANTRY_KEY(DURATION, struct async_conf, flush_interval_ms, "flushIntervalCommitLog",
		   .unit = "ms", .dflt = "500", .min = 5, .max = 3600000,
		   .help = "under ASYNC_FLUSH, how often the CommitLog is brought to the disk"),
	GANTRY_KEY(DURATION, struct async_conf, sync_timeout_ms, "syncFlushTimeout", .unit = "ms",
		   .dflt = "5000", .min = 10, .max = 3600000,
		   .help = "under SYNC_FLUSH, the time after which a flush is answered as late"),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct async_conf),
	.inst_size = sizeof(struct async),
	.setup = setup,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_async, "replication-async", .version = "0.1.0", .license = "Apache-2.0",
	      .summary = "a master that waits for no follower", .offers = offers, .needs = needs,
	      .keys = keys, .life = &life)
