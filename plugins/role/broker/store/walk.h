/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a queue in order, for services of the broker: its entries, and the messages behind them,
 * without blocking. Nothing is kept but a page of entries. A walk belongs to one loop; a caller
 * that has much to read sees to it that others get their turn. */
#ifndef WALK_H
#define WALK_H

#include <gantry/loop.h>

#include "broker.h"
#include "message/record.h"
#include "store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { WALK_UNITS = 64 };

struct walk {       /* the caller's memory; nothing in it to free, while no op is pending */
	int64_t at; /* queue offset of the entry that comes next; read it, set it by walk_begin() */
	/* private */
	struct store *store;
	struct queue *queue;
	int64_t first; /* queue offset of units[0] */
	uint32_t count;
	struct queue_unit units[WALK_UNITS];
	union {
		struct queue_opening opening;
		struct queue_fetch fetch;
	};
};

/* From that queue offset on; opens nothing. */
void walk_begin(struct walk *walk, struct store *store, struct queue *queue, int64_t at);

/* The entry at walk->at, which first moves over entries that stand for no message, and to the first
 * entry if the queue begins behind it. 0: in ret; positive: cold, op finishes when it can be asked
 * for again; -ENOENT: the queue ends there; -ERANGE: it ends before; or why the queue cannot be
 * read. With op NULL -EAGAIN instead of waiting. */
int walk_entry(struct walk *walk, struct queue_unit *ret, struct gantry_op *op);
/* Goes on behind the entry. */
static inline void walk_next(struct walk *walk)
{
	walk->at++;
}

/* A message of the log, leased: its text stays until it is released. */
struct walk_message {
	struct gantry_slice slice;
	struct message_record record;
};

/* The message at that log offset. 0: in ret; positive, and op NULL: as walk_entry(); -ENOENT: no
 * message begins there (any more); -EIO: it cannot be read, or is not what was stored. Any
 * thread. */
int walk_read(struct store *store, uint64_t at, struct walk_message *ret, struct gantry_op *op);
void walk_release(struct walk_message *message); /* a zeroed one is fine; zeroes it */

#ifdef __cplusplus
}
#endif
#endif
