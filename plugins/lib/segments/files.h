/* SPDX-License-Identifier: Apache-2.0 */
/* Names, directories and zeros: what big logs, small logs and areas share about files. Every call
 * may block. */
#ifndef SEGMENTS_FILES_H
#define SEGMENTS_FILES_H

#include <gantry/base.h>
#include <stdbool.h>

enum {
	FILES_PAGE = 4096,
	FILES_NAME = 21, /* 20 digits and the NUL */
};

struct found { /* a segment's file, as a listing shows it */
	uint64_t start;
	uint32_t directory; /* index of the directory that holds it */
};

struct listing { /* sorted by start */
	struct found *files;
	uint32_t count, room;
};

static inline uint64_t files_page_up(uint64_t at)
{
	return (at + FILES_PAGE - 1) / FILES_PAGE * FILES_PAGE;
}

void files_name(char to[FILES_NAME], uint64_t start);

/* Adds a directory's segment files; one that does not exist adds nothing. Other names are warned
 * of and left alone. */
int files_list(struct gantry_inst *inst, const char *directory, uint32_t index,
	       struct listing *listing);
void files_sort(struct listing *listing);
void files_forget(struct listing *listing);
/* -EUCLEAN with a line in the log if the files are not bytes apart, from a multiple of bytes on. */
int files_check_gaps(struct gantry_inst *inst, const char *directory, const struct listing *listing,
		     uint64_t bytes);

int files_make_directory(const char *path); /* with its parents */
int files_sync_directory(int directory);    /* its names become durable */
int files_sync_directory_at(const char *path);

/* Writes zeros. ret_done: how many bytes were written, also when it fails. */
int files_zero(int fd, uint64_t at, uint64_t bytes, uint64_t *ret_done);
/* Makes [at, file_bytes) read as zeros and gives its blocks back where the file system can.
 * Returns whether anything was changed. */
int files_erase(int fd, uint64_t at, uint64_t file_bytes);

/* Whole reads and writes; a read is short only at the file's end. */
int64_t files_read(int fd, uint64_t at, void *to, uint64_t bytes);
int files_write(int fd, uint64_t at, const void *from, uint64_t bytes);
/* With so many zeros behind it, FILES_PAGE at most. */
int files_write_padded(int fd, uint64_t at, const void *from, uint64_t bytes, uint64_t pad);
/* As files_read, but -EAGAIN rather than waiting for the disk. */
int64_t files_read_hot(int fd, uint64_t at, void *to, uint64_t bytes);

#endif
