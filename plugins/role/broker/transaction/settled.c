/* SPDX-License-Identifier: Apache-2.0 */
#include "transaction/settled.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Offsets before the round's begin are kept, too: a half message that was put back names the offset
 * that it had at first, and so does the op of a producer that knows only that one. */
enum { BEFORE = 1 << 20, BITS = SETTLED_CHUNK * 8, RING_FIRST = 64 };

void settled_begin(struct settled *settled, int64_t half, int64_t op)
{
	*settled = (struct settled){
		.base = half > BEFORE ? half - BEFORE : 0, .first = half, .op_done = op};
}

void settled_end(struct settled *settled)
{
	for (uint32_t i = 0; i < SETTLED_CHUNKS; i++)
		free(settled->chunks[i]);
	free(settled->highest);
	*settled = (struct settled){0};
}

/* ---- bits */

/* 0: it is too far away for this round to come there. */
static int set(struct settled *settled, int64_t half)
{
	uint64_t bit = (uint64_t)(half - settled->base);
	uint64_t chunk = bit / BITS;

	if (half < settled->base || chunk >= SETTLED_CHUNKS)
		return 0;
	if (!settled->chunks[chunk])
		settled->chunks[chunk] = calloc(1, SETTLED_CHUNK);
	if (!settled->chunks[chunk])
		return -ENOMEM;
	settled->chunks[chunk][bit % BITS / 8] |= (uint8_t)(1u << bit % 8);
	return 0;
}

bool settled_has(const struct settled *settled, int64_t half)
{
	uint64_t bit = (uint64_t)(half - settled->base);
	uint64_t chunk = bit / BITS;

	if (half < settled->base || chunk >= SETTLED_CHUNKS || !settled->chunks[chunk])
		return false;
	return settled->chunks[chunk][bit % BITS / 8] >> bit % 8 & 1;
}

/* ---- op messages */

static int grow(struct settled *settled)
{
	uint32_t room = settled->room ? settled->room * 2 : RING_FIRST;
	int64_t *ring;

	if (room > SETTLED_OPS_MAX)
		return -ENOSPC;
	ring = malloc(room * sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < settled->count; i++)
		ring[i] = settled->highest[(settled->head + i) % settled->room];
	free(settled->highest);
	settled->highest = ring;
	settled->head = 0;
	settled->room = room;
	return 0;
}

static int push(struct settled *settled, int64_t highest)
{
	int status = settled->count == settled->room ? grow(settled) : 0;

	if (status)
		return status;
	settled->highest[(settled->head + settled->count++) % settled->room] = highest;
	return 0;
}

int settled_open_op(struct settled *settled, int64_t op)
{
	int status = 0;

	if (!settled->count) /* nothing before it is waited for */
		settled->op_done = op;
	while (!status && settled->op_done + settled->count < op)
		status = push(settled, -1);
	return status ? status : push(settled, -1);
}

int settled_add(struct settled *settled, const int64_t *halves, uint32_t count)
{
	int64_t *highest = &settled->highest[(settled->head + settled->count - 1) % settled->room];
	int status = 0;

	for (uint32_t i = 0; !status && i < count; i++) {
		status = set(settled, halves[i]);
		if (halves[i] >= settled->first && halves[i] > *highest)
			*highest = halves[i];
	}
	return status;
}

int64_t settled_ops_done(struct settled *settled, int64_t next)
{
	while (settled->count && settled->highest[settled->head] < next) {
		settled->head = (settled->head + 1) % settled->room;
		settled->count--;
		settled->op_done++;
	}
	return settled->op_done;
}
