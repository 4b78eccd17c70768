/* SPDX-License-Identifier: Apache-2.0 */
/* What every binary answer begins with; private to this library. */
#ifndef REMOTING_REPLY_HEAD_H
#define REMOTING_REPLY_HEAD_H

#include "wire.h"

#include <remoting/codec.h>

/* Writes the header up to its fields; returns the place behind it. */
static inline char *put_reply_head(char *to, int32_t code, int32_t opaque, struct gantry_str remark)
{
	to = wire_put_u16(to, (uint16_t)code);
	*to++ = REMOTING_JAVA;
	to = wire_put_u16(to, REMOTING_VERSION);
	to = wire_put_u32(to, (uint32_t)opaque);
	to = wire_put_u32(to, REMOTING_RESPONSE);
	to = wire_put_u32(to, (uint32_t)remark.size);
	return remark.size ? wire_put_bytes(to, remark.at, remark.size) : to;
}

#endif
