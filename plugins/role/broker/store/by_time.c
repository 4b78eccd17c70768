/* SPDX-License-Identifier: Apache-2.0 */
/* Finding queue offsets by store time. Everything here reads the log and blocks. */
#include <errno.h>

#include "store/cursor.h"
#include "store/queue_ext.h"

int queue_read_unit(struct queue *queue, int64_t at, struct queue_unit *ret)
{
	uint8_t bytes[UNIT_MAX];
	int got = queue_read(queue, at, 1, ret);

	if (got != -EAGAIN)
		return got == 1 ? 0 : got < 0 ? got : -ERANGE;
	if (queue->batch)
		at = batch_find(queue, at, true);
	if (at < 0 || queue->store->engine->log->copy(queue->file, (uint64_t)at * queue->unit,
						      bytes, queue->unit) != (int64_t)queue->unit)
		return -EIO;
	queue_ext_resolve(queue, bytes, 1, true);
	unit_get(queue, bytes, ret);
	return 0;
}

int64_t queue_store_ms(struct store *store, struct queue *queue, int64_t at)
{
	struct queue_unit unit;
	struct message_record record;
	struct gantry_slice slice;
	int64_t ms = -1;

	if (queue_read_unit(queue, at, &unit) || unit.size <= 0 || unit.size == FILLER_SIZE)
		return -1;
	if (store_fetch(store, (uint64_t)unit.physical_offset, (uint64_t)unit.size, &slice))
		return -1;
	if (message_record_read(slice.bytes, slice.size, false, &record) == MESSAGE_WHOLE)
		ms = record.store_ms;
	gantry_slice_release(&slice);
	return ms;
}

/* The first offset in [from, to) stored at or after ms. What cannot be read counts as older. */
static int64_t first_since(struct store *store, struct queue *queue, int64_t from, int64_t to,
			   int64_t ms)
{
	while (from < to) {
		int64_t middle = from + (to - from) / 2;

		if (queue_store_ms(store, queue, middle) < ms)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Of a queue of batches: where the first, or the last, entry begins that was stored then; as
 * RocketMQ's BatchConsumeQueue, the last one if all are older, the first if all are newer. */
static int64_t batch_by_time(struct store *store, struct queue *queue, int64_t ms, bool upper)
{
	int64_t min, max, found;
	struct queue_unit unit;

	queue_bounds(queue, &min, &max);
	if (max <= min)
		return -1;
	found = first_since(store, queue, min, max, upper && ms < INT64_MAX ? ms + 1 : ms);
	if (found > min && (upper || found == max))
		found--;
	return queue_read_unit(queue, found, &unit) ? -1 : unit.offset;
}

int64_t queue_offset_by_time(struct store *store, struct queue *queue, int64_t ms, bool upper)
{
	int64_t min, max, found;

	queue_bounds(queue, &min, &max);
	if (queue->batch)
		return batch_by_time(store, queue, ms, upper);
	if (!upper)
		return first_since(store, queue, min, max, ms);
	if (ms == INT64_MAX)
		return max > min ? max - 1 : 0;
	found = first_since(store, queue, min, max, ms + 1);
	return found > min ? found - 1 : 0;
}

int64_t store_earliest_ms(struct store *store)
{
	struct cursor cursor = {.store = store};
	int64_t ms = -1;
	uint64_t end;

	store_bounds(store, &cursor.at, &end);
	if (cursor.at < end && cursor_next(&cursor) == 1)
		ms = cursor.record.store_ms;
	cursor_close(&cursor);
	return ms;
}
