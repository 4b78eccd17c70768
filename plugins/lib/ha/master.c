/* SPDX-License-Identifier: Apache-2.0 */
/* The master: its port, its slaves, and what they have. */
#include "master_impl.h"

#include <errno.h>
#include <gantry/plugin.h>
#include <stdlib.h>
#include <string.h>

int ha_master_new(struct gantry_inst *inst, struct door *door, const struct ha_master_conf *conf,
		  void (*changed)(void *user), void *user, struct ha_master **ret)
{
	struct ha_master *master = calloc(1, sizeof(*master));

	if (!master)
		return -ENOMEM;
	master->inst = inst;
	master->door = door;
	master->conf = conf;
	/* Storage shows nothing that a kill would lose, so a slave is ahead after a power cut only.
	 */
	master->upto = conf->durable_only ? GANTRY_DURABLE : GANTRY_APPENDED;
	master->changed = changed;
	master->user = user;
	pthread_mutex_init(&master->lock, NULL);
	pthread_cond_init(&master->quiet, NULL);
	*ret = master;
	return 0;
}

void ha_master_free(struct ha_master *master)
{
	if (!master)
		return;
	pthread_cond_destroy(&master->quiet);
	pthread_mutex_destroy(&master->lock);
	free(master);
}

int ha_master_listen(struct ha_master *master)
{
	const struct ha_master_conf *conf = master->conf;
	struct gantry_listen_spec spec = {
		.size = sizeof(spec),
		.port = (uint32_t)conf->port,
		.accepted = ha_slave_accepted,
		.user = master,
	};
	int rc;

	if (!conf->serve)
		return 0;
	/* As RocketMQ's BrokerStartup; with a listenPort that is any free one, so is this. */
	if (spec.port == 0 && conf->listen_port != 0)
		spec.port = (uint32_t)conf->listen_port + 1;
	rc = gantry_listen(master->inst, &spec, &master->listener);
	if (rc < 0)
		return rc;
	gantry_log(master->inst, NOTICE, "slaves are served on port %u%s",
		   gantry_listener_port(master->listener),
		   master->upto == GANTRY_DURABLE ? ", and get what is durable here" : "");
	return 0;
}

unsigned ha_master_port(const struct ha_master *master)
{
	return master->listener ? gantry_listener_port(master->listener) : 0;
}

/* ---- open and shut */

void ha_master_open(struct ha_master *master)
{
	pthread_mutex_lock(&master->lock);
	master->log = door_log(master->door, &master->ops);
	master->open = true;
	pthread_mutex_unlock(&master->lock);
}

static void end_slave(struct gantry_task *task)
{
	struct ha_slave *slave = task->user;

	ha_slave_close(slave);
	ha_slave_release(slave);
}

/* Under lock. */
static void ask_to_end(struct ha_slave *slave)
{
	slave->told = true;
	++slave->holders;
	slave->end = (struct gantry_task){.run = end_slave, .user = slave};
	gantry_loop_post(slave->loop, &slave->end);
}

void ha_master_shut(struct ha_master *master)
{
	if (!master)
		return;
	pthread_mutex_lock(&master->lock);
	master->open = false;
	for (struct ha_slave *slave = master->list; slave; slave = slave->next) {
		if (!slave->told)
			ask_to_end(slave);
	}
	while (master->count)
		pthread_cond_wait(&master->quiet, &master->lock);
	pthread_mutex_unlock(&master->lock);
}

/* ---- who is there */

/* Who has said nothing for the longest time gives way to one that comes: connections that never
 * report must not keep a slave out. Under lock. */
static bool one_gives_way(struct ha_master *master)
{
	struct ha_slave *oldest = NULL;

	if (master->count >= 2 * (unsigned)master->conf->slaves_max)
		return false; /* those that were asked to are not gone yet */
	for (struct ha_slave *slave = master->list; slave; slave = slave->next) {
		if (!slave->told && !atomic_load(&slave->reported))
			oldest = slave;
	}
	if (!oldest)
		return false;
	ask_to_end(oldest);
	return true;
}

bool ha_master_take(struct ha_slave *slave)
{
	struct ha_master *master = slave->master;
	bool open, full, taken = false;

	pthread_mutex_lock(&master->lock);
	open = master->open;
	full = master->count >= (unsigned)master->conf->slaves_max;
	if (open && (!full || one_gives_way(master))) {
		slave->next = master->list;
		master->list = slave;
		++master->count;
		taken = true;
	}
	pthread_mutex_unlock(&master->lock);
	if (open && full)
		gantry_log_limited(master->inst, &master->full_limit, WARNING,
				   "haMaxConnections = %lld connections of slaves are open: %s",
				   (long long)master->conf->slaves_max,
				   taken ? "the oldest that has said nothing is closed"
					 : "no more are taken");
	return taken;
}

void ha_slave_hold(struct ha_slave *slave)
{
	pthread_mutex_lock(&slave->master->lock);
	++slave->holders;
	pthread_mutex_unlock(&slave->master->lock);
}

void ha_slave_release(struct ha_slave *slave)
{
	struct ha_master *master = slave->master;
	struct ha_slave **link = &master->list;
	bool last;

	pthread_mutex_lock(&master->lock);
	last = --slave->holders == 0;
	if (last) {
		while (*link != slave)
			link = &(*link)->next;
		*link = slave->next;
		free(slave);
		--master->count;
		pthread_cond_broadcast(&master->quiet);
	}
	pthread_mutex_unlock(&master->lock);
}

void ha_master_held(struct ha_master *master, unsigned count, struct ha_held *ret)
{
	struct ha_standing all[HA_SLAVES_MAX];
	unsigned known = 0;

	pthread_mutex_lock(&master->lock);
	for (struct ha_slave *slave = master->list; slave; slave = slave->next) {
		uint64_t acked = atomic_load(&slave->acked);

		if (atomic_load(&slave->reported))
			all[known++] = (struct ha_standing){
				.acked = acked,
				.host = slave->host,
				.doubted = slave->in_doubt && acked <= slave->doubt,
			};
	}
	pthread_mutex_unlock(&master->lock);
	ha_count(all, known, count, ret);
}

/* ---- two connections of one slave */

/* Under lock. */
static uint32_t host_of(struct ha_master *master, const struct ha_slave *slave)
{
	const char *colon = strrchr(slave->address, ':');
	size_t size = colon ? (size_t)(colon - slave->address) : strlen(slave->address);

	for (const struct ha_slave *other = master->list; other; other = other->next)
		if (atomic_load(&other->reported) &&
		    strncmp(other->address, slave->address, size + 1) == 0)
			return other->host;
	return ++master->hosts;
}

/* A slave has one connection at a time. When another one of its host begins to report, the older
 * one may have been the same slave's, until its peer has got something that was sent later. */
void ha_slave_known(struct ha_slave *slave, uint64_t offset)
{
	struct ha_master *master = slave->master;
	bool newer = true;

	pthread_mutex_lock(&master->lock);
	slave->host = host_of(master, slave);
	for (struct ha_slave *other = master->list; other; other = other->next) {
		struct ha_slave *older = newer ? slave : other;

		if (other == slave) {
			newer = false;
		} else if (other->host == slave->host && atomic_load(&other->reported)) {
			older->in_doubt = true;
			older->doubt = atomic_load(&older->sent);
		}
	}
	/* Who finds that it has reported finds what. */
	atomic_store(&slave->acked, offset);
	atomic_store(&slave->reported, true);
	pthread_mutex_unlock(&master->lock);
}

static void tell_of(const struct ha_slave *slave, uint64_t end, struct gantry_replica *ret)
{
	uint64_t acked = atomic_load(&slave->acked);
	bool far = end > acked && end - acked >= (uint64_t)slave->master->conf->gap_max;

	*ret = (struct gantry_replica){
		.flags = far ? 0 : GANTRY_REPLICA_IN_SYNC,
		.at = acked,
		.from = atomic_load(&slave->sent),
		.bytes_per_second = atomic_load(&slave->bytes_per_s),
		.read_ms = atomic_load(&slave->heard_ms),
		.write_ms = atomic_load(&slave->spoke_ms),
	};
	memcpy(ret->address, slave->address, sizeof(ret->address));
}

unsigned ha_master_peers(struct ha_master *master, struct gantry_replica *ret, unsigned max)
{
	uint64_t end = door_mark(master->door, GANTRY_APPENDED);
	unsigned known = 0;

	pthread_mutex_lock(&master->lock);
	for (struct ha_slave *slave = master->list; slave; slave = slave->next) {
		if (!atomic_load(&slave->reported))
			continue;
		if (known < max)
			tell_of(slave, end, &ret[known]);
		++known;
	}
	pthread_mutex_unlock(&master->lock);
	return known;
}
