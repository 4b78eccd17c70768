/* SPDX-License-Identifier: Apache-2.0 */
/* ConsumeQueueExt, as RocketMQ's, store 5.5.0: units beside a ConsumeQueue that keep an entry's
 * tags code, store time and perhaps a bit map; the entry has the unit's address where its tags code
 * would be. In memory entries have their tags code: the unit is made when they are written. The
 * units are of help only: if they cannot be had, entries are written without, and those that have
 * an address pass every filter by tag, as in RocketMQ. */
#ifndef STORE_QUEUE_EXT_H
#define STORE_QUEUE_EXT_H

#include "store/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the queue's units: to write them under enableConsumeQueueExt, else to read what is there.
 * Under open_lock. -ENOMEM; that they cannot be used is logged. */
int queue_ext_open(struct queue *queue);
/* Drops the units behind that of the last entry in [first, end) of the file. Under open_lock before
 * the queue is open, else under file_lock. */
int queue_ext_trim(struct queue *queue, int64_t first, int64_t end);
/* Writes units for the queue's run, then its entries. Under file_lock. */
int queue_ext_write(struct queue *queue);
/* Entries as the file has them get their tags codes back. waits: not on a loop; else -EAGAIN: the
 * units are on disk. An address whose unit cannot be read stays. */
int queue_ext_resolve(struct queue *queue, uint8_t *entries, uint32_t count, bool waits);
/* Whether no unit is written any more. Any thread. */
static inline bool queue_ext_is_off(const struct queue *queue)
{
	return __atomic_load_n(&queue->ext_off, __ATOMIC_RELAXED);
}
/* Removes files of units before that of the entry at min. Returns how many. On a worker. */
int queue_ext_expire(struct queue *queue, int64_t min);
/* The same for a queue that is not open, whose first entry has that tags code. Under open_lock. */
int store_ext_expire(struct store *store, const char *topic, int32_t id, int64_t tags_code);

#ifdef __cplusplus
}
#endif
#endif
