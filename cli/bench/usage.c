/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time from /proc/PID/stat, memory from /proc/PID/status. */
#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_file(int pid, const char *name, char *to, size_t room)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *file = fopen(path, "r");
	if (!file)
		return -ESRCH;
	size_t size = fread(to, 1, room - 1, file);
	fclose(file);
	to[size] = '\0';
	return 0;
}

/* The KiB on the line that begins with key; 0 if there is none (a kernel thread). */
static uint64_t status_kib(const char *status, const char *key)
{
	const char *line = strstr(status, key);
	return line ? strtoull(line + strlen(key), NULL, 10) : 0;
}

int usage_read(int pid, struct usage *ret)
{
	char text[4096];
	unsigned long long user, system;
	int failed = read_file(pid, "stat", text, sizeof(text));
	if (failed)
		return failed;
	const char *fields = strrchr(text, ')'); /* the name before it may hold anything */
	if (!fields || sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
			      &user, &system) != 2)
		return -EPROTO;
	failed = read_file(pid, "status", text, sizeof(text));
	if (failed)
		return failed;
	double tick = (double)sysconf(_SC_CLK_TCK);
	*ret = (struct usage){.user_s = (double)user / tick,
			      .system_s = (double)system / tick,
			      .anon_kib = status_kib(text, "RssAnon:"),
			      .file_kib =
				      status_kib(text, "RssFile:") + status_kib(text, "RssShmem:")};
	return 0;
}
