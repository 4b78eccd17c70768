/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar check. It walks text and tokens side by side: a token must begin where the grammar
 * wants a value, between tokens stands punctuation, and a container ends where its bracket is.
 * jsmn's own idea of parents and sizes is not used: it is wrong for objects as keys. */
#include "text.h"
#include "token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct checker {
	const char *text;
	size_t size, at;
	union json_cell *cells;
	uint32_t count, next; /* next: the first cell that is still a token */
	unsigned flags;
	struct json_error *error;
};

static int check_value(struct checker *c);

static int fail(struct checker *c, const char *why)
{
	return json_fail(c->error, c->at, why, -EINVAL);
}

/* The next character that is no white space; NUL at the end, as no text holds one. */
static char peek(struct checker *c)
{
	for (; c->at < c->size; c->at++) {
		char next = c->text[c->at];

		if (next != ' ' && next != '\t' && next != '\r' && next != '\n')
			return next;
	}
	return '\0';
}

/* The next token, if it begins right here. */
static const jsmntok_t *token_here(struct checker *c)
{
	const jsmntok_t *token;

	peek(c);
	if (c->next == c->count)
		return NULL;
	token = &c->cells[c->next].token;
	return (size_t)token->start - (token->type == JSMN_STRING) == c->at ? token : NULL;
}

static uint32_t put_node(struct checker *c, enum json_type type, size_t start, size_t end)
{
	uint32_t i = c->next++;

	c->cells[i].node = (struct json_node){
		.type = type, .start = (uint32_t)start, .end = (uint32_t)end, .next = c->next};
	return i;
}

static int check_string(struct checker *c, const jsmntok_t *token)
{
	size_t start = (size_t)token->start, end = (size_t)token->end;
	const char *inside = c->text + start;
	bool escapes = memchr(inside, '\\', end - start) != NULL;

	if (!(c->flags & JSON_LENIENT)) {
		for (c->at = start; c->at < end; c->at++)
			if ((unsigned char)c->text[c->at] < 0x20)
				return fail(c, "a control character in a string");
	}
	if (escapes && json_unescaped_size(inside, end - start) < 0) {
		c->at = start;
		return fail(c, "an escape that JSON does not have");
	}
	c->cells[put_node(c, JSON_STRING, start, end)].node.count = escapes;
	c->at = end + 1;
	return 0;
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_number(const char *at, const char *end)
{
	const char *from;

	at += at < end && *at == '-';
	from = at;
	at = skip_digits(at, end);
	if (at == from || (*from == '0' && at - from > 1))
		return false;
	if (at < end && *at == '.') {
		from = ++at;
		at = skip_digits(at, end);
		if (at == from)
			return false;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < end && (*at == '+' || *at == '-');
		from = at;
		at = skip_digits(at, end);
		if (at == from)
			return false;
	}
	return at == end;
}

static bool is_word(const char *at, size_t size, const char *word)
{
	return size == strlen(word) && memcmp(at, word, size) == 0;
}

static int check_primitive(struct checker *c, const jsmntok_t *token)
{
	size_t start = (size_t)token->start, end = (size_t)token->end;
	const char *at = c->text + start;
	enum json_type type;

	if (is_number(at, c->text + end))
		type = JSON_NUMBER;
	else if (is_word(at, end - start, "true") || is_word(at, end - start, "false"))
		type = JSON_BOOL;
	else if (is_word(at, end - start, "null"))
		type = JSON_NULL;
	else
		return fail(c, "expected a value");
	put_node(c, type, start, end);
	c->at = end;
	return 0;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
	       (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

/* An identifier or an integer. */
static int check_bare_key(struct checker *c, const jsmntok_t *token)
{
	size_t start = (size_t)token->start, end = (size_t)token->end;
	const char *at = c->text + start, *stop = c->text + end;
	const char *digits = at + (*at == '-');

	if (digits == stop || skip_digits(digits, stop) != stop)
		for (const char *p = at; p < stop; p++)
			if (!is_name_char(*p, p == at))
				return fail(c, "expected a key");
	put_node(c, JSON_NAME, start, end);
	c->at = end;
	return 0;
}

static int check_key(struct checker *c)
{
	const jsmntok_t *token = token_here(c);

	if (!token)
		return fail(c, "expected a key");
	if (token->type == JSMN_STRING)
		return check_string(c, token);
	if (!(c->flags & JSON_LENIENT) || token->type == JSMN_ARRAY)
		return fail(c, "expected a key in double quotes");
	return token->type == JSMN_OBJECT ? check_value(c) : check_bare_key(c, token);
}

static int check_member(struct checker *c)
{
	int code = check_key(c);

	if (code)
		return code;
	if (peek(c) != ':')
		return fail(c, "expected ':' after a key");
	c->at++;
	return check_value(c);
}

static int check_container(struct checker *c, enum json_type type)
{
	char close = type == JSON_OBJECT ? '}' : ']';
	uint32_t i = put_node(c, type, c->at, 0);
	uint32_t count = 0;

	c->at++;
	if (peek(c) != close) {
		for (;;) {
			int code = type == JSON_OBJECT ? check_member(c) : check_value(c);

			if (code)
				return code;
			count++;
			if (peek(c) != ',')
				break;
			c->at++;
		}
	}
	if (peek(c) != close)
		return fail(c, type == JSON_OBJECT ? "expected ',' or '}'" : "expected ',' or ']'");
	c->at++;
	c->cells[i].node.end = (uint32_t)c->at;
	c->cells[i].node.next = c->next;
	c->cells[i].node.count = count;
	return 0;
}

/* Recurses no deeper than the limit that the tokeniser kept. */
static int check_value(struct checker *c)
{
	const jsmntok_t *token = token_here(c);

	if (!token)
		return fail(c, "expected a value");
	switch (token->type) {
	case JSMN_OBJECT:
		return check_container(c, JSON_OBJECT);
	case JSMN_ARRAY:
		return check_container(c, JSON_ARRAY);
	case JSMN_STRING:
		return check_string(c, token);
	default:
		return check_primitive(c, token);
	}
}

static int check_all(struct checker *c)
{
	int code = check_value(c);

	if (code)
		return code;
	peek(c);
	if (c->at < c->size || c->next < c->count)
		return fail(c, "more text after the value");
	return 0;
}

int json_parse(const char *text, size_t size, unsigned flags, const struct json_limits *limits,
	       struct json_doc *ret, struct json_error *error)
{
	struct json_limits allowed = {JSON_DEPTH_MAX, JSON_NODES_MAX};
	struct json_error ignored;
	struct json_cells cells = {0};
	struct checker checker = {.text = text, .size = size, .flags = flags};
	int code;

	if (limits && limits->depth && limits->depth < allowed.depth)
		allowed.depth = limits->depth;
	if (limits && limits->nodes)
		allowed.nodes = limits->nodes;
	checker.error = error ? error : &ignored;
	code = json_cut(text, size, flags, &allowed, &cells, checker.error);
	if (code)
		return code;
	checker.cells = cells.at;
	checker.count = cells.count;
	code = check_all(&checker);
	if (code) {
		free(cells.at);
		return code;
	}
	*ret = (struct json_doc){.text = text, .nodes = &cells.at->node, .count = cells.count};
	return 0;
}

void json_free(struct json_doc *doc)
{
	if (!doc)
		return;
	free(doc->nodes);
	*doc = (struct json_doc){0};
}
