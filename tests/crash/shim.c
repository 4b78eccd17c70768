/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program that is to meet a bad disk or no memory: the nth call of a function that
 * concerns a path, and those that follow it, fail.
 *
 *   CRASH_FAULT  FUNCTION:NTH:COUNT:ERRNO:PATH  ERRNO 0: it does half of what it is asked to;
 *                PATH: part of the file's path; for malloc part of the path of the object file that
 *                calls it
 *   CRASH_ARM    a file; only calls that are made while it is there are counted
 *   CRASH_SAID   a file; a line is added to it for each call that fails */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&name))real(#name))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

enum { HALF = -1 };

static struct {
	char function[32], path[PATH_MAX];
	long nth, left; /* atomic */
	int error;      /* HALF: half of it is done */
	const char *arm, *said;
} fault;

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void read_fault(void)
{
	const char *text = getenv("CRASH_FAULT");

	fault.arm = getenv("CRASH_ARM");
	fault.said = getenv("CRASH_SAID");
	if (!text || sscanf(text, "%31[^:]:%ld:%ld:%d:%4095s", fault.function, &fault.nth,
			    &fault.left, &fault.error, fault.path) != 5)
		fault.function[0] = 0;
	else if (fault.error == 0)
		fault.error = HALF;
}

/* Plain system calls: the functions are ours. */
static void say(const char *path)
{
	char line[PATH_MAX + 64];
	int size = snprintf(line, sizeof(line), "%s %s\n", fault.function, path);

	if (!fault.said)
		return;
	int fd =
		(int)syscall(SYS_openat, AT_FDCWD, fault.said, O_WRONLY | O_CREAT | O_APPEND, 0644);
	syscall(SYS_write, fd, line, (size_t)size);
	syscall(SYS_close, fd);
}

static bool concerns(const char *function)
{
	return fault.function[0] && strcmp(function, fault.function) == 0 &&
	       __atomic_load_n(&fault.left, __ATOMIC_RELAXED) > 0;
}

/* 0, HALF or an errno, which is then set. */
static int check_path(const char *path)
{
	if (!strstr(path, fault.path))
		return 0;
	if (fault.arm && syscall(SYS_access, fault.arm, F_OK))
		return 0;
	if (__atomic_sub_fetch(&fault.nth, 1, __ATOMIC_RELAXED) > 0)
		return 0;
	if (__atomic_fetch_sub(&fault.left, 1, __ATOMIC_RELAXED) <= 0)
		return 0;
	say(path);
	if (fault.error != HALF)
		errno = fault.error;
	return fault.error;
}

static int check_fd(const char *function, int fd)
{
	char name[64], path[PATH_MAX];
	int keep = errno;

	if (!concerns(function))
		return 0;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	long size = syscall(SYS_readlink, name, path, sizeof(path) - 1);
	if (size < 0) {
		errno = keep;
		return 0;
	}
	path[size] = 0;
	return check_path(path);
}

static int check_name(const char *function, const char *path)
{
	return concerns(function) ? check_path(path) : 0;
}

/* ---- writing */

SHOWN ssize_t write(int fd, const void *from, size_t size)
{
	int bad = check_fd("write", fd);

	return bad > 0 ? -1 : REAL(write)(fd, from, bad == HALF && size > 1 ? size / 2 : size);
}

SHOWN ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
	int bad = check_fd("pwrite", fd);

	return bad > 0 ? -1 : REAL(pwrite)(fd, from, bad == HALF && size > 1 ? size / 2 : size, at);
}

SHOWN ssize_t pwrite64(int fd, const void *from, size_t size, off_t at)
{
	return pwrite(fd, from, size, at);
}

SHOWN ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at)
{
	int bad = check_fd("pwrite", fd);

	if (bad == HALF)
		return REAL(pwrite)(fd, from[0].iov_base, from[0].iov_len / 2 + 1, at);
	return bad > 0 ? -1 : REAL(pwritev)(fd, from, count, at);
}

SHOWN ssize_t pwritev64(int fd, const struct iovec *from, int count, off_t at)
{
	return pwritev(fd, from, count, at);
}

/* ---- syncing */

SHOWN int fdatasync(int fd)
{
	return check_fd("fdatasync", fd) > 0 ? -1 : REAL(fdatasync)(fd);
}

SHOWN int fsync(int fd)
{
	return check_fd("fsync", fd) > 0 ? -1 : REAL(fsync)(fd);
}

SHOWN int syncfs(int fd)
{
	return check_fd("syncfs", fd) > 0 ? -1 : REAL(syncfs)(fd);
}

/* ---- files */

SHOWN int ftruncate(int fd, off_t size)
{
	return check_fd("ftruncate", fd) > 0 ? -1 : REAL(ftruncate)(fd, size);
}

SHOWN int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

SHOWN int open(const char *path, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
	va_end(rest);
	return check_name("open", path) > 0 ? -1 : REAL(open)(path, flags, mode);
}

SHOWN int open64(const char *path, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
	va_end(rest);
	return open(path, flags, mode);
}

SHOWN int openat(int folder, const char *path, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
	va_end(rest);
	return check_fd("open", folder) > 0 ? -1 : REAL(openat)(folder, path, flags, mode);
}

SHOWN int openat64(int folder, const char *path, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
	va_end(rest);
	return openat(folder, path, flags, mode);
}

SHOWN int rename(const char *from, const char *to)
{
	return check_name("rename", to) > 0 ? -1 : REAL(rename)(from, to);
}

SHOWN ssize_t pread(int fd, void *to, size_t size, off_t at)
{
	int bad = check_fd("pread", fd);

	return bad > 0 ? -1 : REAL(pread)(fd, to, bad == HALF && size > 1 ? size / 2 : size, at);
}

SHOWN ssize_t pread64(int fd, void *to, size_t size, off_t at)
{
	return pread(fd, to, size, at);
}

/* ---- memory */

SHOWN void *mmap(void *at, size_t size, int access, int flags, int fd, off_t offset)
{
	if (fd >= 0 && check_fd("mmap", fd) > 0)
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, size, access, flags, fd, offset);
}

SHOWN void *mmap64(void *at, size_t size, int access, int flags, int fd, off_t offset)
{
	return mmap(at, size, access, flags, fd, offset);
}

/* Whether the object file that calls is the one. */
static bool no_memory(const void *caller)
{
	Dl_info info;

	return concerns("malloc") && dladdr(caller, &info) && info.dli_fname &&
	       check_path(info.dli_fname) > 0;
}

SHOWN void *malloc(size_t size)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

SHOWN void *calloc(size_t count, size_t size)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

SHOWN void *realloc(void *old, size_t size)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}
