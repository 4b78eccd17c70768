/* SPDX-License-Identifier: Apache-2.0 */
/* gantry plugin inspect: everything that a plugin says of itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

static const char help[] =
	"The plugin is opened in a child process: a broken or hostile one costs only that.";

/* A member's text for printing, "-" if it is not there; the caller frees it. */
static char *text_of(struct json_value object, const char *name)
{
	char *text = json_strdup(json_get(object, name));
	return text ? text : strdup("-");
}

static void print_member(struct json_value object, const char *label, const char *name)
{
	char *text = text_of(object, name);
	printf("%-9s %s\n", label, text);
	free(text);
}

static void print_services(struct json_value plugin, const char *member)
{
	struct json_iter it = json_iter(json_get(plugin, member));
	while (json_next(&it)) {
		char *kind = text_of(it.value, "kind");
		char *name = json_strdup(json_get(it.value, "name"));
		int64_t caps = json_int64_or(json_get(it.value, "caps"), 0);
		printf("%-9s %s/%s", member, kind, name ? name : "any");
		if (caps)
			printf(", capabilities 0x%llx", (unsigned long long)caps);
		if (json_bool_or(json_get(it.value, "optional"), false))
			printf(", optional");
		putchar('\n');
		free(kind);
		free(name);
	}
}

static void print_flag(struct json_value key, const char *flag)
{
	if (json_bool_or(json_get(key, flag), false))
		printf(", %s", flag);
}

static void print_choices(struct json_value key)
{
	struct json_iter it = json_iter(json_get(key, "choices"));
	for (const char *before = " of "; json_next(&it); before = "|") {
		char *choice = json_strdup(it.value);
		printf("%s%s", before, choice ? choice : "?");
		free(choice);
	}
}

static void print_key(struct json_value key)
{
	char *name = text_of(key, "key"), *type = text_of(key, "type"),
	     *help_text = text_of(key, "help");
	char *dflt = json_strdup(json_get(key, "default"));
	char *unit = json_strdup(json_get(key, "unit"));
	printf("  %-32s %s", name, type);
	print_choices(key);
	if (unit)
		printf(", %s", unit);
	if (json_get(key, "min").doc)
		printf(", %lld to %lld", (long long)json_int64_or(json_get(key, "min"), 0),
		       (long long)json_int64_or(json_get(key, "max"), 0));
	if (dflt)
		printf(", default %s", *dflt ? dflt : "\"\"");
	print_flag(key, "required");
	print_flag(key, "list");
	print_flag(key, "reloadable");
	print_flag(key, "remote");
	printf("\n    %s\n", help_text);
	free(name);
	free(type);
	free(help_text);
	free(dflt);
	free(unit);
}

static void print_text(const struct json_doc *doc, const char *file)
{
	struct json_value plugin = json_root(doc);
	print_member(plugin, "name", "name");
	printf("%-9s %s\n", "file", file);
	print_member(plugin, "version", "version");
	print_member(plugin, "license", "license");
	print_member(plugin, "summary", "summary");
	print_member(plugin, "abi", "abi");
	print_services(plugin, "offers");
	print_services(plugin, "needs");
	struct json_iter it = json_iter(json_get(plugin, "keys"));
	printf("%-9s %s\n", "keys", json_count(json_get(plugin, "keys")) ? "" : "none");
	while (json_next(&it))
		print_key(it.value);
}

static int inspect(const struct places *places, const char *what)
{
	struct json_doc doc;
	char why[1024];
	g_autofree char *file = places_file(places, what);
	if (!file) {
		g_autofree char *dirs = g_strjoinv(", ", places->dirs);
		cli_error("there is no plugin %s in %s", what, dirs);
		return CLI_FAILED;
	}
	g_autofree char *name = places_name_of(file);
	if (probe(file, name, &doc, why, sizeof(why))) {
		cli_error("%s", why);
		return CLI_FAILED;
	}
	if (cli_json())
		printf("%.*s\n", (int)(doc.nodes[0].end - doc.nodes[0].start),
		       doc.text + doc.nodes[0].start);
	else
		print_text(&doc, file);
	free((char *)doc.text);
	json_free(&doc);
	return CLI_DONE;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	return places_run(self, argc, argv, "one plugin's name or file is needed", inspect);
}

const struct cli_command cli_plugin_inspect = {
	.name = "inspect",
	.arguments = "NAME|FILE",
	.summary = "Shows what a plugin offers, needs and can be told",
	.help = help,
	.run = run,
};
