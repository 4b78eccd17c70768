/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a ConsumeQueue's file, a page at a time. */
#include <errno.h>

#include "store/internal.h"

enum { LOOK_UNITS = sizeof(((struct queue_look *)0)->bytes) / STORE_UNIT };

static int read_page(struct queue_look *look, int64_t at)
{
	int64_t from = at - at % LOOK_UNITS, first;
	struct gantry_bounds bounds;
	const struct gantry_log_ops *ops = look->queue->store->engine->log;
	int64_t got;

	ops->bounds(look->queue->file, &bounds);
	first = (int64_t)((bounds.first + STORE_UNIT - 1) / STORE_UNIT);
	if (from < first)
		from = first;
	got = ops->copy(look->queue->file, (uint64_t)from * STORE_UNIT, look->bytes,
			sizeof(look->bytes));
	look->at = from;
	look->count = got < 0 ? 0 : (uint32_t)got / STORE_UNIT;
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
	message_unit_read(look->bytes + (at - look->at) * STORE_UNIT, ret);
	return 0;
}
