/* SPDX-License-Identifier: Apache-2.0 */
/* The index's files: finding, making and removing them. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/index.h"

enum { PATH_ROOM = 4096, FILES_FIRST = 16 };

static int path_of(const struct index *index, uint64_t name, char *room)
{
	int size =
		snprintf(room, PATH_ROOM, "%s/%0*" PRIu64, index->folder, MESSAGE_INDEX_NAME, name);

	return size < 0 || size >= PATH_ROOM ? -ENAMETOOLONG : 0;
}

/* ---- the list */

void index_release(struct index *index, struct index_file *file)
{
	bool last;

	pthread_mutex_lock(&index->lock);
	last = --file->refs == 0;
	pthread_mutex_unlock(&index->lock);
	if (!last)
		return;
	index->ops->close(file->area);
	free(file);
}

static int add_file(struct index *index, uint64_t name, struct index_file **ret)
{
	uint64_t size = message_index_size(&index->shape);
	uint8_t bytes[MESSAGE_INDEX_HEADER];
	char path[PATH_ROOM];
	struct index_file *file;
	int made, status = path_of(index, name, path);

	if (status)
		return status;
	if (index->file_count == index->file_room) {
		uint32_t room = index->file_room ? index->file_room * 2 : FILES_FIRST;
		void *files = realloc(index->files, room * sizeof(*index->files));

		if (!files)
			return -ENOMEM;
		index->files = files;
		index->file_room = room;
	}
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	status = index->ops->open(index->store->engine_inst, path, size, &file->area, &made);
	if (!status)
		status = index->ops->read(file->area, 0, bytes, sizeof(bytes));
	if (status) {
		index->ops->close(file->area);
		free(file);
		return status;
	}
	message_index_header_read(bytes, &index->shape, &file->header);
	file->name = name;
	file->refs = 1;
	index->files[index->file_count++] = file;
	*ret = file;
	return 0;
}

void index_remove(struct index *index, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct index_file *file = index->files[i];
		char path[PATH_ROOM];

		if (!path_of(index, file->name, path) && unlink(path) && errno != ENOENT)
			gantry_log(index->store->inst, ERROR, "cannot remove %s: %s", path,
				   strerror(errno));
		index_release(index, file);
	}
	if (from < to) /* else there may be no array at all */
		memmove(index->files + from, index->files + to,
			(index->file_count - to) * sizeof(*index->files));
	index->file_count -= to - from;
}

void index_free_files(struct index *index)
{
	for (uint32_t i = 0; i < index->file_count; i++)
		index_release(index, index->files[i]);
	free(index->files);
	index->files = NULL;
	index->file_count = index->file_room = 0;
}

/* ---- making one */

/* RocketMQ's name: the local time, yyyyMMddHHmmssSSS. Names grow, whatever the clock does: their
 * order is that of the files. */
static uint64_t new_name(const struct index *index)
{
	int64_t ms = broker_wall_ms();
	time_t seconds = (time_t)(ms / 1000);
	struct tm now;
	uint64_t name, last = 0;

	localtime_r(&seconds, &now);
	name = (uint64_t)now.tm_year + 1900;
	name = name * 100 + (uint64_t)now.tm_mon + 1;
	name = name * 100 + (uint64_t)now.tm_mday;
	name = name * 100 + (uint64_t)now.tm_hour;
	name = name * 100 + (uint64_t)now.tm_min;
	name = name * 100 + (uint64_t)now.tm_sec;
	name = name * 1000 + (uint64_t)(ms % 1000);
	if (index->file_count)
		last = index->files[index->file_count - 1]->name;
	return name > last ? name : last + 1;
}

int index_last(struct index *index, struct index_file **ret)
{
	struct index_file *before = index->file_count ? index->files[index->file_count - 1] : NULL;
	int status;

	if (before && !message_index_is_full(&before->header, &index->shape)) {
		*ret = before;
		return 0;
	}
	status = add_file(index, new_name(index), ret);
	if (!status)
		message_index_begin(&(*ret)->header, before ? &before->header : NULL);
	return status;
}

/* ---- what is there when the store opens */

static int compare_names(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* 0: it is no name of an index file. */
static uint64_t read_name(const char *text)
{
	if (strlen(text) != MESSAGE_INDEX_NAME || strspn(text, "0123456789") != MESSAGE_INDEX_NAME)
		return 0;
	return strtoull(text, NULL, 10);
}

static int list_names(struct index *index, uint64_t **ret, size_t *ret_count)
{
	DIR *folder = opendir(index->folder);
	uint64_t *names = NULL;
	size_t count = 0;
	struct dirent *entry;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(folder))) {
		uint64_t name = read_name(entry->d_name);
		void *more;

		if (!name) {
			if (entry->d_name[0] != '.')
				gantry_log(index->store->inst, WARNING,
					   "%s/%s is no index file; it is left alone",
					   index->folder, entry->d_name);
			continue;
		}
		more = realloc(names, (count + 1) * sizeof(*names));
		if (!more) {
			free(names);
			closedir(folder);
			return -ENOMEM;
		}
		names = more;
		names[count++] = name;
	}
	closedir(folder);
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	*ret = names;
	*ret_count = count;
	return 0;
}

int index_load(struct index *index)
{
	uint64_t *names = NULL;
	size_t count = 0;
	int status = list_names(index, &names, &count);

	for (size_t i = 0; i < count; i++) {
		struct index_file *file;
		int err = add_file(index, names[i], &file);

		if (err) /* which costs only itself: its messages are not found by key */
			gantry_log(index->store->inst, ERROR, "cannot use %s/%0*" PRIu64 ": %s",
				   index->folder, MESSAGE_INDEX_NAME, names[i], strerror(-err));
	}
	free(names);
	return status;
}

void index_drop_unsafe(struct index *index, int64_t safe_ms)
{
	for (uint32_t i = 0; i < index->file_count;) {
		const struct index_file *file = index->files[i];

		if (file->header.end_ms <= safe_ms) {
			i++;
			continue;
		}
		gantry_log(index->store->inst, NOTICE,
			   "%s/%0*" PRIu64
			   " was not safe on disk at the last stop: it is made again",
			   index->folder, MESSAGE_INDEX_NAME, file->name);
		index_remove(index, i, i + 1);
	}
}

int index_follow(struct index *index, const struct index_file *file, uint32_t slot, uint32_t number,
		 uint32_t *ret)
{
	uint32_t at = slot < index->shape.entries ? slot : 0;

	while (at >= number) {
		uint8_t bytes[MESSAGE_INDEX_ENTRY];
		struct message_index_entry entry;
		int status = index->ops->read(file->area, message_index_entry_at(&index->shape, at),
					      bytes, sizeof(bytes));

		if (status)
			return status;
		message_index_entry_read(bytes, &entry);
		at = entry.previous > 0 && (uint32_t)entry.previous < at ? (uint32_t)entry.previous
									 : 0;
	}
	*ret = at;
	return 0;
}

void index_find_next(struct index *index)
{
	uint32_t i = index->file_count;

	while (i && index->files[i - 1]->header.next <= 1)
		i--;
	pthread_mutex_lock(&index->lock);
	index->resume = i ? (uint64_t)index->files[i - 1]->header.end_at : 0;
	index->next = i ? index->resume + 1 : 0;
	pthread_mutex_unlock(&index->lock);
}
