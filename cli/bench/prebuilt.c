/* SPDX-License-Identifier: Apache-2.0 */
/* Made by the codec with values that are easy to find again; the digits are then patched. */
#include "prebuilt.h"

#include <errno.h>
#include <message/properties.h>
#include <remoting/codec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ask.h"

enum {
	BORN_DIGITS = 13,
	COUNTER_DIGITS = 8,
	STAMP_DIGITS = 16,
	OPAQUE_DIGITS = 10,
	UNIQUE_DIGITS = 32
};

static const char hex[] = "0123456789ABCDEF";
static const int64_t born_first = INT64_C(1000000000000); /* 13 digits that stand nowhere else */

static void put_decimal(uint8_t *to, unsigned digits, uint64_t value)
{
	while (digits-- > 0) {
		to[digits] = (uint8_t)('0' + value % 10);
		value /= 10;
	}
}

static void put_hex(uint8_t *to, unsigned digits, uint64_t value)
{
	while (digits-- > 0) {
		to[digits] = (uint8_t)hex[value & 15];
		value >>= 4;
	}
}

/* The place of text in the frame's header; it stands there once. */
static uint32_t find(const struct prebuilt *t, size_t header_size, const char *text)
{
	const uint8_t *found = memmem(t->frame, header_size, text, strlen(text));
	return found ? (uint32_t)(found - t->frame) : 0;
}

static size_t write_properties(char *to, size_t room, const char *unique_key)
{
	struct gantry_str key = {unique_key, strlen(unique_key)};
	size_t size = message_property_write(
		to, room, (struct gantry_str){MESSAGE_UNIQ_KEY, strlen(MESSAGE_UNIQ_KEY)}, key);
	return size + message_property_write(to + size, room - size,
					     (struct gantry_str){MESSAGE_WAIT, 4},
					     (struct gantry_str){"true", 4});
}

static void fill_body(uint8_t *to, const struct prebuilt_spec *spec)
{
	for (uint32_t i = 0; i < spec->body_size; i++)
		to[i] = (uint8_t)('a' + i % 26);
	if (spec->mark)
		put_hex(to, STAMP_DIGITS, spec->mark);
}

int prebuilt_make(const struct prebuilt_spec *spec, struct prebuilt *ret)
{
	char properties[256], opaque[32], born[32];
	struct fields fields;
	struct ask_send send = {.group = spec->group,
				.topic = spec->topic,
				.queue = spec->queue,
				.queue_count = spec->queue_count,
				.properties.at = properties};
	send.properties.size = write_properties(properties, sizeof(properties), spec->unique_key);
	ask_send_fields(&fields, &send, born_first);
	struct remoting_header header = {.code = ASK_SEND_CODE,
					 .language = REMOTING_JAVA,
					 .version = REMOTING_VERSION,
					 .opaque = PREBUILT_OPAQUE_MAX,
					 .fields = fields.at,
					 .field_count = fields.count};
	size_t room = remoting_encoded_max(&header) + spec->body_size;
	if (room > REMOTING_FRAME_MAX)
		return -EMSGSIZE;
	struct prebuilt t = {.frame = malloc(room)};
	if (!t.frame)
		return -ENOMEM;
	size_t size = remoting_encode(&header, spec->body_size, t.frame);
	snprintf(opaque, sizeof(opaque), "%d", PREBUILT_OPAQUE_MAX);
	snprintf(born, sizeof(born), "\"%lld\"", (long long)born_first);
	t.opaque = find(&t, size, opaque);
	t.born = find(&t, size, born) + 1;
	t.counter = find(&t, size, spec->unique_key) + UNIQUE_DIGITS - COUNTER_DIGITS;
	fill_body(t.frame + size, spec);
	t.stamp = spec->mark ? (uint32_t)size + STAMP_DIGITS : 0;
	t.size = (uint32_t)size + spec->body_size;
	*ret = t;
	return 0;
}

void prebuilt_free(struct prebuilt *t)
{
	free(t->frame);
	t->frame = NULL;
}

void prebuilt_write(const struct prebuilt *t, uint8_t *to, int32_t opaque, int64_t born_ms,
		    uint32_t counter, uint64_t due_ns)
{
	memcpy(to, t->frame, t->size);
	put_decimal(to + t->opaque, OPAQUE_DIGITS, (uint64_t)opaque);
	put_decimal(to + t->born, BORN_DIGITS, (uint64_t)born_ms);
	put_hex(to + t->counter, COUNTER_DIGITS, counter);
	if (t->stamp)
		put_hex(to + t->stamp, STAMP_DIGITS, due_ns);
}

static int read_hex(const char *at, uint64_t *ret)
{
	uint64_t value = 0;
	for (int i = 0; i < STAMP_DIGITS; i++) {
		const char *digit = memchr(hex, at[i], 16);
		if (!digit)
			return -EINVAL;
		value = value << 4 | (uint64_t)(digit - hex);
	}
	*ret = value;
	return 0;
}

uint64_t prebuilt_due(uint64_t mark, const void *body, size_t size)
{
	uint64_t found, due;
	if (size < PREBUILT_STAMP || read_hex(body, &found) || found != mark ||
	    read_hex((const char *)body + STAMP_DIGITS, &due))
		return 0;
	return due;
}
