/* SPDX-License-Identifier: Apache-2.0 */
/* Queues whose offset a client has committed at this slave, until the master is as far. */
#ifndef SLAVE_PROGRESS_H
#define SLAVE_PROGRESS_H

#include "offsets/offsets.h"

#ifdef __cplusplus
extern "C" {
#endif

struct progress;

/* What is to be sent to the master. Texts borrow from the record. */
struct progress_item {
	struct gantry_str topic, group;
	int32_t queue;
	char *text; /* from malloc */
};

int progress_new(struct broker *broker, struct progress **ret);
/* config/slaveProgress.json, a file of our own: what was noted outlives a restart of the slave
 * while its master is gone. As topics_load() and topics_close(). */
int progress_load(struct progress *progress);
int progress_close(struct progress *progress, struct gantry_op *op);
void progress_free(struct progress *progress); /* NULL is fine */

/* All of these: any thread. -ENAMETOOLONG, -ENOSPC (maxOffsets), -ENOMEM. */
int progress_note(struct progress *progress, struct gantry_str group, struct gantry_str topic,
		  int32_t queue);
void progress_drop(struct progress *progress, const struct progress_item *item);
uint32_t progress_count(struct progress *progress);
/* offsets_choice.choose: ours, if a client committed it here and it is further. */
int64_t progress_choose(void *progress, struct gantry_str key, int32_t queue, int64_t ours,
			int64_t theirs);
/* Up to max of those that are noted; returns how many. progress_item_clear() each. */
uint32_t progress_list(struct progress *progress, struct progress_item *ret, uint32_t max);
void progress_item_clear(struct progress_item *item);

#ifdef __cplusplus
}
#endif
#endif
