/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over the CommitLog, from record to record, over what is damaged as well. */
#include <errno.h>
#include <fcntl.h>
#include <message/bytes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

enum {
	WINDOW = 1 << 20,
	RECORD_MAX = 256 << 20, /* a record that claims more is damaged */
	MAGIC_AT = 4,
	LOOK = MESSAGE_RECORD_LOOK,
};

void log_walk_init(struct log_walk *walk, const struct segments *files, uint64_t at)
{
	*walk = (struct log_walk){.files = files, .at = at, .fd = -1, .reach = WINDOW};
	if (at < segments_first(files))
		walk->at = segments_first(files);
}

static void close_file(struct log_walk *walk)
{
	if (walk->fd >= 0)
		close(walk->fd);
	walk->fd = -1;
	walk->file = NULL;
	walk->filled = 0;
}

void log_walk_free(struct log_walk *walk)
{
	close_file(walk);
	free(walk->window);
	walk->window = NULL;
}

/* ---- the window */

static int open_file(struct log_walk *walk, const struct segment *file)
{
	close_file(walk);
	walk->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (walk->fd < 0)
		return -errno;
	posix_fadvise(walk->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	walk->file = file;
	return 0;
}

static int make_room(struct log_walk *walk, size_t want)
{
	uint8_t *window;
	if (want <= walk->room)
		return 0;
	window = realloc(walk->window, want);
	if (!window)
		return -ENOMEM;
	walk->window = window;
	walk->room = want;
	return 0;
}

/* Bytes of the log from at on, want of them if the file has as many. Returns how many, or a
 * negative errno. */
static int64_t see(struct log_walk *walk, const struct segment *file, uint64_t at, size_t want,
		   const uint8_t **ret)
{
	uint64_t left = file->base + file->size - at;
	size_t reach;
	int64_t got;
	int status = 0;
	if (want > left)
		want = (size_t)left;
	if (walk->file == file && at >= walk->window_at &&
	    at + want <= walk->window_at + walk->filled) {
		*ret = walk->window + (at - walk->window_at);
		return (int64_t)(walk->window_at + walk->filled - at);
	}
	if (walk->file != file)
		status = open_file(walk, file);
	if (!status)
		status = make_room(walk, want > walk->reach ? want : walk->reach);
	if (status)
		return status;
	walk->filled = 0;
	reach = want > walk->reach ? want : walk->reach;
	got = read_at(walk->fd, walk->window, left < reach ? (size_t)left : reach, at - file->base);
	if (got < 0)
		return got;
	walk->window_at = at;
	walk->filled = (size_t)got;
	*ret = walk->window;
	return got;
}

/* ---- what stands at a place */

/* As message_record_read(), with as much of the file as it takes. */
static int scan_at(struct log_walk *walk, const struct segment *file, uint64_t at,
		   enum message_scan *ret)
{
	uint64_t left = file->base + file->size - at;
	int64_t have = see(walk, file, at, LOOK, &walk->bytes);
	if (have < 0)
		return (int)have;
	*ret = message_record_read(walk->bytes, (size_t)have, false, &walk->record);
	if (*ret != MESSAGE_SHORT)
		return 0;
	if (!walk->record.size || walk->record.size > left || walk->record.size > RECORD_MAX)
		return 0;
	have = see(walk, file, at, walk->record.size, &walk->bytes);
	if (have < 0)
		return (int)have;
	*ret = message_record_read(walk->bytes, (size_t)have, false, &walk->record);
	return 0;
}

static bool is_record_here(struct log_walk *walk, const struct segment *file, uint64_t at)
{
	enum message_scan scan;
	return scan_at(walk, file, at, &scan) == 0 && scan == MESSAGE_WHOLE &&
	       walk->record.physical_offset == (int64_t)at;
}

/* ---- looking for the next record */

struct search {
	bool dirty;        /* a byte that is not zero was seen */
	uint64_t dirty_at; /* the first */
};

static void note_dirt(struct search *search, const uint8_t *bytes, size_t size, uint64_t at)
{
	if (search->dirty || !size)
		return;
	if (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0)
		return;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i]) {
			search->dirty = true;
			search->dirty_at = at + i;
			return;
		}
	}
}

/* The first place in a window where a record may begin; size if there is none. */
static size_t find_in(const uint8_t *bytes, size_t size, uint64_t at)
{
	size_t i = 0;
	while (i + LOOK <= size) {
		const uint8_t *hit = memchr(bytes + i + MAGIC_AT, MESSAGE_MAGIC_V1 >> 24 & 0xFF,
					    size - i - LOOK + 1);
		if (!hit)
			return size;
		i = (size_t)(hit - bytes) - MAGIC_AT;
		if (message_record_may_begin(bytes + i, at + i))
			return i;
		i++;
	}
	return size;
}

/* Leaves out a hole of a sparse file: the next place with bytes, or the file's end. */
static uint64_t skip_hole(struct log_walk *walk, const struct segment *file, uint64_t at)
{
	off_t next;
	if (walk->file != file && open_file(walk, file))
		return at;
	next = lseek(walk->fd, (off_t)(at - file->base), SEEK_DATA);
	if (next < 0)
		return errno == ENXIO ? file->base + file->size : at;
	return file->base + (uint64_t)next > at ? file->base + (uint64_t)next : at;
}

/* The next record of a file from at on: 1 and *ret; 0: none; negative errno. */
static int find_record(struct log_walk *walk, const struct segment *file, uint64_t at,
		       struct search *search, uint64_t *ret)
{
	uint64_t end = file->base + file->size;
	while (at < end && !cli_interrupted()) {
		const uint8_t *bytes;
		int64_t have;
		size_t i, keep;
		at = skip_hole(walk, file, at);
		if (at >= end)
			return 0;
		have = see(walk, file, at, WINDOW, &bytes);
		if (have <= 0)
			return (int)have;
		note_dirt(search, bytes, (size_t)have, at);
		i = find_in(bytes, (size_t)have, at);
		if (i < (size_t)have) {
			if (is_record_here(walk, file, at + i)) {
				*ret = at + i;
				return 1;
			}
			at += i + 1;
			continue;
		}
		keep = at + (uint64_t)have < end && have >= LOOK ? LOOK - 1 : 0;
		at += (uint64_t)have - keep;
		cli_progress("looking for the next record: %llu MiB",
			     (unsigned long long)(at >> 20));
	}
	return 0;
}

/* The next record of the log behind at. */
static bool find_next(struct log_walk *walk, uint64_t at, struct search *search, uint64_t *ret)
{
	for (guint i = 0; i < walk->files->files->len; i++) {
		const struct segment *file = segments_at(walk->files, i);
		int found;
		if (file->base + file->size <= at)
			continue;
		found = find_record(walk, file, at > file->base ? at : file->base, search, ret);
		if (found > 0)
			return true;
		if (found < 0)
			walk->error = found;
	}
	return false;
}

/* ---- steps */

static const struct segment *file_from(const struct segments *files, uint64_t at)
{
	for (guint i = 0; i < files->files->len; i++) {
		const struct segment *file = segments_at(files, i);
		if (at < file->base + file->size)
			return file;
	}
	return NULL;
}

/* What stands at the walk's place is none: on to the next record, if there is one. */
static enum log_step step_over(struct log_walk *walk, enum message_scan why, uint32_t said)
{
	struct search search = {0};
	uint64_t next = walk->at;
	bool found = find_next(walk, walk->at, &search, &next);
	walk->why = why;
	walk->said_size = said;
	walk->dirty = search.dirty;
	walk->dirty_at = search.dirty_at;
	if (!found)
		return LOG_END;
	walk->at = next;
	return LOG_DAMAGE;
}

enum log_step log_walk_next(struct log_walk *walk)
{
	const struct segment *file = walk->file;
	enum message_scan scan;
	uint64_t left;
	if (!file || walk->at < file->base || walk->at >= file->base + file->size)
		file = file_from(walk->files, walk->at);
	walk->error = 0;
	walk->dirty = false;
	walk->why = MESSAGE_NOTHING;
	walk->record_at = walk->at;
	if (!file)
		return LOG_END;
	if (walk->at < file->base)
		walk->record_at = walk->at = file->base; /* files are missing, which was said */
	left = file->base + file->size - walk->at;
	walk->error = scan_at(walk, file, walk->at, &scan);
	if (walk->error)
		return step_over(walk, MESSAGE_SHORT, 0);
	if (scan == MESSAGE_WHOLE) {
		walk->at += walk->record.size;
		return LOG_RECORD;
	}
	if (scan == MESSAGE_BLANK && walk->record.size == left) {
		walk->at += left;
		return LOG_BLANK;
	}
	return step_over(walk, scan, walk->record.size);
}

bool log_walk_read(struct log_walk *walk, uint64_t at)
{
	const struct segment *file = segments_find(walk->files, at);
	enum message_scan scan;
	walk->record_at = at;
	return file && scan_at(walk, file, at, &scan) == 0 && scan == MESSAGE_WHOLE;
}

const char *log_place(const struct segments *files, uint64_t at, uint64_t *ret_offset)
{
	const struct segment *file = segments_find(files, at);
	if (!file && at && (file = segments_find(files, at - 1))) {
		*ret_offset = at - file->base;
		return file->path;
	}
	*ret_offset = file ? at - file->base : at;
	return file ? file->path : "commitlog";
}

const char *log_why(enum message_scan why)
{
	switch (why) {
	case MESSAGE_BLANK:
		return "an end of file is marked that is not as far from it as it says";
	case MESSAGE_SHORT:
		return "a record begins that is longer than its file";
	case MESSAGE_BAD_SIZE:
		return "a record's parts do not add up to its size";
	case MESSAGE_BAD_CRC:
		return "a record's body has changed";
	default:
		return "no record begins here";
	}
}
