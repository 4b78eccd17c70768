/* SPDX-License-Identifier: Apache-2.0 */
/* gantry cluster status and layouts: each node, whether it runs, and who knows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

static const char help[] =
	"Ends with 1 unless every node runs and every name server knows every broker.";

/* What each name server of the cluster answers; one that is down has none. */
struct answers {
	unsigned count;
	bool has[CLUSTER_NAMESRVS_MAX];
	struct json_doc at[CLUSTER_NAMESRVS_MAX];
};

static void ask_all(const struct cluster *cluster, struct answers *ret)
{
	for (unsigned i = 0; i < cluster->nodes->len && ret->count < CLUSTER_NAMESRVS_MAX; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		if (!node->is_namesrv)
			continue;
		ret->has[ret->count] =
			node_pid(cluster, node) && known_ask(node, &ret->at[ret->count]);
		ret->count++;
	}
}

static void forget_all(struct answers *answers)
{
	for (unsigned i = 0; i < answers->count; i++) {
		if (!answers->has[i])
			continue;
		char *text = (char *)(uintptr_t)answers->at[i].text;
		json_free(&answers->at[i]);
		free(text);
	}
}

static unsigned count_knowing(const struct answers *answers, const struct cluster_node *broker)
{
	unsigned count = 0;
	for (unsigned i = 0; i < answers->count; i++)
		count += answers->has[i] && known_has(&answers->at[i], broker);
	return count;
}

/* ---- printing */

static void print_json(const struct cluster_node *node, pid_t pid, unsigned knowing)
{
	printf("{\"node\":\"%s\",\"role\":\"%s\",\"address\":\"127.0.0.1:%d\",\"pid\":%d",
	       node->name, node->is_namesrv ? "namesrv" : "broker", node->port, (int)pid);
	if (!node->is_namesrv)
		printf(",\"brokerName\":\"%s\",\"brokerId\":%lld,\"knownTo\":%u", node->broker,
		       (long long)node->id, knowing);
	printf("}\n");
}

static void print_text(const struct cluster_node *node, pid_t pid, unsigned knowing, unsigned of)
{
	char state[32] = "down", known[64] = "";
	if (pid)
		snprintf(state, sizeof(state), "process %d", (int)pid);
	if (!node->is_namesrv)
		snprintf(known, sizeof(known), "known to %u of %u name servers", knowing, of);
	printf("%-16s 127.0.0.1:%-6d %-16s %s\n", node->name, node->port, state, known);
}

static int status(const char *dir)
{
	g_autoptr(cluster) cluster = NULL;
	struct answers answers = {0};
	int exit_code = cluster_load(dir, true, &cluster);
	if (exit_code)
		return exit_code;
	ask_all(cluster, &answers);
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		pid_t pid = node_pid(cluster, node);
		unsigned knowing = node->is_namesrv ? 0 : count_knowing(&answers, node);
		if (!pid || (!node->is_namesrv && knowing < answers.count))
			exit_code = CLI_FAILED;
		if (cli_json())
			print_json(node, pid, knowing);
		else
			print_text(node, pid, knowing, answers.count);
	}
	forget_all(&answers);
	return exit_code;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	char *dir = NULL;
	const GOptionEntry entries[] = {
		{"dir", 'd', 0, G_OPTION_ARG_FILENAME, &dir, "The cluster's folder", "DIR"},
		{NULL},
	};
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code && (argc != 1 || !dir))
		exit_code = cli_usage("--dir is needed, and nothing else");
	if (!exit_code)
		exit_code = status(dir);
	g_free(dir);
	return exit_code;
}

const struct cli_command cli_cluster_status = {
	.name = "status",
	.arguments = "",
	.summary = "Shows the nodes of a cluster",
	.help = help,
	.run = run,
};

/* ---- layouts */

static int run_layouts(const struct cli_command *self, int argc, char **argv)
{
	int exit_code = cli_options(self, (const GOptionEntry[]){{NULL}}, &argc, argv);
	if (exit_code)
		return exit_code;
	g_auto(GStrv) names = layout_names();
	for (char **name = names; *name; name++) {
		g_autofree char *folder = layout_find(*name);
		g_auto(GStrv) nodes = folder ? layout_nodes(folder) : NULL;
		g_autofree char *list = nodes ? g_strjoinv(" ", nodes) : NULL;
		if (cli_json())
			printf("{\"layout\":\"%s\",\"folder\":\"%s\"}\n", *name, folder);
		else
			printf("%-12s %s\n", *name, list);
	}
	return CLI_DONE;
}

const struct cli_command cli_cluster_layouts = {
	.name = "layouts",
	.arguments = "",
	.summary = "Lists the layouts that can be started by name",
	.run = run_layouts,
};
