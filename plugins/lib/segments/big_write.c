/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's side: the window, and the end moving on. */
#include "big.h"
#include "big_prepare.h"
#include "stage.h"

#include <errno.h>
#include <gantry/log.h>

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- the window */

/* What may be written at end, in a segment that ends at limit. Zeros stay behind it. */
static uint64_t usable_at(struct big_log *log, uint64_t end, uint64_t limit)
{
	uint64_t ready = atomic_load_explicit(&log->ready, memory_order_acquire);

	if (ready >= limit)
		return limit - end;
	return ready > end + BIG_GUARD ? ready - BIG_GUARD - end : 0;
}

/* The worker is late: prepares what is needed here and now. */
static int prepare_here(struct big_log *log, uint64_t end, uint64_t need, uint64_t limit)
{
	int rc = 0;

	pthread_mutex_lock(&log->prepare_lock);
	while (rc == 0 && usable_at(log, end, limit) < need)
		rc = prepare_chunk(log);
	pthread_mutex_unlock(&log->prepare_lock);
	if (rc == 0 || usable_at(log, end, limit) >= need)
		return 0;
	if (rc == -ENOSPC || rc == -EDQUOT) {
		gantry_log_limited(log->base.inst, &log->full_limit, WARNING,
				   "%s: the disk is full, writes are refused",
				   log->directory[0].path);
		return -ENOSPC;
	}
	if (rc == -EAGAIN || rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE)
		return rc;
	big_fence(log, "cannot prepare a segment", rc);
	return -EIO;
}

/* The end stands in a segment that the writer has not met yet; there may be no such segment. */
static int enter_segment(struct big_log *log, uint64_t end)
{
	struct segment *segment = segment_get(log, end, 0);

	if (!segment) {
		/* Its limit is not known before it is made: any room will make it. */
		int rc = prepare_here(log, end, 1, UINT64_MAX);

		if (rc < 0)
			return rc;
		segment = segment_get(log, end, 0);
	}
	int rc = segment_map(segment);
	/* Not counted: the table keeps what the end stands in, and only the writer cuts. */
	if (rc == 0)
		log->tail = segment;
	segment_put(segment);
	return rc;
}

int big_window(struct big_log *log, uint64_t need, struct gantry_window *ret)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed), limit, usable;
	int rc;

	if (log->flags & GANTRY_LOG_READ_ONLY)
		return -EROFS;
	if (atomic_load_explicit(&log->fenced, memory_order_relaxed))
		return -EIO;
	if (!log->tail || end >= segment_end(log->tail)) {
		rc = enter_segment(log, end);
		if (rc < 0)
			return rc;
	}
	limit = segment_end(log->tail);
	need = smaller(need, limit - end);
	if (usable_at(log, end, limit) < need) {
		rc = prepare_here(log, end, need, limit);
		if (rc < 0)
			return rc;
	}
	usable = usable_at(log, end, limit);
	prepare_ahead(log, end, need);
	struct gantry_window window = {
		.to = atomic_load_explicit(&log->tail->map, memory_order_relaxed) +
		      (end - log->tail->start),
		.at = end,
		.left = limit - end,
		.usable = usable,
	};
	rc = log->stage_bytes ? stage_room(log, end, need, usable, &window) : 0;
	if (rc == 0)
		*ret = window;
	return rc;
}

void big_advance(struct big_log *log, uint64_t used)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed);

	if (log->stage_bytes)
		stage_advance(log, end, used);
	else
		atomic_store_explicit(&log->end, end + used, memory_order_release);
}
