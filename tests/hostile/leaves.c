/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves everything behind: a libuv handle on each loop, a timer, a subscription, a listener, a
 * counter. */
#include "hostile.h"
#include <gantry/bus.h>
#include <gantry/counter.h>
#include <gantry/log.h>
#include <gantry/loop.h>

#include <unistd.h>
#include <uv.h>

struct leaves {
	struct gantry_timer *timer;
	struct gantry_subscription *subscription;
	struct gantry_listener *listener;
	struct gantry_counter *counter;
};

struct loop_leaves {
	struct gantry_task task;
	struct gantry_inst *inst;
	uv_check_t check;
};

static void tick(struct gantry_timer *timer, void *user)
{
	(void)timer;
	(void)user;
}

static int on_event(const struct gantry_event *event, void *user)
{
	(void)event;
	(void)user;
	return 0;
}

static void on_end(void *user)
{
	gantry_log(user, NOTICE, "the subscription ended");
}

static void on_accept(struct gantry_listener *listener, struct gantry_loop *loop, int fd,
		      void *user)
{
	(void)listener;
	(void)loop;
	(void)user;
	close(fd);
}

static void open_handle(struct gantry_task *task)
{
	struct loop_leaves *self = task->user;
	uv_check_init(gantry_loop_uv(gantry_loop_here()), &self->check);
	gantry_loop_own(self->inst, (uv_handle_t *)&self->check);
}

static int start(struct gantry_inst *inst, struct gantry_op *op)
{
	struct leaves *self = gantry_data(inst);
	struct gantry_loop *loop = gantry_loop_at(inst, 0);
	struct loop_leaves *there = gantry_loop_data(inst, loop);
	const struct gantry_subscribe_spec spec = {.size = sizeof(spec),
						   .loop = loop,
						   .queue_max = 4,
						   .event = on_event,
						   .end = on_end,
						   .user = inst};
	const struct gantry_listen_spec listen = {
		.size = sizeof(listen), .host = "127.0.0.1", .accepted = on_accept};
	int bad;
	(void)op;
	there->inst = inst;
	there->task.run = open_handle;
	there->task.user = there;
	gantry_loop_post(loop, &there->task);
	bad = gantry_timer_start(inst, loop, 1, 1, tick, NULL, &self->timer);
	if (!bad)
		bad = gantry_subscribe(inst, GANTRY_TOPIC_STAGE, 1, &spec, &self->subscription);
	if (!bad)
		bad = gantry_listen(inst, &listen, &self->listener);
	if (!bad)
		bad = gantry_counter_define(inst, "left", "things", &self->counter);
	return bad;
}

static const struct gantry_lifecycle life = {.size = sizeof(life),
					     .inst_size = sizeof(struct leaves),
					     .loop_size = sizeof(struct loop_leaves),
					     .start = start};

GANTRY_PLUGIN(hostile_leaves, "hostile-leaves", .life = &life)
