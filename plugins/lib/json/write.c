/* SPDX-License-Identifier: Apache-2.0 */
/* The writer. It remembers for every open container what is due, so commas, colons and line ends
 * come by themselves and a call in the wrong place is an error, never broken text. */
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum due {
	DUE_TOP,     /* the one value */
	DUE_NOTHING, /* it has been written */
	DUE_FIRST_ELEMENT,
	DUE_ELEMENT,
	DUE_FIRST_KEY,
	DUE_KEY,
	DUE_KEY_END, /* an object that is a key is being written */
	DUE_VALUE,
};

void json_writer_init(struct json_writer *writer, size_t max, unsigned flags)
{
	*writer = (struct json_writer){.max = max, .flags = flags};
}

void json_writer_free(struct json_writer *writer)
{
	free(writer->text);
	writer->text = NULL;
	writer->size = writer->room = 0;
}

static void fail(struct json_writer *writer, int code)
{
	if (!writer->error)
		writer->error = code;
}

/* Makes room for more bytes and the NUL; NULL if there is none. */
static char *reserve(struct json_writer *writer, size_t more)
{
	size_t room = writer->room ? writer->room : 256;
	char *text;

	if (writer->error)
		return NULL;
	if (more >= writer->max || writer->size > writer->max - more) {
		fail(writer, -ENOBUFS);
		return NULL;
	}
	while (room <= writer->size + more)
		room *= 2;
	if (room != writer->room) {
		text = realloc(writer->text, room);
		if (!text) {
			fail(writer, -ENOMEM);
			return NULL;
		}
		writer->text = text;
		writer->room = room;
	}
	return writer->text + writer->size;
}

static void put(struct json_writer *writer, const char *from, size_t size)
{
	char *to = reserve(writer, size);

	if (!to)
		return;
	memcpy(to, from, size);
	writer->size += size;
}

static void put_quoted(struct json_writer *writer, struct gantry_str text)
{
	bool ascii = writer->flags & JSON_ASCII;
	size_t size = json_escaped_size(text, ascii) + 2;
	char *to = reserve(writer, size);

	if (!to)
		return;
	*to++ = '"';
	to = json_escape(to, text, ascii);
	*to = '"';
	writer->size += size;
}

static void put_line(struct json_writer *writer, uint32_t depth)
{
	char *to;

	if (!(writer->flags & JSON_PRETTY))
		return;
	to = reserve(writer, depth + 1);
	if (!to)
		return;
	*to = '\n';
	memset(to + 1, '\t', depth);
	writer->size += depth + 1;
}

/* What stands before a value; object: it is one, and may be a key. */
static void begin_value(struct json_writer *writer, bool object)
{
	uint8_t *due = &writer->state[writer->depth];

	switch (*due) {
	case DUE_TOP:
		*due = DUE_NOTHING;
		return;
	case DUE_VALUE:
		*due = DUE_KEY;
		return;
	case DUE_ELEMENT:
		put(writer, ",", 1);
		break;
	case DUE_FIRST_ELEMENT:
		*due = DUE_ELEMENT;
		break;
	case DUE_KEY:
	case DUE_FIRST_KEY:
		if (object) {
			if (*due == DUE_KEY)
				put(writer, ",", 1);
			*due = DUE_KEY_END;
			break;
		}
		/* fall through */
	default:
		fail(writer, -EINVAL);
	}
	put_line(writer, writer->depth);
}

static void open_container(struct json_writer *writer, bool object)
{
	begin_value(writer, object);
	if (writer->depth + 1 == JSON_DEPTH_MAX)
		fail(writer, -E2BIG);
	if (writer->error)
		return;
	put(writer, object ? "{" : "[", 1);
	writer->state[++writer->depth] = object ? DUE_FIRST_KEY : DUE_FIRST_ELEMENT;
}

static void close_container(struct json_writer *writer, bool object)
{
	uint8_t due = writer->state[writer->depth];
	bool empty = due == (object ? DUE_FIRST_KEY : DUE_FIRST_ELEMENT);

	if (!empty && due != (object ? DUE_KEY : DUE_ELEMENT))
		fail(writer, -EINVAL);
	if (writer->error)
		return;
	writer->depth--;
	if (!empty)
		put_line(writer, writer->depth);
	put(writer, object ? "}" : "]", 1);
	if (writer->state[writer->depth] == DUE_KEY_END) {
		put(writer, ":", 1);
		writer->state[writer->depth] = DUE_VALUE;
	}
}

void json_open_object(struct json_writer *writer)
{
	open_container(writer, true);
}

void json_close_object(struct json_writer *writer)
{
	close_container(writer, true);
}

void json_open_array(struct json_writer *writer)
{
	open_container(writer, false);
}

void json_close_array(struct json_writer *writer)
{
	close_container(writer, false);
}

static void begin_key(struct json_writer *writer)
{
	uint8_t *due = &writer->state[writer->depth];

	if (*due == DUE_KEY)
		put(writer, ",", 1);
	else if (*due != DUE_FIRST_KEY)
		fail(writer, -EINVAL);
	put_line(writer, writer->depth);
	*due = DUE_VALUE;
}

void json_put_key_str(struct json_writer *writer, struct gantry_str name)
{
	begin_key(writer);
	put_quoted(writer, name);
	put(writer, ":", 1);
}

void json_put_key(struct json_writer *writer, const char *name)
{
	json_put_key_str(writer, (struct gantry_str){name, strlen(name)});
}

static void put_number(struct json_writer *writer, int64_t number)
{
	char text[24];
	int size = snprintf(text, sizeof(text), "%" PRId64, number);

	put(writer, text, (size_t)size);
}

void json_put_key_int(struct json_writer *writer, int64_t name)
{
	begin_key(writer);
	put_number(writer, name);
	put(writer, ":", 1);
}

void json_put_literal(struct json_writer *writer, struct gantry_str json)
{
	begin_value(writer, false);
	put(writer, json.at, json.size);
}

void json_put_null(struct json_writer *writer)
{
	json_put_literal(writer, (struct gantry_str){"null", 4});
}

void json_put_str(struct json_writer *writer, struct gantry_str text)
{
	if (!text.at) {
		json_put_null(writer);
		return;
	}
	begin_value(writer, false);
	put_quoted(writer, text);
}

void json_put_string(struct json_writer *writer, const char *text)
{
	json_put_str(writer, (struct gantry_str){text, text ? strlen(text) : 0});
}

void json_put_int(struct json_writer *writer, int64_t number)
{
	begin_value(writer, false);
	put_number(writer, number);
}

void json_put_bool(struct json_writer *writer, bool flag)
{
	json_put_literal(writer,
			 flag ? (struct gantry_str){"true", 4} : (struct gantry_str){"false", 5});
}

/* The shortest digits that read back as the same number: d.ddde+xx. */
static void shortest(double number, char *to, size_t room)
{
	for (int precision = 0; precision < 17; precision++) {
		snprintf(to, room, "%.*e", precision, number);
		if (strtod(to, NULL) == number)
			return;
	}
}

/* As Double.toString: plain from 10^-3 to 10^7 with at least one decimal, else d.dE7. */
void json_put_double(struct json_writer *writer, double number)
{
	char digits[32], text[48];
	double size = fabs(number);
	char *e;

	if (!isfinite(number)) {
		json_put_null(writer);
		return;
	}
	shortest(number, digits, sizeof(digits));
	e = strchr(digits, 'e');
	if (size == 0 || (size >= 1e-3 && size < 1e7)) {
		const char *point = memchr(digits, '.', (size_t)(e - digits));
		int decimals = (point ? (int)(e - point) - 1 : 0) - (int)strtol(e + 1, NULL, 10);

		snprintf(text, sizeof(text), "%.*f", decimals > 1 ? decimals : 1, number);
	} else {
		int mantissa = (int)(e - digits);

		snprintf(text, sizeof(text), "%.*s%sE%ld", mantissa, digits,
			 memchr(digits, '.', (size_t)mantissa) ? "" : ".0",
			 strtol(e + 1, NULL, 10));
	}
	json_put_literal(writer, (struct gantry_str){text, strlen(text)});
}

void json_member_string(struct json_writer *writer, const char *name, const char *text)
{
	json_put_key(writer, name);
	json_put_string(writer, text);
}

void json_member_str(struct json_writer *writer, const char *name, struct gantry_str text)
{
	json_put_key(writer, name);
	json_put_str(writer, text);
}

void json_member_int(struct json_writer *writer, const char *name, int64_t number)
{
	json_put_key(writer, name);
	json_put_int(writer, number);
}

void json_member_bool(struct json_writer *writer, const char *name, bool flag)
{
	json_put_key(writer, name);
	json_put_bool(writer, flag);
}

int json_writer_take(struct json_writer *writer, char **ret, size_t *ret_size)
{
	if (writer->state[0] != DUE_NOTHING || writer->depth)
		fail(writer, -EINVAL);
	if (writer->error) {
		json_writer_free(writer);
		return writer->error;
	}
	writer->text[writer->size] = '\0';
	*ret = writer->text;
	*ret_size = writer->size;
	writer->text = NULL;
	json_writer_free(writer);
	return 0;
}
