/* SPDX-License-Identifier: Apache-2.0 */
/* The store's folders and its two small files: lock, which keeps a second broker out, and abort,
 * which is there while a broker runs. As the Java broker makes them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/files.h"
#include "store/internal.h"

enum { PATH_ROOM = 4096 };

static int join(char *room, const char *root, const char *name)
{
	int size = snprintf(room, PATH_ROOM, "%s/%s", root, name);

	return size < 0 || size >= PATH_ROOM ? -ENAMETOOLONG : 0;
}

int files_make_folders(const char *path)
{
	char room[PATH_ROOM];
	size_t size = strlen(path);

	if (size >= sizeof(room))
		return -ENAMETOOLONG;
	memcpy(room, path, size + 1);
	for (char *at = room + 1;; at++) {
		char c = *at;

		if (c && c != '/')
			continue;
		*at = '\0';
		if (mkdir(room, 0755) && errno != EEXIST)
			return -errno;
		if (!c)
			return 0;
		*at = c;
	}
}

/* Makes this the file's text. It is the name that counts: on a full disk it may stay empty, and
 * what stood there is written over, not dropped first, so that a broker starts there and serves
 * reads. */
static int put(int fd, const char *text, size_t size)
{
	ssize_t done = pwrite(fd, text, size, 0);

	if (done < 0)
		return errno == ENOSPC || errno == EDQUOT ? 0 : -errno;
	return ftruncate(fd, (off_t)size) ? -errno : 0;
}

int files_lock(const char *root)
{
	/* of the open file, not of the process: it also keeps out a second store in this one */
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	char path[PATH_ROOM];
	int fd, status = join(path, root, "lock");

	if (status)
		return status;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &lock))
		status = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	else
		status = put(fd, "lock", 4);
	if (status) {
		close(fd);
		return status;
	}
	return fd;
}

/* A new name in a folder is safe when the folder is. */
int files_sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd < 0 ? -errno : 0;

	if (!status && fsync(fd))
		status = -errno;
	if (fd >= 0)
		close(fd);
	return status;
}

int files_make_abort(const char *root)
{
	char path[PATH_ROOM], pid[24];
	int size = snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	int fd, status = join(path, root, "abort");

	if (status)
		return status;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	status = put(fd, pid, (size_t)size);
	if (!status && fsync(fd))
		status = -errno;
	close(fd);
	return status ? status : files_sync_folder(root);
}

int files_remove_abort(const char *root)
{
	char path[PATH_ROOM];
	int status = join(path, root, "abort");

	if (status)
		return status;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

bool files_has_abort(const char *root)
{
	char path[PATH_ROOM];

	return !join(path, root, "abort") && access(path, F_OK) == 0;
}

bool files_folder_is_empty(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool empty = true;

	if (!folder)
		return true;
	while (empty && (entry = readdir(folder)))
		empty = entry->d_name[0] == '.';
	closedir(folder);
	return empty;
}
