/* SPDX-License-Identifier: Apache-2.0 */
/* One IndexFile, entry by entry: an entry must name the one before it in its slot, and at the end a
 * slot must name its last. */
#include "index_check.h"

#include <errno.h>
#include <fcntl.h>
#include <message/bytes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SLOTS_DEFAULT = 5000000, /* RocketMQ's maxHashSlotNum */
	ENTRIES_PER_SLOT = 4,    /* and maxIndexNum is four times that */
	SLOTS_MAX = 256 << 20,
	WINDOW = 4096, /* entries, or slots times 5 */
	COUNT_AT = 36,
	USED_AT = 32,
};

/* ---- opening */

static bool fits(uint64_t size, uint64_t slots, struct message_index_shape *ret)
{
	uint64_t head = MESSAGE_INDEX_HEADER + slots * MESSAGE_INDEX_SLOT;
	if (!slots || slots > SLOTS_MAX || size <= head || (size - head) % MESSAGE_INDEX_ENTRY)
		return false;
	ret->slots = (uint32_t)slots;
	ret->entries = (uint32_t)((size - head) / MESSAGE_INDEX_ENTRY);
	return message_index_size(ret) == size;
}

/* A file does not say how many slots it has: as told, as usual, or in the usual proportion. */
static bool find_shape(uint64_t size, uint32_t slots, struct message_index_shape *ret)
{
	uint64_t row = MESSAGE_INDEX_SLOT + ENTRIES_PER_SLOT * MESSAGE_INDEX_ENTRY;
	if (slots)
		return fits(size, slots, ret);
	if (size > MESSAGE_INDEX_HEADER && (size - MESSAGE_INDEX_HEADER) % row == 0)
		return fits(size, (size - MESSAGE_INDEX_HEADER) / row, ret);
	return fits(size, SLOTS_DEFAULT, ret);
}

/* The header as it stands; what cannot be is told, and read as the library does. */
static int read_header(struct index_stream *stream)
{
	uint8_t bytes[MESSAGE_INDEX_HEADER];
	int64_t got = read_at(stream->fd, bytes, sizeof(bytes), 0);
	uint32_t count, used;
	if (got < (int64_t)sizeof(bytes)) {
		report_unread(stream->report, stream->path, got < 0 ? (int)got : -EIO);
		return 0;
	}
	count = message_get32(bytes + COUNT_AT);
	used = message_get32(bytes + USED_AT);
	message_index_header_read(bytes, &stream->shape, &stream->header);
	if (count > stream->shape.entries)
		report_add(stream->report, FINDING_DAMAGE, stream->path, COUNT_AT,
			   "indexCount is %u, the file has room for %u", count,
			   stream->shape.entries);
	if (used > stream->shape.slots)
		report_add(stream->report, FINDING_DAMAGE, stream->path, USED_AT,
			   "hashSlotCount is %u, the file has %u slots", used, stream->shape.slots);
	return 1;
}

static int open_file(struct index_stream *stream, uint32_t slots)
{
	struct stat info;
	stream->fd = open(stream->path, O_RDONLY | O_CLOEXEC);
	if (stream->fd < 0 || fstat(stream->fd, &info)) {
		if (errno != ENOENT)
			report_unread(stream->report, stream->path, -errno);
		return 0;
	}
	if (!find_shape((uint64_t)info.st_size, slots, &stream->shape)) {
		report_add(stream->report, FINDING_DAMAGE, stream->path, (uint64_t)info.st_size,
			   "%llu bytes are not what an IndexFile has (--max-hash-slot-num tells "
			   "the broker's maxHashSlotNum)",
			   (unsigned long long)info.st_size);
		return 0;
	}
	return read_header(stream);
}

int index_stream_open(struct index_stream *stream, const char *path, uint32_t slots, bool running,
		      struct report *report)
{
	*stream = (struct index_stream){
		.path = path, .fd = -1, .running = running, .report = report, .number = 1};
	if (open_file(stream, slots)) {
		stream->last = calloc(stream->shape.slots, sizeof(uint32_t));
		stream->window = malloc(WINDOW * MESSAGE_INDEX_ENTRY);
		if (stream->last && stream->window)
			return 1;
		report_unread(report, path, -ENOMEM);
	}
	index_stream_close(stream, false);
	return 0;
}

/* ---- entries */

uint64_t index_stream_place(const struct index_stream *stream, uint32_t number)
{
	return message_index_entry_at(&stream->shape, number);
}

static bool fill(struct index_stream *stream, uint32_t number)
{
	uint32_t left = stream->header.next - number;
	uint32_t want = left < WINDOW ? left : WINDOW;
	int64_t got = read_at(stream->fd, stream->window, (size_t)want * MESSAGE_INDEX_ENTRY,
			      index_stream_place(stream, number));
	if (got < 0)
		report_unread(stream->report, stream->path, (int)got);
	stream->window_from = number;
	stream->window_count = got > 0 ? (uint32_t)got / MESSAGE_INDEX_ENTRY : 0;
	return stream->window_count > 0;
}

bool index_stream_see(struct index_stream *stream, uint32_t number, struct message_index_entry *ret)
{
	if (number < 1 || number >= stream->header.next)
		return false;
	if (number < stream->window_from || number >= stream->window_from + stream->window_count) {
		if (!fill(stream, number))
			return false;
	}
	message_index_entry_read(
		stream->window + (size_t)(number - stream->window_from) * MESSAGE_INDEX_ENTRY, ret);
	return true;
}

static void told(struct index_stream *stream, uint64_t at, const char *what, uint32_t which,
		 uint32_t says, uint32_t due)
{
	if (stream->broken++)
		return; /* one wrong link makes others wrong */
	report_add(stream->report, FINDING_DAMAGE, stream->path, at,
		   "%s %u leads to entry %u, %u is due", what, which, says, due);
}

void index_stream_pass(struct index_stream *stream, const struct message_index_entry *entry)
{
	uint32_t *last = &stream->last[entry->hash % stream->shape.slots];
	stream->used += !*last;
	if ((uint32_t)entry->previous != *last)
		told(stream, index_stream_place(stream, stream->number) + 16, "entry",
		     stream->number, (uint32_t)entry->previous, *last);
	*last = stream->number++;
}

/* ---- slots */

static void check_slots(struct index_stream *stream)
{
	enum { SLOTS = WINDOW * MESSAGE_INDEX_ENTRY / MESSAGE_INDEX_SLOT };
	for (uint32_t from = 0; from < stream->shape.slots; from += SLOTS) {
		uint32_t left = stream->shape.slots - from, count = left < SLOTS ? left : SLOTS;
		int64_t got =
			read_at(stream->fd, stream->window, (size_t)count * MESSAGE_INDEX_SLOT,
				message_index_slot_at(from));
		if (got < 0) {
			report_unread(stream->report, stream->path, (int)got);
			return;
		}
		for (uint32_t i = 0; i < (uint32_t)got / MESSAGE_INDEX_SLOT; i++) {
			uint32_t says = message_get32(stream->window + i * MESSAGE_INDEX_SLOT);
			if (says != stream->last[from + i] &&
			    !(stream->running && says >= stream->header.next))
				told(stream, message_index_slot_at(from + i), "slot", from + i,
				     says, stream->last[from + i]);
		}
	}
}

static void check_counts(const struct index_stream *stream)
{
	if (stream->header.used_slots != stream->used && !stream->running && !stream->broken)
		report_add(stream->report, FINDING_DAMAGE, stream->path, USED_AT,
			   "hashSlotCount is %u, %u slots are in use", stream->header.used_slots,
			   stream->used);
}

void index_stream_close(struct index_stream *stream, bool complete)
{
	if (complete) {
		check_slots(stream);
		check_counts(stream);
	}
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->last);
	free(stream->window);
	*stream = (struct index_stream){.fd = -1};
}
