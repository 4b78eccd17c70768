/* SPDX-License-Identifier: Apache-2.0 */
/* Where a queue begins once the log has lost its oldest messages (ConsumeQueue's correctMinOffset,
 * store 5.5.0). */
#include <errno.h>

#include "store/expire_queues.h"
#include "store/queue_ext.h"

static bool is_gone(const struct queue_unit *unit, uint64_t log_first)
{
	return unit->size == FILLER_SIZE || (uint64_t)unit->physical_offset < log_first;
}

/* The first of the entries in memory whose message is there, at or behind from, and for batches
 * that message's offset. Under the queue's lock. */
static int64_t first_in_memory(const struct queue *queue, int64_t from, uint64_t log_first,
			       int64_t *ret_message)
{
	uint32_t stride = queue_stride(queue);
	int64_t run_end = queue->filed + queue->run.used / stride;

	for (int64_t at = from; at < queue->end; at++) {
		const uint8_t *bytes = at < run_end ? queue->run.at + (at - queue->filed) * stride
						    : queue->tail.at + (at - run_end) * stride;
		struct queue_unit unit;

		unit_get(queue, bytes, &unit);
		if (is_gone(&unit, log_first))
			continue;
		*ret_message = unit.offset;
		return at;
	}
	*ret_message = queue->end_message;
	return queue->end;
}

/* The first entry of the file, from min on, whose message is there; filed: none. */
static int64_t first_in_file(struct queue *queue, int64_t min, int64_t filed, uint64_t log_first)
{
	struct queue_look look = {.queue = queue};
	struct queue_unit unit;
	int status = queue_look(&look, min, &unit);

	if (status)
		return status;
	/* most queues have nothing old, or nothing new */
	if (!is_gone(&unit, log_first))
		return min;
	status = queue_look(&look, filed - 1, &unit);
	if (status)
		return status;
	if (unit.size != FILLER_SIZE && is_gone(&unit, log_first))
		return filed;
	return queue_find_min(queue, min, filed, log_first);
}

static int move_min(struct queue *queue, uint64_t log_first, int64_t *ret_min)
{
	struct queue_look look = {.queue = queue};
	struct queue_unit unit = {0};
	int64_t min, filed, found, message;
	int status;

	for (;;) {
		pthread_mutex_lock(&queue->lock);
		min = queue->min;
		filed = queue->filed;
		pthread_mutex_unlock(&queue->lock);
		found = min < filed ? first_in_file(queue, min, filed, log_first) : filed;
		if (found < 0)
			return (int)found;
		status = found < filed ? queue_look(&look, found, &unit) : 0;
		if (status)
			return status;
		pthread_mutex_lock(&queue->lock);
		/* it was cut, or written, meanwhile: what was found may be wrong */
		if (queue->filed == filed && queue->min == min)
			break;
		pthread_mutex_unlock(&queue->lock);
	}
	message = unit.offset;
	if (found == filed)
		found = first_in_memory(queue, found > min ? found : min, log_first, &message);
	if (found > queue->min) {
		queue->min = found;
		queue->first_message = message;
	}
	*ret_min = queue->min;
	pthread_mutex_unlock(&queue->lock);
	return 0;
}

int queue_expire(struct queue *queue, uint64_t log_first)
{
	const struct gantry_log_ops *ops = queue->store->engine->log;
	struct gantry_bounds file;
	int64_t min = 0;
	int removed = 0;
	int status = move_min(queue, log_first, &min);

	if (status)
		return status;
	removed = queue_ext_expire(queue, min);
	ops->bounds(queue->file, &file);
	if (file.end - file.first <= file.segment_bytes ||
	    (uint64_t)min * queue->unit < file.first + file.segment_bytes)
		return removed;
	pthread_mutex_lock(&queue->store->file_lock);
	if (queue_is_open(queue))
		status = ops->expire(queue->file, (uint64_t)min * queue->unit);
	pthread_mutex_unlock(&queue->store->file_lock);
	return status < 0 ? status : removed + status;
}
