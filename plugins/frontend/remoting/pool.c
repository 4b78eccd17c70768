/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: records of one size on a free list. What was given back last is taken first, while the
 * processor's cache still has it. */
#include "remoting.h"

#include <stdalign.h>
#include <stdlib.h>

enum { SLAB_BYTES = 32 * 1024 };

struct record {
	struct record *next;
};

struct slab {
	alignas(16) struct slab *next;
};

static bool add_slab(struct lane *lane, void **pool, size_t size)
{
	size_t stride = (size + 15) & ~(size_t)15;
	size_t count = SLAB_BYTES / stride ? SLAB_BYTES / stride : 1;
	struct slab *slab = malloc(sizeof(*slab) + count * stride);
	char *at;

	if (!slab)
		return false;
	slab->next = lane->slabs;
	lane->slabs = slab;
	at = (char *)(slab + 1);
	for (size_t i = 0; i < count; i++, at += stride)
		pool_give(pool, at);
	return true;
}

void *pool_take(struct lane *lane, void **pool, size_t size)
{
	struct record *record;

	if (!*pool && !add_slab(lane, pool, size))
		return NULL;
	record = *pool;
	*pool = record->next;
	return record;
}

void pool_give(void **pool, void *record)
{
	struct record *given = record;

	given->next = *pool;
	*pool = given;
}

void pool_free_slabs(struct lane *lane)
{
	struct slab *slab = lane->slabs, *next;

	for (; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
	lane->slabs = NULL;
}
