/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: other values for some keys of a .properties file, which stays as it is otherwise:
 * comments, order, and every other line byte for byte. */
#include "conf/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct editing {
	const struct gantry_conf_line *changes;
	unsigned count;
	const char *at, *end; /* of the file: what is not copied yet */
	unsigned number;      /* of the natural line at `at` */
	GString *to;
	char *written; /* one a change */
};

/* The natural line at `at`, with its end. */
static size_t natural_size(const struct editing *editing)
{
	const char *at = editing->at;

	while (at < editing->end && *at != '\n' && *at != '\r')
		at++;
	if (at < editing->end)
		at += at[0] == '\r' && at + 1 < editing->end && at[1] == '\n' ? 2 : 1;
	return (size_t)(at - editing->at);
}

static int goes_on(const char *line, size_t size)
{
	size_t slashes = 0;

	while (size && (line[size - 1] == '\n' || line[size - 1] == '\r'))
		size--;
	while (slashes < size && line[size - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2;
}

static void copy_until(struct editing *editing, unsigned number)
{
	while (editing->at < editing->end && editing->number < number) {
		size_t size = natural_size(editing);

		g_string_append_len(editing->to, editing->at, (gssize)size);
		editing->at += size;
		editing->number++;
	}
}

static void skip_logical(struct editing *editing)
{
	int more = 1;

	while (more && editing->at < editing->end) {
		size_t size = natural_size(editing);

		more = goes_on(editing->at, size);
		editing->at += size;
		editing->number++;
	}
}

/* As java.util.Properties.store() writes a value; beyond ASCII as \uXXXX, which both brokers read
 * alike. */
static void append_value(GString *to, const char *value)
{
	for (const char *at = value; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		if (c == '\\' || (c == ' ' && at == value))
			g_string_append_printf(to, "\\%c", (char)c);
		else if (c == '\t')
			g_string_append(to, "\\t");
		else if (c < 0x7f)
			g_string_append_c(to, (char)c);
		else if (c < 0x10000)
			g_string_append_printf(to, "\\u%04X", c);
		else
			g_string_append_printf(to, "\\u%04X\\u%04X", 0xd7c0 + (c >> 10),
					       0xdc00 + (c & 0x3ff));
	}
}

static void append_change(struct editing *editing, unsigned i)
{
	if (!editing->written[i]) {
		g_string_append_printf(editing->to, "%s=", editing->changes[i].key);
		append_value(editing->to, editing->changes[i].value);
		g_string_append_c(editing->to, '\n');
	}
	editing->written[i] = 1;
}

static int edit_line(struct gk_line *line, void *user, struct gk_error *error)
{
	struct editing *editing = user;
	struct gk_pair pair;
	unsigned i = 0;

	(void)error;
	if (gk_line_split(line, &pair))
		return 0;
	while (i < editing->count && strcmp(pair.key, editing->changes[i].key) != 0)
		i++;
	if (i == editing->count)
		return 0;
	copy_until(editing, line->number);
	skip_logical(editing);
	append_change(editing, i);
	return 0;
}

int gk_conf_edit(const char *bytes, size_t size, const struct gantry_conf_line *changes,
		 unsigned count, char **ret, size_t *ret_size, struct gk_error *error)
{
	struct editing editing = {changes, count, bytes, bytes + size, 1, NULL, NULL};
	struct gk_text text;
	int code = gk_text_take(bytes, size, "the property file", &text, error);

	if (code)
		return code;
	editing.to = g_string_sized_new(size + 256);
	editing.written = g_malloc0(count + 1);
	code = gk_text_each_line(&text, "the property file", edit_line, &editing, error);
	copy_until(&editing, UINT_MAX);
	if (editing.to->len && editing.to->str[editing.to->len - 1] != '\n')
		g_string_append_c(editing.to, '\n');
	for (unsigned i = 0; i < count; i++)
		append_change(&editing, i);
	free(text.at);
	g_free(editing.written);
	if (code) {
		g_string_free(editing.to, TRUE);
		return code;
	}
	*ret_size = editing.to->len;
	*ret = g_string_free(editing.to, FALSE);
	return 0;
}
