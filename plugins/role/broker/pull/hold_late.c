/* SPDX-License-Identifier: Apache-2.0 */
/* Pulls that wait for what they read, like those that wait for a thread in RocketMQ: there may be
 * only so many of them, and each waits only so long (its thread pool's queue, BrokerFastFailure).
 * Then the client is told to come back, or to go elsewhere. */
#include <errno.h>
#include <inttypes.h>

#include "pull/private.h"

static const struct broker_conf *conf_of(const struct hold *hold)
{
	return gantry_conf(hold->context.puller->broker->inst);
}

static bool is_lite(const struct hold *hold)
{
	return hold->context.pull->flags & GANTRY_PULL_LITE;
}

static uint64_t wait_ms(const struct hold *hold)
{
	const struct broker_conf *conf = conf_of(hold);

	return (uint64_t)(is_lite(hold) ? conf->waitTimeMillsInLitePullQueue
					: conf->waitTimeMillsInPullQueue);
}

static int64_t capacity(const struct hold *hold)
{
	const struct broker_conf *conf = conf_of(hold);

	return is_lite(hold) ? conf->litePullThreadPoolQueueCapacity
			     : conf->pullThreadPoolQueueCapacity;
}

int hold_queue(struct hold *hold)
{
	struct puller *puller = hold->context.puller;
	uint64_t now_ms = gantry_clock_ms();
	uint32_t *queued = &puller->queued[is_lite(hold)];

	if (__atomic_add_fetch(queued, 1, __ATOMIC_RELAXED) > capacity(hold)) {
		__atomic_sub_fetch(queued, 1, __ATOMIC_RELAXED);
		pull_refuse(&hold->context, GANTRY_SYSTEM_BUSY, 0,
			    "[OVERLOAD]system busy, start flow control for a while");
		hold_finish(hold, 0);
		return -EBUSY;
	}
	hold->queued_ms = now_ms;
	/* without the wheel it only waits longer */
	wheel_add(hold->context.loop, hold, now_ms + wait_ms(hold) + WHEEL_MS);
	return 0;
}

void hold_unqueue(struct hold *hold)
{
	if (!hold->queued_ms)
		return;
	hold->queued_ms = 0;
	pull_link_remove(&hold->in_wheel);
	__atomic_sub_fetch(&hold->context.puller->queued[is_lite(hold)], 1, __ATOMIC_RELAXED);
}

void hold_check_late(struct hold *hold, uint64_t now_ms)
{
	const struct puller *puller = hold->context.puller;
	uint64_t waited_ms = now_ms - hold->queued_ms;

	/* in a drain the read is waited for */
	if (now_ms == UINT64_MAX || !conf_of(hold)->brokerFastFailureEnable || !hold->op ||
	    waited_ms < wait_ms(hold))
		return;
	pull_refuse(&hold->context, GANTRY_SYSTEM_BUSY, 0,
		    "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in "
		    "queue: %" PRIu64 "ms, size of queue: %u",
		    waited_ms, __atomic_load_n(&puller->queued[is_lite(hold)], __ATOMIC_RELAXED));
	hold_finish(hold, 0);
}
