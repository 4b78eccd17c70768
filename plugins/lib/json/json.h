/* SPDX-License-Identifier: Apache-2.0 */
/* JSON for headers, bodies and state files: a checked reader and a writer.
 *
 * jsmn cuts the text into tokens; the grammar is checked here, and the structure is rebuilt from
 * the tokens' ranges. Lenient reading takes what fastjson writes and accepts beyond the standard:
 * bare names and integers as keys ({0:"a",b:1}), single quotes, and an object as a key
 * ({{"queueId":0}:{...}}).
 *
 * Depth and number of values are limited; memory comes from malloc and its absence is an error
 * like any other. Nothing here is shared between threads unless the caller does. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <gantry/base.h>
#include <stdbool.h>

GANTRY_BEGIN

/* ---- reading */

enum json_type {
	JSON_OBJECT = 1,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_NULL,
	JSON_NAME, /* an unquoted key; lenient only */
};

/* Flags of json_parse(). Lenient also lets control characters stand in strings. */
enum { JSON_LENIENT = 1 };

/* What json_parse() keeps to when its limits are 0. */
enum { JSON_DEPTH_MAX = 64, JSON_NODES_MAX = 1 << 20 };

/* One value, or one key. Nodes stand in the order of the text; of an object come key, value, key,
 * value. Positions are byte offsets; a string's are those between its quotes. */
struct json_node {
	uint32_t type; /* enum json_type */
	uint32_t start, end;
	uint32_t next;  /* the node after this one and everything in it */
	uint32_t count; /* members of an object, elements of an array; of a string: 1 if it has
			   escapes */
};

struct json_doc {
	const char *text;        /* the caller's, in use until json_free() */
	struct json_node *nodes; /* from malloc; nodes[0] is the whole */
	uint32_t count;
	uint32_t reserved;
};

struct json_error {
	uint32_t offset; /* where in the text */
	uint32_t reserved;
	const char *why; /* static; "expected ':' after a key" */
};

struct json_limits {
	uint32_t depth; /* 0: JSON_DEPTH_MAX; never more than that */
	uint32_t nodes; /* 0: JSON_NODES_MAX */
};

/* Reads the whole text, which must be one value with nothing but white space around it. limits
 * and error may be NULL. -EINVAL: not JSON, and error says where and why; -E2BIG: over a limit;
 * -ENOMEM. On failure *ret is untouched. */
int json_parse(const char *text, size_t size, unsigned flags, const struct json_limits *limits,
	       struct json_doc *ret, struct json_error *error);
void json_free(struct json_doc *doc); /* NULL and zeroed are fine */

/* A place in a document, cheap to copy. A place that is not there has doc == NULL, and every call
 * below takes it: a missing member is as easy to step over as one of the wrong type. */
struct json_value {
	const struct json_doc *doc;
	uint32_t node;
	uint32_t reserved;
};

struct json_value json_root(const struct json_doc *doc);
bool json_is(struct json_value value, enum json_type type);
uint32_t json_count(struct json_value value); /* members or elements; 0 of anything else */

/* The member of that name (the last, if it stands twice), or the i-th element. Linear. */
struct json_value json_get(struct json_value object, const char *name);
struct json_value json_at(struct json_value array, uint32_t i);

/* Walks an object or an array: struct json_iter it = json_iter(v); while (json_next(&it)) ...
 * Of an array, key is absent. */
struct json_iter {
	struct json_value key, value;
	uint32_t at, end;
	bool object;
};
struct json_iter json_iter(struct json_value container);
bool json_next(struct json_iter *iter);

/* The text of a string, name or number as it stands: no copy. Of a string with escapes, of a
 * container and of nothing: false. */
bool json_raw(struct json_value value, struct gantry_str *ret);
/* As json_raw(), but only a text that a writer puts down just as it stands: names that are kept,
 * and written to a file that must be read again. No control characters, quotes, malformed UTF-8. */
bool json_plain(struct json_value value, struct gantry_str *ret);
/* The text with escapes resolved, in UTF-8, into to (room bytes, no NUL is written); only what has
 * escapes is copied, otherwise ret borrows from the text and to may be NULL. A lone surrogate
 * becomes '?', as Java writes it. -EINVAL: no text; -ENOBUFS: room is too small; room of end -
 * start bytes is always enough. Numbers and bare names are texts too. */
int json_text(struct json_value value, char *to, size_t room, struct gantry_str *ret);
/* json_text() into malloc'ed memory that the caller frees, with a NUL after it; NULL if it is no
 * text or there is no memory. Never for what a peer sends on a hot path. */
char *json_strdup(struct json_value value);
/* Whether it is a text that equals this one once unescaped. */
bool json_equals(struct json_value value, const char *text);

/* A number, or a string that is one (fastjson takes both). -EINVAL: it is not an integer; -ERANGE.
 */
int json_int64(struct json_value value, int64_t *ret);
/* true or false, or the strings "true" and "false" in any case. */
int json_bool(struct json_value value, bool *ret);
/* The same with a value for what is missing or of another type. */
int64_t json_int64_or(struct json_value value, int64_t missing);
bool json_bool_or(struct json_value value, bool missing);

/* Resolves the escapes of a string's inside (without quotes): returns the bytes written to to,
 * never more than size, or -EINVAL. to may be from. */
int64_t json_unescape(const char *from, size_t size, char *to);

/* ---- writing */

/* Flags of a writer. PRETTY: tabs and line ends, as RocketMQ's config files have them. ASCII:
 * non-ASCII as \uXXXX and / as \/, as in the strict route reply. */
enum { JSON_PRETTY = 1, JSON_ASCII = 2 };

/* Appends to a buffer that grows up to max bytes. The first failure sticks in error (-ENOMEM,
 * -ENOBUFS for max, -EINVAL for calls in no order), later calls do nothing: check once, at the
 * end. Misnested calls cannot make text that is not JSON. */
struct json_writer {
	char *text; /* from malloc */
	size_t size, room, max;
	int error;
	uint32_t flags;
	uint32_t depth;
	uint32_t reserved;
	uint8_t state[JSON_DEPTH_MAX]; /* private: what is due at each depth */
};

void json_writer_init(struct json_writer *writer, size_t max, unsigned flags);
void json_writer_free(struct json_writer *writer); /* after json_writer_take() nothing is left */
/* Hands the text over (the caller frees it; a NUL stands after it). A negative errno if anything
 * failed or a container is still open; the writer is then freed. */
int json_writer_take(struct json_writer *writer, char **ret, size_t *ret_size);

/* An object that is opened where a key is due is a key, as fastjson writes MessageQueue keys. */
void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_put_key(struct json_writer *writer, const char *name);
void json_put_key_str(struct json_writer *writer, struct gantry_str name);
void json_put_key_int(struct json_writer *writer,
		      int64_t name); /* bare: fastjson's map of integers */
void json_put_string(struct json_writer *writer, const char *text);    /* NULL: null */
void json_put_str(struct json_writer *writer, struct gantry_str text); /* absent: null */
void json_put_int(struct json_writer *writer, int64_t number);
void json_put_double(struct json_writer *writer, double number); /* 0 is 0.0, as in Java */
void json_put_bool(struct json_writer *writer, bool flag);
void json_put_null(struct json_writer *writer);
/* One value that is JSON already; not checked. */
void json_put_literal(struct json_writer *writer, struct gantry_str json);
/* Member in one call. */
void json_member_string(struct json_writer *writer, const char *name, const char *text);
void json_member_str(struct json_writer *writer, const char *name, struct gantry_str text);
void json_member_int(struct json_writer *writer, const char *name, int64_t number);
void json_member_bool(struct json_writer *writer, const char *name, bool flag);

/* A text between quotes as fastjson escapes it: the bytes that it takes, quotes included, and the
 * writing of it, which returns the byte after. */
size_t json_quoted_size(struct gantry_str text);
char *json_quote(char *to, struct gantry_str text);

GANTRY_END
#endif
