/* SPDX-License-Identifier: Apache-2.0 */
/* Which queues a member of a consumer group works on: RocketMQ's server-side load balance, with
 * the strategy from an allocation service. */
#ifndef ASSIGN_H
#define ASSIGN_H

#include <gantry/allocation.h>

#include "balance/modes.h"
#include "balance/route_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

struct assign_request {
	const struct gantry_allocation_ops *strategy;
	const void *strategy_conf;
	const char *topic, *group, *self;
	const char *const *members; /* sorted */
	uint32_t member_count;
	const struct route_queues *queues;
	struct message_mode mode;
};

struct assigned_queue {
	const char *broker; /* of request->queues */
	int32_t queue;      /* -1: all of the broker's, for a group that pops */
};

/* ret: from malloc, each queue once; NULL if there are none. A negative errno: nothing can be said
 * (the client keeps what it has). */
int assign_share(const struct assign_request *request, struct assigned_queue **ret,
		 uint32_t *ret_count);

#ifdef __cplusplus
}
#endif
#endif
