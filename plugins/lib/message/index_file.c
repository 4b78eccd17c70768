/* SPDX-License-Identifier: Apache-2.0 */
/* The IndexFile. */
#include "message/index_file.h"

#include <errno.h>

#include "message/bytes.h"
#include "message/properties.h"

/* ---- shape */

uint64_t message_index_size(const struct message_index_shape *shape)
{
	uint64_t size = MESSAGE_INDEX_HEADER + (uint64_t)shape->slots * MESSAGE_INDEX_SLOT +
			(uint64_t)shape->entries * MESSAGE_INDEX_ENTRY;

	return shape->slots && shape->entries && size <= INT32_MAX ? size : 0;
}

uint64_t message_index_slot_at(uint32_t slot)
{
	return MESSAGE_INDEX_HEADER + (uint64_t)slot * MESSAGE_INDEX_SLOT;
}

uint64_t message_index_entry_at(const struct message_index_shape *shape, uint32_t number)
{
	return message_index_slot_at(shape->slots) + (uint64_t)number * MESSAGE_INDEX_ENTRY;
}

/* ---- bytes */

void message_index_header_read(const uint8_t *from, const struct message_index_shape *shape,
			       struct message_index_header *ret)
{
	int32_t count = (int32_t)message_get32(from + 36);

	ret->begin_ms = (int64_t)message_get64(from);
	ret->end_ms = (int64_t)message_get64(from + 8);
	ret->begin_at = (int64_t)message_get64(from + 16);
	ret->end_at = (int64_t)message_get64(from + 24);
	ret->used_slots = message_get32(from + 32);
	ret->next = count > 0 ? (uint32_t)count : 1;
	if (ret->next > shape->entries)
		ret->next = shape->entries;
}

void message_index_header_write(const struct message_index_header *header, uint8_t *to)
{
	to = message_put64(to, (uint64_t)header->begin_ms);
	to = message_put64(to, (uint64_t)header->end_ms);
	to = message_put64(to, (uint64_t)header->begin_at);
	to = message_put64(to, (uint64_t)header->end_at);
	to = message_put32(to, header->used_slots);
	message_put32(to, header->next);
}

void message_index_entry_read(const uint8_t *from, struct message_index_entry *ret)
{
	ret->hash = message_get32(from);
	ret->at = (int64_t)message_get64(from + 4);
	ret->seconds = (int32_t)message_get32(from + 12);
	ret->previous = (int32_t)message_get32(from + 16);
}

void message_index_entry_write(const struct message_index_entry *entry, uint8_t *to)
{
	to = message_put32(to, entry->hash);
	to = message_put64(to, (uint64_t)entry->at);
	to = message_put32(to, (uint32_t)entry->seconds);
	message_put32(to, (uint32_t)entry->previous);
}

/* ---- hashes */

static uint32_t go_on(uint32_t hash, const char *text, size_t size)
{
	return message_java_hash_on(hash, (struct gantry_str){text, size});
}

uint32_t message_index_topic(struct gantry_str topic)
{
	return go_on(message_java_hash_on(0, topic), "#", 1);
}

uint32_t message_index_topic_tag(uint32_t topic)
{
	return go_on(topic, MESSAGE_INDEX_TAG "#", sizeof(MESSAGE_INDEX_TAG));
}

/* Math.abs of it; that of the smallest int is still negative, and counts as 0. */
uint32_t message_index_end(uint32_t topic, struct gantry_str key)
{
	uint32_t hash = message_java_hash_on(topic, key);

	if (hash == UINT32_C(1) << 31)
		return 0;
	return hash >> 31 ? -hash : hash;
}

uint32_t message_index_hash(struct gantry_str topic, struct gantry_str key)
{
	return message_index_end(message_index_topic(topic), key);
}

uint32_t message_index_tag_hash(struct gantry_str topic, struct gantry_str tag)
{
	return message_index_end(message_index_topic_tag(message_index_topic(topic)), tag);
}

/* ---- writing */

void message_index_begin(struct message_index_header *ret,
			 const struct message_index_header *before)
{
	*ret = (struct message_index_header){.next = 1};
	if (before && before->end_at > 0)
		ret->begin_at = ret->end_at = before->end_at;
	if (before && before->end_ms > 0)
		ret->begin_ms = ret->end_ms = before->end_ms;
}

static int32_t seconds_since(int64_t begin_ms, int64_t ms)
{
	int64_t seconds;

	if (begin_ms <= 0 || __builtin_sub_overflow(ms, begin_ms, &seconds) || seconds < 0)
		return 0;
	seconds /= 1000;
	return seconds > INT32_MAX ? INT32_MAX : (int32_t)seconds;
}

uint32_t message_index_add(struct message_index_header *header, uint32_t hash, int64_t at,
			   int64_t store_ms, uint32_t slot, struct message_index_entry *ret)
{
	uint32_t number = header->next;
	uint32_t previous = message_index_first(header, slot);

	*ret = (struct message_index_entry){.hash = hash, .at = at, .previous = (int32_t)previous};
	ret->seconds = seconds_since(header->begin_ms, store_ms);
	if (number <= 1) {
		header->begin_at = at;
		header->begin_ms = store_ms;
	}
	header->used_slots += previous == 0;
	header->next++;
	header->end_at = at;
	header->end_ms = store_ms;
	return number;
}

/* ---- searching */

bool message_index_has_time(const struct message_index_header *header, int64_t begin_ms,
			    int64_t end_ms)
{
	if (begin_ms < header->begin_ms)
		return end_ms >= header->begin_ms;
	return begin_ms <= header->end_ms ||
	       (end_ms >= header->begin_ms && end_ms <= header->end_ms);
}

uint32_t message_index_first(const struct message_index_header *header, uint32_t slot)
{
	return slot > header->next ? 0 : slot;
}

uint32_t message_index_step(const struct message_index_header *header,
			    const struct message_index_search *search, uint32_t number,
			    const struct message_index_entry *entry, bool *ret_found)
{
	int64_t ms;

	*ret_found = false;
	if (entry->seconds < 0 ||
	    __builtin_add_overflow(header->begin_ms, entry->seconds * INT64_C(1000), &ms))
		return 0;
	*ret_found = entry->hash == search->hash && ms >= search->begin_ms && ms <= search->end_ms;
	if (entry->previous <= 0 || (uint32_t)entry->previous >= number || ms < search->begin_ms)
		return 0;
	return (uint32_t)entry->previous;
}

int message_index_find(const uint8_t *file, size_t size, const struct message_index_shape *shape,
		       const struct message_index_search *search, uint32_t max, int64_t *ret)
{
	struct message_index_header header;
	uint32_t number, count = 0;

	if (size < MESSAGE_INDEX_HEADER || size != message_index_size(shape))
		return -EUCLEAN;
	message_index_header_read(file, shape, &header);
	if (header.next <= 1)
		return 0;
	number = message_index_first(
		&header, message_get32(file + message_index_slot_at(search->hash % shape->slots)));
	while (number && number < shape->entries && count < max) {
		struct message_index_entry entry;
		bool found;

		message_index_entry_read(file + message_index_entry_at(shape, number), &entry);
		number = message_index_step(&header, search, number, &entry, &found);
		if (found)
			ret[count++] = entry.at;
	}
	return (int)count;
}
