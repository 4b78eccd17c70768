/* SPDX-License-Identifier: Apache-2.0 */
/* Shortening a ConsumeQueue at either end. */
#include <errno.h>

#include "message/bytes.h"
#include "store/internal.h"

/* Whether the last of these entries is of a message at or behind the log offset. */
static bool ends_behind(const struct units *units, uint64_t at)
{
	return units->used && message_get64(units->at + units->used - STORE_UNIT) >= at;
}

/* Drops entries from memory; true if the file may have such entries too. Under the queue's lock. */
static bool cut_memory(struct queue *queue, uint64_t at)
{
	while (ends_behind(&queue->tail, at)) {
		queue->tail.used -= STORE_UNIT;
		queue->end--;
	}
	while (!queue->tail.used && ends_behind(&queue->run, at)) {
		queue->run.used -= STORE_UNIT;
		queue->end--;
	}
	return queue->filed == queue->end && queue->filed > queue->min;
}

static int cut_file(struct queue *queue, uint64_t at)
{
	const struct gantry_log_ops *ops = queue->store->engine->log;
	struct gantry_bounds bounds;
	int64_t end;

	ops->bounds(queue->file, &bounds);
	if (bounds.end == bounds.first)
		return 0;
	end = queue_search(queue, queue->min, queue->filed, at);
	if (end < 0 || end == queue->filed)
		return end < 0 ? (int)end : 0;
	pthread_mutex_lock(&queue->lock);
	queue->filed = queue->end = end;
	queue->cuts++;
	pthread_mutex_unlock(&queue->lock);
	return ops->cut(queue->file, (uint64_t)end * STORE_UNIT);
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
