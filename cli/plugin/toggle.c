/* SPDX-License-Identifier: Apache-2.0 */
/* gantry plugin enable, disable: a fragment NAME.conf of conf.d becomes NAME.conf.disabled, or the
 * other way round. Nothing else is changed, and a running gantryd is left alone: it refuses to
 * change its set of plugins without a restart. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "plugin.h"

#include <kernel/loader.h>

static const char help[] =
	"Renames the plugin's fragment in conf.d, NAME.conf, to NAME.conf.disabled or back.";

/* The other fragments that have a section of the plugin, or "". g_free(). */
static char *other_fragments(const struct places *places, const char *plugin, const char *own)
{
	GString *text = g_string_new(NULL);
	struct fragment *fragments = fragments_read(places->conf_dir);
	for (struct fragment *f = fragments; f && f->plugin; f++)
		if (!strcmp(f->plugin, plugin) && strcmp(f->file, own))
			g_string_append_printf(text, "%s%s", text->len ? ", " : "", f->file);
	fragments_free(fragments);
	return g_string_free(text, FALSE);
}

static int say_missing(const struct places *places, const char *plugin, const char *from)
{
	g_autofree char *others = other_fragments(places, plugin, from);
	if (*others)
		cli_error("%s has no %s; sections of %s stand in %s: edit `enabled` there",
			  places->conf_dir, from, plugin, others);
	else
		cli_error("%s has no %s", places->conf_dir, from);
	return CLI_FAILED;
}

static void print_done(const struct places *places, const char *plugin, const char *to, bool enable,
		       bool changed)
{
	g_autofree char *others = other_fragments(places, plugin, to);
	const char *state = enable ? "enabled" : "disabled";
	if (cli_json()) {
		printf("{\"plugin\":\"%s\",\"enabled\":%s,\"changed\":%s}\n", plugin,
		       enable ? "true" : "false", changed ? "true" : "false");
		return;
	}
	printf("%s %s %s (%s/%s)\n", plugin, changed ? "is now" : "was already", state,
	       places->conf_dir, to);
	if (*others)
		printf("it also has sections in %s\n", others);
	if (changed)
		printf("`gantryd --check` tells whether the configuration still fits; then restart "
		       "gantryd (systemctl restart gantryd)\n");
}

static int toggle(const struct places *places, const char *plugin, bool enable)
{
	g_autofree char *on = g_strconcat(plugin, ".conf", NULL);
	g_autofree char *off = g_strconcat(plugin, ".conf.disabled", NULL);
	const char *from = enable ? off : on, *to = enable ? on : off;
	g_autofree char *from_path = g_build_filename(places->conf_dir, from, NULL);
	g_autofree char *to_path = g_build_filename(places->conf_dir, to, NULL);
	if (!gk_plugin_name_is_good(plugin))
		return cli_usage("%s is no plugin's name", plugin);
	if (g_file_test(to_path, G_FILE_TEST_EXISTS) &&
	    !g_file_test(from_path, G_FILE_TEST_EXISTS)) {
		print_done(places, plugin, to, enable, false);
		return CLI_DONE;
	}
	if (!g_file_test(from_path, G_FILE_TEST_EXISTS))
		return say_missing(places, plugin, from);
	/* Neither file may be lost when both are there. */
	if (renameat2(AT_FDCWD, from_path, AT_FDCWD, to_path, RENAME_NOREPLACE)) {
		cli_error("%s to %s: %s", from_path, to, g_strerror(errno));
		return CLI_FAILED;
	}
	print_done(places, plugin, to, enable, true);
	return CLI_DONE;
}

static int enable(const struct places *places, const char *plugin)
{
	return toggle(places, plugin, true);
}

static int disable(const struct places *places, const char *plugin)
{
	return toggle(places, plugin, false);
}

static int run_enable(const struct cli_command *self, int argc, char **argv)
{
	return places_run(self, argc, argv, "one plugin's name is needed", enable);
}

static int run_disable(const struct cli_command *self, int argc, char **argv)
{
	return places_run(self, argc, argv, "one plugin's name is needed", disable);
}

const struct cli_command cli_plugin_enable = {
	.name = "enable",
	.arguments = "NAME",
	.summary = "Lets a plugin take part from the next start on",
	.help = help,
	.run = run_enable,
};

const struct cli_command cli_plugin_disable = {
	.name = "disable",
	.arguments = "NAME",
	.summary = "Leaves a plugin out from the next start on",
	.help = help,
	.run = run_disable,
};
