/* SPDX-License-Identifier: Apache-2.0 */
/* Placing: records into the log's window, frames before them, pads at segments' ends. Under the
 * door's lock; no system call and no allocation unless the engine has to make room. */
#include "door_impl.h"

#include <errno.h>

struct cursor {
	struct gantry_window window;
	uint64_t used;
};

/* Publishes what was placed and asks for a window of need bytes, or to the segment's end. */
static int next_window(struct door *door, struct cursor *cursor, uint64_t need)
{
	if (cursor->used)
		door->ops->advance(door->log, cursor->used);
	cursor->used = 0;
	cursor->window = (struct gantry_window){0};
	return door->ops->window(door->log, need, &cursor->window);
}

/* Marks the rest of the segment as unused and goes on to the next. */
static int pad_segment(struct door *door, struct cursor *cursor)
{
	uint64_t left = cursor->window.left - cursor->used;

	if (left >= DOOR_SPARE && cursor->window.usable - cursor->used < DOOR_SPARE) {
		int rc = next_window(door, cursor, DOOR_SPARE);

		if (rc < 0)
			return rc;
	}
	/* Less than a pad needs stands there only if somebody else filled the log. */
	if (left >= DOOR_SPARE)
		door->rules.format->pad(cursor->window.to + cursor->used, left);
	cursor->used += left;
	return 0;
}

/* Makes sure that need bytes of one segment can be written at the cursor. */
static int make_room(struct door *door, struct cursor *cursor, uint64_t need)
{
	int rc = 0;

	if (cursor->window.usable - cursor->used >= need)
		return 0;
	if (need > door->segment_bytes)
		return -EMSGSIZE;
	if (cursor->window.left - cursor->used >= need || cursor->window.left == 0)
		rc = next_window(door, cursor, need);
	if (rc == 0 && cursor->window.left - cursor->used < need) {
		rc = pad_segment(door, cursor);
		if (rc == 0)
			rc = next_window(door, cursor, need);
	}
	return rc;
}

static void place_record(struct door *door, struct gantry_batch *batch,
			 struct gantry_record *record, struct cursor *cursor)
{
	const struct door_format *format = door->rules.format;
	uint8_t *to = cursor->window.to + cursor->used;
	uint64_t at = cursor->window.at + cursor->used;

	record->at = at + format->frame_bytes;
	record->bytes =
		batch->place(batch, record, to + format->frame_bytes, record->at, batch->store_ms);
	if (record->bytes == 0)
		return;
	if (format->frame_bytes)
		format->frame(door->rules.user, to, at, record->bytes);
	cursor->used += format->frame_bytes + record->bytes;
	batch->end = record->at + record->bytes;
}

static uint32_t unit_at(const struct gantry_batch *batch, uint32_t i)
{
	uint32_t unit = batch->record[i].unit;

	if (unit == 0)
		return 1;
	return unit < batch->count - i ? unit : batch->count - i;
}

/* As much as there is no room for if one of them is too long to be ever read whole. */
static uint64_t unit_bytes(const struct door *door, const struct gantry_batch *batch, uint32_t from,
			   uint32_t unit)
{
	uint64_t bytes = DOOR_SPARE;

	for (uint32_t i = from; i < from + unit; ++i) {
		uint64_t one =
			(uint64_t)door->rules.format->frame_bytes + batch->record[i].bytes_max;

		if (one > GANTRY_SLICE_MAX)
			return UINT64_MAX;
		bytes += one;
	}
	return bytes;
}

int door_place(struct door *door, struct gantry_batch *batch, uint64_t *ret_wait)
{
	struct cursor cursor = {0};
	uint64_t wait = 0;
	int rc = 0;

	while (batch->placed < batch->count) {
		uint32_t unit = unit_at(batch, batch->placed);

		rc = make_room(door, &cursor, unit_bytes(door, batch, batch->placed, unit));
		if (rc < 0)
			break;
		for (uint32_t i = 0; i < unit; ++i) {
			struct gantry_record *record = &batch->record[batch->placed++];

			place_record(door, batch, record, &cursor);
			if (record->bytes && !(record->flags & GANTRY_RECORD_NO_WAIT))
				wait = batch->end;
		}
	}
	if (cursor.used)
		door->ops->advance(door->log, cursor.used);
	*ret_wait = wait;
	return batch->placed ? 0 : rc;
}
