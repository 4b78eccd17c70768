/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation strategies: which queues of a topic one member of a consumer group reads. A pure
 * function, so that every member computes the same split: no clock, no lock, no I/O. */
#ifndef GANTRY_ALLOCATION_H
#define GANTRY_ALLOCATION_H

#include <gantry/base.h>

GANTRY_BEGIN

struct gantry_alloc_queue {
	const char *broker;
	const char *room; /* machine room, or NULL */
	int64_t backlog;  /* messages not yet consumed, or -1 */
	int32_t queue;
	uint32_t reserved;
};

/* what is not known is 0 or NULL; only the first six are required */
struct gantry_alloc_request {
	uint32_t size;
	uint32_t member_count;
	const char *topic, *group;
	const char *self;                        /* one of members */
	const char *const *members;              /* client ids, sorted, the same for every member */
	const struct gantry_alloc_queue *queues; /* sorted by broker, then queue */
	uint32_t queue_count;
	uint32_t previous_count;
	const uint32_t *previous; /* indices that self had before */
};

/* the vtable of a GANTRY_ALLOCATION service */
struct gantry_allocation_ops {
	uint32_t size;
	uint32_t reserved;
	/* Fills ret with indices into queues, ascending, room for queue_count of them. -EINVAL:
	 * self is not a member. conf: gantry_conf() of the instance. Any thread. */
	int (*assign)(const void *conf, const struct gantry_alloc_request *request, uint32_t *ret,
		      uint32_t *ret_count);
};

GANTRY_END
#endif
