/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's ConsumeQueue units, which say where in the CommitLog a queue's messages stand, as
 * ConsumeQueue, BatchConsumeQueue and ConsumeQueueExt of store 5.5.0 write them. Big-endian. Pure:
 * no clock, no state; any thread. */
#ifndef MESSAGE_QUEUE_UNIT_H
#define MESSAGE_QUEUE_UNIT_H

#include "message/delay.h"
#include "message/record.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	MESSAGE_UNIT_SIZE = 20,          /* bytes of a ConsumeQueue unit */
	MESSAGE_UNIT_FILLER = INT32_MAX, /* the size of a unit that stands for no message */
	MESSAGE_BATCH_UNIT_SIZE = 46,    /* bytes of a BatchConsumeQueue unit */
	MESSAGE_EXT_UNIT_MIN = 20,       /* bytes of a ConsumeQueueExt unit without a bitmap */
};

struct queue_unit { /* a queue's entry of either kind */
	int64_t physical_offset, tags_code;
	int32_t size;
	int32_t count;            /* messages of the record: 1 in a ConsumeQueue */
	int64_t offset, store_ms; /* queue offset of the first; a ConsumeQueue entry has neither */
};

/* from and to: MESSAGE_UNIT_SIZE bytes. offset and store_ms become 0. */
void message_unit_read(const uint8_t *from, struct queue_unit *ret);
void message_unit_write(uint8_t *to, const struct queue_unit *unit);

/* Whether a record is in a queue at all: half messages are kept under a topic of their own, one
 * that is marked as prepared or rolled back is in none. */
bool message_record_is_queued(const struct message_record *record);
/* What its unit keeps of it: the hash of TAGS; in the schedule topic the time (ms) at which the
 * message is due. */
int64_t message_record_tags_code(const struct message_record *record,
				 const struct message_delays *delays);

struct batch_unit { /* a BatchConsumeQueue entry: one record of one or more messages */
	int64_t physical_offset, tags_code, store_ms,
		base_offset; /* base: queue offset of the first */
	int32_t size, compacted;
	int16_t count;
};

/* from and to: MESSAGE_BATCH_UNIT_SIZE bytes. */
void message_batch_unit_read(const uint8_t *from, struct batch_unit *ret);
void message_batch_unit_write(uint8_t *to, const struct batch_unit *unit);
/* Whether RocketMQ's recovery takes it for an entry. */
bool message_batch_unit_is_good(const struct batch_unit *unit);

struct ext_unit { /* a ConsumeQueueExt entry */
	int64_t tags_code, store_ms;
	struct gantry_str bitmap; /* borrowed */
	uint16_t size;            /* of the whole unit */
};

/* Whether a unit's tags code is an address in ConsumeQueueExt; then ret is that file offset. */
bool message_unit_ext_address(int64_t tags_code, uint64_t *ret);
uint64_t message_ext_unit_address(uint64_t at); /* the tags code that means that file offset */
/* The same as the next one, from the first MESSAGE_EXT_UNIT_MIN bytes alone: the bit map has a size
 * only. */
int message_ext_unit_head(const uint8_t *from, struct ext_unit *ret);
/* 1: a unit; 0: none, the file ends here (size -1, or zeros); -EBADMSG: its sizes cannot be. */
int message_ext_unit_read(const uint8_t *from, size_t size, struct ext_unit *ret);
/* to: MESSAGE_EXT_UNIT_MIN bytes. Writes no bit map. */
void message_ext_unit_write(uint8_t *to, const struct ext_unit *unit);

#ifdef __cplusplus
}
#endif
#endif
