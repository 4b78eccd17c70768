/* SPDX-License-Identifier: Apache-2.0 */
/* The last things a store does: everything in the log is dispatched, written, synced and noted in
 * the checkpoint. Step by step, whenever the dispatcher's loop comes by. */
#include <errno.h>

#include "store/internal.h"

enum {
	CATCH_UP_MS = 5000, /* as long as the Java broker waits */
	SYNC_MS = 10000
};

static bool is_caught_up(const struct store *store)
{
	return store->dispatcher.at >= store->drain_to;
}

static void stop_dispatcher(struct store *store)
{
	struct dispatcher *dispatcher = &store->dispatcher;

	if (!is_caught_up(store)) {
		if (gantry_clock_ms() < store->drain_deadline_ms)
			return; /* the writer's tick comes by */
		gantry_log(store->inst, WARNING,
			   "the log is dispatched up to %llu of %llu only: the next start does the "
			   "rest",
			   (unsigned long long)dispatcher->at, (unsigned long long)store->drain_to);
	}
	dispatcher->stopped = true;
	expiry_stop(store->expiry);
	dispatcher->tail_full = false;
	gantry_timer_stop(store->writer.tick);
	store->writer.tick = NULL;
	if (dispatcher->waiting)
		gantry_op_cancel(&dispatcher->wait_op);
}

/* On the control loop: nothing else is left of the store's. */
static void shut(struct gantry_task *task)
{
	struct store *store = task->user;

	store_shut(store);
	gantry_op_finish(store->drain_op, 0, 0);
}

static void finish(struct store *store)
{
	const struct writer *writer = &store->writer;

	store->clean = is_caught_up(store) && !writer->failed && !store->hole &&
		       store_index_is_safe(store) &&
		       (writer->saved_end == store->dispatcher.at || !store->dispatcher.record_ms);
	store->shutting = true;
	store->drain_task = (struct gantry_task){.run = shut, .user = store};
	gantry_loop_post(gantry_loop_control(store->inst), &store->drain_task);
}

void drain_look(struct store *store)
{
	struct dispatcher *dispatcher = &store->dispatcher;
	struct writer *writer = &store->writer;

	if (!store->drain_op || store->shutting)
		return;
	if (!dispatcher->stopped)
		stop_dispatcher(store);
	if (!dispatcher->stopped || dispatcher->waiting || writer->running || writer->in_round ||
	    !expiry_is_quiet(store->expiry) ||
	    __atomic_load_n(&dispatcher->posted, __ATOMIC_ACQUIRE))
		return;
	if (!store_index_drained(store))
		return;
	if (writer->final) {
		finish(store); /* the control thread's from here on */
		return;
	}
	writer->final = true;
	store->drain_deadline_ms = gantry_clock_ms() + SYNC_MS;
	writer_run(store);
}

static void begin(struct gantry_task *task)
{
	struct store *store = task->user;

	store->drain_op = store->drain_asked;
	store->drain_to = store->door->mark(store->door_inst, GANTRY_APPENDED);
	store->drain_deadline_ms = gantry_clock_ms() + CATCH_UP_MS;
	dispatcher_go(store);
}

int store_drain(struct store *store, struct gantry_op *op)
{
	gantry_op_take(op, NULL, store);
	store->drain_asked = op;
	store->drain_task = (struct gantry_task){.run = begin, .user = store};
	gantry_loop_post(store->dispatcher.loop, &store->drain_task);
	return GANTRY_PENDING;
}
