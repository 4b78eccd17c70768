/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's SYNC_MASTER: a message is acknowledged when so many slaves have it. It goes to them
 * while the local flush runs, and one report of a slave acknowledges all that it covers. */
#include "door/flush_conf.h"
#include "door/service.h"
#include "ha/ha.h"

#include <gantry/log.h>
#include <gantry/plugin.h>
#include <pthread.h>
#include <stdatomic.h>

struct sync_conf {
	struct door_flush_conf flush;
	struct ha_master_conf ha;
	int64_t replicas, timeout_ms;
};

struct sync {              /* gantry_data() */
	struct door *door; /* first, as the door's service wants it */
	struct ha_master *master;
	unsigned wanted; /* slaves that must have a message; 0: none is waited for */
	uint64_t gap_max;
	pthread_mutex_t lock;  /* one at a time judges the slaves */
	atomic_bool few;       /* too few slaves, or too far behind */
	_Atomic uint64_t held; /* what so many slaves have */
};

static struct sync *data_of(struct gantry_inst *inst)
{
	return gantry_data(inst);
}

/* A slave that is far behind does not count (haMaxGapNotInSync). Under lock. */
static void judge(struct sync *sync, bool enough, uint64_t held)
{
	uint64_t end = door_mark(sync->door, GANTRY_APPENDED);
	bool few = !enough || (end > held && end - held >= sync->gap_max);

	atomic_store(&sync->held, held);
	atomic_store(&sync->few, few);
	door_few(sync->door, few);
}

/* Whether a log that runs away from its slaves has to be looked at. */
static bool runs_away(const struct sync *sync, uint64_t end)
{
	uint64_t held = atomic_load(&sync->held);

	return sync->wanted && !atomic_load(&sync->few) && end > held &&
	       end - held >= sync->gap_max;
}

static void slaves_changed(void *user)
{
	struct sync *sync = user;
	struct ha_held held;

	pthread_mutex_lock(&sync->lock);
	ha_master_held(sync->master, sync->wanted, &held);
	judge(sync, held.enough, held.end);
	pthread_mutex_unlock(&sync->lock);
	if (held.sure)
		door_move(sync->door, GANTRY_REPLICATED, held.sure);
}

static int propose(struct gantry_inst *inst, struct gantry_batch *batch, struct gantry_op *op)
{
	struct sync *sync = data_of(inst);
	int rc = door_serve_propose(inst, batch, op);

	/* Slaves speak up only when they have got something. */
	if (rc >= 0 && runs_away(sync, batch->end))
		slaves_changed(sync);
	return rc;
}

/* ---- life */

static void say_what_holds(struct gantry_inst *inst, const struct sync *sync)
{
	if (sync->wanted)
		gantry_log(inst, NOTICE,
			   "SYNC_MASTER: a message is acknowledged as stored when %u slave%s it "
			   "(inSyncReplicas = %u)",
			   sync->wanted, sync->wanted == 1 ? " has" : "s have", sync->wanted + 1);
	else
		gantry_log(inst, WARNING,
			   "SYNC_MASTER with inSyncReplicas = 1: no slave is waited for, as in "
			   "RocketMQ 5; 2 waits for one");
}

static int setup(struct gantry_inst *inst)
{
	const struct sync_conf *conf = gantry_conf(inst);
	struct sync *sync = data_of(inst);
	struct door_rules rules = {.format = &door_plain, .leads_always = true};
	int rc;

	sync->wanted = conf->replicas > 1 ? (unsigned)conf->replicas - 1 : 0;
	sync->gap_max = (uint64_t)conf->ha.gap_max;
	pthread_mutex_init(&sync->lock, NULL);
	rules.replicated = sync->wanted ? DOOR_BY_HAND : GANTRY_APPENDED;
	rules.replica_wait_ms = sync->wanted ? (uint64_t)conf->timeout_ms : 0;
	door_flush_rules(&conf->flush, &rules);
	rc = door_new(inst, &rules, &sync->door);
	if (rc >= 0)
		rc = ha_master_new(inst, sync->door, &conf->ha,
				   sync->wanted ? slaves_changed : NULL, sync, &sync->master);
	if (rc >= 0 && sync->wanted)
		judge(sync, false, 0);
	return rc;
}

static int serve(struct gantry_inst *inst)
{
	struct sync *sync = data_of(inst);

	say_what_holds(inst, sync);
	return ha_master_listen(sync->master);
}

static void cleanup(struct gantry_inst *inst)
{
	struct sync *sync = data_of(inst);

	ha_master_free(sync->master);
	door_free(sync->door);
	pthread_mutex_destroy(&sync->lock);
}

static int recovered(struct gantry_inst *inst, uint64_t end, int64_t store_ms)
{
	int rc = door_serve_recovered(inst, end, store_ms);

	if (rc >= 0)
		ha_master_open(data_of(inst)->master);
	return rc;
}

static void detach(struct gantry_inst *inst)
{
	ha_master_shut(data_of(inst)->master);
	door_serve_detach(inst);
}

static unsigned peers(const struct gantry_inst *inst, struct gantry_replica *ret, unsigned max)
{
	return ha_master_peers(((struct sync *)gantry_data(inst))->master, ret, max);
}

static const struct gantry_replication_ops ops = {
	.size = sizeof(ops),
	DOOR_SERVE_COMMON,
	.recovered = recovered,
	.propose = propose,
	.detach = detach,
	.peers = peers,
};

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "sync", &ops},
	{0},
};

static const struct gantry_need needs[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT, sizeof(struct gantry_storage_ops), 0, NULL},
	{0},
};

static const struct gantry_conf_item keys[] = {
	DOOR_FLUSH_KEYS(struct sync_conf),
	HA_MASTER_KEYS(struct sync_conf),
	GANTRY_KEY(INT, struct sync_conf, replicas, "inSyncReplicas", .dflt = "2", .min = 0,
		   .max = 1024,
		   .help = "copies of a message, the master's included, before it is acknowledged"),
	GANTRY_KEY(DURATION, struct sync_conf, timeout_ms, "slaveTimeout", .unit = "ms",
		   .dflt = "3000", .min = 10, .max = 3600000,
		   .help = "the time after which slaves are answered as late"),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct sync_conf),
	.inst_size = sizeof(struct sync),
	.setup = setup,
	.serve = serve,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_sync, "replication-sync", .version = "0.1.0", .license = "Apache-2.0",
	      .summary = "a master that waits for its slaves", .offers = offers, .needs = needs,
	      .keys = keys, .life = &life)
