/* SPDX-License-Identifier: Apache-2.0 */
/* From a record of the log to what is built of it. The running broker and recovery call the same.
 */
#include <errno.h>
#include <string.h>

#include "store/internal.h"

void dispatch_arrival(struct store *store, struct queue *queue)
{
	if (queue->arrived || !__atomic_load_n(&queue->hold_slot, __ATOMIC_SEQ_CST))
		return;
	queue->arrived = true;
	queue->next_arrived = store->dispatcher.arrived;
	store->dispatcher.arrived = queue;
}

static bool is_queue_of(const struct queue *queue, const struct message_record *record)
{
	return queue && queue->id == record->queue && !topic_queues_gone(queue->topic) &&
	       queue->topic->entry.key.size == record->topic.size &&
	       memcmp(queue->topic->name, record->topic.at, record->topic.size) == 0;
}

/* Most records are of the queue that was noted when they were placed, or of the last one. */
static struct queue *queue_of(struct store *store, const struct message_record *record, uint64_t at)
{
	struct queue *queue = store->dispatcher.last;

	if (is_queue_of(queue, record))
		return queue;
	queue = __atomic_load_n(&store->placed[placed_slot(at)], __ATOMIC_ACQUIRE);
	if (is_queue_of(queue, record))
		return store->dispatcher.last = queue;
	queue = store_queue_named(store, record->topic, record->queue);
	if (queue)
		store->dispatcher.last = queue;
	return queue;
}

static int leave_out(struct store *store, const struct message_record *record, uint64_t at)
{
	gantry_log_limited(store->inst, &store->dispatcher.limit, ERROR,
			   "the message at log offset %llu cannot be offset %lld of queue %d of "
			   "topic %.*s: no queue has it",
			   (unsigned long long)at, (long long)record->queue_offset, record->queue,
			   (int)record->topic.size, record->topic.at);
	return 0;
}

static int dispatch_to_queue(struct store *store, const struct message_record *record, uint64_t at,
			     struct queue **ret_queue)
{
	struct queue_unit unit = {.physical_offset = (int64_t)at,
				  .size = (int32_t)record->size,
				  .store_ms = record->store_ms};
	struct queue *queue;
	bool write = false;
	int status;

	if (!message_record_is_queued(record))
		return 0;
	if (!store_queue_is_possible(record->topic, record->queue))
		return leave_out(store, record, at);
	queue = queue_of(store, record, at);
	if (!queue)
		return -ENOMEM;
	if (__atomic_load_n(&queue->state, __ATOMIC_RELAXED) == QUEUE_BROKEN)
		return 0;
	if (at < queue->topic->born_at || topic_queues_gone(queue->topic))
		return 0;
	unit.tags_code = message_record_tags_code(record, &store->delays);
	status = batch_of_record(record, &unit.offset, &unit.count);
	if (!status)
		status = queue_append(queue, record->queue_offset, &unit, &write);
	store->writer.wanted |= write;
	if (status == -EAGAIN)
		*ret_queue = queue;
	else if (!status)
		dispatch_arrival(store, queue);
	if (!status && store->broker->conf->enableMultiDispatch)
		status = multi_dispatch(store, record, &unit, ret_queue);
	return status && status != -EAGAIN && status != -ENOMEM && status != -ESTALE
		       ? leave_out(store, record, at)
		       : status;
}

int store_dispatch(struct store *store, const struct message_record *record, uint64_t at,
		   struct queue **ret_queue)
{
	int status = dispatch_to_queue(store, record, at, ret_queue);

	if (!status)
		store_index_feed(store, record, at);
	return status;
}
