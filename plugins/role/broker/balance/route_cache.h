/* SPDX-License-Identifier: Apache-2.0 */
/* Which queues a topic has in the whole cluster, as the name servers say; kept for 30 s. */
#ifndef ROUTE_CACHE_H
#define ROUTE_CACHE_H

#include <gantry/allocation.h>

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

struct route_queues {  /* immutable, counted */
	uint32_t refs; /* atomic */
	uint32_t count;
	uint32_t known; /* 0: no name server knows the topic */
	uint32_t reserved;
	uint64_t asked_ms;              /* gantry_clock_ms() */
	struct gantry_alloc_queue at[]; /* sorted by broker, then queue; names stand behind them */
};

int route_cache_new(struct broker *broker, struct route_cache **ret);
void route_cache_free(struct route_cache *cache); /* NULL is fine */

/* 0: in ret, held. Positive: a name server is asked; op finishes when the answer is in the cache
 * (or none came): look again with op NULL. -ENOENT: unknown. Without a
 * name server this broker's own queues are the answer. Any thread; op may be on any loop. */
int route_cache_get(struct broker *broker, struct gantry_str topic, struct route_queues **ret,
		    struct gantry_op *op);
void route_queues_release(struct route_queues *queues); /* NULL is fine; any thread */

/* Queues of a TopicRouteData text that may be read. NULL: no memory, or it is not one. */
struct route_queues *route_queues_read(struct gantry_str json);
struct route_queues *route_queues_own(const char *broker, int32_t count);

#ifdef __cplusplus
}
#endif
#endif
