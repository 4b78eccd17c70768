/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of a store are, and whether somebody works in it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

/* Whether another process holds RocketMQ's lock: Java's is of the process, Gantry's of the open
 * file; a question about either sees both. */
static bool is_locked(const char *root)
{
	g_autofree char *path = g_build_filename(root, "lock", NULL);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool held;
	if (fd < 0)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return held;
}

static bool is_there(const char *root, const char *name)
{
	g_autofree char *path = g_build_filename(root, name, NULL);
	struct stat info;
	return stat(path, &info) == 0;
}

static bool is_folder(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int find_logs(struct store_places *places, const char *logs)
{
	if (!logs) {
		places->logs = g_new0(char *, 2);
		places->logs[0] = g_build_filename(places->root, "commitlog", NULL);
	} else {
		places->logs = g_strsplit(logs, ",", -1);
	}
	for (char **at = places->logs; *at; at++)
		if (is_folder(*at))
			return 0;
	cli_error("there is no CommitLog in %s", places->logs[0] ? places->logs[0] : logs);
	return CLI_USAGE;
}

int store_places_find(struct store_places *places, int argc, char **argv, char *logs)
{
	g_autofree char *given = logs;
	*places = (struct store_places){0};
	if (argc < 2)
		return cli_usage("DIR is missing: the store's directory");
	if (argc > 2)
		return cli_usage("%s is too much: one directory", argv[2]);
	if (!is_folder(argv[1])) {
		cli_error("%s is no directory", argv[1]);
		return CLI_USAGE;
	}
	places->root = g_strdup(argv[1]);
	for (size_t size = strlen(places->root); size > 1 && places->root[size - 1] == '/'; size--)
		places->root[size - 1] = '\0';
	places->running = is_locked(places->root);
	places->unclean = is_there(places->root, "abort");
	return find_logs(places, given);
}

void store_places_free(struct store_places *places)
{
	g_free(places->root);
	g_strfreev(places->logs);
	*places = (struct store_places){0};
}
