/* SPDX-License-Identifier: Apache-2.0 */
#include "store/expire_rules.h"

#include <stdlib.h>
#include <string.h>

static const char separators[] = "; ,";

/* The next hour of the list; NULL: there is none left. -1: what stands there is no number. */
static const char *next_hour(const char *at, long *ret)
{
	char *end;

	if (!at)
		return NULL;
	at += strspn(at, separators);
	if (!*at)
		return NULL;
	*ret = strtol(at, &end, 10);
	if (end == at || !strchr(separators, *end) || *ret < 0)
		*ret = -1;
	return at + strcspn(at, separators);
}

bool expire_hours_are_good(const char *hours)
{
	long hour = 0;

	while (hour >= 0 && (hours = next_hour(hours, &hour)))
		;
	return hour >= 0;
}

bool expire_is_hour(const char *hours, int hour)
{
	long one;

	while ((hours = next_hour(hours, &one)))
		if (one == hour)
			return true;
	return false;
}

int expire_used_percent(uint64_t total, uint64_t free, uint64_t available)
{
	uint64_t used = total > free ? total - free : 0, whole = used + available;

	if (!total || !whole)
		return -1;
	while (used > UINT64_MAX / 100) {
		used /= 2;
		whole /= 2;
	}
	return (int)(used * 100 / whole + (used * 100 % whole != 0));
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
	if (value < least)
		return least;
	return value > most ? most : value;
}

struct expire_verdict expire_judge(const struct expire_limits *limits, int log, int queues)
{
	int64_t warning = within(limits->warning, 35, 90), forced = within(limits->forced, 30, 85);
	int64_t max_used = within(limits->max_used, 10, 95);
	struct expire_verdict verdict = {EXPIRE_FULL_YES, true, true};

	if (log > warning)
		return verdict;
	/* between the two it stays as it was */
	verdict.full = EXPIRE_FULL_KEEP;
	if (log > forced)
		return verdict;
	verdict.full = queues > warning ? EXPIRE_FULL_YES : EXPIRE_FULL_NO;
	if (queues > warning || queues > forced)
		return verdict;
	verdict.at_once = false;
	verdict.clean = log < 0 || log > max_used || queues < 0 || queues > max_used;
	return verdict;
}
