/* SPDX-License-Identifier: Apache-2.0 */
/* Which way a header is decoded. */
#include "decode.h"

#include <errno.h>

int remoting_header_decode(const struct remoting_frame *frame, struct remoting_scratch *scratch,
			   struct remoting_header *ret, const char **why)
{
	struct remoting_header header = {.serialization = frame->serialization};
	const char *ignored;
	size_t text_used = scratch->text_used;
	uint32_t field_used = scratch->field_used;
	int code;

	if (!why)
		why = &ignored;
	header.fields = &scratch->fields[field_used];
	if (frame->serialization == REMOTING_BINARY) {
		code = remoting_binary(frame->header, scratch, &header, why);
	} else {
		code = remoting_json_fast(frame->header, scratch, &header, why);
		if (code == 0)
			code = remoting_json_full(frame->header, scratch, &header, why);
	}
	if (code < 0) {
		scratch->text_used = text_used;
		scratch->field_used = field_used;
		return code;
	}
	header.field_count = scratch->field_used - field_used;
	*ret = header;
	return 0;
}
