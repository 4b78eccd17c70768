/* SPDX-License-Identifier: Apache-2.0 */
/* Delay levels: the service. One timer on one loop wakes the levels that have something to do. */
#include "delay/delay.h"

#include <errno.h>
#include <stdlib.h>

#include "delay/delay_private.h"

/* ---- the loop */

static void tick(struct gantry_timer *timer, void *user)
{
	struct delay *delay = user;

	gantry_timer_stop(timer);
	delay->timer = NULL;
	delay_look(delay);
}

/* Another turn, when others have had theirs. */
static void again(struct gantry_task *task)
{
	struct delay *delay = task->user;

	delay->posted = false;
	delay_look(delay);
}

static void post(struct delay *delay)
{
	if (delay->posted)
		return;
	delay->posted = true;
	delay->task = (struct gantry_task){.run = again, .user = delay};
	gantry_loop_post(delay->loop, &delay->task);
}

/* A timer that ticks at that time, or before. */
static void wake_at(struct delay *delay, uint64_t ms)
{
	uint64_t now = gantry_clock_ms();

	if (delay->timer && delay->timer_ms <= ms)
		return;
	gantry_timer_stop(delay->timer);
	delay->timer = NULL;
	delay->timer_ms = ms;
	if (gantry_timer_start(delay->broker->inst, delay->loop, ms > now ? ms - now : 0, 0, tick,
			       delay, &delay->timer) < 0)
		post(delay); /* there is no memory now; this costs time, but no message */
}

static void end(struct delay *delay)
{
	gantry_timer_stop(delay->timer);
	delay->timer = NULL;
	if (!delay->busy && !delay->posted && delay->end_op) {
		struct gantry_op *op = delay->end_op;

		/* what they have leased goes back before the log is closed */
		for (uint32_t i = 0; i < delay->delays.count; i++)
			delay_level_free(&delay->levels[i]);
		delay->end_op = NULL;
		gantry_op_finish(op, 0, 0);
	}
}

void delay_look(struct delay *delay)
{
	uint64_t next = UINT64_MAX;

	if (delay->ending) {
		end(delay);
		return;
	}
	for (uint32_t i = 0; i < delay->delays.count; i++) {
		struct delay_level *level = &delay->levels[i];

		if (!level->waiting && level->wake_ms <= gantry_clock_ms())
			delay_level_run(level);
		if (!level->waiting && level->wake_ms < next)
			next = level->wake_ms;
	}
	if (next <= gantry_clock_ms())
		post(delay);
	else if (next != UINT64_MAX)
		wake_at(delay, next);
}

/* ---- life */

static void init_level(struct delay *delay, int i)
{
	struct delay_level *level = &delay->levels[i];

	level->delay = delay;
	level->number = i + 1;
	level->offset = delay->noted[i] = -1;
	level->ms = i < (int)delay->delays.count ? delay->delays.ms[i] : 0;
	level->look_ms = DELAY_LOOK_MS;
	if ((uint64_t)level->ms < 2 * level->look_ms) /* an entry must be seen before it is due */
		level->look_ms = level->ms > 40 ? (uint64_t)level->ms / 2 : 20;
}

static void delay_free(void *self)
{
	struct delay *delay = self;

	for (int i = 0; i < DELAY_LEVELS; i++)
		delay_level_free(&delay->levels[i]);
	free(delay->spare);
	state_free(delay->file);
	pthread_mutex_destroy(&delay->lock);
	free(delay);
}

static int make(struct broker *broker, void **ret)
{
	struct delay *delay = calloc(1, sizeof(*delay));
	int status;

	if (!delay)
		return -ENOMEM;
	delay->broker = broker;
	pthread_mutex_init(&delay->lock, NULL);
	/* not the first, which has the dispatcher */
	delay->loop = gantry_loop_at(broker->inst, gantry_loop_count(broker->inst) - 1);
	delay->version.timestamp = broker_wall_ms();
	status = message_delays_read(broker->conf->messageDelayLevel, &delay->delays);
	for (int i = 0; i < DELAY_LEVELS; i++)
		init_level(delay, i);
	if (!status)
		status = gantry_counter_define(broker->inst, "delayed_delivered",
					       "delayed messages that went to their topics",
					       &delay->delivered);
	if (!status)
		status = gantry_counter_define(broker->inst, "delayed_dropped",
					       "delayed messages that could not be delivered",
					       &delay->dropped);
	if (status)
		delay_free(delay);
	else
		*ret = delay;
	return status;
}

static int load(void *self)
{
	return delay_file_load(self);
}

static int lead(void *self)
{
	struct delay *delay = self;

	delay->ending = false;
	for (uint32_t i = 0; i < delay->delays.count; i++)
		delay_level_correct(&delay->levels[i]);
	delay->posted = true;
	delay->task = (struct gantry_task){.run = again, .user = delay};
	gantry_loop_post(delay->loop, &delay->task);
	return delay_file_serve(delay);
}

static void end_on_loop(struct gantry_task *task)
{
	struct delay *delay = task->user;

	delay->ending = true;
	end(delay);
}

static int follow(void *self, struct gantry_op *op)
{
	struct delay *delay = self;

	delay_file_rest(delay);
	gantry_op_take(op, NULL, delay);
	delay->end_op = op;
	delay->end_task = (struct gantry_task){.run = end_on_loop, .user = delay};
	gantry_loop_post(delay->loop, &delay->end_task);
	return GANTRY_PENDING;
}

static int close_file(void *self, struct gantry_op *op)
{
	return delay_file_close(self, op);
}

const struct feature delay_feature = {
	.name = "delay",
	.make = make,
	.load = load,
	.lead = lead,
	.follow = follow,
	.close = close_file,
	.free = delay_free,
};
