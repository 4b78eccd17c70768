/* SPDX-License-Identifier: Apache-2.0 */
/* The loader: a name becomes a file in a configured directory, or a part of the program. */
#include "loader.h"
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_NAME "gantry_plugin_entry"

int gk_plugin_name_is_good(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return size > 0 && !name[size];
}

char **gk_plugin_dirs(const struct gk_kernel *kernel)
{
	const struct gantry_conf_list *listed = &kernel->settings.plugin_dirs;
	const char *path = secure_getenv("GANTRY_PLUGIN_PATH"); /* not for set-uid programs */
	GPtrArray *dirs;
	if (kernel->options.plugin_dirs && kernel->options.plugin_dirs[0])
		return g_strdupv((char **)kernel->options.plugin_dirs);
	if (path && *path)
		return g_strsplit(path, ":", -1);
	dirs = g_ptr_array_new();
	for (unsigned i = 0; i < listed->count; i++)
		g_ptr_array_add(dirs, g_strdup(listed->at[i]));
	if (!listed->count && kernel->options.default_plugin_dir)
		g_ptr_array_add(dirs, g_strdup(kernel->options.default_plugin_dir));
	g_ptr_array_add(dirs, NULL);
	return (char **)g_ptr_array_free(dirs, FALSE);
}

/* ---- opening */

static const struct gk_static_plugin *find_builtin(const struct gk_kernel *kernel, const char *name)
{
	const struct gk_static_plugin *at = kernel->options.builtins;
	for (; at && at->name; at++) {
		if (strcmp(at->name, name) == 0)
			return at;
	}
	return NULL;
}

/* Free with g_free. */
static char *find_file(const struct gk_kernel *kernel, const char *name, struct gk_error *error)
{
	char **dirs = gk_plugin_dirs(kernel);
	char *file = g_strconcat(name, ".so", NULL), *found = NULL;
	for (char **dir = dirs; *dir && !found; dir++) {
		found = g_build_filename(*dir, file, NULL);
		if (access(found, F_OK) < 0)
			g_clear_pointer(&found, g_free);
	}
	if (!found) {
		char *where = g_strjoinv(", ", dirs);
		snprintf(error->text, sizeof(error->text), "plugin %s: there is no %s in %s", name,
			 file, *where ? where : "any plugin directory");
		g_free(where);
	}
	g_free(file);
	g_strfreev(dirs);
	return found;
}

#ifndef GANTRY_STATIC
static int open_file(struct gk_module *module, struct gk_error *error)
{
	const struct gantry_plugin *(*entry)(void);
	char why[512];
	int bad = gk_loader_ltdl.open(module->file, &module->handle, why, sizeof(why));
	if (bad) {
		snprintf(error->text, sizeof(error->text), "plugin %s: cannot be loaded: %s",
			 module->file, why);
		return bad;
	}
	void *symbol = gk_loader_ltdl.symbol(module->handle, ENTRY_NAME);
	if (!symbol) {
		snprintf(error->text, sizeof(error->text), "plugin %s: has no function " ENTRY_NAME,
			 module->file);
		return -ENOEXEC;
	}
	memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no cast from object to function */
	module->plugin = entry();
	return 0;
}

static void close_file(struct gk_module *module)
{
	if (module->handle)
		gk_loader_ltdl.close(module->handle);
}
#else
static int open_file(struct gk_module *module, struct gk_error *error)
{
	snprintf(error->text, sizeof(error->text),
		 "plugin %s: this gantryd is built without loadable plugins", module->file);
	return -ENOEXEC;
}

static void close_file(struct gk_module *module)
{
	(void)module;
}
#endif

static void module_free(struct gk_module *module)
{
	close_file(module);
	g_free(module->name);
	g_free(module->file);
	g_free(module);
}

static int module_fill(struct gk_kernel *kernel, struct gk_module *module, struct gk_error *error)
{
	const struct gk_static_plugin *builtin = find_builtin(kernel, module->name);
	const struct gantry_plugin host = GK_HOST_DESCRIPTOR;
	int bad = 0;
	if (builtin) {
		module->file = g_strconcat(module->name, " (built in)", NULL);
		module->plugin = builtin->entry();
	} else {
		module->file = find_file(kernel, module->name, error);
		bad = module->file ? open_file(module, error) : -ENOENT;
	}
	if (!bad)
		bad = gk_descriptor_check(module->plugin, module->name, module->file, &host, error);
	return bad;
}

static const struct gk_module *find_module(const struct gk_kernel *kernel, const char *name)
{
	for (unsigned i = 0; i < kernel->modules->len; i++) {
		const struct gk_module *module = kernel->modules->pdata[i];
		if (strcmp(module->name, name) == 0)
			return module;
	}
	return NULL;
}

int gk_module_open(struct gk_kernel *kernel, const char *name, const struct gk_module **ret,
		   struct gk_error *error)
{
	const struct gk_module *known = find_module(kernel, name);
	if (known) {
		*ret = known;
		return 0;
	}
	if (!gk_plugin_name_is_good(name)) {
		snprintf(error->text, sizeof(error->text),
			 "plugin %s: a plugin's name has only the characters a-z, 0-9 and -", name);
		return -EINVAL;
	}
	struct gk_module *module = g_new0(struct gk_module, 1);
	module->name = g_strdup(name);
	int bad = module_fill(kernel, module, error);
	if (bad) {
		module_free(module);
		return bad;
	}
	g_ptr_array_add(kernel->modules, module);
	*ret = module;
	return 0;
}

void gk_modules_close(struct gk_kernel *kernel)
{
	for (unsigned i = kernel->modules->len; i-- > 0;)
		module_free(kernel->modules->pdata[i]);
	g_ptr_array_set_size(kernel->modules, 0);
}

/* ---- listing */

static void add_files(const char *dir, GPtrArray *names)
{
	GDir *at = g_dir_open(dir, 0, NULL);
	const char *file;
	while (at && (file = g_dir_read_name(at))) {
		if (!g_str_has_suffix(file, ".so"))
			continue;
		char *name = g_strndup(file, strlen(file) - strlen(".so"));
		if (gk_plugin_name_is_good(name) &&
		    !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
			g_ptr_array_add(names, name);
		else
			g_free(name);
	}
	if (at)
		g_dir_close(at);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **gk_plugin_names(const struct gk_kernel *kernel)
{
	const struct gk_static_plugin *builtin = kernel->options.builtins;
	GPtrArray *names = g_ptr_array_new();
	char **dirs = gk_plugin_dirs(kernel);
	for (; builtin && builtin->name; builtin++)
		g_ptr_array_add(names, g_strdup(builtin->name));
	for (char **dir = dirs; *dir; dir++)
		add_files(*dir, names);
	g_strfreev(dirs);
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
