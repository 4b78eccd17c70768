/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program, counts its heap allocations in a file that another program may read
 * meanwhile: 8 bytes, the machine's byte order. COUNT_MALLOC_FILE names it; it must exist. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, under the names that stay when malloc is replaced. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *old, size_t size);
EXPORT void *aligned_alloc(size_t alignment, size_t size);

static uint64_t before_the_file;
static uint64_t *count = &before_the_file;

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("COUNT_MALLOC_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED
			  : mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		_exit(127);
	close(fd);
	count = at;
}

static void one_more(void)
{
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	one_more();
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	one_more();
	return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
	one_more();
	return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	one_more();
	return __libc_memalign(alignment, size);
}
