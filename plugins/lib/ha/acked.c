/* SPDX-License-Identifier: Apache-2.0 */
#include "acked.h"

#include <stdlib.h>

static int by_offset(const void *left, const void *right)
{
	const struct ha_standing *a = left, *b = right;

	return a->acked < b->acked ? 1 : a->acked > b->acked ? -1 : 0;
}

/* Those of a host together, whom nobody doubts first, then whoever has most. */
static int by_host(const void *left, const void *right)
{
	const struct ha_standing *a = left, *b = right;

	if (a->host != b->host)
		return a->host < b->host ? -1 : 1;
	if (a->doubted != b->doubted)
		return a->doubted ? 1 : -1;
	return by_offset(left, right);
}

/* Leaves one for each slave that is certain to be another one. What doubted ones of a host have,
 * one slave there has at least: whoever else has most there. Returns how many are left. */
static unsigned certain_ones(struct ha_standing *all, unsigned known)
{
	unsigned left = 0, best = 0;

	for (unsigned i = 0; i < known; ++i) {
		bool first = i == 0 || all[i].host != all[best].host;

		if (first)
			best = left;
		if (first || !all[i].doubted)
			all[left++] = all[i];
		else if (all[i].acked > all[best].acked)
			all[best].acked = all[i].acked;
	}
	return left;
}

void ha_count(struct ha_standing *all, unsigned known, unsigned count, struct ha_held *ret)
{
	*ret = (struct ha_held){.enough = known >= count};
	if (!ret->enough)
		return;
	qsort(all, known, sizeof(all[0]), by_offset);
	ret->end = all[count - 1].acked;
	qsort(all, known, sizeof(all[0]), by_host);
	known = certain_ones(all, known);
	if (known < count)
		return;
	qsort(all, known, sizeof(all[0]), by_offset);
	ret->sure = all[count - 1].acked;
}
