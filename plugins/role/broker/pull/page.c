/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of queues' files that a loop keeps, so that who reads in order asks the system for them
 * once in several pulls. Places that are read by turns have a page each, also those of one queue:
 * a place belongs to a set of a few pages, and takes the one that was not used for longest. */
#include <stdlib.h>

#include "pull/private.h"

enum {
	SETS = 16,
	WAYS = 4, /* pages of a set */
};

struct kept_page {
	int64_t number; /* of the page in its queue */
	uint64_t used;  /* when, counted in reads */
	struct queue_page page;
};

struct pull_pages {
	uint64_t reads;
	struct kept_page pages[SETS][WAYS];
};

struct pull_pages *pull_pages_new(void)
{
	return calloc(1, sizeof(struct pull_pages));
}

void pull_pages_free(struct pull_pages *pages)
{
	free(pages);
}

static struct kept_page *set_of(struct pull_pages *pages, const struct queue *queue, int64_t number)
{
	uint32_t hash =
		((uint32_t)((uintptr_t)queue >> 4) + (uint32_t)number * 40503u) * 2654435769u;

	return pages->pages[hash / (UINT32_MAX / SETS + 1)];
}

static struct kept_page *choose(struct kept_page *set, const struct queue *queue, int64_t number)
{
	struct kept_page *oldest = set;

	for (uint32_t i = 0; i < WAYS; i++) {
		if (set[i].page.queue == queue && set[i].number == number)
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	return oldest;
}

int pull_pages_read(struct pull_pages *pages, struct queue *queue, int64_t at, uint32_t count,
		    struct queue_unit *ret)
{
	int64_t number = at / QUEUE_PAGE;
	struct kept_page *kept = choose(set_of(pages, queue, number), queue, number);
	int got = queue_read_paged(queue, at, count, &kept->page, ret);

	/* entries that are in memory leave the page to whom it belongs */
	if (kept->page.queue == queue) {
		kept->number = number;
		kept->used = ++pages->reads;
	}
	return got;
}
