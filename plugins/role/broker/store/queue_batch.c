/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of topics with queue.type=BatchCQ, as RocketMQ's BatchConsumeQueue, store 5.5.0. A record
 * may be a batch of messages as its producer sent it (an inner batch), which has one entry and
 * takes as many offsets. So entries are found by searching, and the place of one says nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call/fields.h"
#include "message/properties.h"
#include "store/internal.h"

enum { COMPACTED_NONE = -1 };

void batch_unit_get(const uint8_t *from, struct queue_unit *ret)
{
	struct batch_unit unit;

	message_batch_unit_read(from, &unit);
	*ret = (struct queue_unit){.physical_offset = unit.physical_offset,
				   .tags_code = unit.tags_code,
				   .size = unit.size,
				   .count = unit.count,
				   .offset = unit.base_offset,
				   .store_ms = unit.store_ms};
}

void batch_unit_put(uint8_t *to, const struct queue_unit *unit)
{
	const struct batch_unit batch = {.physical_offset = unit->physical_offset,
					 .tags_code = unit->tags_code,
					 .store_ms = unit->store_ms,
					 .base_offset = unit->offset,
					 .size = unit->size,
					 .compacted = COMPACTED_NONE,
					 .count = (int16_t)unit->count};

	message_batch_unit_write(to, &batch);
}

/* ---- of a record */

static struct gantry_str find(const struct message_record *record, const char *key)
{
	return message_property_find(record->properties, (struct gantry_str){key, strlen(key)});
}

int batch_of_record(const struct message_record *record, int64_t *ret_base, int32_t *ret_count)
{
	struct gantry_str base, count;

	*ret_base = record->queue_offset;
	*ret_count = 1;
	if (!(record->sys_flag & MESSAGE_INNER_BATCH))
		return 0; /* cheap: nearly all are none, and no other has both properties */
	base = find(record, MESSAGE_INNER_BASE);
	count = find(record, MESSAGE_INNER_NUM);
	if (!base.at || !count.at)
		return 0;
	if (str_int64(base, ret_base) || str_int32(count, ret_count))
		return -ERANGE;
	return *ret_base < 0 || *ret_count <= 0 || *ret_count > INT16_MAX ? -ERANGE : 0;
}

bool queue_is_batch(const struct queue *queue)
{
	return queue->batch;
}

void batch_place(struct store_put *put)
{
	struct message_draft *draft = &put->draft;
	int size = snprintf(put->inner_base, sizeof(put->inner_base), MESSAGE_INNER_BASE "\1%lld\2",
			    (long long)put->queue->next);

	draft->properties[draft->part_count - 1] =
		(struct gantry_str){put->inner_base, (size_t)size};
	message_draft_finish(draft); /* shorter than it was, which fitted */
}

/* ---- finding */

/* An entry in memory; under the queue's lock. */
static void peek_memory(const struct queue *queue, int64_t at, struct queue_unit *ret)
{
	uint64_t skip = (uint64_t)(at - queue->filed) * queue->unit;

	batch_unit_get(skip < queue->run.used ? queue->run.at + skip
					      : queue->tail.at + (skip - queue->run.used),
		       ret);
}

/* The last entry of those in memory that does not begin behind the offset; -1: all do. */
static int64_t find_in_memory(struct queue *queue, int64_t offset)
{
	int64_t from, to, found = -1;
	struct queue_unit unit;

	pthread_mutex_lock(&queue->lock);
	from = queue->filed > queue->min ? queue->filed : queue->min;
	to = queue->end;
	while (from < to) {
		int64_t middle = from + (to - from) / 2;

		peek_memory(queue, middle, &unit);
		if (unit.offset <= offset) {
			found = middle;
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	pthread_mutex_unlock(&queue->lock);
	return found;
}

static int peek_file(struct queue *queue, int64_t at, bool waits, struct queue_unit *ret)
{
	const struct gantry_log_ops *ops = queue->store->engine->log;
	uint64_t from = (uint64_t)at * MESSAGE_BATCH_UNIT_SIZE;
	uint8_t bytes[MESSAGE_BATCH_UNIT_SIZE];
	int64_t got = waits ? ops->copy(queue->file, from, bytes, sizeof(bytes))
			    : ops->copy_hot(queue->file, from, bytes, sizeof(bytes));

	if (got != sizeof(bytes))
		return got < 0 ? (int)got : -ERANGE;
	batch_unit_get(bytes, ret);
	return 0;
}

/* The last entry of those in [from, to) that does not begin behind the offset, the first being one.
 * galloping: it is not far from the first. */
static int64_t find_in_file(struct queue *queue, int64_t from, int64_t to, int64_t offset,
			    bool galloping, bool waits)
{
	struct queue_unit unit;

	for (int64_t step = 1; to - from > 1; step *= 2) {
		int64_t middle = from + (galloping && step < to - from ? step : (to - from) / 2);
		int status = peek_file(queue, middle, waits, &unit);

		if (status)
			return status;
		if (unit.offset <= offset) {
			from = middle;
		} else {
			to = middle;
			galloping = false;
		}
	}
	return from;
}

int64_t batch_find(struct queue *queue, int64_t offset, bool waits)
{
	int64_t min, filed, near, found = find_in_memory(queue, offset);
	struct queue_unit unit;

	if (found >= 0)
		return found;
	pthread_mutex_lock(&queue->lock);
	min = queue->min;
	filed = queue->filed;
	near = queue->near;
	pthread_mutex_unlock(&queue->lock);
	/* readers go on where they were */
	if (near >= min && near < filed && !peek_file(queue, near, waits, &unit) &&
	    unit.offset <= offset)
		return find_in_file(queue, near, filed, offset, true, waits);
	return find_in_file(queue, min, filed, offset, false, waits);
}

/* ---- opening */

int batch_set_bounds(struct queue *queue)
{
	struct queue_look look = {.queue = queue};
	struct queue_unit unit;
	struct gantry_bounds file;
	int status;

	queue->store->engine->log->bounds(queue->file, &file);
	queue->first_message = queue->end_message = queue->next = 0;
	if ((uint64_t)queue->end * queue->unit <= file.first)
		return 0;
	status = queue_look(&look, queue->end - 1, &unit);
	if (status)
		return status;
	queue->first_message = queue->end_message = queue->next = unit.offset + unit.count;
	if (queue->min == queue->end)
		return 0;
	status = queue_look(&look, queue->min, &unit);
	if (!status)
		queue->first_message = unit.offset;
	return status;
}
