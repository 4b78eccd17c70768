/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's SLAVE: the log is what a master ships. Visible is what is stored here. */
#include "door/flush_conf.h"
#include "door/service.h"
#include "ha/ha.h"

#include <gantry/log.h>
#include <gantry/plugin.h>
#include <string.h>

struct slave_conf {
	struct door_flush_conf flush;
	int64_t heartbeat_ms, housekeeping_ms;
	const char *master;
};

struct slave {             /* gantry_data() */
	struct door *door; /* first, as the door's service wants it */
	struct ha_client *client;
	struct ha_client_conf conf;
};

static struct slave *data_of(struct gantry_inst *inst)
{
	return gantry_data(inst);
}

static int setup(struct gantry_inst *inst)
{
	const struct slave_conf *conf = gantry_conf(inst);
	struct slave *slave = data_of(inst);
	struct door_rules rules = {.format = &door_plain, .replicated = GANTRY_APPENDED};
	int rc;

	door_flush_rules(&conf->flush, &rules);
	rules.visible = GANTRY_APPENDED;
	slave->conf = (struct ha_client_conf){
		.heartbeat_ms = conf->heartbeat_ms,
		.housekeeping_ms = conf->housekeeping_ms,
		.reported = rules.flush_wait_ms ? GANTRY_DURABLE : GANTRY_APPENDED,
	};
	rc = door_new(inst, &rules, &slave->door);
	if (rc >= 0)
		rc = ha_client_new(inst, slave->door, &slave->conf, &slave->client);
	if (rc >= 0 && conf->master)
		rc = ha_client_follow(slave->client,
				      (struct gantry_str){conf->master, strlen(conf->master)});
	return rc;
}

static void cleanup(struct gantry_inst *inst)
{
	struct slave *slave = data_of(inst);

	ha_client_free(slave->client);
	door_free(slave->door);
}

/* The client hears once that it does not lead. */
static int recovered(struct gantry_inst *inst, uint64_t end, int64_t store_ms)
{
	struct slave *slave = data_of(inst);
	int rc = door_serve_recovered(inst, end, store_ms);

	if (rc >= 0)
		rc = door_role(slave->door, false, 0);
	if (rc >= 0)
		ha_client_open(slave->client);
	return rc;
}

static void detach(struct gantry_inst *inst)
{
	ha_client_shut(data_of(inst)->client);
	door_serve_detach(inst);
}

/* An address that is configured stays, as in RocketMQ. */
static void follow(struct gantry_inst *inst, struct gantry_str address)
{
	const struct slave_conf *conf = gantry_conf(inst);
	int rc = conf->master ? 0 : ha_client_follow(data_of(inst)->client, address);

	if (rc < 0)
		gantry_log(inst, ERROR, "the master's address \"%.*s\" is none", (int)address.size,
			   address.at);
}

static unsigned peers(const struct gantry_inst *inst, struct gantry_replica *ret, unsigned max)
{
	return ha_client_peers(((struct slave *)gantry_data(inst))->client, ret, max);
}

static const struct gantry_replication_ops ops = {
	.size = sizeof(ops),
	DOOR_SERVE_COMMON,
	.recovered = recovered,
	.propose = door_serve_propose,
	.detach = detach,
	.follow = follow,
	.peers = peers,
};

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "slave", &ops},
	{0},
};

static const struct gantry_need needs[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT, sizeof(struct gantry_storage_ops), 0, NULL},
	{0},
};

static const struct gantry_conf_item keys[] = {
	DOOR_FLUSH_KEYS(struct slave_conf),
	GANTRY_KEY(ADDRESS, struct slave_conf, master, "haMasterAddress",
		   .help = "where the master serves slaves, host:port; default: what the name "
			   "servers say"),
	GANTRY_KEY(DURATION, struct slave_conf, heartbeat_ms, "haSendHeartbeatInterval",
		   .unit = "ms", .dflt = "5000", .min = 10, .max = 3600000,
		   .help = "the master hears of this slave at least so often"),
	GANTRY_KEY(DURATION, struct slave_conf, housekeeping_ms, "haHousekeepingInterval",
		   .unit = "ms", .dflt = "20000", .min = 20, .max = 3600000,
		   .help = "the master has gone when it is silent for so long"),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct slave_conf),
	.inst_size = sizeof(struct slave),
	.setup = setup,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_slave, "replication-slave", .version = "0.1.0", .license = "Apache-2.0",
	      .summary = "a copy of its master's log", .offers = offers, .needs = needs,
	      .keys = keys, .life = &life)
