/* SPDX-License-Identifier: Apache-2.0 */
/* Holds by queue, and how they learn of messages. A queue keeps one list of holds for each loop.
 * The dispatcher, on whichever loop it is, wakes a loop at most once for all of its holds; that
 * loop then looks at them, some at a time. */
#include <errno.h>
#include <stdlib.h>

#include "pull/private.h"

enum bell { BELL_OFF, BELL_ARMED, BELL_RUNG };

struct loop_holds { /* touched on its loop, but for the bell */
	struct gantry_task task;
	struct queue_holds *all;
	struct pull_link parked, woken; /* woken: to be looked at in this round */
	int64_t seen;                   /* the queue's end when the round began */
	uint32_t bell;                  /* atomic; enum bell: rung, the task is on its way */
};

struct queue_holds {
	struct queue_holds *next; /* the puller's list */
	struct puller *puller;
	struct queue *queue;
	struct loop_holds at[];
};

/* ---- the bell */

static int64_t end_of(struct queue *queue)
{
	int64_t min, max;

	queue_bounds(queue, &min, &max);
	return max;
}

static void ring(struct loop_holds *holds)
{
	uint32_t armed = BELL_ARMED;
	struct puller *puller = holds->all->puller;

	if (__atomic_compare_exchange_n(&holds->bell, &armed, BELL_RUNG, false, __ATOMIC_SEQ_CST,
					__ATOMIC_RELAXED))
		gantry_loop_post(puller->loops[holds - holds->all->at].loop, &holds->task);
}

/* From here on an arrival rings; one that came before, behind from, does so now. */
static void arm(struct loop_holds *holds, int64_t from)
{
	uint32_t off = BELL_OFF;

	__atomic_compare_exchange_n(&holds->bell, &off, BELL_ARMED, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	if (end_of(holds->all->queue) > from)
		ring(holds);
}

void queue_holds_arrived(struct queue *queue, void *user)
{
	struct queue_holds *all = __atomic_load_n(queue_hold_slot(queue), __ATOMIC_SEQ_CST);
	struct puller *puller = user;

	if (__atomic_load_n(&puller->draining, __ATOMIC_ACQUIRE))
		return;
	for (uint32_t i = 0; all && i < puller->loop_count; i++)
		ring(&all->at[i]);
}

void puller_wake(struct puller *puller, struct queue *queue)
{
	queue_holds_arrived(queue, puller);
}

/* ---- looking */

/* Puts all of one ring behind those of another. */
static void move_all(struct pull_link *from, struct pull_link *to)
{
	while (!pull_link_alone(from)) {
		struct pull_link *link = from->next;

		pull_link_remove(link);
		pull_link_add(to, link);
	}
}

static void look_at_some(struct loop_holds *holds)
{
	for (uint32_t i = 0; i < WAKE_MAX && !pull_link_alone(&holds->woken); i++) {
		struct hold *hold = TABLE_HOLDER(holds->woken.next, struct hold, in_queue);

		pull_link_remove(&hold->in_queue);
		if (hold_look(hold) && hold->state == HOLD_PARKED)
			pull_link_add(&holds->parked, &hold->in_queue);
	}
}

static void wake(struct gantry_task *task)
{
	struct loop_holds *holds = task->user;

	if (pull_link_alone(&holds->woken)) {
		holds->seen = end_of(holds->all->queue);
		move_all(&holds->parked, &holds->woken);
	}
	look_at_some(holds);
	if (!pull_link_alone(&holds->woken)) {
		gantry_loop_post(gantry_loop_here(), task);
		return;
	}
	__atomic_store_n(&holds->bell, BELL_OFF, __ATOMIC_SEQ_CST);
	if (!pull_link_alone(&holds->parked))
		arm(holds, holds->seen);
}

/* ---- making */

static struct queue_holds *make(struct puller *puller, struct queue *queue)
{
	struct queue_holds *all = calloc(1, sizeof(*all) + puller->loop_count * sizeof(all->at[0]));

	if (!all)
		return NULL;
	all->puller = puller;
	all->queue = queue;
	for (uint32_t i = 0; i < puller->loop_count; i++) {
		struct loop_holds *holds = &all->at[i];

		holds->task = (struct gantry_task){.run = wake, .user = holds};
		holds->all = all;
		pull_link_init(&holds->parked);
		pull_link_init(&holds->woken);
	}
	return all;
}

static struct queue_holds *holds_of(struct puller *puller, struct queue *queue)
{
	void **slot = queue_hold_slot(queue);
	struct queue_holds *all = __atomic_load_n(slot, __ATOMIC_SEQ_CST);

	if (all)
		return all;
	pthread_mutex_lock(&puller->lock);
	all = __atomic_load_n(slot, __ATOMIC_SEQ_CST);
	if (!all) {
		all = make(puller, queue);
		if (all) {
			all->next = puller->queues;
			puller->queues = all;
			__atomic_store_n(slot, all, __ATOMIC_SEQ_CST);
		}
	}
	pthread_mutex_unlock(&puller->lock);
	return all;
}

int queue_holds_add(struct hold *hold)
{
	struct pull_context *context = &hold->context;
	struct queue_holds *all = holds_of(context->puller, context->queue);
	struct loop_holds *holds;

	if (!all)
		return -ENOMEM;
	holds = &all->at[context->loop - context->puller->loops];
	pull_link_add(&holds->parked, &hold->in_queue);
	arm(holds, context->from);
	return 0;
}

void queue_holds_free(struct puller *puller)
{
	while (puller->queues) {
		struct queue_holds *all = puller->queues;

		puller->queues = all->next;
		free(all);
	}
}
