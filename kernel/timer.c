/* SPDX-License-Identifier: Apache-2.0 */
/* Timers: a uv_timer_t that may be started and stopped from any thread, and that the kernel finds
 * again by its instance. */
#include "timer.h"
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>

struct gantry_timer {
	struct gk_link link; /* the instance's lock */
	struct gantry_inst *inst;
	struct gantry_loop *loop;
	void (*tick)(struct gantry_timer *timer, void *user);
	void *user;
	uint64_t first_ms, period_ms;
	int stopped; /* atomic */
	int opened;  /* the loop's thread; uv is in the loop */
	uv_timer_t uv;
	struct gantry_task start, stop;
};

static void on_closed(uv_handle_t *handle)
{
	free(GK_OF(struct gantry_timer, uv, handle));
}

static void on_tick(uv_timer_t *uv)
{
	struct gantry_timer *timer = GK_OF(struct gantry_timer, uv, uv);
	if (!__atomic_load_n(&timer->stopped, __ATOMIC_ACQUIRE))
		timer->tick(timer, timer->user);
}

/* On the timer's loop. One that was stopped before it began waits here for its end. */
static void start(struct gantry_task *task)
{
	struct gantry_timer *timer = GK_OF(struct gantry_timer, start, task);
	uv_timer_init(&timer->loop->uv, &timer->uv);
	timer->opened = 1;
	if (__atomic_load_n(&timer->stopped, __ATOMIC_ACQUIRE))
		return;
	uv_update_time(&timer->loop->uv); /* first_ms counts from now, not from the last poll */
	uv_timer_start(&timer->uv, on_tick, timer->first_ms, timer->period_ms);
}

static void stop(struct gantry_task *task)
{
	struct gantry_timer *timer = GK_OF(struct gantry_timer, stop, task);
	if (timer->opened)
		uv_close((uv_handle_t *)&timer->uv, on_closed);
	else
		gantry_loop_post(timer->loop, task); /* its start is still on its way */
}

int gantry_timer_start(struct gantry_inst *inst, struct gantry_loop *loop, uint64_t first_ms,
		       uint64_t period_ms, void (*tick)(struct gantry_timer *timer, void *user),
		       void *user, struct gantry_timer **ret)
{
	struct gantry_timer *timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	timer->inst = inst;
	timer->loop = loop;
	timer->tick = tick;
	timer->user = user;
	timer->first_ms = first_ms;
	timer->period_ms = period_ms;
	timer->start.run = start;
	timer->stop.run = stop;
	pthread_mutex_lock(&inst->lock);
	gk_list_append(&inst->timers, &timer->link);
	pthread_mutex_unlock(&inst->lock);
	*ret = timer; /* before it can tick */
	if (loop == gantry_loop_here())
		start(&timer->start);
	else
		gantry_loop_post(loop, &timer->start);
	return 0;
}

/* Once for each timer: whoever took it off its instance's list. */
static void retire(struct gantry_timer *timer)
{
	__atomic_store_n(&timer->stopped, 1, __ATOMIC_RELEASE);
	if (timer->loop == gantry_loop_here())
		stop(&timer->stop);
	else
		gantry_loop_post(timer->loop, &timer->stop);
}

void gantry_timer_stop(struct gantry_timer *timer)
{
	if (!timer)
		return;
	pthread_mutex_lock(&timer->inst->lock);
	int mine = gk_list_remove(&timer->link);
	pthread_mutex_unlock(&timer->inst->lock);
	if (mine)
		retire(timer);
}

unsigned gk_timers_stop(struct gantry_inst *inst)
{
	unsigned count = 0;
	pthread_mutex_lock(&inst->lock);
	while (!gk_list_empty(&inst->timers)) {
		struct gantry_timer *timer = GK_OF(struct gantry_timer, link, inst->timers.next);
		gk_list_remove(&timer->link);
		retire(timer); /* only posts or closes: nothing of the plugin's runs */
		count++;
	}
	pthread_mutex_unlock(&inst->lock);
	return count;
}
