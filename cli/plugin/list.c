/* SPDX-License-Identifier: Apache-2.0 */
/* gantry plugin list: every plugin in the directories, what it offers, and what switches it on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

static const char help[] =
	"Columns: name, version, what it offers (kind/name), the fragments of conf.d that use it.\n"
	"A fragment in brackets is switched off.";

/* "storage/mmap, filter/TAG" */
static char *offers_text(const struct json_doc *doc)
{
	GString *text = g_string_new(NULL);
	struct json_iter it = json_iter(json_get(json_root(doc), "offers"));
	while (json_next(&it)) {
		char *kind = json_strdup(json_get(it.value, "kind"));
		char *name = json_strdup(json_get(it.value, "name"));
		g_string_append_printf(text, "%s%s/%s", text->len ? ", " : "", kind ? kind : "?",
				       name ? name : "?");
		free(kind);
		free(name);
	}
	return g_string_free(text, FALSE);
}

/* "storage-mmap.conf when storageBackend=mmap, [other.conf]" */
static char *uses_text(const struct fragment *fragments, const char *plugin)
{
	GString *text = g_string_new(NULL);
	for (const struct fragment *f = fragments; f && f->plugin; f++) {
		if (strcmp(f->plugin, plugin))
			continue;
		g_string_append(text, text->len ? ", " : "");
		g_string_append_printf(text, f->enabled ? "%s" : "[%s]", f->file);
		if (f->instance)
			g_string_append_printf(text, " (%s)", f->instance);
		if (f->when)
			g_string_append_printf(text, " when %s", f->when);
	}
	if (text->len == 0)
		g_string_append_c(text, '-');
	return g_string_free(text, FALSE);
}

static void print_text(const char *name, const struct json_doc *doc, const char *why,
		       const struct fragment *fragments)
{
	g_autofree char *uses = uses_text(fragments, name);
	if (!doc) {
		printf("%-24s refused: %s\n", name, why);
		return;
	}
	g_autofree char *offers = offers_text(doc);
	char *version = json_strdup(json_get(json_root(doc), "version"));
	printf("%-24s %-8s %-28s %s\n", name, version ? version : "-", offers, uses);
	free(version);
}

static void put_uses(struct json_writer *w, const struct fragment *fragments, const char *plugin)
{
	json_put_key(w, "fragments");
	json_open_array(w);
	for (const struct fragment *f = fragments; f && f->plugin; f++) {
		if (strcmp(f->plugin, plugin))
			continue;
		json_open_object(w);
		json_member_string(w, "file", f->file);
		json_member_string(w, "instance", f->instance);
		json_member_string(w, "when", f->when);
		json_member_bool(w, "enabled", f->enabled);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_json(struct json_writer *w, const char *name, const char *file,
		     const struct json_doc *doc, const char *why, const struct fragment *fragments)
{
	json_open_object(w);
	json_member_string(w, "name", name);
	json_member_string(w, "file", file);
	if (doc) {
		const struct json_node *root = &doc->nodes[0];
		json_put_key(w, "plugin");
		json_put_literal(
			w, (struct gantry_str){doc->text + root->start, root->end - root->start});
	} else {
		json_member_string(w, "refused", why);
	}
	put_uses(w, fragments, name);
	json_close_object(w);
}

static int list(const struct places *places)
{
	struct fragment *fragments = fragments_read(places->conf_dir);
	g_auto(GStrv) names = places_names(places);
	struct json_writer w;
	json_writer_init(&w, 64 << 20, 0);
	json_open_array(&w);
	for (char **name = names; *name; name++) {
		g_autofree char *file = places_file(places, *name);
		struct json_doc doc;
		char why[1024];
		bool good = probe(file, *name, &doc, why, sizeof(why)) == 0;
		if (cli_json())
			put_json(&w, *name, file, good ? &doc : NULL, why, fragments);
		else
			print_text(*name, good ? &doc : NULL, why, fragments);
		if (good) {
			free((char *)doc.text);
			json_free(&doc);
		}
	}
	json_close_array(&w);
	if (cli_json() && w.text)
		printf("%.*s\n", (int)w.size, w.text);
	else if (!*names)
		cli_error("no plugins in %s", places->dirs[0]);
	json_writer_free(&w);
	fragments_free(fragments);
	return CLI_DONE;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	char *conf_dir = NULL, **dirs = NULL;
	const GOptionEntry entries[] = {PLACES_OPTIONS(&conf_dir, &dirs), {NULL}};
	struct places places;
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code && argc > 1)
		exit_code = cli_usage("what is %s?", argv[1]);
	places_find(&places, conf_dir, dirs);
	if (!exit_code)
		exit_code = list(&places);
	places_free(&places);
	return exit_code;
}

const struct cli_command cli_plugin_list = {
	.name = "list",
	.summary = "Lists the plugins, and the fragments that use them",
	.help = help,
	.run = run,
};
