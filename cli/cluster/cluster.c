/* SPDX-License-Identifier: Apache-2.0 */
/* gantry cluster: the table of its commands, and what describes a cluster. */
#include "cluster.h"

#include <stdlib.h>

static int run(const struct cli_command *self, int argc, char **argv)
{
	static const struct cli_command *const commands[] = {
		&cli_cluster_up, &cli_cluster_status, &cli_cluster_down, &cli_cluster_layouts, NULL,
	};
	return cli_dispatch("gantry cluster", self->summary, commands, argc, argv);
}

const struct cli_command cli_cluster = {
	.name = "cluster",
	.summary = "Starts and stops a cluster on this machine, for trying things out",
	.run = run,
};

struct cluster_node *cluster_node_at(const struct cluster *cluster, unsigned i)
{
	return g_ptr_array_index(cluster->nodes, i);
}

void cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return;
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		g_free(node->name);
		g_free(node->broker);
		g_free(node->cluster);
		g_free(node);
	}
	g_ptr_array_free(cluster->nodes, TRUE);
	g_free(cluster->dir);
	g_free(cluster->layout);
	g_free(cluster);
}

char *cluster_real_dir(const char *dir)
{
	char *found = realpath(dir, NULL);
	char *real = found ? g_strdup(found) : g_canonicalize_filename(dir, NULL);
	free(found);
	return real;
}

char *cluster_file(const struct cluster *cluster, const struct cluster_node *node, const char *file)
{
	return g_build_filename(cluster->dir, node->name, file, NULL);
}

char *cluster_namesrvs(const struct cluster *cluster)
{
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		if (node->is_namesrv)
			g_string_append_printf(text, "%s127.0.0.1:%d", i ? ";" : "", node->port);
	}
	return g_string_free(text, FALSE);
}
