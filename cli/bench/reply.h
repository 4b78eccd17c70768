/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what the load generator needs of an answer's header, without a general JSON pass: a server
 * writes the same keys in the same order every time, so the places found last are tried first. */
#ifndef CLI_BENCH_REPLY_H
#define CLI_BENCH_REPLY_H

#include <remoting/codec.h>

GANTRY_BEGIN

struct reply {
	int32_t code, opaque;
};

struct reply_place { /* where a key stood in the last header, from its start and from its end */
	uint32_t start, end;
};

struct reply_hint { /* one per server; zeroed at first */
	struct reply_place code, opaque;
};

/* -EPROTO: it has no opaque. A header without a code has code 0. */
int reply_read(const struct remoting_frame *frame, struct reply_hint *hint, struct reply *ret);

/* The number in one of the header's ext fields; that if it is not there. JSON only. */
int64_t reply_field(const struct remoting_frame *frame, const char *name, int64_t missing);

GANTRY_END
#endif
