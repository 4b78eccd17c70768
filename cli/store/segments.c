/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of files: names of 20 digits, each file as long as the others. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

enum { NAME_DIGITS = 20 };

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *list_names(const char *directory)
{
	GPtrArray *names;
	struct dirent *entry;
	DIR *dir = opendir(directory);
	if (!dir)
		return NULL;
	names = g_ptr_array_new_with_free_func(g_free);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	closedir(dir);
	g_ptr_array_sort(names, by_name);
	return names;
}

int64_t read_at(int fd, void *to, size_t size, uint64_t at)
{
	size_t done = 0;
	while (done < size) {
		ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

static bool read_name(const char *name, uint64_t *ret)
{
	uint64_t value = 0;
	size_t size = strlen(name);
	if (size != NAME_DIGITS)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		if (value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(name[i] - '0');
	}
	*ret = value;
	return true;
}

static void take_file(struct segments *segments, const char *directory, const char *name,
		      struct report *report)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	struct segment file = {0};
	struct stat info;
	if (stat(path, &info))
		return; /* expired meanwhile */
	if (S_ISDIR(info.st_mode))
		return;
	if (!read_name(name, &file.base)) {
		report_add(report, FINDING_DAMAGE, path, 0,
			   "its name is not an offset of 20 digits: the Java broker does not start "
			   "beside it");
		return;
	}
	file.size = (uint64_t)info.st_size;
	if (!file.size) {
		report_note(report, path, "it is empty: a start removes it");
		return;
	}
	file.path = g_steal_pointer(&path);
	g_array_append_val(segments->files, file);
}

static int by_base(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;
	return x->base < y->base ? -1 : x->base > y->base;
}

/* The size of a file that is as long as most: the first of two that are equal, else the first. */
static uint64_t usual_size(const struct segments *segments)
{
	for (uint32_t i = 0; i + 1 < segments->files->len; i++)
		if (segments_at(segments, i)->size == segments_at(segments, i + 1)->size)
			return segments_at(segments, i)->size;
	return segments->files->len ? segments_at(segments, 0)->size : 0;
}

static void check_sizes(const struct segments *segments, uint64_t unit, struct report *report)
{
	for (uint32_t i = 0; i < segments->files->len; i++) {
		const struct segment *file = segments_at(segments, i);
		if (file->size != segments->bytes)
			report_add(report, FINDING_DAMAGE, file->path, file->size,
				   "the file has %llu bytes, the others %llu: no broker starts "
				   "with it",
				   (unsigned long long)file->size,
				   (unsigned long long)segments->bytes);
		else if (file->size % unit)
			report_add(report, FINDING_DAMAGE, file->path, file->size,
				   "%llu bytes are no multiple of %llu",
				   (unsigned long long)file->size, (unsigned long long)unit);
		if (file->base % segments->bytes)
			report_add(report, FINDING_DAMAGE, file->path, 0,
				   "its name is no multiple of the file size %llu",
				   (unsigned long long)segments->bytes);
	}
}

static void check_row(const struct segments *segments, struct report *report)
{
	for (uint32_t i = 1; i < segments->files->len; i++) {
		const struct segment *before = segments_at(segments, i - 1);
		const struct segment *file = segments_at(segments, i);
		uint64_t due = before->base + segments->bytes;
		if (file->base > due)
			report_add(report, FINDING_DAMAGE, file->path, 0,
				   "files are missing before it: the one before ends at %llu",
				   (unsigned long long)due);
		else if (file->base < due)
			report_add(report, FINDING_DAMAGE, file->path, 0,
				   "it overlaps the file before, which ends at %llu",
				   (unsigned long long)due);
	}
}

void segments_list(char *const *directories, uint64_t unit, struct report *report,
		   struct segments *ret)
{
	ret->files = g_array_new(FALSE, FALSE, sizeof(struct segment));
	for (; *directories; directories++) {
		GPtrArray *names = list_names(*directories);
		if (!names && errno != ENOENT)
			report_unread(report, *directories, -errno);
		for (guint i = 0; names && i < names->len; i++)
			take_file(ret, *directories, names->pdata[i], report);
		if (names)
			g_ptr_array_unref(names);
	}
	g_array_sort(ret->files, by_base);
	ret->bytes = usual_size(ret);
	check_sizes(ret, unit, report);
	check_row(ret, report);
}

void segments_free(struct segments *segments)
{
	for (guint i = 0; segments->files && i < segments->files->len; i++)
		g_free(g_array_index(segments->files, struct segment, i).path);
	if (segments->files)
		g_array_unref(segments->files);
	*segments = (struct segments){0};
}

const struct segment *segments_find(const struct segments *segments, uint64_t at)
{
	guint low = 0, high = segments->files->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct segment *file = segments_at(segments, middle);
		if (at < file->base)
			high = middle;
		else if (at >= file->base + file->size)
			low = middle + 1;
		else
			return file;
	}
	return NULL;
}

uint64_t segments_first(const struct segments *segments)
{
	return segments->files->len ? segments_at(segments, 0)->base : 0;
}

uint64_t segments_end(const struct segments *segments)
{
	guint count = segments->files->len;
	const struct segment *last = count ? segments_at(segments, count - 1) : NULL;
	return last ? last->base + last->size : 0;
}
