/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a cluster: started apart from this one, known by a file with their id. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster.h"

enum { LAST_WORDS = 8, PAUSE_US = 20000 };

extern char **environ;

void node_pause(void)
{
	g_usleep(PAUSE_US);
}

/* Whether the process runs this node: its command line names the node's property file. A process
 * id may have been given to somebody else since. */
static bool runs_node(const struct cluster *cluster, const struct cluster_node *node, pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", (int)pid);
	g_autofree char *file = cluster_file(cluster, node, "node.properties");
	g_autofree char *words = NULL;
	gsize size = 0;
	if (!g_file_get_contents(path, &words, &size, NULL))
		return false;
	for (gsize at = 0; at < size; at += strlen(words + at) + 1)
		if (!strcmp(words + at, file))
			return true;
	return false;
}

pid_t node_pid(const struct cluster *cluster, const struct cluster_node *node)
{
	g_autofree char *path = cluster_file(cluster, node, "pid");
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	gint64 pid = g_ascii_strtoll(text, NULL, 10);
	return pid > 1 && pid <= INT_MAX && runs_node(cluster, node, (pid_t)pid) ? (pid_t)pid : 0;
}

/* gantryd stands beside this program. */
static char *gantryd(void)
{
	char program[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (size < 0)
		return g_strdup("gantryd");
	program[size] = '\0';
	g_autofree char *bin = g_path_get_dirname(program);
	return g_build_filename(bin, "gantryd", NULL);
}

static int spawn(char *const *words, const char *log, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	int err = posix_spawn(ret, words[0], &files, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

bool node_start(const struct cluster *cluster, struct cluster_node *node)
{
	g_autofree char *program = gantryd();
	g_autofree char *file = cluster_file(cluster, node, "node.properties");
	g_autofree char *log = cluster_file(cluster, node, "log");
	g_autofree char *pid_file = cluster_file(cluster, node, "pid");
	char *words[] = {program, node->is_namesrv ? "namesrv" : "broker", "-c", file, NULL};
	g_autoptr(GError) error = NULL;
	int err = spawn(words, log, &node->child);
	if (err) {
		node->child = 0;
		cli_error("%s: %s", program, g_strerror(err));
		return false;
	}
	g_autofree char *pid = g_strdup_printf("%d\n", (int)node->child);
	if (g_file_set_contents(pid_file, pid, -1, &error))
		return true;
	cli_error("%s", error->message);
	kill(node->child, SIGTERM);
	return false;
}

static void print_last_words(const char *log)
{
	g_autofree char *text = NULL;
	if (!g_file_get_contents(log, &text, NULL, NULL))
		return;
	g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
	unsigned count = g_strv_length(lines);
	for (unsigned i = count > LAST_WORDS ? count - LAST_WORDS : 0; i < count; i++)
		fprintf(stderr, "%s\n", lines[i]);
}

bool node_has_ended(const struct cluster *cluster, struct cluster_node *node)
{
	int status;
	if (!node->child || waitpid(node->child, &status, WNOHANG) != node->child)
		return false;
	g_autofree char *log = cluster_file(cluster, node, "log");
	node->child = 0;
	if (WIFEXITED(status))
		cli_error("%s has ended with exit code %d; its last words (%s):", node->name,
			  WEXITSTATUS(status), log);
	else
		cli_error("%s was ended by signal %d; its last words (%s):", node->name,
			  WTERMSIG(status), log);
	print_last_words(log);
	return true;
}

static void ask_to_end(const struct cluster *cluster, bool namesrvs)
{
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		pid_t pid = node->is_namesrv == namesrvs ? node_pid(cluster, node) : 0;
		if (pid && kill(pid, SIGTERM))
			cli_error("%s (process %d): %s", node->name, (int)pid, g_strerror(errno));
	}
}

/* How many still run; says which. */
static unsigned count_left(const struct cluster *cluster, bool namesrvs, bool say)
{
	unsigned left = 0;
	for (unsigned i = 0; i < cluster->nodes->len; i++) {
		struct cluster_node *node = cluster_node_at(cluster, i);
		if (node->child && waitpid(node->child, NULL, WNOHANG) == node->child)
			node->child = 0;
		pid_t pid = node->is_namesrv == namesrvs ? node_pid(cluster, node) : 0;
		left += pid != 0;
		if (pid && say)
			cli_error("%s (process %d) has not stopped; its log is %s/%s/log",
				  node->name, (int)pid, cluster->dir, node->name);
	}
	return left;
}

unsigned nodes_stop(const struct cluster *cluster, bool namesrvs, int64_t end_ms)
{
	ask_to_end(cluster, namesrvs);
	while (count_left(cluster, namesrvs, false) && cli_now_ms() < end_ms)
		node_pause();
	return count_left(cluster, namesrvs, true);
}
