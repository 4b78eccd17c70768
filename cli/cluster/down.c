/* SPDX-License-Identifier: Apache-2.0 */
/* gantry cluster down: stops what `up` started; brokers first, so that they can unregister. */
#include <stdio.h>

#include "cluster.h"

static const char help[] =
	"Property files, logs and stores stay; `gantry cluster up --dir DIR` starts\n"
	"the cluster again.";

static int down(const char *dir, int seconds)
{
	g_autoptr(cluster) cluster = NULL;
	int exit_code = cluster_load(dir, true, &cluster);
	if (exit_code)
		return exit_code;
	unsigned left = nodes_stop(cluster, false, cli_now_ms() + seconds * INT64_C(1000));
	left += nodes_stop(cluster, true, cli_now_ms() + seconds * INT64_C(1000));
	if (cli_json())
		printf("{\"layout\":\"%s\",\"running\":%u}\n", cluster->layout, left);
	else if (!left)
		printf("%s is down\n", cluster->layout);
	return left ? CLI_TIMEOUT : CLI_DONE;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	char *dir = NULL;
	int seconds = 60;
	const GOptionEntry entries[] = {
		{"dir", 'd', 0, G_OPTION_ARG_FILENAME, &dir, "The cluster's folder", "DIR"},
		{"timeout", 't', 0, G_OPTION_ARG_INT, &seconds,
		 "How long to wait for brokers, and then for name servers (default: 60)",
		 "SECONDS"},
		{NULL},
	};
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code && (argc != 1 || !dir))
		exit_code = cli_usage("--dir is needed, and nothing else");
	if (!exit_code)
		exit_code = cli_range("--timeout", seconds, 1, 3600);
	if (!exit_code)
		exit_code = down(dir, seconds);
	g_free(dir);
	return exit_code;
}

const struct cli_command cli_cluster_down = {
	.name = "down",
	.arguments = "",
	.summary = "Stops a cluster",
	.help = help,
	.run = run,
};
