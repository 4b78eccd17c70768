/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's remoting frames: cutting, decoding, encoding. No sockets and no state: memory is the
 * caller's, everything that is decoded borrows from the frame or from the caller's scratch.
 *
 *   int32 length of what follows | int8 serialization, int24 header length | header | body
 *
 * Integers are big-endian. The header is JSON or RocketMQ's binary form. */
#ifndef REMOTING_CODEC_H
#define REMOTING_CODEC_H

#include <gantry/base.h>
#include <gantry/frontend.h>

GANTRY_BEGIN

/* Serialization, the bits of flag, and the LanguageCodes that code here names. */
enum { REMOTING_JSON = 0, REMOTING_BINARY = 1 };
enum { REMOTING_RESPONSE = 1, REMOTING_ONE_WAY = 2 };
enum { REMOTING_JAVA = 0, REMOTING_CPP = 1, REMOTING_OTHER = 7, REMOTING_GO = 9 };

/* MQVersion's ordinal that we say: V5_5_0. */
enum { REMOTING_VERSION = 513 };

/* Sizes in bytes. A frame's includes its length word. RocketMQ has no limit for headers: ours lets
 * the longest properties through with every byte escaped. Decoding may write as far past what it
 * uses of scratch text as the slack is. */
enum {
	REMOTING_PREFIX = 8,
	REMOTING_FRAME_MAX = 16 * 1024 * 1024,
	REMOTING_HEADER_MAX = 256 * 1024,
	REMOTING_FIELDS_MAX = 128,
	REMOTING_SLACK = 16,
};

struct remoting_limits {
	uint32_t frame;  /* bytes, length word included; 0: REMOTING_FRAME_MAX */
	uint32_t header; /* bytes; 0: REMOTING_HEADER_MAX */
};

/* A frame as it lies in the buffer. */
struct remoting_frame {
	struct gantry_str header, body; /* body.at == NULL: none */
	uint32_t size;                  /* bytes to the next frame */
	uint32_t serialization;
};

/* What a command's header says. All text is borrowed. */
struct remoting_header {
	int32_t code, language, version, opaque, flag;
	uint32_t serialization;
	struct gantry_str remark;
	const struct gantry_field *fields; /* "ext fields" */
	uint32_t field_count;
	uint32_t reserved;
};

/* Memory for decoding. fields: room for field_room of them; text: for what has to be unescaped
 * (REMOTING_SLACK more than the header's bytes are always enough). Decoding moves the used marks
 * on, so that several headers share one scratch; the caller sets them back to 0. */
struct remoting_scratch {
	struct gantry_field *fields;
	char *text;
	size_t text_room, text_used;
	uint32_t field_room, field_used;
};

/* Cuts the frame at the start of size bytes. 0: it is whole. Positive: this many bytes at least
 * have to be there (8 until the length is known, then the frame's size). -EPROTO: it cannot
 * become a frame; *why is a static text. limits and why may be NULL. */
int64_t remoting_frame_cut(const struct remoting_limits *limits, const void *at, size_t size,
			   struct remoting_frame *ret, const char **why);

/* Decodes the header of a frame. JSON as clients write it goes through one hand-written pass,
 * anything else through the full parser with the same result. -EPROTO: broken, *why is a static
 * text; -E2BIG: more fields or text than the scratch has room for; -ENOMEM. At most
 * REMOTING_FIELDS_MAX fields. ret->serialization is the frame's. */
int remoting_header_decode(const struct remoting_frame *frame, struct remoting_scratch *scratch,
			   struct remoting_header *ret, const char **why);

/* The value of a field (the last of that name); absent: at == NULL. */
struct gantry_str remoting_field(const struct remoting_header *header, const char *name);
/* A decimal number as Java parses it; -ENOENT: absent; -EINVAL: not a number; -ERANGE. */
int remoting_field_int32(const struct remoting_header *header, const char *name, int32_t *ret);
int remoting_field_int64(const struct remoting_header *header, const char *name, int64_t *ret);
/* Boolean.parseBoolean; missing: the value when absent. */
int remoting_field_bool(const struct remoting_header *header, const char *name, int missing);
int remoting_parse_int32(struct gantry_str text, int32_t *ret);
int remoting_parse_int64(struct gantry_str text, int64_t *ret);

/* Encodes the 8 bytes and the header of a frame whose body has body_size bytes, in the header's
 * serialization. A request's or response's own flag bits are the caller's to set. to must have
 * remoting_encoded_max() bytes; returns the bytes written. Fields without value are left out. */
size_t remoting_encoded_max(const struct remoting_header *header);
size_t remoting_encode(const struct remoting_header *header, size_t body_size, void *to);

/* The name of a LanguageCode ("JAVA"), NULL if there is none; its number, or -1. */
const char *remoting_language_name(int32_t language);
int32_t remoting_language_code(struct gantry_str name);

GANTRY_END
#endif
