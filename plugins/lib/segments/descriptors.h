/* SPDX-License-Identifier: Apache-2.0 */
/* Open files of small logs: a cache of a fixed size, the least recently used one gives way. Any
 * thread. */
#ifndef SEGMENTS_DESCRIPTORS_H
#define SEGMENTS_DESCRIPTORS_H

#include <gantry/base.h>
#include <stdbool.h>

struct descriptors;

struct descriptor { /* a file in use; a plain value */
	int fd;
	uint32_t entry; /* UINT32_MAX: not kept, closed when put back */
};

int descriptors_new(uint32_t limit, struct descriptors **ret);
void descriptors_free(struct descriptors *cache); /* NULL is fine */

/* The file of log that begins at start, if it is open. */
bool descriptors_find(struct descriptors *cache, const void *log, uint64_t start,
		      struct descriptor *ret);
/* Hands fd, just opened, to the cache and takes it into use; another thread's may win. */
void descriptors_add(struct descriptors *cache, const void *log, uint64_t start, int fd,
		     struct descriptor *ret);
void descriptors_put(struct descriptors *cache, struct descriptor *used);
/* Closes that file; if it is in use, when it is put back. */
void descriptors_drop(struct descriptors *cache, const void *log, uint64_t start);

#endif
