/* SPDX-License-Identifier: Apache-2.0 */
/* The tokeniser: jsmn, with what it does not have. jsmn knows no single quotes, so it is fed the
 * stretches between them; it has no limits, so depth is counted ahead of it and its token array
 * grows up to a bound. */
#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "token.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static_assert(sizeof(union json_cell) == sizeof(jsmntok_t), "jsmn writes an array of cells");
static_assert(sizeof(union json_cell) == sizeof(struct json_node),
	      "a document is an array of nodes");

struct cutter {
	const char *text;
	size_t size;
	unsigned flags;
	struct json_limits limits;
	jsmn_parser jsmn;
	struct json_cells cells;
	size_t seen;    /* how far depth has been counted */
	uint32_t depth; /* there */
	struct json_error *error;
};

static int grow(struct cutter *cutter)
{
	uint32_t room = cutter->cells.room ? cutter->cells.room * 2 : 64;
	union json_cell *at;

	if (cutter->cells.room == cutter->limits.nodes)
		return json_fail(cutter->error, cutter->jsmn.pos, "too many values", -E2BIG);
	if (room > cutter->limits.nodes)
		room = cutter->limits.nodes;
	at = realloc(cutter->cells.at, room * sizeof(*at));
	if (!at)
		return json_fail(cutter->error, cutter->jsmn.pos, "out of memory", -ENOMEM);
	cutter->cells.at = at;
	cutter->cells.room = room;
	return 0;
}

/* The offset of the quote that closes the one at open; size if there is none. */
static size_t closing_quote(const struct cutter *cutter, size_t open)
{
	size_t at = open + 1;

	while (at < cutter->size && cutter->text[at] != cutter->text[open])
		at += cutter->text[at] == '\\' ? 2 : 1;
	return at < cutter->size ? at : cutter->size;
}

/* Counts depth up to the next single-quoted text, or to the end; ret_end is where it stopped. */
static int survey(struct cutter *cutter, size_t *ret_end)
{
	size_t at = cutter->seen;

	for (; at < cutter->size; at++) {
		char c = cutter->text[at];

		if (c == '\'' && cutter->flags & JSON_LENIENT)
			break;
		if (c == '"')
			at = closing_quote(cutter, at);
		else if ((c == '{' || c == '[') && ++cutter->depth > cutter->limits.depth)
			return json_fail(cutter->error, at, "nested too deep", -E2BIG);
		else if ((c == '}' || c == ']') && cutter->depth > 0)
			cutter->depth--;
	}
	if (at > cutter->size)
		at = cutter->size;
	cutter->seen = at;
	*ret_end = at;
	return 0;
}

static const char *why_jsmn_stopped(const struct cutter *cutter, int code)
{
	if (cutter->text[cutter->jsmn.pos] == '\0')
		return "a NUL byte";
	return code == JSMN_ERROR_PART ? "a string without end"
				       : "a character that cannot stand here";
}

/* Lets jsmn read on to end. */
static int feed(struct cutter *cutter, size_t end)
{
	for (;;) {
		int code = jsmn_parse(&cutter->jsmn, cutter->text, end,
				      cutter->cells.at ? &cutter->cells.at->token : NULL,
				      cutter->cells.room);

		if (code == JSMN_ERROR_NOMEM) {
			code = grow(cutter);
			if (code)
				return code;
			continue;
		}
		/* At the end of a stretch containers are still open: that is not an error. */
		if (cutter->jsmn.pos < end)
			return json_fail(cutter->error, cutter->jsmn.pos,
					 why_jsmn_stopped(cutter, code), -EINVAL);
		return 0;
	}
}

/* Adds the single-quoted text at the cutter's place, as jsmn would have added a double-quoted
 * one. */
static int add_single_quoted(struct cutter *cutter)
{
	size_t open = cutter->seen, close = closing_quote(cutter, open);
	jsmntok_t *token;

	if (close == cutter->size)
		return json_fail(cutter->error, open, "a string without end", -EINVAL);
	if (cutter->jsmn.toknext == cutter->cells.room) {
		int code = grow(cutter);

		if (code)
			return code;
	}
	token = jsmn_alloc_token(&cutter->jsmn, &cutter->cells.at->token, cutter->cells.room);
	jsmn_fill_token(token, JSMN_STRING, (int)open + 1, (int)close);
	token->parent = cutter->jsmn.toksuper;
	cutter->jsmn.pos = (unsigned)close + 1;
	cutter->seen = close + 1;
	return 0;
}

static int cut_all(struct cutter *cutter)
{
	size_t end;
	int code = grow(cutter);

	while (!code) {
		code = survey(cutter, &end);
		if (!code)
			code = feed(cutter, end);
		if (code || end == cutter->size)
			break;
		code = add_single_quoted(cutter);
	}
	return code;
}

int json_cut(const char *text, size_t size, unsigned flags, const struct json_limits *limits,
	     struct json_cells *ret, struct json_error *error)
{
	struct cutter cutter = {
		.text = text, .size = size, .flags = flags, .limits = *limits, .error = error};
	int code;

	if (size > INT_MAX)
		return json_fail(error, 0, "too long", -E2BIG);
	jsmn_init(&cutter.jsmn);
	code = cut_all(&cutter);
	if (code) {
		free(cutter.cells.at);
		return code;
	}
	cutter.cells.count = cutter.jsmn.toknext;
	*ret = cutter.cells;
	return 0;
}
