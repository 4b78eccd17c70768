/* SPDX-License-Identifier: Apache-2.0 */
/* gantry cluster up: starts the nodes of a layout and waits until every name server knows every
 * broker, and masters their slaves. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster.h"

static const char help[] = "LAYOUT is one of `gantry cluster layouts`, or a folder of property "
			   "files: one for each name\n"
			   "server (namesrv*.properties) and each broker. They are used as they "
			   "are, but for ports and\n"
			   "folders. Where DIR holds a cluster already, its property files are "
			   "used again, and LAYOUT may\n"
			   "be left out. Everything listens on 127.0.0.1 only.";

/* ---- ports */

static bool is_free(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_in_use = false;
	if (fd < 0)
		return true; /* gantryd will say what is wrong */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	is_in_use = bind(fd, (struct sockaddr *)&address, sizeof(address)) && errno == EADDRINUSE;
	close(fd);
	return !is_in_use;
}

/* Before anything is started, because a broker says so only after it has opened its store. */
static bool ports_are_free(const struct cluster *cluster)
{
	static const int of_a_broker[] = {0, -2, 1};
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		for (unsigned k = 0; k < (node->is_namesrv ? 1 : G_N_ELEMENTS(of_a_broker)); k++) {
			int port = node->port + of_a_broker[k];
			if (is_free(port))
				continue;
			cli_error("port %d, for %s, is in use; take another --base-port", port,
				  node->name);
			return false;
		}
	}
	return true;
}

/* ---- starting */

enum part { NAMESRVS, MASTERS, SLAVES };

static enum part part_of(const struct cluster_node *node)
{
	return node->is_namesrv ? NAMESRVS : node->id == 0 ? MASTERS : SLAVES;
}

static bool start_part(const struct cluster *cluster, enum part part)
{
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		if (part_of(node) == part && !node_start(cluster, node))
			return false;
	}
	return true;
}

static int count_part(const struct cluster *cluster, enum part part)
{
	int count = 0;
	for (unsigned i = 0; i < cluster->nodes->len; i++)
		count += part_of(cluster_node_at(cluster, i)) == part;
	return count;
}

static bool any_has_ended(const struct cluster *cluster)
{
	bool ended = false;
	for (unsigned i = 0; i < cluster->nodes->len; i++)
		ended |= node_has_ended(cluster, cluster_node_at(cluster, i));
	return ended;
}

/* How many brokers this name server knows; -1: it does not answer. */
static int count_known(const struct cluster *cluster, const struct cluster_node *namesrv)
{
	struct json_doc doc;
	int count = 0;
	if (!known_ask(namesrv, &doc))
		return -1;
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		count += !node->is_namesrv && known_has(&doc, node);
	}
	char *text = (char *)(uintptr_t)doc.text;
	json_free(&doc);
	free(text);
	return count;
}

/* Whether to go on waiting for what a node knows; *ret_exit says how it ends if not. */
static bool may_wait(const struct cluster *cluster, const struct cluster_node *node, int known,
		     int wanted, const char *what, int64_t end_ms, int *ret_exit)
{
	known = known < 0 ? 0 : known;
	*ret_exit = CLI_FAILED;
	if (any_has_ended(cluster))
		return false;
	*ret_exit = CLI_TIMEOUT;
	if (cli_interrupted() || cli_now_ms() > end_ms) {
		cli_error("%s: %s knows %d of %d %s",
			  cli_interrupted() ? "interrupted" : "the time is up", node->name, known,
			  wanted, what);
		return false;
	}
	cli_progress("%s: %d of %d %s", node->name, known, wanted, what);
	node_pause();
	return true;
}

/* Waits until each name server answers and knows that many brokers. Returns an exit code. */
static int wait_known(const struct cluster *cluster, int wanted, int64_t end_ms)
{
	int exit_code;
	for (unsigned i = 0; i < cluster->nodes->len;) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		int known = node->is_namesrv ? count_known(cluster, node) : wanted;
		if (known >= wanted)
			i++;
		else if (!may_wait(cluster, node, known, wanted, "brokers", end_ms, &exit_code))
			return exit_code;
	}
	return CLI_DONE;
}

static int slaves_of(const struct cluster *cluster, const struct cluster_node *master)
{
	int count = 0;
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		count += part_of(node) == SLAVES && !strcmp(node->broker, master->broker) &&
			 !strcmp(node->cluster, master->cluster);
	}
	return count;
}

/* Waits until each master's slaves are in step, so that the first message of a synchronous pair is
 * not refused. */
static int wait_in_step(const struct cluster *cluster, int64_t end_ms)
{
	int exit_code;
	for (unsigned i = 0; i < cluster->nodes->len;) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		int wanted = part_of(node) == MASTERS ? slaves_of(cluster, node) : 0;
		int known = wanted ? known_slaves(node) : 0;
		if (known >= wanted)
			i++;
		else if (!may_wait(cluster, node, known, wanted, "slaves", end_ms, &exit_code))
			return exit_code;
	}
	return CLI_DONE;
}

/* One part after the other: a broker that finds no name server, and a slave that finds no master,
 * tries again only after seconds. */
static int start_in_order(const struct cluster *cluster, int64_t end_ms)
{
	int brokers = 0;
	for (enum part part = NAMESRVS; part <= SLAVES; part++) {
		if (!start_part(cluster, part))
			return CLI_FAILED;
		if (part != NAMESRVS)
			brokers += count_part(cluster, part);
		int exit_code = wait_known(cluster, brokers, end_ms);
		if (exit_code)
			return exit_code;
	}
	return wait_in_step(cluster, end_ms);
}

static int start(const struct cluster *cluster, int seconds)
{
	cli_catch_interrupts();
	int exit_code = start_in_order(cluster, cli_now_ms() + seconds * INT64_C(1000));
	cli_progress_end();
	if (exit_code) {
		int64_t stop_ms = cli_now_ms() + seconds * INT64_C(1000);
		nodes_stop(cluster, false, stop_ms);
		nodes_stop(cluster, true, stop_ms);
	}
	return exit_code;
}

static void print_started(const struct cluster *cluster)
{
	g_autofree char *namesrvs = cluster_namesrvs(cluster);
	int brokers = count_part(cluster, MASTERS) + count_part(cluster, SLAVES);
	if (cli_json()) {
		printf("{\"layout\":\"%s\",\"namesrvAddr\":\"%s\",\"brokers\":%d}\n",
		       cluster->layout, namesrvs, brokers);
		return;
	}
	printf("%s runs: %d brokers, known to %u name servers\n", cluster->layout, brokers,
	       cluster->nodes->len - (unsigned)brokers);
	printf("  clients:  -n '%s'\n", namesrvs);
	printf("  look:     gantry cluster status --dir %s\n", cluster->dir);
	printf("  stop:     gantry cluster down --dir %s\n", cluster->dir);
}

/* ---- the command */

static bool runs_already(const struct cluster *cluster)
{
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		pid_t pid = node_pid(cluster, node);
		if (!pid)
			continue;
		cli_error("%s runs already (process %d); `gantry cluster down --dir %s` stops it",
			  node->name, (int)pid, cluster->dir);
		return true;
	}
	return false;
}

/* What is in dir must be what was asked for. */
static bool is_the_same(const struct cluster *cluster, const char *layout, int base_port,
			bool has_settings)
{
	if (layout && strcmp(layout, cluster->layout)) {
		cli_error("%s holds a cluster of layout %s; take another --dir for %s",
			  cluster->dir, cluster->layout, layout);
		return false;
	}
	if ((base_port && base_port != cluster->base_port) || has_settings) {
		cli_error("%s holds a cluster already (--base-port %d); edit its node.properties "
			  "files, or take another --dir",
			  cluster->dir, cluster->base_port);
		return false;
	}
	return true;
}

struct wanted {
	char *dir, **settings;
	const char *layout;
	int base_port, seconds;
};

static int check(struct wanted *wanted)
{
	int port = wanted->base_port ? wanted->base_port : CLUSTER_PORT;
	if (!wanted->dir)
		return cli_usage("--dir is needed");
	for (char **setting = wanted->settings; setting && *setting; setting++)
		if (**setting == '=' || !strchr(*setting, '=') || strpbrk(*setting, "\r\n"))
			return cli_usage("--set takes KEY=VALUE, not %s", *setting);
	if (cli_range("--timeout", wanted->seconds, 1, 3600))
		return CLI_USAGE;
	return cli_range("--base-port", port, 1024,
			 65534 - cluster_port(0, false, CLUSTER_NODES_MAX));
}

static int up(const struct wanted *wanted)
{
	int port = wanted->base_port ? wanted->base_port : CLUSTER_PORT;
	g_autoptr(cluster) cluster = NULL;
	int exit_code = cluster_load(wanted->dir, false, &cluster);
	if (exit_code)
		return exit_code;
	if (!cluster && !wanted->layout)
		return cli_usage("a layout's name is needed (`gantry cluster layouts` lists them)");
	if (cluster &&
	    !is_the_same(cluster, wanted->layout, wanted->base_port, wanted->settings != NULL))
		return CLI_FAILED;
	bool is_new = !cluster;
	if (is_new)
		cluster = cluster_set_up(wanted->dir, wanted->layout, port, wanted->settings);
	if (!cluster || runs_already(cluster))
		return CLI_FAILED;
	if (!ports_are_free(cluster)) {
		if (is_new) /* so that the next attempt may take other ports */
			cluster_forget(cluster);
		return CLI_FAILED;
	}
	exit_code = start(cluster, wanted->seconds);
	if (!exit_code)
		print_started(cluster);
	return exit_code;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct wanted wanted = {.seconds = 60};
	const GOptionEntry entries[] = {
		{"dir", 'd', 0, G_OPTION_ARG_FILENAME, &wanted.dir,
		 "The cluster's folder: property files, logs, stores", "DIR"},
		{"base-port", 'p', 0, G_OPTION_ARG_INT, &wanted.base_port,
		 "The first name server's port; the others' follow (default: 19876)", "PORT"},
		{"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &wanted.settings,
		 "For each broker's property file; may be repeated", "KEY=VALUE"},
		{"timeout", 't', 0, G_OPTION_ARG_INT, &wanted.seconds,
		 "How long to wait for the brokers (default: 60)", "SECONDS"},
		{NULL},
	};
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code && argc > 2)
		exit_code = cli_usage("one layout's name is enough");
	wanted.layout = argc == 2 ? argv[1] : NULL;
	if (!exit_code)
		exit_code = check(&wanted);
	if (!exit_code)
		exit_code = up(&wanted);
	g_free(wanted.dir);
	g_strfreev(wanted.settings);
	return exit_code;
}

const struct cli_command cli_cluster_up = {
	.name = "up",
	.arguments = "[LAYOUT]",
	.summary = "Starts a cluster",
	.help = help,
	.run = run,
};
