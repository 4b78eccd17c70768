/* SPDX-License-Identifier: Apache-2.0 */
/* Shortening a ConsumeQueue at either end. */
#include <errno.h>

#include "message/bytes.h"
#include "store/queue_ext.h"

/* Whether the last of these entries is of a message at or behind the log offset. */
static bool ends_behind(const struct units *units, uint32_t stride, uint64_t at)
{
	return units->used && message_get64(units->at + units->used - stride) >= at;
}

/* Under the queue's lock. */
static void drop_last(struct queue *queue, struct units *units)
{
	struct queue_unit unit;

	units->used -= queue_stride(queue);
	queue->end--;
	if (!queue->batch)
		return;
	batch_unit_get(units->at + units->used, &unit);
	queue->end_message = unit.offset;
}

/* Drops entries from memory; true if the file may have such entries too. Under the queue's lock. */
static bool cut_memory(struct queue *queue, uint64_t at)
{
	uint32_t stride = queue_stride(queue);

	while (ends_behind(&queue->tail, stride, at))
		drop_last(queue, &queue->tail);
	while (!queue->tail.used && ends_behind(&queue->run, stride, at))
		drop_last(queue, &queue->run);
	return queue->filed == queue->end && queue->filed > queue->min;
}

static int cut_file(struct queue *queue, uint64_t at)
{
	const struct gantry_log_ops *ops = queue->store->engine->log;
	struct queue_look look = {.queue = queue};
	struct queue_unit dropped;
	struct gantry_bounds bounds;
	int64_t end;
	int status;

	ops->bounds(queue->file, &bounds);
	if (bounds.end == bounds.first)
		return 0;
	end = queue_search(queue, queue->min, queue->filed, at);
	if (end < 0 || end == queue->filed)
		return end < 0 ? (int)end : 0;
	status = queue_look(&look, end, &dropped);
	if (status)
		return status;
	pthread_mutex_lock(&queue->lock);
	queue->filed = queue->end = end;
	queue->cuts++;
	queue->end_message = dropped.offset;
	pthread_mutex_unlock(&queue->lock);
	status = ops->cut(queue->file, (uint64_t)end * queue->unit);
	return status ? status : queue_ext_trim(queue, queue->min, end);
}

int queue_cut(struct queue *queue, uint64_t at)
{
	bool file;

	if (!queue_is_open(queue))
		return 0;
	pthread_mutex_lock(&queue->lock);
	file = cut_memory(queue, at);
	pthread_mutex_unlock(&queue->lock);
	return file ? cut_file(queue, at) : 0;
}
