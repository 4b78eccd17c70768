/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over the log. */
#include "store/cursor.h"

#include <errno.h>
#include <gantry/guard.h>
#include <string.h>

#include "message/checksum.h"

enum { SECTOR = 512 };

void cursor_close(struct cursor *cursor)
{
	gantry_slice_release(&cursor->slice);
	cursor->slice = (struct gantry_slice){0};
	cursor->used = 0; /* also when the next read fails, and is tried again */
}

static int read_slice(struct cursor *cursor, uint64_t bytes)
{
	int status;

	cursor_close(cursor);
	cursor->asked = bytes;
	status = store_fetch(cursor->store, cursor->at, bytes, &cursor->slice);
	if (status)
		return status;
	cursor->used = 0;
	cursor->at = cursor->slice.offset;
	return 0;
}

static bool all_zero(const char *bytes, size_t size)
{
	return size && bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Whether a sector of the text never came to the disk. at: its log offset. */
static bool lacks_sector(const struct gantry_str *text, uint64_t at)
{
	for (size_t from = 0; from < text->size;) {
		size_t next = from + SECTOR - (at + from) % SECTOR;

		if (next > text->size)
			next = text->size;
		if (all_zero(text->at + from, next - from))
			return true;
		from = next;
	}
	return false;
}

/* A power cut may leave some sectors of the last records. The sum in a record is of its body alone;
 * the others must not be zeros. */
static bool is_torn(const struct cursor *cursor)
{
	const struct message_record *record = &cursor->record;
	const char *begin = (const char *)cursor->slice.bytes + cursor->used;

	return lacks_sector(&record->topic, cursor->at + (uint64_t)(record->topic.at - begin)) ||
	       lacks_sector(&record->properties,
			    cursor->at + (uint64_t)(record->properties.at - begin));
}

/* What forceVerifyPropCRC asks of every record: a checksum at its end, and the right one. */
static bool has_right_sum(const struct cursor *cursor)
{
	int32_t is;
	int64_t said;

	return message_checksum_read(cursor->slice.bytes + cursor->used, &cursor->record, &is,
				     &said) == 0 &&
	       said == is;
}

/* The bytes of a record that begins here and is longer than storage can show; else 0. Garbage does
 * not say its place and its length twice. */
static uint32_t longer_than_shown(const struct cursor *cursor)
{
	uint64_t segment = cursor->store->segment_bytes;

	if (cursor->record.size <= GANTRY_SLICE_MAX ||
	    cursor->record.size > segment - cursor->at % segment)
		return 0;
	return message_record_claims(cursor->slice.bytes + cursor->used,
				     cursor->slice.size - cursor->used, cursor->at);
}

/* The record at the cursor's place in its slice, if it is there whole. ret_need: how much of the
 * log has to be read to see it. */
static bool take_record(struct cursor *cursor, uint64_t *ret_need)
{
	enum message_scan scan;

	*ret_need = READ_BYTES;
	cursor->too_long = 0;
	if (cursor->used == cursor->slice.size)
		return false;
	scan = message_record_read(cursor->slice.bytes + cursor->used,
				   cursor->slice.size - cursor->used, cursor->check_crc,
				   &cursor->record);
	if (scan == MESSAGE_SHORT && cursor->record.size > READ_BYTES)
		*ret_need = cursor->record.size;
	if (scan == MESSAGE_SHORT)
		cursor->too_long = longer_than_shown(cursor);
	if (scan != MESSAGE_WHOLE || (cursor->check_crc && is_torn(cursor)) ||
	    (cursor->check_sum && !has_right_sum(cursor)))
		return false;
	cursor->record_at = cursor->at;
	cursor->used += cursor->record.size;
	cursor->at += cursor->record.size;
	return true;
}

/* Zeros that stand for what cannot be read are no end of the log, nor is what stands right behind
 * the slice if it can be read only up to there. */
static int judge_end(const struct cursor *cursor)
{
	return gantry_guard_failed(cursor->slice.bytes, cursor->slice.size + 1) ? -EIO : 0;
}

static int judge_record(const struct cursor *cursor)
{
	const uint8_t *at = cursor->slice.bytes + cursor->used - cursor->record.size;

	return gantry_guard_failed(at, cursor->record.size) ? -EIO : 1;
}

int cursor_next(struct cursor *cursor)
{
	for (;;) {
		uint64_t need;
		int status;

		if (take_record(cursor, &need))
			return judge_record(cursor);
		/* the door says that a record begins where a slice does: if none is there, and more
		 * would not help, there is none */
		if (cursor->slice.size && !cursor->used && cursor->asked >= need)
			return judge_end(cursor);
		status = read_slice(cursor, need);
		if (status)
			return status == -ERANGE ? 0 : status;
	}
}
