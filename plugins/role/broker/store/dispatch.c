/* SPDX-License-Identifier: Apache-2.0 */
/* From a record of the log to what is built of it. The running broker and recovery call the same.
 */
#include <errno.h>
#include <string.h>

#include "message/name.h"
#include "message/properties.h"
#include "store/internal.h"

static bool is_topic(struct gantry_str topic, const char *name)
{
	return topic.size == strlen(name) && memcmp(topic.at, name, topic.size) == 0;
}

/* Java's Integer.parseInt, but what is no number is level 0. */
static int32_t level_of(struct gantry_str text)
{
	int32_t level = 0;

	if (!text.size || text.size > 9)
		return 0;
	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return 0;
		level = level * 10 + (text.at[i] - '0');
	}
	return level;
}

/* The hash of TAGS; in the schedule topic the time at which the message is due. */
static int64_t tags_code(const struct store *store, const struct message_record *record)
{
	static const char tags[] = MESSAGE_TAGS, delay[] = MESSAGE_DELAY;

	if (is_topic(record->topic, MESSAGE_SCHEDULE_TOPIC)) {
		int32_t level = level_of(message_property_find(
			record->properties, (struct gantry_str){delay, sizeof(delay) - 1}));

		if (level > 0)
			return message_deliver_ms(&store->delays, level, record->store_ms);
	}
	return message_tags_code(message_property_find(
		record->properties, (struct gantry_str){tags, sizeof(tags) - 1}));
}

/* Half messages are kept under a topic of their own; one that is marked as such is in no queue. */
static bool is_queued(const struct message_record *record)
{
	int32_t type = record->sys_flag & MESSAGE_TRANSACTION;

	return type == 0 || type == MESSAGE_COMMITTED;
}

static void note_arrival(struct store *store, struct queue *queue)
{
	if (queue->arrived || !__atomic_load_n(&queue->hold_slot, __ATOMIC_SEQ_CST))
		return;
	queue->arrived = true;
	queue->next_arrived = store->dispatcher.arrived;
	store->dispatcher.arrived = queue;
}

/* Most records are of the same queue as the one before. */
static struct queue *queue_of(struct store *store, const struct message_record *record)
{
	struct queue *queue = store->dispatcher.last;

	if (queue && queue->id == record->queue &&
	    queue->topic->entry.key.size == record->topic.size &&
	    memcmp(queue->topic->name, record->topic.at, record->topic.size) == 0)
		return queue;
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

int store_dispatch(struct store *store, const struct message_record *record, uint64_t at,
		   struct queue **ret_queue)
{
	struct queue_unit unit = {.physical_offset = (int64_t)at, .size = (int32_t)record->size};
	struct queue *queue;
	bool write = false;
	int status;

	if (!is_queued(record))
		return 0;
	if (!store_queue_is_possible(record->topic, record->queue))
		return leave_out(store, record, at);
	queue = queue_of(store, record);
	if (!queue)
		return -ENOMEM;
	if (__atomic_load_n(&queue->state, __ATOMIC_RELAXED) == QUEUE_BROKEN)
		return 0;
	unit.tags_code = tags_code(store, record);
	status = queue_append(queue, record->queue_offset, &unit, &write);
	store->writer.wanted |= write;
	if (status == -EAGAIN)
		*ret_queue = queue;
	else if (status)
		return leave_out(store, record, at);
	else
		note_arrival(store, queue);
	return status;
}
