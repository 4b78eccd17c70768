/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a stream of bytes into frames. */
#include "wire.h"

#include <errno.h>
#include <remoting/codec.h>

static int64_t broken(const char **why, const char *text)
{
	if (why)
		*why = text;
	return -EPROTO;
}

/* Checks the two words before the header; the second only if it is there already. */
static int64_t check_prefix(uint32_t length, const uint32_t *word, uint32_t frame_max,
			    uint32_t header_max, const char **why)
{
	uint32_t header;

	if (length > INT32_MAX)
		return broken(why, "a negative frame length");
	if (length < 4)
		return broken(why, "a frame without room for a header");
	if (length > frame_max - 4)
		return broken(why, "a frame over the size limit");
	if (!word)
		return 0;
	header = *word & 0xffffff;
	if (*word >> 24 > REMOTING_BINARY)
		return broken(why, "an unknown serialization");
	if (header > length - 4)
		return broken(why, "a header longer than its frame");
	if (header > header_max)
		return broken(why, "a header over the size limit");
	return 0;
}

int64_t remoting_frame_cut(const struct remoting_limits *limits, const void *at, size_t size,
			   struct remoting_frame *ret, const char **why)
{
	uint32_t frame_max = limits && limits->frame ? limits->frame : REMOTING_FRAME_MAX;
	uint32_t header_max = limits && limits->header ? limits->header : REMOTING_HEADER_MAX;
	const char *bytes = at;
	uint32_t length, word, header;
	int64_t code;

	if (size < 4)
		return REMOTING_PREFIX;
	length = wire_u32(bytes);
	word = size < REMOTING_PREFIX ? 0 : wire_u32(bytes + 4);
	code = check_prefix(length, size < REMOTING_PREFIX ? NULL : &word, frame_max, header_max,
			    why);
	if (code)
		return code;
	if (size < REMOTING_PREFIX)
		return REMOTING_PREFIX;
	if (size < (size_t)length + 4)
		return (int64_t)length + 4;
	header = word & 0xffffff;
	*ret = (struct remoting_frame){.header = {bytes + REMOTING_PREFIX, header},
				       .size = length + 4,
				       .serialization = word >> 24};
	if (length - 4 > header)
		ret->body =
			(struct gantry_str){bytes + REMOTING_PREFIX + header, length - 4 - header};
	return 0;
}
