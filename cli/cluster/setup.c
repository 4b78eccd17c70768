/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster's folder made from a layout: each node's property file with the ports and folders that
 * it gets on this machine. Everything else in the file stays as the layout has it. */
#include <errno.h>
#include <string.h>

#include "cluster.h"

enum { PORTS_OF_A_BROKER = 10, VIP_BELOW = 2, PAIRS_ROOM = 64 };

int cluster_port(int base_port, bool is_namesrv, unsigned i)
{
	if (is_namesrv)
		return base_port + (int)i;
	return base_port + PORTS_OF_A_BROKER * (int)(i + 1) + VIP_BELOW;
}

static struct cluster_node *make_node(const char *name, int port)
{
	struct cluster_node *node = g_new0(struct cluster_node, 1);
	node->name = g_strdup(name);
	node->is_namesrv = layout_is_namesrv(name);
	node->port = port;
	return node;
}

/* ---- one node's property file */

struct pairs {
	unsigned count;
	const char *at[2 * PAIRS_ROOM + 1];
};

static void add_pair(struct pairs *pairs, const char *key, const char *value)
{
	if (pairs->count == PAIRS_ROOM)
		return;
	pairs->at[2 * pairs->count] = key;
	pairs->at[2 * pairs->count + 1] = value;
	pairs->count++;
}

/* KEY=VALUE of --set, cut apart in place. */
static void add_settings(struct pairs *pairs, char *const *settings)
{
	for (char *const *setting = settings; setting && *setting; setting++) {
		char *value = strchr(*setting, '=');
		if (!value)
			continue;
		*value = '\0';
		add_pair(pairs, *setting, value + 1);
	}
}

static bool write_node(const struct cluster *cluster, const struct cluster_node *node,
		       const char *text, char *const *settings)
{
	g_autofree char *folder = cluster_file(cluster, node, NULL);
	g_autofree char *file = cluster_file(cluster, node, "node.properties");
	g_autofree char *store = cluster_file(cluster, node, "store");
	g_autofree char *log = g_build_filename(store, "commitlog", NULL);
	g_autofree char *kv = g_build_filename(store, "kvConfig.json", NULL);
	g_autofree char *port = g_strdup_printf("%d", node->port);
	g_autofree char *namesrvs = cluster_namesrvs(cluster);
	g_autoptr(GError) error = NULL;
	struct pairs pairs = {0};
	add_pair(&pairs, "listenPort", port);
	add_pair(&pairs, "bindAddress", "127.0.0.1");
	if (node->is_namesrv) {
		add_pair(&pairs, "kvConfigPath", kv);
	} else {
		add_pair(&pairs, "haListenPort", NULL); /* one above listenPort */
		add_pair(&pairs, "haMasterAddress", NULL);
		add_pair(&pairs, "brokerIP1", "127.0.0.1");
		add_pair(&pairs, "brokerIP2", "127.0.0.1");
		add_pair(&pairs, "namesrvAddr", namesrvs);
		add_pair(&pairs, "storePathRootDir", store);
		add_pair(&pairs, "storePathCommitLog", log);
		add_settings(&pairs, settings);
	}
	g_autofree char *whole = properties_replace(text, pairs.at);
	if (g_mkdir_with_parents(folder, 0755)) {
		cli_error("%s: %s", folder, g_strerror(errno));
		return false;
	}
	if (g_file_set_contents(file, whole, -1, &error))
		return true;
	cli_error("%s", error->message);
	return false;
}

/* What a broker registers as. */
static bool name_broker(struct cluster_node *node, const char *text, const char *file)
{
	g_autofree char *id = properties_value(text, "brokerId");
	node->broker = properties_value(text, "brokerName");
	node->cluster = properties_value(text, "brokerClusterName");
	if (!node->cluster)
		node->cluster = g_strdup("DefaultCluster");
	node->id = id ? g_ascii_strtoll(id, NULL, 10) : 0;
	if (node->broker && *node->broker)
		return true;
	cli_error("%s has no brokerName, so its broker cannot be told from others", file);
	return false;
}

static bool set_up_node(const struct cluster *cluster, struct cluster_node *node,
			const char *folder, char *const *settings)
{
	g_autofree char *name = g_strconcat(node->name, ".properties", NULL);
	g_autofree char *file = g_build_filename(folder, name, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) copy = g_strdupv((char **)(uintptr_t)settings);
	if (!g_file_get_contents(file, &text, NULL, &error)) {
		cli_error("%s", error->message);
		return false;
	}
	if (properties_continue(text)) {
		cli_error("%s: a layout's lines cannot go on in the next one (\\)", file);
		return false;
	}
	if (!node->is_namesrv && !name_broker(node, text, file))
		return false;
	return write_node(cluster, node, text, copy);
}

/* ---- the whole */

static bool is_usable(char *const *names, const char *layout)
{
	unsigned count = g_strv_length((char **)(uintptr_t)names), namesrvs = 0;
	while (names[namesrvs] && layout_is_namesrv(names[namesrvs]))
		namesrvs++;
	if (namesrvs && namesrvs <= CLUSTER_NAMESRVS_MAX && count > namesrvs &&
	    count <= CLUSTER_NODES_MAX)
		return true;
	cli_error("%s has property files of %u name servers (namesrv*.properties, 1 to %d) and %u "
		  "brokers (1 to %d in all)",
		  layout, namesrvs, CLUSTER_NAMESRVS_MAX, count - namesrvs, CLUSTER_NODES_MAX);
	return false;
}

struct cluster *cluster_set_up(const char *dir, const char *layout, int base_port,
			       char *const *settings)
{
	g_autofree char *folder = layout_find(layout);
	if (!folder)
		return NULL;
	g_auto(GStrv) names = layout_nodes(folder);
	if (!is_usable(names, folder))
		return NULL;
	if (g_mkdir_with_parents(dir, 0755)) {
		cli_error("%s: %s", dir, g_strerror(errno));
		return NULL;
	}
	struct cluster *cluster = g_new0(struct cluster, 1);
	cluster->dir = cluster_real_dir(dir);
	cluster->layout = g_strdup(layout);
	cluster->base_port = base_port;
	cluster->nodes = g_ptr_array_new();
	unsigned counts[2] = {0, 0};
	for (char **name = names; *name; name++) {
		bool is_namesrv = layout_is_namesrv(*name);
		int port = cluster_port(base_port, is_namesrv, counts[is_namesrv]++);
		g_ptr_array_add(cluster->nodes, make_node(*name, port));
	}
	bool done = true;
	for (unsigned i = 0; done && i < cluster->nodes->len; i++)
		done = set_up_node(cluster, cluster_node_at(cluster, i), folder, settings);
	if (done && cluster_save(cluster))
		return cluster;
	cluster_free(cluster);
	return NULL;
}
