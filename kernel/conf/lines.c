/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: logical lines and their pairs. The rules are those of java.util.Properties.load
 * (its documentation describes them; where it is silent, Java 17 was asked, see
 * conf/lines_test.cc), so that a file means the same to both brokers. */
#include "conf/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static int is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

struct reader {
	const char *at, *end;
	unsigned number; /* of the natural line that begins at `at` */
	GString *line;
};

/* Takes the next natural line without its leading blanks and without its end. */
static size_t next_natural(struct reader *reader, const char **ret)
{
	const char *from = reader->at, *to;

	while (from < reader->end && is_blank(*from))
		from++;
	for (to = from; to < reader->end && !is_line_end(*to);)
		to++;
	reader->at = to;
	if (reader->at < reader->end) {
		int two = *to == '\r' && to + 1 < reader->end && to[1] == '\n';

		reader->at += two ? 2 : 1;
	}
	reader->number++;
	*ret = from;
	return (size_t)(to - from);
}

static int ends_in_backslash(const char *at, size_t size)
{
	size_t count = 0;

	while (count < size && at[size - 1 - count] == '\\')
		count++;
	return count % 2;
}

/* 1 with a line, 0 at the end, -EMSGSIZE. */
static int next_logical(struct reader *reader, struct gk_line *ret)
{
	unsigned number = 0;
	int more = 0;

	g_string_truncate(reader->line, 0);
	while (reader->at < reader->end && (reader->line->len == 0 || more)) {
		const char *at;
		size_t size;
		unsigned here = reader->number;

		size = next_natural(reader, &at);
		if (reader->line->len == 0) {
			if (size == 0 || *at == '#' || *at == '!')
				continue;
			number = here;
		}
		more = ends_in_backslash(at, size);
		if (reader->line->len + size > GK_LINE_MAX) {
			ret->number = number;
			return -EMSGSIZE;
		}
		g_string_append_len(reader->line, at, (gssize)(size - (size_t)more));
	}
	if (number == 0)
		return 0;
	*ret = (struct gk_line){reader->line->str, reader->line->len, number};
	return 1;
}

int gk_text_each_line(const struct gk_text *text, const char *shown,
		      int (*each)(struct gk_line *line, void *user, struct gk_error *error),
		      void *user, struct gk_error *error)
{
	struct reader reader = {text->at, text->at + text->size, 1, g_string_new(NULL)};
	struct gk_line line;
	unsigned count = 0;
	int code;

	while ((code = next_logical(&reader, &line)) > 0) {
		if (++count > GK_KEYS_MAX) {
			code = gk_conf_fail(error, -E2BIG, "%s:%u: more than %d keys", shown,
					    line.number, GK_KEYS_MAX);
			break;
		}
		code = each(&line, user, error);
		if (code)
			break;
	}
	if (code == -EMSGSIZE)
		gk_conf_fail(error, code, "%s:%u: a line of more than %d bytes", shown, line.number,
			     GK_LINE_MAX);
	g_string_free(reader.line, TRUE);
	return code;
}

/* The four digits of a \uXXXX; -1 if they are none. */
static int32_t hex4(const char *at, const char *end)
{
	int32_t code = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = g_ascii_xdigit_value(at[i]);

		if (digit < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

/* Resolves the \uXXXX at *at, with the low surrogate that may follow. */
static const char *unescape_unicode(const char **at, const char *end, char **to)
{
	int32_t code = hex4(*at + 2, end);

	if (code < 0)
		return "a \\u without four hexadecimal digits";
	if (code == 0)
		return "a \\u0000";
	*at += 6;
	if (code >= 0xd800 && code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' &&
	    (*at)[1] == 'u') {
		int32_t low = hex4(*at + 2, end);

		if (low >= 0xdc00 && low < 0xe000) {
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			*at += 6;
		}
	}
	if (code >= 0xd800 && code < 0xe000)
		code = 0xfffd; /* half a pair */
	*to += g_unichar_to_utf8((gunichar)code, *to);
	return NULL;
}

/* Resolves the escapes of [from, end) in place: the result is never longer. */
static const char *unescape(char *from, const char *end, char **ret_end)
{
	static const char names[] = "tnrf", codes[] = "\t\n\r\f";
	const char *at = from;
	char *to = from;

	while (at < end) {
		const char *name;

		if (*at != '\\') {
			*to++ = *at++;
		} else if (at + 1 == end) {
			break;
		} else if (at[1] == 'u') {
			const char *problem = unescape_unicode(&at, end, &to);

			if (problem)
				return problem;
		} else {
			name = strchr(names, at[1]);
			*to++ = name ? codes[name - names] : at[1];
			at += 2;
		}
	}
	*ret_end = to;
	return NULL;
}

static char *key_end(const struct gk_line *line)
{
	char *at = line->text;

	while (*at && *at != '=' && *at != ':' && !is_blank(*at))
		at += at[0] == '\\' && at[1] ? 2 : 1;
	return at;
}

const char *gk_line_split(struct gk_line *line, struct gk_pair *ret)
{
	char *end = line->text + line->size, *key_to = key_end(line), *value = key_to;
	struct gk_pair pair = {.key = line->text};
	const char *problem;

	while (is_blank(*value))
		value++;
	if (*value == '=' || *value == ':')
		value++;
	while (is_blank(*value))
		value++;
	for (char *at = value; at < end; at++)
		if ((unsigned char)*at & 0x80)
			pair.flags |= GK_ENTRY_UTF8;
	pair.value = value;
	problem = unescape(pair.key, key_to, &key_to);
	if (!problem)
		problem = unescape(value, end, &end);
	if (problem)
		return problem;
	while (end > value && (is_blank(end[-1]) || is_line_end(end[-1]))) {
		end--;
		pair.flags |= GK_ENTRY_BLANKS;
	}
	while (is_blank(*pair.value) && pair.value < end)
		pair.value++; /* an escaped one: RocketMQ trims it too */
	*key_to = *end = 0;
	*ret = pair;
	return NULL;
}

int gk_has_comment(const char *value)
{
	return strstr(value, " #") || strstr(value, "\t#");
}
