/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: the home directory at the start of a path, and nothing else, is expanded. */
#include "conf/private.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *passwd_home(void)
{
	char buffer[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) != 0 || !found)
		return NULL;
	return g_strdup(found->pw_dir);
}

/* $HOME, the user's directory if it is not set. */
static char *shell_home(void)
{
	const char *home = getenv("HOME");

	return home && *home ? g_strdup(home) : passwd_home();
}

/* The JVM's user.home: the user's directory, $HOME if that says nothing. */
static char *java_home(void)
{
	char *home = passwd_home();

	if (home && strlen(home) >= 3)
		return home;
	g_free(home);
	return shell_home();
}

char *gk_path_expand(const char *path)
{
	static const struct {
		const char *name;
		char *(*home)(void);
	} names[] = {{"~", shell_home},
		     {"$HOME", shell_home},
		     {"${HOME}", shell_home},
		     {"${user.home}", java_home}};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		size_t size = strlen(names[i].name);
		g_autofree char *home = NULL;

		if (strncmp(path, names[i].name, size) != 0 || (path[size] && path[size] != '/'))
			continue;
		home = names[i].home();
		return home ? g_strconcat(home, path + size, NULL) : NULL;
	}
	return g_strdup(path);
}
