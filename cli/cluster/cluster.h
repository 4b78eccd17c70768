/* SPDX-License-Identifier: Apache-2.0 */
/* gantry cluster: name servers and brokers of one layout, as processes on this machine.
 *
 * A layout is a folder of property files as users have them, conf.d/examples/NAME or a path. In the
 * cluster's folder each node has a folder of its own with its property file, its log, its process
 * id and its store; cluster.ini says what there is. One thread. */
#ifndef CLI_CLUSTER_H
#define CLI_CLUSTER_H

#include <glib.h>
#include <json/json.h>
#include <stdbool.h>
#include <sys/types.h>

#include "../cli.h"

GANTRY_BEGIN

extern const struct cli_command cli_cluster_up, cli_cluster_down, cli_cluster_status,
	cli_cluster_layouts;

enum { CLUSTER_PORT = 19876, CLUSTER_NODES_MAX = 64, CLUSTER_NAMESRVS_MAX = 10 };

struct cluster_node {
	char *name; /* of its folder and its property file: "broker-a-s" */
	bool is_namesrv;
	int port;
	char *broker, *cluster; /* brokerName, brokerClusterName; NULL of a name server */
	int64_t id;             /* brokerId */
	pid_t child;            /* started by this process and not yet seen to end; else 0 */
};

struct cluster {
	char *dir; /* absolute */
	char *layout;
	int base_port;
	GPtrArray *nodes; /* struct cluster_node; name servers come first */
};

void cluster_free(struct cluster *cluster); /* NULL is fine */
typedef struct cluster cluster;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(cluster, cluster_free)
struct cluster_node *cluster_node_at(const struct cluster *cluster, unsigned i);
/* The folder's own name, whatever links lead there: running nodes are told by it. g_free(). */
char *cluster_real_dir(const char *dir);
/* "DIR/broker-a/FILE". g_free(). */
char *cluster_file(const struct cluster *cluster, const struct cluster_node *node,
		   const char *file);
/* "127.0.0.1:19876;127.0.0.1:19877". g_free(). */
char *cluster_namesrvs(const struct cluster *cluster);

/* ---- layout.c */

/* The folder of a layout by name, or a path; NULL when it has said what there is. g_free(). */
char *layout_find(const char *name);
/* Names of the installed layouts, sorted. g_strfreev(). */
char **layout_names(void);
/* Names of a layout's property files without ".properties": name servers first, each kind sorted.
 * g_strfreev(). */
char **layout_nodes(const char *folder);
bool layout_is_namesrv(const char *node);

/* ---- properties.c: lines KEY=VALUE, as java.util.Properties reads them */

/* The last value of the key; NULL: it is not there. g_free(). */
char *properties_value(const char *text, const char *key);
/* The text with the lines of these keys as comments, and what replaces them at its end. pairs: key
 * and value in turn, ends with NULL; a value of NULL only takes the key's lines out. g_free(). */
char *properties_replace(const char *text, const char *const *pairs);
/* Whether a line ends with a backslash, which nothing here follows. */
bool properties_continue(const char *text);

/* ---- setup.c */

/* Makes dir from the layout. settings: KEY=VALUE, for every broker; may be NULL. NULL when it has
 * said what is wrong. */
struct cluster *cluster_set_up(const char *dir, const char *layout, int base_port,
			       char *const *settings);
/* Where the i-th name server or broker listens. A broker's port has its VIP port two below and its
 * HA port one above. */
int cluster_port(int base_port, bool is_namesrv, unsigned i);

/* ---- saved.c */

/* What stands in DIR/cluster.ini. *ret is NULL when there is none and is_needed is false. Returns
 * 0, or an exit code when it has said what is wrong. */
int cluster_load(const char *dir, bool is_needed, struct cluster **ret);
bool cluster_save(const struct cluster *cluster);
void cluster_forget(const struct cluster *cluster); /* removes cluster.ini */

/* ---- process.c */

/* The process id of a node that runs; 0: it does not. */
pid_t node_pid(const struct cluster *cluster, const struct cluster_node *node);
/* Starts it; false when it has said why not. */
bool node_start(const struct cluster *cluster, struct cluster_node *node);
/* Whether a node that this process started has ended; then says so with its last words. */
bool node_has_ended(const struct cluster *cluster, struct cluster_node *node);
/* Asks nodes of a kind to end and waits. Returns how many do not; says which. */
unsigned nodes_stop(const struct cluster *cluster, bool namesrvs, int64_t end_ms);
/* Waits a little for the next look at something. */
void node_pause(void);

/* ---- known.c: what a name server knows */

/* Its answer about the cluster; false: there is none. json_free() and free(doc.text). */
bool known_ask(const struct cluster_node *namesrv, struct json_doc *ret);
bool known_has(const struct json_doc *doc, const struct cluster_node *broker);
/* How many slaves are in step with a master, as it says itself; -1: it does not answer. */
int known_slaves(const struct cluster_node *master);

GANTRY_END
#endif
