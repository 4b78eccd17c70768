/* SPDX-License-Identifier: Apache-2.0 */
/* After a clean stop nothing but zeros stands behind a queue's last entry. What else is there is
 * damage, or what a Java broker truncated: entries before it may be lost, whose offsets other
 * messages must not take. Those are made again from the log. */
#include <errno.h>
#include <string.h>

#include "store/cursor.h"
#include "store/queue_mend.h"

enum {
	NEAR = 4, /* entries behind the end that are looked at */
	PAGE = 4096,
};

static const uint64_t LITTLE = 256 << 20; /* of the log: read even if it may be for nothing */

/* ---- looking */

struct rest {
	struct queue_look look;
	struct gantry_bounds log;
	uint64_t older; /* entries from there on are made again anyway */
	bool something; /* it is not all zeros */
	bool genuine;   /* an entry among it is right */
};

static int judge(struct rest *rest, int64_t at)
{
	struct queue_unit unit;
	int status = queue_look(&rest->look, at, &unit);
	uint64_t place;

	if (status)
		return status;
	place = (uint64_t)unit.physical_offset;
	if ((!place && !unit.size) ||
	    (unit.size > 0 && place >= rest->older && place < rest->log.end))
		return 0;
	rest->something = true;
	if (unit.size > 0 && place >= rest->log.first && place < rest->older)
		rest->genuine |= queue_has_message(rest->look.queue, &unit);
	return 0;
}

/* The first entries behind the end, then the first of pages farther and farther behind it. */
static int look_behind(struct rest *rest, int64_t end, int64_t file_end)
{
	int64_t page = (end * rest->look.queue->unit / PAGE + 1) * PAGE;
	int status = 0;

	for (int64_t at = end; !status && at < end + NEAR && at < file_end; at++)
		status = judge(rest, at);
	for (int64_t step = PAGE; !status; page += step, step *= 2) {
		int64_t at = page / rest->look.queue->unit + 1;

		if (at >= file_end)
			break;
		status = judge(rest, at);
	}
	return status;
}

int queue_look_behind(struct queue *queue, int64_t end, int64_t file_end, uint64_t older)
{
	struct store *store = queue->store;
	struct rest rest = {.look.queue = queue, .older = older};
	uint64_t at = (uint64_t)end * queue->unit;
	uint64_t bytes = store->kind_bytes[queue->batch ? KIND_BATCH : KIND_PLAIN];
	int status;

	if (store->unclean)
		return 0;
	store->door->bounds(store->door_inst, &rest.log);
	status = look_behind(&rest, end, file_end);
	if (status || !rest.something)
		return status;
	gantry_log(store->inst, WARNING,
		   "%s/%s/%d/%020llu: what stands from byte %llu on is no entry of this queue and "
		   "is cut",
		   store->folders[queue->batch ? KIND_BATCH : KIND_PLAIN], queue->topic->name,
		   queue->id, (unsigned long long)(at - at % bytes),
		   (unsigned long long)(at % bytes));
	queue->lacks = true;
	queue->lacks_surely = rest.genuine;
	return 0;
}

/* ---- mending */

static bool is_ours(const struct queue *queue, const struct cursor *cursor)
{
	const struct message_record *record = &cursor->record;

	return record->queue == queue->id && message_record_is_queued(record) &&
	       cursor->record_at >= queue->topic->born_at &&
	       record->topic.size == queue->topic->entry.key.size &&
	       memcmp(record->topic.at, queue->topic->name, record->topic.size) == 0;
}

static int write_out(struct queue *queue)
{
	int status;

	pthread_mutex_lock(&queue->store->file_lock);
	status = queue_write(queue, false);
	pthread_mutex_unlock(&queue->store->file_lock);
	return status;
}

static int add(struct queue *queue, const struct cursor *cursor)
{
	const struct message_record *record = &cursor->record;
	struct queue_unit unit = {.physical_offset = (int64_t)cursor->record_at,
				  .size = (int32_t)record->size,
				  .store_ms = record->store_ms};
	bool write = false;
	int status;

	unit.tags_code = message_record_tags_code(record, &queue->store->delays);
	status = batch_of_record(record, &unit.offset, &unit.count);
	if (!status)
		status = queue_add(queue, record->queue_offset, &unit, &write);
	if (!status && write)
		status = write_out(queue);
	return status == -ERANGE ? 0 : status; /* the dispatcher has left it out as well */
}

/* Where the last entry's message stands, or the log begins. */
static int last_place(struct queue *queue, int64_t first, uint64_t *ret)
{
	struct queue_look look = {.queue = queue};
	struct gantry_bounds log;
	struct queue_unit unit;
	int status = 0;

	queue->store->door->bounds(queue->store->door_inst, &log);
	*ret = log.first;
	if (queue->end > first)
		status = queue_look(&look, queue->end - 1, &unit);
	if (!status && queue->end > first && unit.size != FILLER_SIZE &&
	    (uint64_t)unit.physical_offset > log.first)
		*ret = (uint64_t)unit.physical_offset;
	return status;
}

static int add_all(struct queue *queue, struct cursor *cursor, uint64_t to)
{
	int64_t before = queue->end;
	int status = 0, found = 1;

	while (!status && cursor->at < to && (found = cursor_next(cursor)) == 1)
		if (cursor->record_at < to && is_ours(queue, cursor))
			status = add(queue, cursor);
	cursor_close(cursor);
	if (!status && found >= 0)
		status = write_out(queue);
	if (queue->end > before)
		gantry_log(queue->store->inst, NOTICE,
			   "queue %s-%d: %lld lost entries were made again from the log",
			   queue->topic->name, queue->id, (long long)(queue->end - before));
	return status ? status : found < 0 ? found : 0;
}

/* Nothing stays in memory: the next try begins with the file. */
static void give_up(struct queue *queue)
{
	pthread_mutex_lock(&queue->store->file_lock);
	queue_forget(queue);
	pthread_mutex_unlock(&queue->store->file_lock);
}

int queue_mend(struct queue *queue, int64_t first, uint64_t older)
{
	struct cursor cursor = {.store = queue->store};
	int status = last_place(queue, first, &cursor.at);

	if (!status && cursor.at < older && (queue->lacks_surely || older - cursor.at <= LITTLE))
		status = add_all(queue, &cursor, older);
	if (status)
		give_up(queue);
	else
		queue->lacks = false;
	return status;
}
