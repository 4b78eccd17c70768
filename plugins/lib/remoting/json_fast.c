/* SPDX-License-Identifier: Apache-2.0 */
/* The pass that nearly every header takes: flat JSON, known names, fields that are strings. It
 * allocates nothing and copies only texts that have escapes (the separators 0x01 and 0x02 of
 * message properties come as \u0001 and \u0002). Whatever it does not expect it leaves to the full
 * parser: it never decides that a header is wrong.
 *
 * Every take_ function gets the place where it begins and returns the one where it ends, or NULL
 * for something unexpected: the place stays in a register, and that is where the speed is. */
#include "decode.h"
#include "run.h"

#include <errno.h>

struct pass {
	const char *end;
	struct remoting_scratch *scratch;
	struct remoting_header *header;
	uint32_t first; /* field of the scratch that is ours */
	bool fields_seen, too_many;
	const char **why;
};

ALWAYS bool is_char(const char *at, const char *end, char c)
{
	return at < end && *at == c;
}

ALWAYS const char *skip_blanks(const char *at, const char *end)
{
	while (is_char(at, end, ' '))
		at++;
	return at;
}

ALWAYS int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The ASCII character of the escape at *at, which moves past it; -1: something else. */
ALWAYS int take_escape(const char **at, const char *end)
{
	const char *from = *at;
	int high, low;

	if (end - from < 6)
		return -1;
	if (from[1] == 'u') {
		high = hex_digit(from[4]);
		low = hex_digit(from[5]);
		*at += 6;
		return from[2] == '0' && from[3] == '0' && high >= 0 && high < 8 && low >= 0
			       ? high << 4 | low
			       : -1;
	}
	*at += 2;
	switch (from[1]) {
	case '"':
	case '\\':
	case '/':
		return from[1];
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	default:
		return -1;
	}
}

/* A string that has escapes, into the scratch. from: behind its opening quote. */
static const char *take_escaped(const struct pass *pass, const char *from, struct gantry_str *ret)
{
	struct remoting_scratch *scratch = pass->scratch;
	char *start = scratch->text + scratch->text_used, *to = start;

	if ((size_t)(pass->end - from) + REMOTING_SLACK > scratch->text_room - scratch->text_used)
		return NULL;
	for (;;) {
		int c;

		to = run_copy(to, &from, pass->end);
		if (from == pass->end)
			return NULL;
		if (*from == '"')
			break;
		c = *from == '\\' ? take_escape(&from, pass->end) : -1;
		if (c < 0)
			return NULL;
		*to++ = (char)c;
	}
	scratch->text_used += (size_t)(to - start);
	*ret = (struct gantry_str){start, (size_t)(to - start)};
	return from + 1;
}

ALWAYS const char *take_string(const struct pass *pass, const char *at, struct gantry_str *ret)
{
	const char *from = at + 1, *stop;

	if (!is_char(at, pass->end, '"'))
		return NULL;
	stop = run_end(from, pass->end);
	if (is_char(stop, pass->end, '\\'))
		return take_escaped(pass, from, ret);
	if (!is_char(stop, pass->end, '"'))
		return NULL;
	*ret = (struct gantry_str){from, (size_t)(stop - from)};
	return stop + 1;
}

static const char *take_int32(const char *at, const char *end, int32_t *ret)
{
	bool negative = is_char(at, end, '-');
	const char *from = at + negative;
	int64_t value = 0;

	for (at = from; at < end && at - from < 10 && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (*at - '0');
	if (at == from || (*from == '0' && at - from > 1))
		return NULL;
	if (negative)
		value = -value;
	if (value < INT32_MIN || value > INT32_MAX)
		return NULL;
	*ret = (int32_t)value;
	return at;
}

static const char *take_language(const struct pass *pass, const char *at)
{
	struct gantry_str name;

	at = take_string(pass, at, &name);
	if (at)
		pass->header->language = remoting_language_code(name);
	return at;
}

/* The name of a field with its colon. */
ALWAYS const char *take_name(const struct pass *pass, const char *at, struct gantry_str *ret)
{
	/* The short form of sends has names of one letter: guessing that costs less than a search.
	 */
	if (pass->end - at >= 4 && at[0] == '"' && at[1] >= 'a' && at[2] == '"' && at[3] == ':') {
		*ret = (struct gantry_str){at + 1, 1};
		return at + 4;
	}
	at = take_string(pass, at, ret);
	return at && is_char(at, pass->end, ':') ? at + 1 : NULL;
}

static const char *take_fields(struct pass *pass, const char *at)
{
	const char *end = pass->end;

	if (pass->fields_seen || !is_char(at, end, '{'))
		return NULL;
	pass->fields_seen = true;
	if (is_char(at + 1, end, '}'))
		return at + 2;
	do {
		struct gantry_field *field =
			remoting_scratch_field(pass->scratch, pass->first, pass->why);

		if (!field) {
			pass->too_many = true;
			return NULL;
		}
		at = take_name(pass, skip_blanks(at + 1, end), &field->name);
		if (at)
			at = take_string(pass, skip_blanks(at, end), &field->value);
		if (!at)
			return NULL;
	} while (is_char(at, end, ','));
	return is_char(at, end, '}') ? at + 1 : NULL;
}

/* The place behind a name and its blanks, if that is what stands here. */
ALWAYS const char *after(const char *at, const char *end, const char *name, size_t size)
{
	if ((size_t)(end - at) < size || memcmp(at, name, size) != 0)
		return NULL;
	return skip_blanks(at + size, end);
}
#define AFTER(at, end, name) after(at, end, name, sizeof(name) - 1)

static const char *take_member(struct pass *pass, const char *at)
{
	struct remoting_header *header = pass->header;
	const char *end = pass->end, *value;
	struct gantry_str serialization;

	if ((value = AFTER(at, end, "\"code\":")))
		return take_int32(value, end, &header->code);
	if ((value = AFTER(at, end, "\"extFields\":")))
		return take_fields(pass, value);
	if ((value = AFTER(at, end, "\"flag\":")))
		return take_int32(value, end, &header->flag);
	if ((value = AFTER(at, end, "\"language\":")))
		return take_language(pass, value);
	if ((value = AFTER(at, end, "\"opaque\":")))
		return take_int32(value, end, &header->opaque);
	if ((value = AFTER(at, end, "\"serializeTypeCurrentRPC\":")))
		return take_string(pass, value, &serialization);
	if ((value = AFTER(at, end, "\"version\":")))
		return take_int32(value, end, &header->version);
	if ((value = AFTER(at, end, "\"remark\":")))
		return take_string(pass, value, &header->remark);
	return NULL;
}

static bool take_header(struct pass *pass, const char *at)
{
	const char *end = pass->end;

	if (!is_char(at, end, '{'))
		return false;
	do {
		at = take_member(pass, skip_blanks(at + 1, end));
		if (!at)
			return false;
	} while (is_char(at, end, ','));
	if (!is_char(at, end, '}'))
		return false;
	for (at++; at < end; at++)
		if (*at != '\n' && *at != ' ')
			return false;
	return true;
}

int remoting_json_fast(struct gantry_str text, struct remoting_scratch *scratch,
		       struct remoting_header *ret, const char **why)
{
	struct remoting_header before = *ret;
	size_t text_used = scratch->text_used;
	struct pass pass = {.end = text.at + text.size,
			    .scratch = scratch,
			    .header = ret,
			    .first = scratch->field_used,
			    .why = why};

	if (take_header(&pass, text.at))
		return 1;
	scratch->text_used = text_used;
	scratch->field_used = pass.first;
	*ret = before;
	return pass.too_many ? -E2BIG : 0;
}
