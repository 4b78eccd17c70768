/* SPDX-License-Identifier: Apache-2.0 */
/* The door from inside.
 *
 * Locks, in the order in which they are taken; none is held while the client or an op is called:
 *   lock        the log's writer: placing, feeding, state
 *   flush_lock  syncs on their way
 *   wait_lock   who waits */
#ifndef DOOR_IMPL_H
#define DOOR_IMPL_H

#include "door.h"

#include <gantry/log.h>
#include <gantry/loop.h>
#include <pthread.h>
#include <stdatomic.h>

enum door_state {
	DOOR_NEW,     /* no log */
	DOOR_READING, /* attached, not recovered */
	DOOR_SHUT,    /* another node leads */
	DOOR_CUTTING,
	DOOR_OPEN,
	DOOR_DOWN,
};

enum { DOOR_MARKS = 4, DOOR_PROPOSALS = DOOR_MARKS, DOOR_LISTS };

/* Ops that wait for offsets, the smallest first; op->result is the offset while they wait. */
struct door_list {
	struct gantry_op *first, *last; /* wait_lock */
	/* The first one's offset, UINT64_MAX if there is none. Who moves a mark looks here first.
	 */
	_Atomic uint64_t due;
};

enum { DOOR_FLUSHES = 2 }; /* one runs, one waits in the engine for its end */

struct door {
	struct gantry_inst *inst;
	struct door_rules rules;
	struct gantry_loop *loop; /* where own ops end */
	const struct gantry_log_ops *ops;
	struct gantry_inst *storage;
	struct gantry_log *log; /* from attach to detach */
	const struct gantry_log_client *client;
	void *client_user;
	uint64_t segment_bytes;
	/* The mark that stands for each one: those that only follow another have no value. */
	uint8_t source[DOOR_MARKS];
	_Atomic uint64_t mark[DOOR_MARKS];
	atomic_bool fenced;
	atomic_bool few; /* too few followers: nobody waits for them */

	pthread_mutex_t lock;
	enum door_state state;  /* lock */
	int64_t store_ms;       /* lock; the newest record's */
	bool leads;             /* lock; what the client was told */
	bool ready_awaited;     /* lock; ready is pending */
	struct gantry_op ready; /* the client's answer to role */

	pthread_mutex_t flush_lock;
	pthread_cond_t flush_quiet;
	struct gantry_op flush[DOOR_FLUSHES];
	bool flushing[DOOR_FLUSHES]; /* flush_lock */
	uint64_t flush_asked;        /* flush_lock; the furthest offset asked for */
	bool flush_closed;           /* flush_lock; no new ones */
	struct gantry_timer *timer;

	pthread_mutex_t wait_lock;
	struct door_list list[DOOR_LISTS];
	bool waits_over; /* wait_lock; the log is being detached */
};

static inline uint64_t door_value(const struct door *door, enum gantry_mark mark)
{
	return atomic_load(&door->mark[mark]);
}

/* ---- wait.c */
void door_lists_init(struct door *door);
/* Value of a mark that is no other's follower; wakes who waits for it. */
void door_publish(struct door *door, enum gantry_mark mark, uint64_t value);
/* Parks a proposal until its acknowledgement. 0: it has it already. */
int door_park(struct door *door, uint64_t upto, struct gantry_op *op);
void door_late(struct door *door, uint64_t now_ms); /* deadlines that have passed */
void door_fail(struct door *door, int status);      /* everybody */
void door_fail_fenced(struct door *door);           /* who waits for what never comes */
void door_answer_behind(struct door *door, uint64_t at, enum gantry_ack answer);

/* ---- flush.c */
void door_flush_ask(struct door *door); /* a sync of everything appended, unless on its way */
int door_flush_start(struct door *door);
void door_flush_pause(struct door *door); /* none runs and none begins; blocks */
void door_flush_resume(struct door *door);
void door_fence(struct door *door);

/* ---- place.c */
/* Under lock. ret_wait: the end of the last record that is to be acknowledged, 0 for none. */
int door_place(struct door *door, struct gantry_batch *batch, uint64_t *ret_wait);

#endif
