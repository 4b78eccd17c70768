/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's life: who its master is, when a round begins, whether the master answers. */
#include "slave/slave.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "register/register.h"
#include "slave/private.h"
#include "store/store.h"

enum {
	TICK_MS = 500,
	LOOK_MS = 3000, /* so often the master is asked for little, and after an error for all */
};

static uint64_t period_ms(const struct slave *slave)
{
	return (uint64_t)slave->broker->conf->slaveSyncInterval;
}

static uint64_t at_most(uint64_t ms, uint64_t most)
{
	return ms < most ? ms : most;
}

static struct slave *slave_of(const struct broker *broker)
{
	return (struct slave *)feature_data(broker, &slave_feature);
}

/* ---- the master */

void slave_heard(struct slave *slave, int status)
{
	bool hears = !status;

	if (hears == slave->hears || slave->ending)
		return;
	slave->hears = hears;
	if (hears) {
		gantry_log(slave->broker->inst, NOTICE, "the master %s answers", slave->master);
		slave->full_ms = 0; /* what it knows is new to us */
		return;
	}
	gantry_log(slave->broker->inst, WARNING, "the master %s does not answer: %s", slave->master,
		   strerror(-status));
	registrar_ask_again(slave->broker); /* perhaps another one is known by now */
}

static bool is_self(const struct broker *broker, struct gantry_str address)
{
	char own[SLAVE_ADDRESS_ROOM];

	registrar_own_address(broker, own, sizeof(own));
	return str_is(address, own);
}

/* 1: it is another one now. */
static int copy(char to[SLAVE_ADDRESS_ROOM], struct gantry_str address)
{
	if (address.size >= SLAVE_ADDRESS_ROOM || str_is(address, to))
		return 0;
	if (address.size)
		memcpy(to, address.at, address.size);
	to[address.size] = '\0';
	return 1;
}

/* Between two rounds: what the name server said last holds. */
static void turn_to_master(struct slave *slave)
{
	if (!copy(slave->master, str_of(slave->next_master)))
		return;
	if (slave->master[0])
		gantry_log(slave->broker->inst, NOTICE, "the master is %s", slave->master);
	else
		gantry_log(slave->broker->inst, WARNING, "the name server knows no master of %s",
			   slave->broker->name);
	slave->hears = false;
	memset(slave->missing, 0, sizeof(slave->missing));
	slave->full_ms = slave->look_ms = 0;
}

void slave_told(struct broker *broker, struct gantry_str master, struct gantry_str ha)
{
	struct slave *slave = slave_of(broker);

	if (!slave || !slave->client || slave->ending)
		return;
	if (master.size && is_self(broker, master))
		master.size = ha.size = 0;
	/* where there is no master now the last one's log may come back */
	if (ha.size && copy(slave->ha, ha)) {
		gantry_log(broker->inst, NOTICE, "the master's log is at %s", slave->ha);
		store_follow(broker->store, str_of(slave->ha));
	}
	copy(slave->next_master, master);
	if (!slave->running)
		turn_to_master(slave);
}

void slave_note_progress(struct broker *broker, struct gantry_str group, struct gantry_str topic,
			 int32_t queue)
{
	struct slave *slave = slave_of(broker);

	if (slave && broker_is_slave(broker))
		progress_note(slave->progress, group, topic, queue);
}

/* ---- rounds */

void slave_round_done(struct slave *slave)
{
	uint64_t now = gantry_clock_ms();

	slave->look_ms = now + at_most(period_ms(slave), LOOK_MS);
	if (slave->full)
		slave->topic_ms = slave->look_ms;
	if (slave->failed)
		slave->full_ms = slave->look_ms;
	else if (slave->full)
		slave->full_ms = now + period_ms(slave);
	if (!slave->end_op) {
		turn_to_master(slave);
		return;
	}
	remoting_client_close(slave->client, &slave->close_op);
	slave->client = NULL;
}

/* Messages of a topic that came after the last round can be read here only when it is known. */
static bool has_new_topics(const struct slave *slave, uint64_t now)
{
	return now >= slave->topic_ms &&
	       store_topics_begun(slave->broker->store) != slave->topics_begun;
}

static void begin_full(struct slave *slave)
{
	slave->topics_begun = store_topics_begun(slave->broker->store);
	slave_round(slave, true);
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct slave *slave = user;
	uint64_t now = gantry_clock_ms();

	(void)timer;
	if (slave->running || !slave->master[0] || !broker_is_slave(slave->broker))
		return;
	if (now >= slave->full_ms || has_new_topics(slave, now))
		begin_full(slave);
	else if (now >= slave->look_ms)
		slave_round(slave, false);
}

/* ---- life */

static void slave_free(void *self)
{
	struct slave *slave = self;

	slave_round_clear(slave);
	progress_free(slave->progress);
	free(slave);
}

static int make(struct broker *broker, void **ret)
{
	struct slave *slave = calloc(1, sizeof(*slave));
	int err;

	if (!slave)
		return -ENOMEM;
	slave->broker = broker;
	slave->total = -1;
	err = progress_new(broker, &slave->progress);
	if (err)
		free(slave);
	else
		*ret = slave;
	return err;
}

static int load(void *self)
{
	struct slave *slave = self;

	return slave->broker->conf->brokerRole == BROKER_SLAVE ? progress_load(slave->progress) : 0;
}

static int close_file(void *self, struct gantry_op *op)
{
	struct slave *slave = self;

	return progress_close(slave->progress, op);
}

static int serve(void *self)
{
	struct slave *slave = self;
	struct gantry_inst *inst = slave->broker->inst;
	struct gantry_loop *control = gantry_loop_control(inst);
	struct remoting_client_spec client = {
		.size = sizeof(client),
		.inst = inst,
		.loop = control,
		.version = BROKER_VERSION,
		.frame_max = SLAVE_FRAME_MAX,
		.backoff_max_ms = at_most(period_ms(slave), LOOK_MS),
	};
	uint64_t tick_ms = at_most(period_ms(slave), TICK_MS);
	int err;

	if (slave->broker->conf->brokerRole != BROKER_SLAVE)
		return 0;
	err = remoting_client_new(&client, &slave->client);
	return err ? err
		   : gantry_timer_start(inst, control, tick_ms, tick_ms, tick, slave,
					&slave->timer);
}

static void closed(struct gantry_op *op)
{
	struct slave *slave = op->user;

	gantry_op_finish(slave->end_op, 0, 0);
}

/* A request that is under way ends with the connection, a worker's step on its own. */
static int end(void *self, struct gantry_op *op)
{
	struct slave *slave = self;
	char *master = slave->master;

	gantry_timer_stop(slave->timer);
	slave->timer = NULL;
	if (!slave->client)
		return 0;
	slave->ending = true;
	gantry_op_take(op, NULL, slave);
	slave->end_op = op;
	slave->close_op = (struct gantry_op){
		.done = closed,
		.loop = gantry_loop_control(slave->broker->inst),
		.user = slave,
	};
	if (slave->running && !slave->working)
		remoting_client_forget(slave->client, master);
	if (!slave->running)
		slave_round_done(slave);
	return GANTRY_PENDING;
}

const struct feature slave_feature = {
	.name = "slave",
	.make = make,
	.load = load,
	.serve = serve,
	.end = end,
	.close = close_file,
	.free = slave_free,
};
