/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: the key that somebody most likely meant. */
#include "conf/private.h"

#include <string.h>

enum { KEY_MAX = 64 };

/* Edits between two words without regard to case: a letter more, less or other, or two swapped
 * (optimal string alignment). More than limit is limit + 1. */
static unsigned edits(const char *a, const char *b, unsigned limit)
{
	unsigned rows[3][KEY_MAX + 1], *older = rows[0], *old = rows[1], *row = rows[2];
	size_t a_size = strlen(a), b_size = strlen(b);

	if (a_size > KEY_MAX || b_size > KEY_MAX || a_size > b_size + limit ||
	    b_size > a_size + limit)
		return limit + 1;
	for (unsigned k = 0; k <= b_size; k++)
		old[k] = k;
	for (unsigned i = 1; i <= a_size; i++) {
		unsigned best = row[0] = i, *spare = older;

		for (unsigned k = 1; k <= b_size; k++) {
			char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[k - 1]);

			row[k] = MIN(old[k - 1] + (x != y), MIN(old[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && x == g_ascii_tolower(b[k - 2]) &&
			    y == g_ascii_tolower(a[i - 2]))
				row[k] = MIN(row[k], older[k - 2] + 1);
			best = MIN(best, row[k]);
		}
		if (best > limit)
			return limit + 1;
		older = old;
		old = row;
		row = spare;
	}
	return MIN(old[b_size], limit + 1);
}

/* Of a key's words without their order: enableAcl is aclEnable. */
static guint words(const char *key)
{
	guint sum = 0, word = 5381;

	for (; *key; key++) {
		if (g_ascii_isupper(*key) || *key == '.') {
			sum += word * word;
			word = 5381;
		}
		if (*key != '.')
			word = word * 33 + (guint)g_ascii_tolower(*key);
	}
	return sum + word * word;
}

struct gk_hint gk_hint_for(const char *wanted)
{
	size_t size = strlen(wanted);

	/* the first distance that is too far */
	return (struct gk_hint){.wanted = wanted, .distance = size <= 4 ? 2 : size <= 8 ? 3 : 4};
}

void gk_hint_offer(struct gk_hint *hint, const char *candidate)
{
	unsigned distance;

	if (hint->distance == 0)
		return;
	distance = edits(hint->wanted, candidate, hint->distance - 1);
	if (distance > 1 && strlen(candidate) == strlen(hint->wanted) &&
	    words(candidate) == words(hint->wanted))
		distance = 1;
	if (distance < hint->distance) {
		hint->distance = distance;
		hint->best = candidate;
	}
}
