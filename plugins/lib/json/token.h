/* SPDX-License-Identifier: Apache-2.0 */
/* Between the tokeniser and the grammar check; private to this library. */
#ifndef JSON_TOKEN_H
#define JSON_TOKEN_H

#include <json/json.h>

#ifndef JSMN_PARENT_LINKS
#define JSMN_PARENT_LINKS /* without them closing a bracket searches backwards: quadratic */
#define JSMN_HEADER
#endif
#include <jsmn.h>

/* A token until the grammar check has seen it, then the node that takes its place. */
union json_cell {
	jsmntok_t token;
	struct json_node node;
};

struct json_cells {
	union json_cell *at; /* from malloc */
	uint32_t count, room;
};

/* Cuts the text into tokens, in the order of their first bytes. Of a container that is never
 * closed, end is -1. Results as of json_parse(); on failure nothing is left in ret. */
int json_cut(const char *text, size_t size, unsigned flags, const struct json_limits *limits,
	     struct json_cells *ret, struct json_error *error);

static inline int json_fail(struct json_error *error, size_t offset, const char *why, int code)
{
	error->offset = (uint32_t)offset;
	error->why = why;
	return code;
}

#endif
