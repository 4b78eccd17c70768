/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of a message: text of key 0x01 value 0x02 ... The last 0x02 may be missing.
 * As in RocketMQ, a pair counts only if neither side is empty, and of equal keys the last wins. */
#ifndef MESSAGE_PROPERTIES_H
#define MESSAGE_PROPERTIES_H

#include <stdbool.h>

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MESSAGE_NAME_END = 1, MESSAGE_PAIR_END = 2 };

#define MESSAGE_KEYS "KEYS"
#define MESSAGE_TAGS "TAGS"
#define MESSAGE_WAIT "WAIT"
#define MESSAGE_DELAY "DELAY"
#define MESSAGE_UNIQ_KEY "UNIQ_KEY"
#define MESSAGE_CLUSTER "CLUSTER"
#define MESSAGE_TRAN_MSG "TRAN_MSG"
#define MESSAGE_POP_CK "POP_CK"
#define MESSAGE_INNER_NUM "INNER_NUM"
#define MESSAGE_INNER_BASE "INNER_BASE"
#define MESSAGE_MULTI_DISPATCH "INNER_MULTI_DISPATCH"
#define MESSAGE_MULTI_OFFSETS "INNER_MULTI_QUEUE_OFFSET"
#define MESSAGE_TIMER_DELAY_SEC "TIMER_DELAY_SEC"
#define MESSAGE_TIMER_DELAY_MS "TIMER_DELAY_MS"
#define MESSAGE_TIMER_DELIVER_MS "TIMER_DELIVER_MS"

struct message_property {
	struct gantry_str key, value;
	struct gantry_str pair; /* both, as they stand, with the 0x02 if it is there */
};

/* Takes the next pair off rest; false at the end. */
bool message_property_next(struct gantry_str *rest, struct message_property *ret);

/* The value of key; at == NULL: there is none. */
struct gantry_str message_property_find(struct gantry_str properties, struct gantry_str key);

/* Takes the next off a value that lists texts with commas between them; false at the end. An empty
 * one counts, but for the last. */
bool message_list_next(struct gantry_str *rest, struct gantry_str *ret);

/* Writes a pair; returns its bytes, or 0 if room is too small. */
size_t message_property_write(char *to, size_t room, struct gantry_str key,
			      struct gantry_str value);

/* Properties put together from pieces of others, without copying. The pieces stay borrowed. */
struct message_pieces {
	struct gantry_str *at; /* the caller's array */
	uint32_t count, max;
	size_t size;
};

/* Adds a piece; one that follows the last in memory makes it longer. The first piece that ends
 * without a 0x02 gets one when another follows. -ENOSPC: more pieces than max. */
int message_pieces_add(struct message_pieces *pieces, struct gantry_str piece);

/* Java's String.hashCode() of UTF-8 text: over its UTF-16 units, in 32 bits. */
int32_t message_java_hash(struct gantry_str utf8);
/* The hash of a text and what follows it, from the hash of that text (0: of none). */
uint32_t message_java_hash_on(uint32_t hash, struct gantry_str utf8);

/* What the consume queue keeps of TAGS: their hash, 0 if there are none. */
int64_t message_tags_code(struct gantry_str tags);

#ifdef __cplusplus
}
#endif
#endif
