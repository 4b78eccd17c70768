/* SPDX-License-Identifier: Apache-2.0 */
/* A send request made once: the frame as RocketMQ's clients send it, of which only a few digits
 * change from message to message. */
#ifndef CLI_BENCH_PREBUILT_H
#define CLI_BENCH_PREBUILT_H

#include <gantry/base.h>

GANTRY_BEGIN

/* Opaques have ten digits, so that a frame never changes its length. */
enum { PREBUILT_OPAQUE_MIN = 1000000000, PREBUILT_OPAQUE_MAX = 1999999999 };

/* A body begins with this when messages are timed: the run's mark and the time when the message
 * was due, 16 hex digits each. */
enum { PREBUILT_STAMP = 32 };

struct prebuilt_spec {
	const char *group, *topic;
	int32_t queue, queue_count;
	uint32_t body_size;     /* at least PREBUILT_STAMP when mark is not 0 */
	uint64_t mark;          /* of the run; 0: bodies are not stamped */
	const char *unique_key; /* UNIQ_KEY's 32 digits; the last 8 become a counter */
};

struct prebuilt {
	uint8_t *frame; /* from malloc */
	uint32_t size;
	uint32_t opaque, born, counter, stamp; /* where the digits stand; stamp 0: nowhere */
};

/* -ENOMEM; -EMSGSIZE: the frame would be larger than the protocol allows. */
int prebuilt_make(const struct prebuilt_spec *spec, struct prebuilt *ret);
void prebuilt_free(struct prebuilt *t);

/* Writes t->size bytes. born_ms: 13 digits of wall clock; due_ns: for the stamp. */
void prebuilt_write(const struct prebuilt *t, uint8_t *to, int32_t opaque, int64_t born_ms,
		    uint32_t counter, uint64_t due_ns);

/* The due time of a stamped body; 0 when it is not one of this run's. */
uint64_t prebuilt_due(uint64_t mark, const void *body, size_t size);

GANTRY_END
#endif
