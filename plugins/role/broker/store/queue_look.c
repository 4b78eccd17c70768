/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a ConsumeQueue's file, a page at a time. */
#include <errno.h>

#include "store/internal.h"

static int read_page(struct queue_look *look, int64_t at)
{
	uint32_t unit = look->queue->unit, units = sizeof(look->bytes) / unit;
	int64_t from = at - at % units, first;
	struct gantry_bounds bounds;
	const struct gantry_log_ops *ops = look->queue->store->engine->log;
	int64_t got;

	ops->bounds(look->queue->file, &bounds);
	first = (int64_t)((bounds.first + unit - 1) / unit);
	if (from < first)
		from = first;
	got = ops->copy(look->queue->file, (uint64_t)from * unit, look->bytes,
			(size_t)units * unit);
	look->at = from;
	look->count = got < 0 ? 0 : (uint32_t)got / unit;
	return got < 0 ? (int)got : 0;
}

int queue_look(struct queue_look *look, int64_t at, struct queue_unit *ret)
{
	int status = 0;

	if (at < look->at || at >= look->at + look->count)
		status = read_page(look, at);
	if (status)
		return status;
	if (at < look->at || at >= look->at + look->count)
		return -ERANGE;
	unit_get(look->queue, look->bytes + (at - look->at) * look->queue->unit, ret);
	if (!look->queue->batch)
		ret->offset = at;
	return 0;
}
