/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of queues. A store with very many has them side by side in huge pages: in pages of
 * 4 KiB every message would make the processor look up where the page of its queue is. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "store/queue_room.h"

enum {
	APART = 1024,         /* as many come from malloc: few queues shall cost what they use */
	SLAB_BYTES = 2 << 20, /* a huge page */
	SLAB_QUEUES = SLAB_BYTES / sizeof(struct queue) - 1,
};

struct queue_slab {
	struct queue_slab *older;
	uint32_t used;
	struct queue at[];
};
_Static_assert(sizeof(struct queue_slab) <= sizeof(struct queue), "a slab has room for its head");

/* Aligned, so that it can be one huge page. The kernel may have none: then it is 512 others. */
static struct queue_slab *map_slab(void)
{
	char *at = mmap(NULL, 2 * SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	size_t before;

	if (at == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)at % SLAB_BYTES;
	if (before)
		munmap(at, before);
	munmap(at + before + SLAB_BYTES, SLAB_BYTES - before);
	madvise(at + before, SLAB_BYTES, MADV_HUGEPAGE);
	return (void *)(at + before);
}

struct queue *queue_room_take(struct store *store)
{
	struct queue_slab *slab = store->slabs;
	struct queue *queue;

	if (store->queue_count++ < APART) {
		queue = aligned_alloc(_Alignof(struct queue), sizeof(*queue));
		if (queue)
			memset(queue, 0, sizeof(*queue));
		return queue;
	}
	if (!slab || slab->used == SLAB_QUEUES) {
		slab = map_slab();
		if (!slab)
			return NULL;
		slab->older = store->slabs;
		store->slabs = slab;
	}
	queue = &slab->at[slab->used++];
	queue->in_slab = true;
	return queue;
}

void queue_room_give(struct queue *queue)
{
	if (!queue->in_slab)
		free(queue);
}

void queue_rooms_free(struct store *store)
{
	while (store->slabs) {
		struct queue_slab *slab = store->slabs;

		store->slabs = slab->older;
		munmap(slab, SLAB_BYTES);
	}
}
