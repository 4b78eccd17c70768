/* SPDX-License-Identifier: Apache-2.0 */
/* The readers' side: hot slices at once, cold ones by way of a worker. */
#include "big.h"
#include "stage.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

enum { LOOK_MS = 100 };

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool resident(const uint8_t *from, uint64_t size)
{
	unsigned char page[GANTRY_SLICE_MAX / FILES_PAGE + 2];
	uint64_t skew = (uintptr_t)from % FILES_PAGE;
	uint64_t count = files_page_up(size + skew) / FILES_PAGE;

	if (mincore((void *)(from - skew), size + skew, page))
		return false;
	for (uint64_t i = 0; i < count; ++i) {
		if (!(page[i] & 1))
			return false;
	}
	return true;
}

uint32_t clock_look(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint32_t)(now.tv_sec * (1000 / LOOK_MS) + now.tv_nsec / (LOOK_MS * 1000000)) + 1;
}

/* Whether the BIG_LOOK bytes number i are all resident. To look is a system call, so what it found
 * counts for LOOK_MS or twice that: pages that are read do not leave sooner unless memory is very
 * short, and then a slice costs a page fault. */
static bool seen(struct segment *segment, const uint8_t *map, uint64_t i, uint32_t now)
{
	uint64_t size = segment->log->segment_bytes - i * BIG_LOOK;

	if (now - atomic_load_explicit(&segment->seen[i], memory_order_relaxed) <= 1)
		return true;
	if (!resident(map + i * BIG_LOOK, smaller(size, BIG_LOOK)))
		return false;
	atomic_store_explicit(&segment->seen[i], now, memory_order_relaxed);
	return true;
}

static bool is_hot(struct segment *segment, uint64_t at, uint64_t size)
{
	struct big_log *log = segment->log;
	uint8_t *map = atomic_load_explicit(&segment->map, memory_order_acquire);
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed);
	uint64_t from = at - segment->start;

	if (!map)
		return false;
	if (at >= atomic_load_explicit(&log->own_from, memory_order_relaxed) &&
	    end - at <= log->hot_bytes)
		return true;
	uint32_t now = clock_look();
	bool hot = true;
	for (uint64_t i = from / BIG_LOOK; hot && i * BIG_LOOK < from + size; ++i)
		hot = seen(segment, map, i, now);
	if (!hot && !resident(map + from, size))
		return false;
	ahead_of(log, at, size);
	return true;
}

/* ---- reading */

static bool is_staged(const struct big_log *log, uint64_t upto)
{
	return upto > atomic_load_explicit(&log->written, memory_order_acquire);
}

static void slice_release(struct gantry_slice *slice)
{
	segment_unlease(slice->lease);
}

/* How much of it there is to read. */
static uint64_t readable(struct segment *segment, uint64_t at, uint64_t size)
{
	struct big_log *log = segment->log;

	if (big_lost_behind(log, at))
		size = smaller(size,
			       atomic_load_explicit(&log->written, memory_order_relaxed) - at);
	return damage_spares(segment, at - segment->start, size);
}

/* The segment that holds at, leased, and how much of what is asked for stands in it. */
static int find(struct big_log *log, uint64_t at, uint64_t max, struct segment **ret_segment,
		uint64_t *ret_size)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_acquire), size;
	uint64_t first = atomic_load_explicit(&log->first, memory_order_relaxed);
	struct segment *segment;

	if (at < first || at >= end || max == 0)
		return -ERANGE;
	/* Its segment's end is not known yet: a lease that is noted too long does no harm. */
	size = smaller(smaller(max, GANTRY_SLICE_MAX), end - at);
	segment = segment_get(log, at, at + size);
	if (!segment)
		return -ERANGE;
	size = readable(segment, at, smaller(size, segment_end(segment) - at));
	if (size == 0) {
		segment_unlease(segment);
		return -EIO;
	}
	*ret_segment = segment;
	*ret_size = size;
	return 0;
}

static bool is_cold(struct segment *segment, uint64_t at, uint64_t size)
{
	return is_staged(segment->log, at + size) || !is_hot(segment, at, size);
}

/* Hands the lease on. */
static void show(struct segment *segment, uint64_t at, uint64_t size, struct gantry_slice *ret)
{
	*ret = (struct gantry_slice){
		.bytes = atomic_load_explicit(&segment->map, memory_order_relaxed) +
			 (at - segment->start),
		.size = size,
		.offset = at,
		.lease = segment,
		.release = slice_release,
	};
}

int big_read(struct big_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret,
	     struct gantry_op *op)
{
	struct segment *segment;
	uint64_t size;
	int rc = find(log, at, max, &segment, &size);

	if (rc)
		return rc;
	if (is_cold(segment, at, size))
		return cold_read(segment, at, size, op);
	show(segment, at, size, ret);
	return 0;
}

int big_fetch(struct big_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	struct segment *segment;
	uint64_t size;
	int rc = find(log, at, max, &segment, &size);

	if (rc)
		return rc;
	if (is_cold(segment, at, size)) {
		rc = cold_fetch(segment, at, size);
		size = readable(segment, at, size); /* less, if something has failed */
	}
	if (rc < 0 || size == 0) {
		segment_unlease(segment);
		return rc < 0 ? rc : -EIO;
	}
	show(segment, at, size, ret);
	return 0;
}

static int64_t copy_from(struct segment *segment, uint64_t at, void *to, uint64_t bytes, bool hot)
{
	int rc;

	if (hot && !atomic_load_explicit(&segment->map, memory_order_acquire))
		return -EAGAIN;
	rc = segment_map(segment);
	if (rc < 0)
		return rc;
	return hot ? files_read_hot(segment->fd, at - segment->start, to, bytes)
		   : files_read(segment->fd, at - segment->start, to, bytes);
}

int64_t big_copy(struct big_log *log, uint64_t at, void *to, uint64_t bytes, bool hot)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_acquire), done = 0;

	if (at < atomic_load_explicit(&log->first, memory_order_relaxed) || at > end)
		return -ERANGE;
	bytes = smaller(bytes, end - at);
	if (is_staged(log, at + bytes)) {
		int rc = hot ? -EAGAIN : stage_commit(log, at + bytes);

		if (rc < 0)
			return rc;
	}
	while (done < bytes) {
		struct segment *segment = segment_get(log, at + done, 0);
		int64_t got;

		if (!segment)
			return -ERANGE;
		got = copy_from(segment, at + done, (uint8_t *)to + done,
				smaller(bytes - done, segment_end(segment) - (at + done)), hot);
		segment_put(segment);
		if (got <= 0)
			return got < 0 ? got : -EIO;
		done += (uint64_t)got;
	}
	return (int64_t)done;
}
