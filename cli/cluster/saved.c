/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.ini: what is in a cluster's folder. */
#include <string.h>
#include <unistd.h>

#include "cluster.h"

static const char group[] = "cluster";

bool cluster_save(const struct cluster *cluster)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *path = g_build_filename(cluster->dir, "cluster.ini", NULL);
	g_autoptr(GError) error = NULL;
	g_key_file_set_string(file, group, "layout", cluster->layout);
	g_key_file_set_integer(file, group, "basePort", cluster->base_port);
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		g_key_file_set_integer(file, node->name, "port", node->port);
		if (node->is_namesrv)
			continue;
		g_key_file_set_string(file, node->name, "brokerName", node->broker);
		g_key_file_set_string(file, node->name, "brokerClusterName", node->cluster);
		g_key_file_set_int64(file, node->name, "brokerId", node->id);
	}
	if (g_key_file_save_to_file(file, path, &error))
		return true;
	cli_error("%s", error->message);
	return false;
}

void cluster_forget(const struct cluster *cluster)
{
	g_autofree char *path = g_build_filename(cluster->dir, "cluster.ini", NULL);
	unlink(path);
}

static struct cluster_node *read_node(GKeyFile *file, const char *name)
{
	struct cluster_node *node = g_new0(struct cluster_node, 1);
	node->name = g_strdup(name);
	node->is_namesrv = layout_is_namesrv(name);
	node->port = g_key_file_get_integer(file, name, "port", NULL);
	node->broker = g_key_file_get_string(file, name, "brokerName", NULL);
	node->cluster = g_key_file_get_string(file, name, "brokerClusterName", NULL);
	node->id = g_key_file_get_int64(file, name, "brokerId", NULL);
	return node;
}

static bool is_whole(const struct cluster *cluster)
{
	if (!cluster->layout || !cluster->nodes->len || cluster->nodes->len > CLUSTER_NODES_MAX)
		return false;
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		if (node->port < 1 || node->port > 65535 || strchr(node->name, '/') ||
		    *node->name == '.' || (!node->is_namesrv && (!node->broker || !node->cluster)))
			return false;
	}
	return true;
}

int cluster_load(const char *dir, bool is_needed, struct cluster **ret)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *path = g_build_filename(dir, "cluster.ini", NULL);
	g_autoptr(GError) error = NULL;
	*ret = NULL;
	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		if (is_needed)
			cli_error("%s: no cluster was set up here (gantry cluster up)", dir);
		return is_needed ? CLI_FAILED : 0;
	}
	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error)) {
		cli_error("%s: %s", path, error->message);
		return CLI_FAILED;
	}
	struct cluster *cluster = g_new0(struct cluster, 1);
	cluster->dir = cluster_real_dir(dir);
	cluster->layout = g_key_file_get_string(file, group, "layout", NULL);
	cluster->base_port = g_key_file_get_integer(file, group, "basePort", NULL);
	cluster->nodes = g_ptr_array_new();
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	for (char **name = groups; *name; name++)
		if (strcmp(*name, group))
			g_ptr_array_add(cluster->nodes, read_node(file, *name));
	if (is_whole(cluster)) {
		*ret = cluster;
		return 0;
	}
	cli_error("%s is damaged; remove %s, or mend it", path, dir);
	cluster_free(cluster);
	return CLI_FAILED;
}
