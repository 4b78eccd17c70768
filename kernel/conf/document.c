/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: a plugin's table as a commented sample of its section. */
#include "conf/private.h"

#include <string.h>

/* "A size from 4k to 1g: bytes, or with k, m or g. SIGHUP may change it." */
static void describe(const struct gantry_conf_item *item, GString *to)
{
	size_t begin = to->len;

	gk_value_expect(item, to);
	to->str[begin] = g_ascii_toupper(to->str[begin]);
	if (item->flags & GANTRY_CONF_REQUIRED)
		g_string_append(to, ". Must be given");
	if (item->flags & GANTRY_CONF_RELOAD)
		g_string_append(to, ". SIGHUP may change it");
	if (item->flags & GANTRY_CONF_REMOTE)
		g_string_append(to, ". May be changed over the network");
	if (item->flags & GANTRY_CONF_SECRET)
		g_string_append(to, ". Never printed");
	g_string_append_c(to, '.');
}

/* Breaks a text into comment lines of at most 100 columns. */
static void comment(const char *text, FILE *to)
{
	const size_t most = 98;

	while (strlen(text) > most) {
		size_t size = most;

		while (size > 1 && text[size] != ' ')
			size--;
		if (size <= 1)
			break; /* a word longer than a line */
		fprintf(to, "# %.*s\n", (int)size, text);
		text += size + 1;
	}
	fprintf(to, "# %s\n", text);
}

void gk_conf_document(const struct gantry_conf_item *items, const char *plugin, FILE *to)
{
	if (plugin)
		fprintf(to, "[plugin %s]\n", plugin);
	else
		fprintf(to, "[kernel]\n");
	for (const struct gantry_conf_item *item = items; item && item->key; item++) {
		g_autoptr(GString) text = g_string_new(NULL);

		fputc('\n', to);
		if (item->help)
			comment(item->help, to);
		describe(item, text);
		comment(text->str, to);
		g_string_truncate(text, 0);
		gk_escape(item->dflt ? item->dflt : "", text);
		fprintf(to, "# %s =%s%s\n", item->key, text->len ? " " : "", text->str);
	}
}
