/* SPDX-License-Identifier: Apache-2.0 */
/* CHECK_TRANSACTION_STATE: a producer is asked what became of its transaction. */
#ifndef TRANSACTION_ASK_H
#define TRANSACTION_ASK_H

#include "broker.h"
#include "message/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ask_room { /* grown as needed; all zero is empty */
	uint8_t *at;
	size_t size;
};

/* Where the half message stands now, which the producer's decision will name. */
struct ask_place {
	int64_t queue_offset;
	uint64_t log_offset;
	int64_t store_ms;
};

/* Asks one producer of the group that PGROUP names. half: as it stood before; times: the property
 * that says how often it was asked for, with this one. 0: it was sent; -ENOENT: no producer is
 * online; or why not. Any thread. */
int ask_producer(struct broker *broker, const struct message_record *half, struct gantry_str times,
		 const struct ask_place *place, struct ask_room *room);

#ifdef __cplusplus
}
#endif
#endif
