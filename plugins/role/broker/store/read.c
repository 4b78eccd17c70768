/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the log. */
#include <errno.h>
#include <gantry/guard.h>

#include "store/internal.h"

enum { MESSAGE_GUESS = 16 * 1024 }; /* most messages are smaller */

void store_bounds(const struct store *store, uint64_t *ret_first, uint64_t *ret_end)
{
	struct gantry_bounds bounds;

	store->door->bounds(store->door_inst, &bounds);
	*ret_first = bounds.first;
	*ret_end = store->door->mark(store->door_inst, GANTRY_VISIBLE);
}

int store_read(struct store *store, uint64_t at, uint64_t max, struct gantry_slice *ret,
	       struct gantry_op *op)
{
	uint64_t visible = store->door->mark(store->door_inst, GANTRY_VISIBLE);

	if (at >= visible)
		return -ERANGE;
	if (max > visible - at)
		max = visible - at;
	return store->door->read(store->door_inst, at, max, ret, op);
}

/* What stands at that place, of a slice that begins there: a record with its own place in it, or
 * the beginning of one. 0: the slice is the record; positive: so long is it; -ENOENT. */
static int64_t take_record(struct gantry_slice *slice, uint64_t at)
{
	struct message_record record;
	enum message_scan scan;

	if (slice->offset != at)
		return -ENOENT;
	scan = message_record_read(slice->bytes, slice->size, false, &record);
	if (scan == MESSAGE_SHORT && record.size > slice->size)
		return record.size;
	if (scan != MESSAGE_WHOLE || record.physical_offset != (int64_t)at)
		return gantry_guard_failed(slice->bytes, slice->size) ? -EIO : -ENOENT;
	slice->size = record.size;
	if (gantry_guard_touch(slice->bytes, slice->size))
		return -EIO;
	return 0;
}

int store_read_message(struct store *store, uint64_t at, struct gantry_slice *ret,
		       struct gantry_op *op)
{
	int64_t need = MESSAGE_GUESS;
	struct gantry_slice slice;

	for (uint32_t i = 0; i < 2 && need > 0; i++) {
		int status = store_read(store, at, (uint64_t)need, &slice, op);

		if (status)
			return status == -ERANGE ? -ENOENT : status;
		need = take_record(&slice, at);
		if (need == 0)
			*ret = slice;
		else
			gantry_slice_release(&slice);
	}
	return need > 0 ? -ENOENT : (int)need;
}

int store_fetch(struct store *store, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	return store->door->fetch(store->door_inst, at, max, ret);
}

int store_wait_durable(struct store *store, uint64_t upto, struct gantry_op *op)
{
	return store->door->wait(store->door_inst, GANTRY_DURABLE, upto, op);
}

uint64_t store_segment_bytes(const struct store *store)
{
	return store->segment_bytes;
}

uint64_t store_old_end(const struct store *store)
{
	return __atomic_load_n(&store->valid_end, __ATOMIC_ACQUIRE);
}
