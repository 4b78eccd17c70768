/* SPDX-License-Identifier: Apache-2.0 */
/* Names, directories and zeros. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gantry/log.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void files_name(char to[FILES_NAME], uint64_t start)
{
	for (int i = FILES_NAME - 2; i >= 0; --i, start /= 10)
		to[i] = (char)('0' + start % 10);
	to[FILES_NAME - 1] = 0;
}

static bool parse_name(const char *name, uint64_t *ret)
{
	uint64_t start = 0;

	if (strlen(name) != FILES_NAME - 1)
		return false;
	for (; *name; ++name) {
		if (*name < '0' || *name > '9')
			return false;
		if (__builtin_mul_overflow(start, 10, &start) ||
		    __builtin_add_overflow(start, (uint64_t)(*name - '0'), &start))
			return false;
	}
	/* Java's offsets are signed. */
	if (start > INT64_MAX)
		return false;
	*ret = start;
	return true;
}

static int add_found(struct listing *listing, uint64_t start, uint32_t directory)
{
	if (listing->count == listing->room) {
		uint32_t room = listing->room ? listing->room * 2 : 8;
		struct found *files = realloc(listing->files, room * sizeof(*files));

		if (!files)
			return -ENOMEM;
		listing->files = files;
		listing->room = room;
	}
	listing->files[listing->count++] = (struct found){start, directory};
	return 0;
}

int files_list(struct gantry_inst *inst, const char *directory, uint32_t index,
	       struct listing *listing)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (errno = 0, entry = readdir(dir))) {
		uint64_t start;

		if (entry->d_type == DT_DIR)
			continue;
		if (parse_name(entry->d_name, &start))
			rc = add_found(listing, start, index);
		else if (entry->d_type == DT_REG)
			gantry_log(inst, WARNING, "%s/%s is no segment and is left alone",
				   directory, entry->d_name);
	}
	if (rc == 0 && errno)
		rc = -errno;
	closedir(dir);
	return rc;
}

static int by_start(const void *a, const void *b)
{
	uint64_t x = ((const struct found *)a)->start, y = ((const struct found *)b)->start;

	return (x > y) - (x < y);
}

void files_sort(struct listing *listing)
{
	if (listing->count)
		qsort(listing->files, listing->count, sizeof(*listing->files), by_start);
}

void files_forget(struct listing *listing)
{
	free(listing->files);
	*listing = (struct listing){0};
}

int files_check_gaps(struct gantry_inst *inst, const char *directory, const struct listing *listing,
		     uint64_t bytes)
{
	if (listing->count && listing->files[0].start % bytes) {
		gantry_log(inst, ERROR, "%s: segment %020llu does not begin at a multiple of %llu",
			   directory, (unsigned long long)listing->files[0].start,
			   (unsigned long long)bytes);
		return -EUCLEAN;
	}
	for (uint32_t i = 1; i < listing->count; ++i) {
		uint64_t before = listing->files[i - 1].start, start = listing->files[i].start;

		if (start - before == bytes)
			continue;
		gantry_log(inst, ERROR,
			   "%s: segment %020llu does not follow %020llu, which is %llu bytes long",
			   directory, (unsigned long long)start, (unsigned long long)before,
			   (unsigned long long)bytes);
		return -EUCLEAN;
	}
	return 0;
}

/* Makes what is missing above the last part of the path. */
static int make_parents(const char *path, size_t size)
{
	char part[PATH_MAX];

	memcpy(part, path, size + 1);
	for (size_t i = 1; i < size; ++i) {
		if (part[i] != '/')
			continue;
		part[i] = 0;
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
		part[i] = '/';
	}
	return 0;
}

/* Most parents are there: of thousands of queues' folders only the last part is new. */
int files_make_directory(const char *path)
{
	size_t size = strlen(path);
	int rc;

	if (size >= PATH_MAX)
		return -ENAMETOOLONG;
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	rc = make_parents(path, size);
	if (rc < 0)
		return rc;
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

int files_sync_directory(int directory)
{
	/* Some file systems cannot and say so; their names are as durable as they get. */
	if (fsync(directory) && errno != EINVAL && errno != ENOTSUP)
		return -errno;
	return 0;
}

int files_sync_directory_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = files_sync_directory(fd);
	close(fd);
	return rc;
}

int files_zero(int fd, uint64_t at, uint64_t bytes, uint64_t *ret_done)
{
	enum { PIECES = 16, PIECE = 4 * FILES_PAGE };
	static const uint8_t zeros[PIECE] __attribute__((aligned(FILES_PAGE)));
	struct iovec piece[PIECES];
	uint64_t done = 0;
	int rc = 0;

	while (done < bytes && rc == 0) {
		uint64_t left = bytes - done;
		int count = 0;

		for (; count < PIECES && left; ++count) {
			uint64_t size = left < PIECE ? left : PIECE;

			piece[count] = (struct iovec){(void *)zeros, size};
			left -= size;
		}
		ssize_t wrote = pwritev(fd, piece, count, (off_t)(at + done));
		if (wrote > 0)
			done += (uint64_t)wrote;
		else if (wrote == 0)
			rc = -ENOSPC;
		else if (errno != EINTR)
			rc = -errno;
	}
	*ret_done = done;
	return rc;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* The rest of the page that at stands in. */
static int erase_page(int fd, uint64_t at, uint64_t until)
{
	uint8_t page[FILES_PAGE];
	uint64_t done;
	int64_t got = files_read(fd, at, page, until - at);

	if (got < 0)
		return (int)got;
	if (all_zero(page, (size_t)got))
		return 0;
	int rc = files_zero(fd, at, until - at, &done);
	return rc < 0 ? rc : 1;
}

int files_erase(int fd, uint64_t at, uint64_t file_bytes)
{
	uint64_t page = files_page_up(at), done;
	int changed = 0;

	if (page > file_bytes)
		page = file_bytes;
	if (at < page) {
		changed = erase_page(fd, at, page);
		if (changed < 0)
			return changed;
	}
	/* Nothing but holes: the usual case, and no reason to touch the file. */
	if (page == file_bytes || (lseek(fd, (off_t)page, SEEK_DATA) < 0 && errno == ENXIO))
		return changed;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)page,
		      (off_t)(file_bytes - page)) == 0)
		return 1;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	int rc = files_zero(fd, page, file_bytes - page, &done);
	return rc < 0 ? rc : 1;
}

int64_t files_read(int fd, uint64_t at, void *to, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		ssize_t got = pread(fd, (uint8_t *)to + done, bytes - done, (off_t)(at + done));

		if (got == 0)
			break;
		if (got > 0)
			done += (uint64_t)got;
		else if (errno != EINTR)
			return -errno;
	}
	return (int64_t)done;
}

int64_t files_read_hot(int fd, uint64_t at, void *to, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		struct iovec piece = {(uint8_t *)to + done, bytes - done};
		ssize_t got = preadv2(fd, &piece, 1, (off_t)(at + done), RWF_NOWAIT);

		if (got == 0)
			break;
		if (got > 0)
			done += (uint64_t)got;
		else if (errno == EOPNOTSUPP) /* this file system cannot be asked */
			return files_read(fd, at, to, bytes);
		else if (errno != EINTR)
			return -errno;
	}
	return (int64_t)done;
}

int files_write(int fd, uint64_t at, const void *from, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		ssize_t wrote =
			pwrite(fd, (const uint8_t *)from + done, bytes - done, (off_t)(at + done));

		if (wrote > 0)
			done += (uint64_t)wrote;
		else if (wrote == 0)
			return -ENOSPC;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int files_write_padded(int fd, uint64_t at, const void *from, uint64_t bytes, uint64_t pad)
{
	static const uint8_t zeros[FILES_PAGE];
	struct iovec piece[] = {{(void *)from, bytes}, {(void *)zeros, pad}};
	ssize_t wrote = pwritev(fd, piece, 2, (off_t)at);
	uint64_t done = wrote > 0 ? (uint64_t)wrote : 0, zeroed;
	int rc = 0;

	if (wrote < 0 && errno != EINTR)
		return -errno;
	if (done < bytes) {
		rc = files_write(fd, at + done, (const uint8_t *)from + done, bytes - done);
		done = bytes;
	}
	if (rc == 0 && done < bytes + pad)
		rc = files_zero(fd, at + done, bytes + pad - done, &zeroed);
	return rc;
}
