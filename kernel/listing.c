/* SPDX-License-Identifier: Apache-2.0 */
/* What `gantryd --list-plugins` and `--print-keys` print: every plugin that can be loaded. */
#include "kernel.h"

static void print_module(const struct gk_module *module, FILE *to)
{
	const struct gantry_plugin *plugin = module->plugin;
	const struct gantry_service *at = plugin->offers;
	fprintf(to, "%-24s %-8s", plugin->name, plugin->version ? plugin->version : "-");
	for (; at && at->kind; at++)
		fprintf(to, " %s \"%s\"%s", gk_kind_name(at->kind), at->name,
			at[1].kind ? "," : "");
	fprintf(to, "  %s  (%s)\n", plugin->summary ? plugin->summary : "", module->file);
}

static void print_keys(const struct gk_module *module, FILE *to)
{
	if (!module->plugin->keys || !module->plugin->keys->key)
		return;
	fputc('\n', to);
	gk_conf_document(module->plugin->keys, module->plugin->name, to);
}

/* Opens one plugin after the other. */
static enum gk_exit each_plugin(struct gk_kernel *kernel, FILE *to,
				void (*print)(const struct gk_module *module, FILE *to))
{
	struct gk_error error;
	if (gk_settings_fill(kernel->conf, &kernel->settings, &error) < 0) {
		gantry_log(NULL, ERROR, "%s", error.text);
		return GK_EXIT_CONFIG;
	}
	char **names = gk_plugin_names(kernel);
	enum gk_exit code = GK_EXIT_CLEAN;
	for (char **name = names; *name; name++) {
		const struct gk_module *module;
		if (gk_module_open(kernel, *name, &module, &error) == 0) {
			print(module, to);
		} else {
			fprintf(to, "%-24s refused: %s\n", *name, error.text);
			code = GK_EXIT_PLUGIN;
		}
	}
	g_strfreev(names);
	return code;
}

enum gk_exit gk_kernel_list_plugins(struct gk_kernel *kernel, FILE *to)
{
	return each_plugin(kernel, to, print_module);
}

enum gk_exit gk_kernel_print_keys(struct gk_kernel *kernel, FILE *to)
{
	gk_conf_document(gk_settings_items, NULL, to);
	return each_plugin(kernel, to, print_keys);
}
