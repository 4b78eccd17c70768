/* SPDX-License-Identifier: Apache-2.0 */
/* Mapped files that fail. A load from a page that the disk cannot give, or that is no longer part
 * of its file, raises SIGBUS, which ends the process. In memory that is guarded the kernel maps a
 * page of zeros there instead, notes which bytes they stand for, and the load goes on; who reads
 * guarded memory asks afterwards whether what it saw was real. A system call that is given such
 * bytes fails with EFAULT and notes nothing. */
#ifndef GANTRY_GUARD_H
#define GANTRY_GUARD_H

#include <gantry/base.h>

GANTRY_BEGIN

/* A guarded mapping: the caller's memory, from add to remove. */
struct gantry_guard {
	const uint8_t *from; /* the caller's; a page's first byte */
	uint64_t size;
	/* Offsets in the mapping; what failed lies between them. Atomic, the kernel's; ~0 and 0
	 * as long as nothing has. */
	uint64_t bad_from, bad_to;
	uint32_t place; /* the kernel's */
	uint32_t reserved;
};

/* Guards [from, from + size). -ENOSPC: there are too many already. Any thread. */
GANTRY_API int gantry_guard_add(struct gantry_guard *guard);
/* Before the memory is unmapped. A guard that was not added is fine. Any thread, no signal
 * handler. */
GANTRY_API void gantry_guard_remove(struct gantry_guard *guard);

/* How many pages have failed in this process so far. Any thread; costs a load. */
GANTRY_API uint64_t gantry_guard_failures(void);
/* Whether these bytes may be zeros that stand for others: some between them have failed. Never
 * for memory that is not guarded. Any thread. */
GANTRY_API int gantry_guard_failed(const void *at, uint64_t size);

/* Loads from every page of these bytes, so that what cannot be read is known. May wait for the
 * disk. Returns as gantry_guard_failed(). Any thread. */
GANTRY_API int gantry_guard_touch(const void *at, uint64_t size);

/* Adds bytes that were found to be bad without a load from them. Any thread. */
GANTRY_API void gantry_guard_note(struct gantry_guard *guard, uint64_t from, uint64_t to);

/* Whether something in [from, to) of the mapping is bad. */
static inline int gantry_guard_overlaps(const struct gantry_guard *guard, uint64_t from,
					uint64_t to)
{
	return from < __atomic_load_n(&guard->bad_to, __ATOMIC_ACQUIRE) &&
	       to > __atomic_load_n(&guard->bad_from, __ATOMIC_ACQUIRE);
}

GANTRY_END
#endif
