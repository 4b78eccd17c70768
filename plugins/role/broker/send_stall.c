/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that the log has no room for yet, since the disk is slower than the producers: they wait in
 * the order that they came, and are tried again every few milliseconds. */
#include <errno.h>

#include "send_private.h"

/* Whether the call is over: it has all its records placed, or refused since it took too long. */
static bool try(struct send_call *call)
{
	if (send_place_rest(call) == 0)
		return true;
	if (gantry_clock_ms() < call->stall_deadline_ms || call->door_pending)
		return false;
	send_refuse_rest(call, -ETIMEDOUT);
	return true;
}

static void leave_list(struct send_loop *loop)
{
	struct send_call *call = loop->stalled;

	loop->stalled = call->next;
	if (!loop->stalled)
		loop->stalled_end = &loop->stalled;
	call->stalled = false;
}

static void retry(struct gantry_timer *timer, void *user)
{
	struct send_loop *loop = user;

	while (loop->stalled && try(loop->stalled)) {
		struct send_call *call = loop->stalled;

		leave_list(loop);
		if (send_is_answered(call))
			send_finish(call);
	}
	if (loop->stalled)
		return;
	gantry_timer_stop(timer);
	loop->stall_timer = NULL;
}

static int start_timer(struct send_call *call)
{
	struct send_loop *loop = call->loop;

	if (loop->stall_timer)
		return 0;
	return gantry_timer_start(call->sender->broker->inst, gantry_loop_here(), SEND_RETRY_MS,
				  SEND_RETRY_MS, retry, loop, &loop->stall_timer);
}

int send_stall(struct send_call *call)
{
	struct send_loop *loop = call->loop;

	if (send_call_keep(call) || start_timer(call)) {
		send_refuse_rest(call, -EAGAIN);
		return 0;
	}
	call->stalled = true;
	call->stall_deadline_ms = gantry_clock_ms() + SEND_STALL_MS;
	call->next = NULL;
	*loop->stalled_end = call;
	loop->stalled_end = &call->next;
	return GANTRY_PENDING;
}
