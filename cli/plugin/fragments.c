/* SPDX-License-Identifier: Apache-2.0 */
/* Which fragments of conf.d switch which plugins on. Only section heads, `when` and `enabled` are
 * read here; whether the rest is right, gantryd --check says. */
#include <errno.h>
#include <string.h>

#include "plugin.h"

static const char disabled_suffix[] = ".conf.disabled";

static bool is_fragment(const char *name)
{
	return name[0] != '.' &&
	       (g_str_has_suffix(name, ".conf") || g_str_has_suffix(name, disabled_suffix));
}

static bool is_no(const char *value)
{
	return !g_ascii_strcasecmp(value, "no") || !g_ascii_strcasecmp(value, "false") ||
	       !g_ascii_strcasecmp(value, "off") || !strcmp(value, "0");
}

/* "[plugin NAME]" or "[plugin NAME:INSTANCE]"; any other head ends the section before it. */
static bool read_head(char *line, const char *file, struct fragment *ret)
{
	static const char before[] = "[plugin ";
	char *end = strrchr(line, ']');
	if (strncmp(line, before, strlen(before)) || !end)
		return false;
	*end = '\0';
	char *name = g_strstrip(line + strlen(before));
	char *colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	*ret = (struct fragment){.file = g_strdup(file),
				 .plugin = g_strdup(g_strstrip(name)),
				 .instance = colon ? g_strdup(g_strstrip(colon + 1)) : NULL,
				 .enabled = !g_str_has_suffix(file, disabled_suffix)};
	return true;
}

static void read_line(char *line, struct fragment *section)
{
	char *sign = strchr(line, '=');
	if (!sign)
		return;
	*sign = '\0';
	const char *key = g_strstrip(line), *value = g_strstrip(sign + 1);
	if (!strcmp(key, "enabled") && is_no(value))
		section->enabled = false;
	if (strcmp(key, "when"))
		return;
	char *joined =
		section->when ? g_strconcat(section->when, " and ", value, NULL) : g_strdup(value);
	g_free(section->when);
	section->when = joined;
}

static void read_file(const char *dir, const char *file, GArray *to)
{
	g_autofree char *path = g_build_filename(dir, file, NULL);
	g_autofree char *text = NULL;
	bool inside = false;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		struct fragment section;
		g_strstrip(*line);
		if (**line == '[') {
			inside = read_head(*line, file, &section);
			if (inside)
				g_array_append_val(to, section);
		} else if (inside && **line != '#') {
			read_line(*line, &g_array_index(to, struct fragment, to->len - 1));
		}
	}
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct fragment *fragments_read(const char *conf_dir)
{
	GDir *dir = g_dir_open(conf_dir, 0, NULL);
	const char *name;
	if (!dir)
		return NULL;
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(dir)))
		if (is_fragment(name))
			g_ptr_array_add(files, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(files, compare);
	GArray *found = g_array_new(TRUE, TRUE, sizeof(struct fragment));
	for (guint i = 0; i < files->len; i++)
		read_file(conf_dir, files->pdata[i], found);
	return (struct fragment *)g_array_free(found, FALSE);
}

void fragments_free(struct fragment *fragments)
{
	for (struct fragment *f = fragments; f && f->plugin; f++) {
		g_free(f->file);
		g_free(f->plugin);
		g_free(f->instance);
		g_free(f->when);
	}
	g_free(fragments);
}
