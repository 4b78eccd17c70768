/* SPDX-License-Identifier: Apache-2.0 */
/* What op messages say during one round of checks: which half messages are settled, and how far the
 * op queue is done with. Bits for the half offsets near the round's begin, one number for each op
 * message that is not done: a round over a million transactions takes about as many bits and, with
 * RocketMQ's batched ops, some thousand numbers. Not locked. */
#ifndef TRANSACTION_SETTLED_H
#define TRANSACTION_SETTLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SETTLED_CHUNK = 64 * 1024, /* bytes of bits */
	SETTLED_CHUNKS = 128,      /* together 64 million offsets */
	SETTLED_OPS_MAX = 1 << 20, /* op messages that are not done */
};

struct settled {
	int64_t base;  /* half offset of the first bit */
	int64_t first; /* half offset where the round began: what is before it is done */
	uint8_t *chunks[SETTLED_CHUNKS];
	/* of the op messages [op_done, op_done + count): the highest half offset in each */
	int64_t op_done;
	int64_t *highest; /* a ring */
	uint32_t head, count, room;
};

/* A round that begins at these offsets of the half queue and the op queue. */
void settled_begin(struct settled *settled, int64_t half, int64_t op);
void settled_end(struct settled *settled); /* frees; a zeroed one is fine */

/* An op message at that offset, then what it lists, in as many calls as needed. Op messages come in
 * order; those between are done. -ENOSPC, -ENOMEM: this round can read no more of them. */
int settled_open_op(struct settled *settled, int64_t op);
int settled_add(struct settled *settled, const int64_t *halves, uint32_t count);

bool settled_has(const struct settled *settled, int64_t half);

/* The first op message that still says something of half messages at next or behind it. */
int64_t settled_ops_done(struct settled *settled, int64_t next);

#ifdef __cplusplus
}
#endif
#endif
