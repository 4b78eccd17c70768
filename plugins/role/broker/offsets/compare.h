/* SPDX-License-Identifier: Apache-2.0 */
/* Several groups' offsets of one topic: copied from one to another, and compared. Any thread. */
#ifndef OFFSETS_COMPARE_H
#define OFFSETS_COMPARE_H

#include "offsets/offsets.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one group has committed in the topic's queues becomes another's, in the place of what that
 * one had there. A group without offsets is no error, and changes nothing. -ENOSPC, -ENOMEM. */
int offsets_clone(struct offsets *offsets, struct gantry_str from, struct gantry_str to,
		  struct gantry_str topic);

struct offsets_least {
	int64_t *at; /* by queue, from malloc; -1: none */
	uint32_t count;
};

/* The least offset of each queue that any group has committed, but for those that the list but
 * names (with commas between), and for what is below the queue's own least offset, mins. -ENOMEM.
 */
int offsets_least_of(struct offsets *offsets, struct gantry_str topic, struct gantry_str but,
		     const int64_t *mins, uint32_t min_count, struct offsets_least *ret);
/* Where that is more than what a group has committed itself, it becomes INT64_MAX. -ENODATA: the
 * group has an offset where least has none. */
int offsets_compare(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		    struct offsets_least *least);

#ifdef __cplusplus
}
#endif
#endif
