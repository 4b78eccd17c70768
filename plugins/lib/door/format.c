/* SPDX-License-Identifier: Apache-2.0 */
/* Pads and frames as they stand in RocketMQ's and DLedger's files (big-endian). */
#include "door.h"

#include <message/bytes.h>
#include <string.h>

enum {
	PLAIN_MAGIC = 0xCBD43194, /* second int32 of a blank */
	FRAME_BYTES = 48,
	FRAME_SIZE = 4,  /* int32: 48 + the body's */
	FRAME_POS = 24,  /* int64: the frame's own offset */
	FRAME_BODY = 44, /* int32: bytes of the body */
};

static void plain_pad(uint8_t *to, uint64_t left)
{
	message_put32(to, (uint32_t)left);
	message_put32(to + 4, PLAIN_MAGIC);
}

static enum door_kind plain_look(const uint8_t *bytes, uint64_t size, uint64_t at, uint64_t left,
				 uint64_t *ret_record_bytes)
{
	(void)size;
	(void)at;
	(void)ret_record_bytes;
	return message_get32(bytes + 4) == PLAIN_MAGIC && message_get32(bytes) == (uint32_t)left
		       ? DOOR_PAD
		       : DOOR_RECORD;
}

static void framed_pad(uint8_t *to, uint64_t left)
{
	message_put32(to, UINT32_MAX);
	message_put32(to + 4, (uint32_t)left);
}

/* A frame names its own offset, so a record's bytes cannot be taken for one by accident. */
static enum door_kind framed_look(const uint8_t *bytes, uint64_t size, uint64_t at, uint64_t left,
				  uint64_t *ret_record_bytes)
{
	uint32_t entry = message_get32(bytes + FRAME_SIZE);

	if (message_get32(bytes) == UINT32_MAX && entry == (uint32_t)left)
		return DOOR_PAD;
	if (size < FRAME_BYTES || message_get32(bytes) != 1 ||
	    message_get64(bytes + FRAME_POS) != at || entry < FRAME_BYTES || entry > left ||
	    message_get32(bytes + FRAME_BODY) != entry - FRAME_BYTES)
		return DOOR_RECORD;
	*ret_record_bytes = entry - FRAME_BYTES;
	return DOOR_FRAME;
}

const struct door_format door_plain = {
	.pad = plain_pad,
	.look = plain_look,
};

const struct door_format door_framed = {
	.frame_bytes = FRAME_BYTES,
	.pad = framed_pad,
	.look = framed_look,
};
