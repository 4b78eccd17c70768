/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts: folders of property files, one file a node. */
#include <string.h>

#include "../plugin/plugin.h"
#include "cluster.h"

static const char suffix[] = ".properties";

static char *examples(void)
{
	struct places places;
	places_find(&places, NULL, NULL);
	char *path = g_build_filename(places.conf_dir, "examples", NULL);
	places_free(&places);
	return path;
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool layout_is_namesrv(const char *node)
{
	return g_str_has_prefix(node, "namesrv");
}

static int compare_nodes(gconstpointer a, gconstpointer b)
{
	bool is_namesrv = layout_is_namesrv(*(const char *const *)a);
	if (is_namesrv != layout_is_namesrv(*(const char *const *)b))
		return is_namesrv ? -1 : 1;
	return compare(a, b);
}

char **layout_names(void)
{
	g_autofree char *path = examples();
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new();
	const char *name;
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *folder = g_build_filename(path, name, NULL);
		if (g_file_test(folder, G_FILE_TEST_IS_DIR))
			g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_sort(names, compare);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

char **layout_nodes(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	GPtrArray *names = g_ptr_array_new();
	const char *name;
	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, suffix) && strlen(name) > strlen(suffix))
			g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(suffix)));
	g_ptr_array_sort(names, compare_nodes);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

char *layout_find(const char *name)
{
	g_autofree char *path = examples();
	char *folder = strchr(name, '/') ? g_strdup(name) : g_build_filename(path, name, NULL);
	if (*name && *name != '.' && g_file_test(folder, G_FILE_TEST_IS_DIR))
		return folder;
	if (strchr(name, '/') && g_file_test(folder, G_FILE_TEST_IS_DIR))
		return folder;
	g_auto(GStrv) names = layout_names();
	g_autofree char *list = g_strjoinv(", ", names);
	cli_error("%s: there is no such layout; in %s are: %s", folder, path,
		  *list ? list : "none");
	g_free(folder);
	return NULL;
}
