/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's ASYNC_MASTER: this node leads, followers are served and not waited for. Visible is
 * what readers may have: durable under SYNC_FLUSH, appended otherwise. */
#include "door/flush_conf.h"
#include "door/service.h"
#include "ha/ha.h"

#include <gantry/plugin.h>

struct async_conf {
	struct door_flush_conf flush;
	struct ha_master_conf ha;
};

struct async {             /* gantry_data() */
	struct door *door; /* first, as the door's service wants it */
	struct ha_master *master;
};

static int setup(struct gantry_inst *inst)
{
	const struct async_conf *conf = gantry_conf(inst);
	struct async *async = gantry_data(inst);
	struct door_rules rules = {
		.format = &door_plain,
		.replicated = GANTRY_APPENDED,
		.leads_always = true,
	};
	int rc;

	door_flush_rules(&conf->flush, &rules);
	rc = door_new(inst, &rules, &async->door);
	return rc < 0 ? rc
		      : ha_master_new(inst, async->door, &conf->ha, NULL, NULL, &async->master);
}

static int serve(struct gantry_inst *inst)
{
	return ha_master_listen(((struct async *)gantry_data(inst))->master);
}

static void cleanup(struct gantry_inst *inst)
{
	struct async *async = gantry_data(inst);

	ha_master_free(async->master);
	door_free(async->door);
}

static int recovered(struct gantry_inst *inst, uint64_t end, int64_t store_ms)
{
	int rc = door_serve_recovered(inst, end, store_ms);

	if (rc >= 0)
		ha_master_open(((struct async *)gantry_data(inst))->master);
	return rc;
}

static void detach(struct gantry_inst *inst)
{
	ha_master_shut(((struct async *)gantry_data(inst))->master);
	door_serve_detach(inst);
}

static unsigned peers(const struct gantry_inst *inst, struct gantry_replica *ret, unsigned max)
{
	return ha_master_peers(((struct async *)gantry_data(inst))->master, ret, max);
}

static const struct gantry_replication_ops ops = {
	.size = sizeof(ops),
	DOOR_SERVE_COMMON,
	.recovered = recovered,
	.propose = door_serve_propose,
	.detach = detach,
	.peers = peers,
};

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "async", &ops},
	{0},
};

static const struct gantry_need needs[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT, sizeof(struct gantry_storage_ops), 0, NULL},
	{0},
};

static const struct gantry_conf_item keys[] = {
	DOOR_FLUSH_KEYS(struct async_conf),
	HA_MASTER_KEYS(struct async_conf),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct async_conf),
	.inst_size = sizeof(struct async),
	.setup = setup,
	.serve = serve,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_async, "replication-async", .version = "0.1.0", .license = "Apache-2.0",
	      .summary = "a master that waits for no follower", .offers = offers, .needs = needs,
	      .keys = keys, .life = &life)
