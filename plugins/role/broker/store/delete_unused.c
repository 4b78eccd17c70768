/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting the queues that no topic has any more. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/delete.h"
#include "store/internal.h"

struct names {
	char **at;
	uint32_t count, room;
};

static int add_name(struct names *names, const char *name)
{
	if (names->count == names->room) {
		uint32_t room = names->room ? names->room * 2 : 64;
		char **more = realloc(names->at, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		names->at = more;
		names->room = room;
	}
	names->at[names->count] = strdup(name);
	return names->at[names->count++] ? 0 : -ENOMEM;
}

static int list_folders(const struct store *store, struct names *ret)
{
	DIR *folder = opendir(store->folders[KIND_PLAIN]);
	struct dirent *entry;
	int status = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while (!status && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			status = add_name(ret, entry->d_name);
	closedir(folder);
	return status;
}

int store_delete_unused(struct store *store, int (*judge)(struct gantry_str topic, void *user),
			void *user)
{
	struct names names = {0};
	int status = list_folders(store, &names);

	for (uint32_t i = 0; i < names.count; i++) {
		if (names.at[i] && !status)
			status = judge((struct gantry_str){names.at[i], strlen(names.at[i])}, user);
		free(names.at[i]);
	}
	free(names.at);
	return status;
}
