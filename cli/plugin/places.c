/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins and fragments lie beside the program (a build tree looks like an installed one), or
 * where the package puts them. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "plugin.h"

#include <kernel/loader.h>

/* What lies at below in the folder that holds the program's bin/; NULL: nothing does. */
static char *beside(const char *below)
{
	char program[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (size < 0)
		return NULL;
	program[size] = '\0';
	g_autofree char *bin = g_path_get_dirname(program);
	g_autofree char *root = g_path_get_dirname(bin);
	char *found = g_build_filename(root, below, NULL);
	if (g_file_test(found, G_FILE_TEST_IS_DIR))
		return found;
	g_free(found);
	return NULL;
}

/* As gantryd finds them. */
static char *default_plugin_dir(void)
{
	char *dir = beside("lib/gantry");
	if (!dir)
		dir = beside(GANTRY_LIBDIR "/gantry");
	return dir ? dir : g_strdup(GANTRY_FULL_LIBDIR "/gantry");
}

static char *default_conf_dir(void)
{
	char *dir = beside("etc/gantry/conf.d");
	return dir ? dir : g_strdup(GANTRY_FULL_SYSCONFDIR "/gantry/conf.d");
}

void places_find(struct places *places, char *conf_dir, char **dirs)
{
	const char *path = g_getenv("GANTRY_PLUGIN_PATH");
	GPtrArray *all = g_ptr_array_new();
	for (char **dir = dirs; dir && *dir; dir++)
		g_ptr_array_add(all, *dir);
	g_free(dirs);
	g_auto(GStrv) from_path = path ? g_strsplit(path, ":", -1) : NULL;
	for (char **dir = from_path; dir && *dir; dir++)
		if (**dir)
			g_ptr_array_add(all, g_strdup(*dir));
	g_ptr_array_add(all, default_plugin_dir());
	g_ptr_array_add(all, NULL);
	places->dirs = (char **)g_ptr_array_free(all, FALSE);
	places->conf_dir = conf_dir ? conf_dir : default_conf_dir();
}

void places_free(struct places *places)
{
	g_free(places->conf_dir);
	g_strfreev(places->dirs);
}

int places_run(const struct cli_command *self, int argc, char **argv, const char *needed,
	       int (*act)(const struct places *places, const char *plugin))
{
	char *conf_dir = NULL, **dirs = NULL;
	const GOptionEntry entries[] = {PLACES_OPTIONS(&conf_dir, &dirs), {NULL}};
	struct places places;
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code && argc != 2)
		exit_code = cli_usage("%s", needed);
	places_find(&places, conf_dir, dirs);
	if (!exit_code)
		exit_code = act(&places, argv[1]);
	places_free(&places);
	return exit_code;
}

char *places_name_of(const char *file)
{
	char *name = g_path_get_basename(file);
	if (g_str_has_suffix(name, ".so"))
		name[strlen(name) - strlen(".so")] = '\0';
	return name;
}

char *places_file(const struct places *places, const char *name)
{
	if (strchr(name, '/') || g_str_has_suffix(name, ".so"))
		return g_strdup(name);
	for (char **dir = places->dirs; gk_plugin_name_is_good(name) && *dir; dir++) {
		char *file = g_strdup_printf("%s/%s.so", *dir, name);
		if (g_file_test(file, G_FILE_TEST_EXISTS))
			return file;
		g_free(file);
	}
	return NULL;
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_names(const char *path, GPtrArray *to)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *file;
	while (dir && (file = g_dir_read_name(dir))) {
		char *name = places_name_of(file);
		bool is_new = g_str_has_suffix(file, ".so") && gk_plugin_name_is_good(name) &&
			      !g_ptr_array_find_with_equal_func(to, name, g_str_equal, NULL);
		if (is_new)
			g_ptr_array_add(to, name);
		else
			g_free(name);
	}
	if (dir)
		g_dir_close(dir);
}

char **places_names(const struct places *places)
{
	GPtrArray *names = g_ptr_array_new();
	for (char **dir = places->dirs; *dir; dir++)
		add_names(*dir, names);
	g_ptr_array_sort(names, compare);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
