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

struct async {             /* gantry_data() */
	struct door *door; /* first, as door_ops wants it */
};

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
	door_free(((struct async *)gantry_data(inst))->door);
}

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "async", &door_ops},
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
