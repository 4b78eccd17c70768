/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that the log has no room for yet, since the disk is slower than the producers: they wait in
 * the order that they came, and are tried again every few milliseconds. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "send/private.h"

static const struct broker_conf *conf_of(const struct send_call *call)
{
	return gantry_conf(call->sender->broker->inst);
}

/* RocketMQ's BrokerFastFailure: who has waited for too long is told to go elsewhere. */
static bool is_late(struct send_call *call, uint64_t waited_ms)
{
	const struct broker_conf *conf = conf_of(call);
	char remark[160];

	if (!conf->brokerFastFailureEnable || waited_ms < (uint64_t)conf->waitTimeMillsInSendQueue)
		return false;
	snprintf(remark, sizeof(remark),
		 "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in "
		 "queue: %" PRIu64 "ms, size of queue: %u",
		 waited_ms, __atomic_load_n(&call->sender->stalled, __ATOMIC_RELAXED));
	send_refuse_rest_busy(call, remark);
	return true;
}

/* Whether the call is over: it has all its records placed, or refused since it took too long. */
static bool try(struct send_call *call)
{
	uint64_t waited_ms;

	if (send_place_rest(call) == 0)
		return true;
	if (call->door_pending)
		return false;
	waited_ms = gantry_clock_ms() - call->stalled_ms;
	if (is_late(call, waited_ms))
		return true;
	if (waited_ms < SEND_STALL_MS)
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
	__atomic_sub_fetch(&call->sender->stalled, call->count, __ATOMIC_RELAXED);
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

/* Whether there is a place for it among those that wait. */
static bool has_place(struct send_call *call)
{
	uint32_t waiting =
		__atomic_add_fetch(&call->sender->stalled, call->count, __ATOMIC_RELAXED);

	if (waiting <= conf_of(call)->sendThreadPoolQueueCapacity)
		return true;
	__atomic_sub_fetch(&call->sender->stalled, call->count, __ATOMIC_RELAXED);
	return false;
}

int send_stall(struct send_call *call)
{
	struct send_loop *loop = call->loop;

	if (!has_place(call)) {
		send_refuse_rest_busy(call,
				      "[OVERLOAD]system busy, start flow control for a while");
		return 0;
	}
	if (send_call_keep(call) || start_timer(call)) {
		__atomic_sub_fetch(&call->sender->stalled, call->count, __ATOMIC_RELAXED);
		send_refuse_rest(call, -EAGAIN);
		return 0;
	}
	call->stalled = true;
	call->stalled_ms = gantry_clock_ms();
	call->next = NULL;
	*loop->stalled_end = call;
	loop->stalled_end = &call->next;
	return GANTRY_PENDING;
}
