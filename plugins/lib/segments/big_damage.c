/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a segment that cannot be read. The kernel's guard notes those that a load met, a worker
 * those that it could not fetch; none of them is shown to a reader again until the log is opened
 * anew, nor anything between them. The rest of the segment stays. */
#include "big.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int damage_watch(struct segment *segment, uint8_t *map)
{
	segment->guard.from = map;
	segment->guard.size = segment->log->segment_bytes;
	return gantry_guard_add(&segment->guard);
}

/* A file that became shorter: its readers need not find out page by page. */
static void look_at_length(struct segment *segment)
{
	uint64_t bytes = segment->log->segment_bytes;
	struct stat st;

	if (fstat(segment->fd, &st) == 0 && (uint64_t)st.st_size < bytes)
		gantry_guard_note(&segment->guard, files_page_up((uint64_t)st.st_size), bytes);
}

/* Once a segment: what follows is the same trouble. */
static void say(struct segment *segment)
{
	struct big_log *log = segment->log;

	if (atomic_exchange(&segment->damage_said, true))
		return;
	look_at_length(segment);
	gantry_log(log->base.inst, ERROR,
		   "%s/%020llu cannot be read from byte %llu on: what stands there is refused, "
		   "until the store is opened again",
		   log->directory[segment->directory].path, (unsigned long long)segment->start,
		   (unsigned long long)__atomic_load_n(&segment->guard.bad_from, __ATOMIC_ACQUIRE));
}

uint64_t damage_spares(struct segment *segment, uint64_t from, uint64_t size)
{
	uint64_t bad;

	/* a worker may be mapping it, which makes the guard; until then nothing has failed */
	if (!atomic_load_explicit(&segment->map, memory_order_acquire) ||
	    !gantry_guard_overlaps(&segment->guard, from, from + size))
		return size;
	say(segment);
	bad = __atomic_load_n(&segment->guard.bad_from, __ATOMIC_ACQUIRE);
	return bad > from ? bad - from : 0;
}

void damage_find(struct segment *segment, uint64_t from, uint64_t to)
{
	uint8_t page[FILES_PAGE];

	for (from -= from % FILES_PAGE; from < to; from += FILES_PAGE)
		if (files_read(segment->fd, from, page, FILES_PAGE) != FILES_PAGE)
			gantry_guard_note(&segment->guard, from, from + FILES_PAGE);
}
