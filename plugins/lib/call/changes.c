/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a change of configuration. */
#include "call/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/role.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

static char *skip_blanks(char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

/* Resolves \x and takes blanks off the end, in place. */
static void unescape(char *at)
{
	char *to = at, *end = at;

	while (*at) {
		bool escaped = *at == '\\' && at[1];

		at += escaped;
		*to++ = escaped && *at == 't' ? '\t' : *at;
		if (escaped || !is_blank(*at))
			end = to;
		at++;
	}
	*end = '\0';
}

/* One line, which ends with a NUL. -E2BIG: too many. */
static int add_line(struct call_changes *changes, char *line)
{
	char *key = skip_blanks(line), *end = key, *value;

	if (!*key || *key == '#' || *key == '!')
		return 0;
	while (*end && *end != '=' && *end != ':' && !is_blank(*end))
		end += *end == '\\' && end[1] ? 2 : 1;
	value = skip_blanks(end);
	if (*value == '=' || *value == ':')
		value = skip_blanks(value + 1);
	if (changes->count == CALL_CHANGES_MAX)
		return -E2BIG;
	*end = '\0';
	unescape(key);
	unescape(value);
	changes->list[changes->count++] = (struct gantry_conf_line){key, value};
	return 0;
}

static int read_lines(struct call_changes *changes)
{
	int err = 0;

	for (char *line = changes->text, *next; line && !err; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		err = add_line(changes, line);
	}
	return err;
}

/* Remarks repeat keys, and an answer must be text. Overlong forms and surrogates are let through.
 */
static bool is_utf8(struct gantry_str text)
{
	unsigned follow = 0;

	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.at[i];
		bool continues = (c & 0xc0) == 0x80;

		if (continues != (follow > 0) || c >= 0xf8)
			return false;
		if (continues)
			follow--;
		else
			follow = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	}
	return !follow;
}

int call_changes_read(struct gantry_str body, struct call_changes **ret)
{
	struct call_changes *changes;
	int err;

	if (body.size > CALL_CHANGES_BYTES_MAX || !is_utf8(body) ||
	    (body.size && memchr(body.at, '\0', body.size)))
		return -EINVAL;
	changes = malloc(sizeof(*changes) + body.size + 1);
	if (!changes)
		return -ENOMEM;
	changes->count = 0;
	if (body.size)
		memcpy(changes->text, body.at, body.size);
	changes->text[body.size] = '\0';
	err = read_lines(changes);
	if (err) {
		free(changes);
		return err;
	}
	*ret = changes;
	return 0;
}

static bool has_key(const char *list, const char *key)
{
	size_t size = strlen(key);

	for (const char *at = list; at && *at; at += strcspn(at, ";"), at += *at == ';')
		if (strcspn(at, ";") == size && memcmp(at, key, size) == 0)
			return true;
	return false;
}

bool call_changes_touch(const struct call_changes *changes, const char *list)
{
	for (uint32_t i = 0; i < changes->count; i++)
		if (has_key(list, changes->list[i].key))
			return true;
	return false;
}

int32_t call_changes_code(int err)
{
	switch (err) {
	case -EPERM:
		return GANTRY_NO_PERMISSION;
	case -EINVAL:
	case -ENOENT:
		return GANTRY_INVALID_PARAMETER;
	}
	return GANTRY_SYSTEM_ERROR;
}
