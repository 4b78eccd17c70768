/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of property files: finding a key's value, putting others in the place of some. */
#include <string.h>

#include "cluster.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

/* The key that a line begins with, as size bytes from the result; size 0: a comment or nothing. */
static const char *key_of(const char *line, size_t *ret_size)
{
	const char *key = skip_blanks(line);
	size_t size = strcspn(key, "=: \t\f\r");
	*ret_size = *key == '#' || *key == '!' ? 0 : size;
	return key;
}

static bool has_key(const char *line, const char *key)
{
	size_t size;
	const char *at = key_of(line, &size);
	return size == strlen(key) && memcmp(at, key, size) == 0;
}

char *properties_value(const char *text, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	char *value = NULL;
	for (char **line = lines; *line; line++) {
		size_t size;
		if (!has_key(*line, key))
			continue;
		const char *at = skip_blanks(key_of(*line, &size) + strlen(key));
		if (*at == '=' || *at == ':')
			at++;
		g_free(value);
		value = g_strstrip(g_strdup(at));
	}
	return value;
}

char *properties_replace(const char *text, const char *const *pairs)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *to = g_string_new(NULL);
	for (char **line = lines; *line; line++) {
		bool replaced = false;
		for (const char *const *pair = pairs; *pair && !replaced; pair += 2)
			replaced = has_key(*line, *pair);
		if (line[1] || **line)
			g_string_append_printf(to, "%s%s\n", replaced ? "# the layout: " : "",
					       g_strchomp(*line));
	}
	g_string_append(to, "\n# gantry cluster: ports and folders on this machine\n");
	for (const char *const *pair = pairs; *pair; pair += 2)
		if (pair[1])
			g_string_append_printf(to, "%s=%s\n", pair[0], pair[1]);
	return g_string_free(to, FALSE);
}

bool properties_continue(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		size_t size;
		key_of(*line, &size);
		if (size && g_str_has_suffix(g_strchomp(*line), "\\"))
			return true;
	}
	return false;
}
