/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatcher follows the log: it waits for the visible mark, reads, and dispatches what it
 * finds, a bounded number of records a turn. */
#include <errno.h>
#include <string.h>
#include <gantry/guard.h>

#include "store/internal.h"

enum turn {
	TURN_GO_ON,  /* there is more */
	TURN_PARKED, /* an op, the writer or the next tick goes on */
};

/* ---- being called again */

static void resume(struct gantry_op *op)
{
	struct store *store = op->user;

	store->dispatcher.waiting = false;
	if (op->status != -EIO) /* the next tick tries again: perhaps there is room by then */
		dispatcher_go(store);
}

static enum turn parked_if_pending(struct dispatcher *dispatcher, int status)
{
	dispatcher->waiting = status > 0;
	return status ? TURN_PARKED : TURN_GO_ON; /* an error: the next tick tries again */
}

static enum turn wait_for(struct store *store, uint64_t upto)
{
	struct dispatcher *dispatcher = &store->dispatcher;

	return parked_if_pending(dispatcher, store->door->wait(store->door_inst, GANTRY_VISIBLE,
							       upto, &dispatcher->wait_op));
}

/* The record at the dispatcher's place cannot be dispatched yet. */
static enum turn wait_for_queue(struct store *store, struct queue *queue)
{
	struct dispatcher *dispatcher = &store->dispatcher;

	if (queue_is_open(queue)) {
		dispatcher->tail_full = true;
		writer_run(store);
		return TURN_PARKED;
	}
	dispatcher->unopened = queue;
	return parked_if_pending(dispatcher,
				 store_queues_open(store, &dispatcher->unopened, 1,
						   &dispatcher->opening, &dispatcher->wait_op));
}

/* ---- one slice */

static void move_to(struct dispatcher *dispatcher, uint64_t at)
{
	__atomic_store_n(&dispatcher->at, at, __ATOMIC_RELEASE);
}

/* Dispatches records from the slice, which begins at the dispatcher's place, as long as they are
 * whole. Returns what stands behind the last; ret_size: how long that is, if it says so. */
static enum message_scan walk(struct store *store, const struct gantry_slice *slice,
			      uint32_t *budget, uint32_t *ret_size, int *ret_status,
			      struct queue **ret_queue)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	struct message_record record;
	size_t used = 0, ahead = 0;

	while (used < slice->size && *budget) {
		uint64_t at = slice->offset + used;
		enum message_scan scan;

		if (used >= ahead)
			ahead = dispatch_ahead(store, slice, used);
		scan = message_record_read(slice->bytes + used, slice->size - used, false, &record);
		if (scan == MESSAGE_WHOLE && gantry_guard_failed(slice->bytes + used, record.size))
			return MESSAGE_NOTHING;
		if (scan != MESSAGE_WHOLE) {
			*ret_size = record.size;
			return scan;
		}
		*ret_status = store_dispatch(store, &record, at, ret_queue);
		if (*ret_status)
			break;
		dispatcher->record_at = at;
		dispatcher->record_ms = record.store_ms;
		used += record.size;
		move_to(dispatcher, slice->offset + used);
		--*budget;
	}
	return MESSAGE_WHOLE;
}

/* Nothing that is a record where one should be: as a Java master does, goes on behind it. */
static enum turn skip_damage(struct store *store, uint64_t visible, uint32_t size)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	uint64_t from = dispatcher->at;
	uint64_t to = size ? from + size : (from / store->segment_bytes + 1) * store->segment_bytes;

	if (to > visible)
		to = visible;
	gantry_log(store->inst, ERROR,
		   "the log is damaged: no message begins at %llu; dispatching goes on at %llu",
		   (unsigned long long)from, (unsigned long long)to);
	move_to(dispatcher, to);
	return TURN_GO_ON;
}

/* A record is longer than what can be read of it: its size is wrong, or its rest cannot be read
 * now.
 */
static enum turn skip_short(struct store *store, uint64_t visible, uint32_t need)
{
	uint64_t room = store->segment_bytes - store->dispatcher.at % store->segment_bytes;

	if (need <= room && need <= GANTRY_SLICE_MAX) /* as for what cannot be read at all */
		__atomic_store_n(&store->hole, true, __ATOMIC_RELEASE);
	return skip_damage(store, visible, 0);
}

/* What to do about the place where walk() stopped. first: it stopped where the slice begins, which
 * is where the door says that a record does. */
static enum turn handle_stop(struct store *store, enum message_scan scan, uint32_t size, bool first,
			     uint64_t visible)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	uint32_t need = size ? size : MESSAGE_BLANK_SIZE;

	if (scan == MESSAGE_BAD_SIZE)
		return skip_damage(store, visible, size);
	if (scan != MESSAGE_SHORT)
		return first ? skip_damage(store, visible, 0) : TURN_GO_ON;
	if (dispatcher->at + need > visible)
		return wait_for(store, dispatcher->at + need);
	if (first && dispatcher->read_bytes >= need)
		return skip_short(store, visible, need);
	dispatcher->read_bytes = need > READ_BYTES ? need : READ_BYTES;
	return TURN_GO_ON;
}

static enum turn dispatch_slice(struct store *store, const struct gantry_slice *slice,
				uint64_t visible, uint32_t *budget)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	struct queue *queue = NULL;
	enum message_scan scan;
	uint32_t size = 0;
	int status = 0;

	if (slice->offset > dispatcher->at)
		move_to(dispatcher, slice->offset);
	scan = walk(store, slice, budget, &size, &status, &queue);
	if (scan != MESSAGE_WHOLE)
		return handle_stop(store, scan, size, dispatcher->at == slice->offset, visible);
	if (status)
		return queue ? wait_for_queue(store, queue) : TURN_PARKED;
	dispatcher->read_bytes = READ_BYTES;
	return TURN_GO_ON;
}

static enum turn read_on(struct store *store, uint32_t *budget)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	uint64_t visible = store->door->mark(store->door_inst, GANTRY_VISIBLE);
	uint64_t max = dispatcher->read_bytes;
	struct gantry_slice slice;
	enum turn turn;
	int status;

	if (visible <= dispatcher->at) {
		store_answer_ready(store);
		return wait_for(store, dispatcher->at + 1);
	}
	if (max > visible - dispatcher->at)
		max = visible - dispatcher->at;
	status = store->door->read(store->door_inst, dispatcher->at, max, &slice,
				   &dispatcher->wait_op);
	if (status == -EIO) {
		/* perhaps it can be read at the next start, which then finds what is missing */
		__atomic_store_n(&store->hole, true, __ATOMIC_RELEASE);
		return skip_damage(store, visible, 0);
	}
	if (status == -ERANGE && visible % store->segment_bytes == 0) {
		/* a pad ends the segment, and a full disk has no next one yet */
		move_to(dispatcher, visible);
		return TURN_GO_ON;
	}
	if (status < 0)
		gantry_log_limited(store->inst, &dispatcher->limit, ERROR,
				   "cannot read the log at %llu to dispatch it: %s",
				   (unsigned long long)dispatcher->at, strerror(-status));
	if (status)
		return parked_if_pending(dispatcher, status);
	turn = dispatch_slice(store, &slice, visible, budget);
	gantry_slice_release(&slice);
	return turn;
}

/* ---- turns */

static void tell_arrivals(struct store *store)
{
	while (store->dispatcher.arrived) {
		struct queue *queue = store->dispatcher.arrived;

		store->dispatcher.arrived = queue->next_arrived;
		queue->arrived = false;
		if (store->arrived)
			store->arrived(queue, store->arrived_user);
	}
}

static void take_turn(struct store *store)
{
	uint32_t budget = TURN_RECORDS;
	enum turn turn = TURN_GO_ON;

	pthread_mutex_lock(&store->turn_lock);
	if (store->cutting)
		turn = TURN_PARKED; /* the cut sends it on */
	while (turn == TURN_GO_ON && budget)
		turn = read_on(store, &budget);
	pthread_mutex_unlock(&store->turn_lock);
	tell_arrivals(store);
	if (store->writer.wanted)
		writer_run(store);
	store_index_look(store);
	if (turn == TURN_GO_ON)
		dispatcher_go(store);
}

static void go(struct gantry_task *task)
{
	struct store *store = task->user;
	struct dispatcher *dispatcher = &store->dispatcher;

	__atomic_store_n(&dispatcher->posted, false, __ATOMIC_RELEASE);
	if (!dispatcher->stopped && !dispatcher->waiting && !dispatcher->tail_full)
		take_turn(store);
	drain_look(store);
}

void dispatcher_go(struct store *store)
{
	struct dispatcher *dispatcher = &store->dispatcher;

	if (!__atomic_exchange_n(&dispatcher->posted, true, __ATOMIC_ACQ_REL))
		gantry_loop_post(dispatcher->loop, &dispatcher->go);
}

void dispatcher_init(struct store *store)
{
	struct dispatcher *dispatcher = &store->dispatcher;

	dispatcher->loop = gantry_loop_at(store->inst, 0);
	dispatcher->read_bytes = READ_BYTES;
	dispatcher->go = (struct gantry_task){.run = go, .user = store};
	dispatcher->wait_op =
		(struct gantry_op){.done = resume, .loop = dispatcher->loop, .user = store};
}

uint64_t store_dispatched(const struct store *store)
{
	return __atomic_load_n(&store->dispatcher.at, __ATOMIC_ACQUIRE);
}
