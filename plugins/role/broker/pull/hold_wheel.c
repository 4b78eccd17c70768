/* SPDX-License-Identifier: Apache-2.0 */
/* When holds end. One coarse timer a loop turns a wheel of lists; a hold whose time is more than
 * one turn away is just met again. The timer runs only while there are holds. */
#include <errno.h>
#include <stdlib.h>

#include "pull/private.h"

/* What came while nobody rang for it (short polling) may have to be waited for; a drain waits for
 * nothing. */
static void time_is_up(struct hold *hold, uint64_t now_ms)
{
	pull_link_remove(&hold->in_queue);
	if (now_ms == UINT64_MAX || (hold_look(hold) && hold->state == HOLD_PARKED))
		hold_expire(hold);
}

static void expire_slot(struct pull_link *slot, uint64_t now_ms)
{
	struct pull_link *link = slot->next;

	while (link != slot) {
		struct hold *hold = TABLE_HOLDER(link, struct hold, in_wheel);

		link = link->next;
		if (hold->queued_ms)
			hold_check_late(hold, now_ms);
		else if (hold->deadline_ms <= now_ms && hold->state == HOLD_PARKED)
			time_is_up(hold, now_ms);
	}
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct pull_loop *loop = user;
	uint64_t now_ms = gantry_clock_ms();
	uint64_t until = now_ms / WHEEL_MS;

	if (until - loop->tick > WHEEL_SLOTS) /* the loop was late by a whole turn */
		loop->tick = until - WHEEL_SLOTS;
	for (; loop->tick < until; loop->tick++)
		expire_slot(&loop->wheel[loop->tick % WHEEL_SLOTS], now_ms);
	if (__atomic_load_n(&loop->held, __ATOMIC_RELAXED))
		return;
	gantry_timer_stop(timer);
	loop->timer = NULL;
}

static int make_wheel(struct pull_loop *loop)
{
	if (loop->wheel)
		return 0;
	loop->wheel = calloc(WHEEL_SLOTS, sizeof(*loop->wheel));
	if (!loop->wheel)
		return -ENOMEM;
	for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
		pull_link_init(&loop->wheel[i]);
	return 0;
}

int wheel_add(struct pull_loop *loop, struct hold *hold, uint64_t when_ms)
{
	int status = make_wheel(loop);

	if (!status && !loop->timer) {
		loop->tick = gantry_clock_ms() / WHEEL_MS;
		status = gantry_timer_start(loop->puller->broker->inst, loop->loop, WHEEL_MS,
					    WHEEL_MS, tick, loop, &loop->timer);
	}
	if (!status)
		pull_link_add(&loop->wheel[when_ms / WHEEL_MS % WHEEL_SLOTS], &hold->in_wheel);
	return status;
}

void wheel_expire_all(struct pull_loop *loop)
{
	for (uint32_t i = 0; loop->wheel && i < WHEEL_SLOTS; i++)
		expire_slot(&loop->wheel[i], UINT64_MAX);
	gantry_timer_stop(loop->timer);
	loop->timer = NULL;
}
