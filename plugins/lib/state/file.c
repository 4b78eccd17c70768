/* SPDX-License-Identifier: Apache-2.0 */
/* A file is replaced as a whole: a crash leaves the old one, the new one, or the old one and a
 * .tmp.
 */
#include "state/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/state.h"

enum { PATH_ROOM = 4096 };

static int read_all(int fd, char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, text + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* it shrank while we read */
		done += (size_t)n;
	}
	return 0;
}

int state_read_file(const char *path, size_t max, char **ret, size_t *ret_size)
{
	struct stat info;
	char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &info))
		err = -errno;
	else if (!S_ISREG(info.st_mode))
		err = -EINVAL;
	else if ((size_t)info.st_size > max)
		err = -EFBIG;
	else if (!(text = malloc((size_t)info.st_size + 1)))
		err = -ENOMEM;
	else
		err = read_all(fd, text, (size_t)info.st_size);
	close(fd);
	if (err) {
		free(text);
		return err;
	}
	text[info.st_size] = 0;
	*ret = text;
	*ret_size = (size_t)info.st_size;
	return 0;
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		size -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

/* Makes the folders above path. */
static int make_parents(const char *path)
{
	char room[PATH_ROOM];
	size_t size = strlen(path);

	if (size >= sizeof(room))
		return -ENAMETOOLONG;
	memcpy(room, path, size + 1);
	for (char *at = strchr(room + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		if (mkdir(room, 0755) && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return 0;
}

static int create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), err;

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	err = make_parents(path);
	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

/* The rename is durable once the folder is. */
static int sync_folder_of(const char *path)
{
	char room[PATH_ROOM];
	const char *slash = strrchr(path, '/');
	size_t size = slash ? (size_t)(slash - path) : 0;
	int fd, err;

	if (slash == path)
		size = 1;
	memcpy(room, size ? path : ".", size ? size : 1);
	room[size ? size : 1] = 0;
	fd = open(room, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
}

static int add_suffix(char *room, const char *path, const char *suffix)
{
	size_t size = strlen(path), more = strlen(suffix) + 1;

	if (size + more > PATH_ROOM)
		return -ENAMETOOLONG;
	memcpy(room, path, size);
	memcpy(room + size, suffix, more);
	return 0;
}

int state_write_file(const char *path, const char *text, size_t size)
{
	char fresh[PATH_ROOM], backup[PATH_ROOM];
	int fd, err;

	if (add_suffix(fresh, path, ".tmp") || add_suffix(backup, path, ".bak"))
		return -ENAMETOOLONG;
	fd = create(fresh);
	if (fd < 0)
		return fd;
	err = write_all(fd, text, size);
	if (close(fd) && !err)
		err = -errno;
	if (!err) {
		unlink(backup);
		if (link(path, backup) && errno != ENOENT)
			err = -errno;
	}
	if (!err && rename(fresh, path))
		err = -errno;
	if (err) {
		unlink(fresh);
		return err;
	}
	return sync_folder_of(path);
}
