/* SPDX-License-Identifier: Apache-2.0 */
/* Properties text, and Java's hash of text. */
#include "message/properties.h"

#include <errno.h>
#include <string.h>

/* A pair that counts: key, 0x01, value, neither side empty. */
static bool split(struct gantry_str segment, struct message_property *ret)
{
	const char *sep;

	if (segment.size < 3)
		return false;
	sep = memchr(segment.at, MESSAGE_NAME_END, segment.size);
	if (!sep || sep == segment.at || sep == segment.at + segment.size - 1)
		return false;
	ret->key.at = segment.at;
	ret->key.size = (size_t)(sep - segment.at);
	ret->value.at = sep + 1;
	ret->value.size = segment.size - ret->key.size - 1;
	return true;
}

bool message_property_next(struct gantry_str *rest, struct message_property *ret)
{
	while (rest->size) {
		struct gantry_str segment = *rest;
		const char *end = memchr(rest->at, MESSAGE_PAIR_END, rest->size);
		size_t used = end ? (size_t)(end - rest->at) + 1 : rest->size;

		segment.size = used - (end != NULL);
		rest->at += used;
		rest->size -= used;
		if (split(segment, ret)) {
			ret->pair.at = segment.at;
			ret->pair.size = used;
			return true;
		}
	}
	return false;
}

struct gantry_str message_property_find(struct gantry_str properties, struct gantry_str key)
{
	struct gantry_str found = {NULL, 0};
	struct message_property property;

	while (message_property_next(&properties, &property))
		if (property.key.size == key.size && memcmp(property.key.at, key.at, key.size) == 0)
			found = property.value;
	return found;
}

bool message_list_next(struct gantry_str *rest, struct gantry_str *ret)
{
	const char *comma;

	if (!rest->size)
		return false;
	comma = memchr(rest->at, ',', rest->size);
	*ret = (struct gantry_str){rest->at, comma ? (size_t)(comma - rest->at) : rest->size};
	rest->at += ret->size + (comma != NULL);
	rest->size -= ret->size + (comma != NULL);
	return true;
}

size_t message_property_write(char *to, size_t room, struct gantry_str key, struct gantry_str value)
{
	size_t size = key.size + value.size + 2;

	if (size > room)
		return 0;
	memcpy(to, key.at, key.size);
	to[key.size] = MESSAGE_NAME_END;
	memcpy(to + key.size + 1, value.at, value.size);
	to[size - 1] = MESSAGE_PAIR_END;
	return size;
}

static int push(struct message_pieces *pieces, struct gantry_str piece)
{
	if (pieces->count == pieces->max)
		return -ENOSPC;
	pieces->at[pieces->count++] = piece;
	pieces->size += piece.size;
	return 0;
}

int message_pieces_add(struct message_pieces *pieces, struct gantry_str piece)
{
	static const char pair_end = MESSAGE_PAIR_END;
	struct gantry_str *last;

	if (!piece.size)
		return 0;
	if (!pieces->count)
		return push(pieces, piece);
	last = &pieces->at[pieces->count - 1];
	if (last->at[last->size - 1] != MESSAGE_PAIR_END) {
		int status = push(pieces, (struct gantry_str){&pair_end, 1});

		if (status)
			return status;
	} else if (last->at + last->size == piece.at) {
		last->size += piece.size;
		pieces->size += piece.size;
		return 0;
	}
	return push(pieces, piece);
}

/* One code point of UTF-8 at text[*at]; what is malformed counts as U+FFFD, as in Java. */
static uint32_t code_point(const uint8_t *text, size_t size, size_t *at)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t lead = text[(*at)++];
	uint32_t point;
	unsigned more;

	if (lead < 0x80)
		return lead;
	if (lead < 0xC2 || lead > 0xF4)
		return 0xFFFD;
	more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
	point = lead & (0x3F >> more);
	for (unsigned i = 0; i < more; i++) {
		if (*at == size || (text[*at] & 0xC0) != 0x80)
			return 0xFFFD;
		point = point << 6 | (text[(*at)++] & 0x3F);
	}
	if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
		return 0xFFFD;
	return point;
}

/* Four units of ASCII at once, which a processor can work on side by side; false: not ASCII. */
static bool hash_four(const uint8_t *text, uint32_t *hash)
{
	enum { P1 = 31, P2 = P1 * P1, P3 = P2 * P1, P4 = P3 * P1 };
	uint32_t word;

	memcpy(&word, text, sizeof(word));
	if (word & UINT32_C(0x80808080))
		return false;
	*hash = *hash * P4 + text[0] * P3 + text[1] * P2 + text[2] * P1 + text[3];
	return true;
}

uint32_t message_java_hash_on(uint32_t hash, struct gantry_str utf8)
{
	const uint8_t *text = (const uint8_t *)utf8.at;

	for (size_t at = 0; at < utf8.size;) {
		uint32_t point;

		if (utf8.size - at >= 4 && hash_four(text + at, &hash)) {
			at += 4;
			continue;
		}
		point = code_point(text, utf8.size, &at);
		if (point >= 0x10000) {
			hash = 31 * hash + (0xD800 + ((point - 0x10000) >> 10));
			point = 0xDC00 + ((point - 0x10000) & 0x3FF);
		}
		hash = 31 * hash + point;
	}
	return hash;
}

int32_t message_java_hash(struct gantry_str utf8)
{
	return (int32_t)message_java_hash_on(0, utf8);
}

int64_t message_tags_code(struct gantry_str tags)
{
	return message_java_hash(tags);
}
