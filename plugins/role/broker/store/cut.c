/* SPDX-License-Identifier: Apache-2.0 */
/* What replication asks of the store: forget the end of the log, and get ready to lead. */
#include <errno.h>

#include "feature.h"
#include "store/cursor.h"

/* ---- cut */

struct cutting {
	uint64_t at;
	int status; /* the first error */
};

static void cut_queue(struct queue *queue, void *user)
{
	struct store *store = queue->store;
	struct cutting *cutting = user;
	int status;

	pthread_mutex_lock(&store->file_lock);
	status = queue_cut(queue, cutting->at);
	pthread_mutex_unlock(&store->file_lock);
	if (!status)
		return;
	queue_break(queue);
	if (!cutting->status)
		cutting->status = status;
}

/* The next message goes behind what is dispatched. */
static void count_dispatched(struct queue *queue, void *user)
{
	(void)user;
	if (!queue_is_open(queue))
		return;
	pthread_mutex_lock(&queue->lock);
	queue->next = queue->batch ? queue->end_message : queue->end;
	pthread_mutex_unlock(&queue->lock);
}

/* And behind what stands in [from, to) of the log, which is not dispatched yet. */
static int count_log(struct store *store, uint64_t from, uint64_t to)
{
	struct cursor cursor = {.store = store, .at = from};
	int found = 0;

	while (cursor.at < to && (found = cursor_next(&cursor)) == 1) {
		const struct message_record *record = &cursor.record;
		int32_t type = record->sys_flag & MESSAGE_TRANSACTION;
		struct queue *queue = store_queue_named(store, record->topic, record->queue);

		int64_t base;
		int32_t messages;

		if (queue && queue_is_open(queue) && record->queue_offset >= queue->next &&
		    type != MESSAGE_PREPARED && type != MESSAGE_ROLLED_BACK &&
		    !batch_of_record(record, &base, &messages))
			queue->next = record->queue_offset + messages;
	}
	cursor_close(&cursor);
	return found < 0 ? found : 0;
}

static void begin(struct store *store)
{
	pthread_mutex_lock(&store->turn_lock);
	store->cutting = true;
	pthread_mutex_unlock(&store->turn_lock);
}

static uint64_t end(struct store *store, uint64_t at)
{
	uint64_t dispatched;

	pthread_mutex_lock(&store->turn_lock);
	store->cutting = false;
	dispatched = store->dispatcher.at < at ? store->dispatcher.at : at;
	__atomic_store_n(&store->dispatcher.at, dispatched, __ATOMIC_RELEASE);
	if (__atomic_load_n(&store->valid_end, __ATOMIC_RELAXED) > at)
		__atomic_store_n(&store->valid_end, at, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&store->turn_lock);
	return dispatched;
}

int store_cut(void *user, uint64_t at)
{
	struct store *store = user;
	struct cutting cutting = {.at = at};
	uint64_t dispatched;
	int status;

	begin(store);
	point_forget(store);
	store_each_queue(store, cut_queue, &cutting);
	dispatched = end(store, at);
	writer_cut(store, at);
	store_index_cut(store, at);
	store_each_queue(store, count_dispatched, NULL);
	status = count_log(store, dispatched, at);
	dispatcher_go(store);
	return cutting.status ? cutting.status : status;
}

/* ---- role */

static void set_leads(struct store *store, enum broker_leads leads)
{
	__atomic_store_n(&store->broker->leads, leads, __ATOMIC_RELEASE);
	features_role_changed(store->broker);
}

/* Unless it does not lead any more. */
static void caught_up(struct store *store)
{
	uint32_t before = BROKER_CATCHES_UP;

	store_each_queue(store, count_dispatched, NULL);
	if (__atomic_compare_exchange_n(&store->broker->leads, &before, BROKER_LEADS, false,
					__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		features_role_changed(store->broker);
}

int store_role(void *user, int leads, uint64_t term, struct gantry_op *ready)
{
	struct store *store = user;

	gantry_log(store->inst, NOTICE, "this node %s (term %llu)",
		   leads ? "leads the log" : "follows the log", (unsigned long long)term);
	if (!leads || !ready) {
		set_leads(store, BROKER_FOLLOWS);
		return 0;
	}
	set_leads(store, BROKER_CATCHES_UP);
	if (store_dispatched(store) >= store->door->mark(store->door_inst, GANTRY_VISIBLE)) {
		caught_up(store);
		return 0;
	}
	gantry_op_take(ready, NULL, store);
	__atomic_store_n(&store->ready_op, ready, __ATOMIC_RELEASE);
	dispatcher_go(store);
	return GANTRY_PENDING;
}

void store_answer_ready(struct store *store)
{
	struct gantry_op *op;

	if (!__atomic_load_n(&store->ready_op, __ATOMIC_RELAXED))
		return;
	op = __atomic_exchange_n(&store->ready_op, NULL, __ATOMIC_ACQ_REL);
	if (!op)
		return;
	caught_up(store);
	gantry_op_finish(op, 0, 0);
}
