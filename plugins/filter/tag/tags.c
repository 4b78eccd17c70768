/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling tag expressions as RocketMQ's FilterAPI does, and looking hashes up in them. */
#include "tags.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message/properties.h"

struct gantry_filter {
	bool all;
	uint32_t count;
	int32_t codes[]; /* sorted */
};

/* Takes the text before the next "||" off rest; false at the end. */
static bool next_tag(struct gantry_str *rest, struct gantry_str *ret)
{
	const char *bars;

	if (!rest->at)
		return false;
	bars = memmem(rest->at, rest->size, "||", 2);
	ret->at = rest->at;
	ret->size = bars ? (size_t)(bars - rest->at) : rest->size;
	if (bars) {
		rest->size -= ret->size + 2;
		rest->at = bars + 2;
	} else {
		rest->at = NULL;
	}
	return true;
}

/* Java's String.trim(). */
static struct gantry_str trim(struct gantry_str text)
{
	while (text.size && (uint8_t)text.at[0] <= ' ') {
		text.at++;
		text.size--;
	}
	while (text.size && (uint8_t)text.at[text.size - 1] <= ' ')
		text.size--;
	return text;
}

static int compare(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

static void add_tags(struct gantry_filter *filter, struct gantry_str expression)
{
	struct gantry_str tag;

	while (next_tag(&expression, &tag)) {
		tag = trim(tag);
		if (tag.size)
			filter->codes[filter->count++] = message_java_hash(tag);
	}
	qsort(filter->codes, filter->count, sizeof(filter->codes[0]), compare);
}

int tags_compile(struct gantry_str expression, struct gantry_filter **ret, char *why,
		 size_t why_size)
{
	struct gantry_filter *filter;
	struct gantry_str rest = expression, tag;
	bool all = !expression.size || (expression.size == 1 && expression.at[0] == '*');
	bool named = all;
	size_t tags = 0;

	while (!all && next_tag(&rest, &tag)) {
		tags++;
		named |= tag.size > 0;
	}
	if (!named) {
		snprintf(why, why_size, "subString split error");
		return -EINVAL;
	}
	filter = calloc(1, sizeof(*filter) + tags * sizeof(filter->codes[0]));
	if (!filter) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	filter->all = all;
	if (!all)
		add_tags(filter, expression);
	*ret = filter;
	return 0;
}

void tags_free(struct gantry_filter *filter)
{
	free(filter);
}

int tags_match(const struct gantry_filter *filter, int64_t tag_code)
{
	int32_t code = (int32_t)tag_code;
	uint32_t from = 0, to = filter->count;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (filter->codes[middle] == code)
			return 1;
		if (filter->codes[middle] < code)
			from = middle + 1;
		else
			to = middle;
	}
	return filter->all;
}
