/* SPDX-License-Identifier: Apache-2.0 */
#include "store/folders.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has(const struct folders *folders, uint32_t from, const char *folder)
{
	for (uint32_t i = from; i < folders->count; i++)
		if (!strcmp(folders->at[i], folder))
			return true;
	return false;
}

static char *trim(char *text)
{
	size_t size;

	text += strspn(text, " \t");
	size = strlen(text);
	while (size && strchr(" \t", text[size - 1]))
		text[--size] = '\0';
	return text;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds those of the list that are not there yet. */
static int add_all(struct folders *folders, char *list)
{
	uint32_t from = folders->count;
	char *rest = NULL;

	for (char *part = strtok_r(list, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		part = trim(part);
		if (!*part || has(folders, 0, part))
			continue;
		if (folders->count == FOLDERS_MAX)
			return -E2BIG;
		folders->at[folders->count++] = part;
	}
	qsort(folders->at + from, folders->count - from, sizeof(folders->at[0]), by_name);
	return 0;
}

/* The list of those without new files is read first, so that they win. */
static int fill(struct folders *folders, char *paths, char *kept)
{
	const char *front[FOLDERS_MAX];
	uint32_t count;
	int status = add_all(folders, kept);

	folders->kept = folders->count;
	if (!status)
		status = add_all(folders, paths);
	count = folders->count - folders->kept;
	if (status || !count)
		return status ? status : -EINVAL;
	memcpy(front, folders->at + folders->kept, count * sizeof(front[0]));
	memmove(folders->at + count, folders->at, folders->kept * sizeof(front[0]));
	memcpy(folders->at, front, count * sizeof(front[0]));
	return 0;
}

int folders_read(const char *paths, const char *kept, const char *root, struct folders *ret)
{
	struct folders folders = {0};
	size_t room;
	int size, status;

	if (!kept)
		kept = "";
	room = (paths ? strlen(paths) : strlen(root) + sizeof("/commitlog")) + strlen(kept) + 2;
	folders.text = malloc(room);
	if (!folders.text)
		return -ENOMEM;
	size = snprintf(folders.text, room, "%s%s", paths ? paths : root,
			paths ? "" : "/commitlog");
	memcpy(folders.text + size + 1, kept, strlen(kept) + 1);
	status = fill(&folders, folders.text, folders.text + size + 1);
	if (status)
		folders_free(&folders);
	else
		*ret = folders;
	return status;
}

void folders_free(struct folders *folders)
{
	free(folders->text);
	*folders = (struct folders){0};
}
