/* SPDX-License-Identifier: Apache-2.0 */
/* A key with its quotes and colon cannot stand inside a JSON string, where quotes are escaped: a
 * plain search for it finds the key and nothing else. */
#include "reply.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool key_at(struct gantry_str header, size_t at, const char *key, size_t size)
{
	return at + size <= header.size && !memcmp(header.at + at, key, size);
}

/* What follows the key, or NULL. */
static const char *find_key(struct gantry_str header, const char *key, size_t size,
			    struct reply_place *place)
{
	size_t at = place->start;
	if (!key_at(header, at, key, size)) {
		at = header.size - place->end; /* beyond the header if that wraps */
		if (place->end > header.size || !key_at(header, at, key, size)) {
			const char *found = memmem(header.at, header.size, key, size);
			if (!found)
				return NULL;
			at = (size_t)(found - header.at);
		}
		place->start = (uint32_t)at;
		place->end = (uint32_t)(header.size - at);
	}
	return header.at + at + size;
}

static int64_t number_at(const char *at, const char *end)
{
	bool negative = at < end && *at == '-';
	uint64_t value = 0;
	for (at += negative; at < end && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return negative ? -(int64_t)value : (int64_t)value;
}

/* The binary form: code (2 bytes), language (1), version (2), opaque (4), ... */
static int read_binary(struct gantry_str header, struct reply *ret)
{
	uint16_t code;
	uint32_t opaque;
	if (header.size < 9)
		return -EPROTO;
	memcpy(&code, header.at, sizeof(code));
	memcpy(&opaque, header.at + 5, sizeof(opaque));
	*ret = (struct reply){.code = (int16_t)be16toh(code), .opaque = (int32_t)be32toh(opaque)};
	return 0;
}

int reply_read(const struct remoting_frame *frame, struct reply_hint *hint, struct reply *ret)
{
	static const char code_key[] = "\"code\":", opaque_key[] = "\"opaque\":";
	struct gantry_str header = frame->header;
	if (frame->serialization == REMOTING_BINARY)
		return read_binary(header, ret);
	const char *end = header.at + header.size;
	const char *code = find_key(header, code_key, sizeof(code_key) - 1, &hint->code);
	const char *opaque = find_key(header, opaque_key, sizeof(opaque_key) - 1, &hint->opaque);
	if (!opaque)
		return -EPROTO;
	*ret = (struct reply){.code = code ? (int32_t)number_at(code, end) : 0,
			      .opaque = (int32_t)number_at(opaque, end)};
	return 0;
}

int64_t reply_field(const struct remoting_frame *frame, const char *name, int64_t missing)
{
	char key[64];
	int size = snprintf(key, sizeof(key), "\"%s\":\"", name);
	struct gantry_str header = frame->header;
	if (frame->serialization == REMOTING_BINARY || size < 0 || (size_t)size >= sizeof(key))
		return missing;
	const char *found = memmem(header.at, header.size, key, (size_t)size);
	return found ? number_at(found + size, header.at + header.size) : missing;
}
