/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that may be of an earlier life, held against the log. After a crash of the machine a file
 * may have entries of messages that the log has lost, and nobody has cut a queue that was not
 * opened since. Other messages stand there by now. */
#include <errno.h>
#include <string.h>

#include "message/properties.h"
#include "message/record.h"
#include "store/internal.h"

static bool is_of(const struct message_record *record, const struct queue *queue, int64_t offset)
{
	static const char multi[] = MESSAGE_MULTI_DISPATCH; /* stands in other queues as well */
	const struct topic_queues *topic = queue->topic;

	if (record->queue == queue->id && record->queue_offset == offset &&
	    record->topic.size == topic->entry.key.size &&
	    memcmp(record->topic.at, topic->name, record->topic.size) == 0)
		return true;
	return message_property_find(record->properties,
				     (struct gantry_str){multi, sizeof(multi) - 1})
		       .at != NULL;
}

bool queue_has_message(struct queue *queue, const struct queue_unit *unit)
{
	uint64_t at = (uint64_t)unit->physical_offset;
	struct message_record record;
	struct gantry_slice slice;
	bool has;

	if (store_fetch(queue->store, at, (uint64_t)unit->size, &slice))
		return true;
	has = slice.offset == at &&
	      message_record_read(slice.bytes, slice.size, false, &record) == MESSAGE_WHOLE &&
	      is_of(&record, queue, unit->offset);
	gantry_slice_release(&slice);
	return has;
}

/* Whether the log has another message than this entry says. What cannot be read stays. */
static bool is_foreign(struct queue *queue, const struct queue_unit *unit)
{
	struct store *store = queue->store;
	struct gantry_bounds log;

	store->door->bounds(store->door_inst, &log);
	if (unit->size == FILLER_SIZE || (uint64_t)unit->physical_offset < log.first)
		return false;
	if (unit->size <= 0 || (uint64_t)unit->physical_offset >= log.end)
		return true;
	return !queue_has_message(queue, unit);
}

/* The first foreign entry: those of an earlier life stand at the end. */
static int64_t find_foreign(struct queue_look *look, int64_t from, int64_t to)
{
	while (from < to) {
		int64_t middle = from + (to - from) / 2;
		struct queue_unit unit;
		int status = queue_look(look, middle, &unit);

		if (status)
			return status;
		if (is_foreign(look->queue, &unit))
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

int64_t queue_check(struct queue *queue, int64_t first, int64_t end)
{
	struct store *store = queue->store;
	struct queue_look look = {.queue = queue};
	struct queue_unit unit;
	int64_t from;
	int status;

	if (end <= first || store->checked_end == UINT64_MAX)
		return end;
	status = queue_look(&look, end - 1, &unit);
	if (status)
		return status;
	if ((uint64_t)unit.physical_offset < store->checked_end)
		return end;
	if (is_foreign(queue, &unit)) {
		from = queue_search(queue, first, end, store->checked_end);
		return from < 0 ? from : find_foreign(&look, from, end);
	}
	if ((uint64_t)unit.physical_offset >= store->opened_end)
		store->opened_end = (uint64_t)unit.physical_offset + 1;
	return end;
}
