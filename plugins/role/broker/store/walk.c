/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a queue in order, for services of the broker. */
#include "store/walk.h"

#include <errno.h>

void walk_begin(struct walk *walk, struct store *store, struct queue *queue, int64_t at)
{
	walk->store = store;
	walk->queue = queue;
	walk->at = at;
	walk->first = 0;
	walk->count = 0;
}

/* Whether the queue has an entry there; the bounds move while one looks. */
static int check_bounds(struct walk *walk)
{
	int64_t min, max;

	queue_bounds(walk->queue, &min, &max);
	if (walk->at < min)
		walk->at = min;
	if (walk->at > max)
		return -ERANGE;
	return walk->at == max ? -ENOENT : 0;
}

/* Entries from walk->at on. */
static int load(struct walk *walk, struct gantry_op *op)
{
	int count, status;

	if (!queue_is_open(walk->queue)) {
		status = op ? store_queues_open(walk->store, &walk->queue, 1, &walk->opening, op)
			    : -EAGAIN;
		if (status)
			return status;
	}
	status = check_bounds(walk);
	if (status)
		return status;
	count = queue_read(walk->queue, walk->at, WALK_UNITS, walk->units);
	if (count == -EAGAIN)
		return op ? queue_fetch(walk->queue, walk->at, &walk->fetch, op) : -EAGAIN;
	if (count <= 0)
		return count ? count : -ENOENT;
	walk->first = walk->at;
	walk->count = (uint32_t)count;
	return 0;
}

int walk_entry(struct walk *walk, struct queue_unit *ret, struct gantry_op *op)
{
	for (;; walk->at++) {
		const struct queue_unit *unit;

		if (walk->at < walk->first || walk->at >= walk->first + walk->count) {
			int status = load(walk, op);

			if (status)
				return status;
		}
		unit = &walk->units[walk->at - walk->first];
		if (unit->size <= 0 || unit->size == MESSAGE_UNIT_FILLER)
			continue;
		*ret = *unit;
		return 0;
	}
}

int walk_read(struct store *store, uint64_t at, struct walk_message *ret, struct gantry_op *op)
{
	struct gantry_slice slice;
	enum message_scan scan;
	int status = store_read_message(store, at, &slice, op);

	if (status)
		return status;
	/* what this process wrote needs no second look */
	scan = message_record_read(slice.bytes, slice.size, at < store_old_end(store),
				   &ret->record);
	if (scan == MESSAGE_WHOLE) {
		ret->slice = slice;
		return 0;
	}
	gantry_slice_release(&slice);
	return -EIO;
}

void walk_release(struct walk_message *message)
{
	gantry_slice_release(&message->slice);
	message->slice = (struct gantry_slice){0};
}
