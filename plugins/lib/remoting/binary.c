/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's binary header:
 *
 *   int16 code | uint8 language | int16 version | int32 opaque | int32 flag
 *   int32 length + remark | int32 length of all fields
 *   { int16 length + name | int32 length + value } ... */
#include "decode.h"
#include "wire.h"

#include <errno.h>

enum { FIXED_SIZE = 21 }; /* all of it without texts */

struct reader {
	const char *at, *end;
};

/* A text after a length of 2 or 4 bytes; an empty one is absent, as in Java. */
static int take_text(struct reader *reader, unsigned length_bytes, struct gantry_str *ret)
{
	uint32_t size;

	if (reader->end - reader->at < (long)length_bytes)
		return -EPROTO;
	size = length_bytes == 2 ? wire_u16(reader->at) : wire_u32(reader->at);
	reader->at += length_bytes;
	if (size > (size_t)(reader->end - reader->at))
		return -EPROTO;
	*ret = (struct gantry_str){size ? reader->at : NULL, size};
	reader->at += size;
	return 0;
}

static int take_fields(struct reader *reader, struct remoting_scratch *scratch, const char **why)
{
	uint32_t first = scratch->field_used;

	while (reader->at < reader->end) {
		struct gantry_field *field = remoting_scratch_field(scratch, first, why);

		if (!field)
			return -E2BIG;
		if (take_text(reader, 2, &field->name) || take_text(reader, 4, &field->value)) {
			*why = "a field longer than the header";
			return -EPROTO;
		}
		if (!field->name.at || !field->value.at)
			scratch->field_used--;
	}
	return 0;
}

int remoting_binary(struct gantry_str bytes, struct remoting_scratch *scratch,
		    struct remoting_header *ret, const char **why)
{
	struct reader reader = {bytes.at, bytes.at + bytes.size};

	if (bytes.size < FIXED_SIZE) {
		*why = "a binary header cut short";
		return -EPROTO;
	}
	ret->code = (int16_t)wire_u16(reader.at);
	ret->language = (uint8_t)reader.at[2];
	if (!remoting_language_name(ret->language))
		ret->language = -1;
	ret->version = (int16_t)wire_u16(reader.at + 3);
	ret->opaque = (int32_t)wire_u32(reader.at + 5);
	ret->flag = (int32_t)wire_u32(reader.at + 9);
	reader.at += 13;
	if (take_text(&reader, 4, &ret->remark) || reader.end - reader.at < 4) {
		*why = "a remark longer than the header";
		return -EPROTO;
	}
	if (wire_u32(reader.at) != (size_t)(reader.end - reader.at - 4)) {
		*why = "fields that do not fill the header";
		return -EPROTO;
	}
	reader.at += 4;
	return take_fields(&reader, scratch, why);
}
