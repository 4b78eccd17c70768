/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's stored message: the record of the CommitLog, which is also what a pull's body holds.
 * Big-endian; V1 has one byte for the topic's length, V2 two; each host takes 8 bytes (IPv4 and a
 * 4-byte port) or 20 (IPv6), as the sysFlag says. Everything here is pure: no clock, no state. */
#ifndef MESSAGE_RECORD_H
#define MESSAGE_RECORD_H

#include <stdbool.h>

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	MESSAGE_MAGIC_V1 = (int32_t)0xDAA320A7,
	MESSAGE_MAGIC_V2 = (int32_t)0xDAA320AB,
	MESSAGE_MAGIC_BLANK = (int32_t)0xCBD43194, /* fills the end of a segment */
};

enum { /* MessageSysFlag */
       MESSAGE_COMPRESSED = 0x001,
       MESSAGE_MULTI_TAGS = 0x002,
       MESSAGE_TRANSACTION = 0x00C, /* mask of the next three; 0: none */
       MESSAGE_PREPARED = 0x004,
       MESSAGE_COMMITTED = 0x008,
       MESSAGE_ROLLED_BACK = 0x00C,
       MESSAGE_BORN_HOST_V6 = 0x010,
       MESSAGE_STORE_HOST_V6 = 0x020,
       MESSAGE_NEED_UNWRAP = 0x040,
       MESSAGE_INNER_BATCH = 0x080,
};

enum {
	MESSAGE_RECORD_LOOK = 36, /* bytes that tell whether a record may begin there */
	MESSAGE_RECORD_MIN = 91,  /* V1, two IPv4 hosts, nothing else */
	MESSAGE_HEAD_MAX = 112,   /* what stands before the body, with two IPv6 hosts */
	MESSAGE_BLANK_SIZE = 8,   /* a record leaves at least this much of its segment */
	MESSAGE_PROPERTIES_MAX = 32767,
	MESSAGE_TOPIC_V1_MAX = 127, /* UTF-16 units; a longer topic makes a V2 record */
	MESSAGE_PARTS = 20,
};

/* A stored message. Text is borrowed from the bytes that it was read from. */
struct message_record {
	uint32_t size; /* the whole record */
	int32_t magic, body_crc, queue, flag, sys_flag, reconsume_times;
	int64_t queue_offset, physical_offset, born_ms, store_ms, prepared_offset;
	struct gantry_address born_host, store_host;
	struct gantry_str body, topic, properties;
};

enum message_scan {                   /* what stands at a place of the log */
		    MESSAGE_WHOLE,    /* a record, complete and as long as it says */
		    MESSAGE_BLANK,    /* the end of a segment */
		    MESSAGE_SHORT,    /* not all of it is here */
		    MESSAGE_BAD_SIZE, /* a record's magic, but the parts do not add up to its size
				       */
		    MESSAGE_BAD_CRC,  /* a record whose body changed */
		    MESSAGE_NOTHING,  /* no record begins here */
};

/* Whether those MESSAGE_RECORD_LOOK bytes begin a record that says that it stands at that offset.
 */
bool message_record_may_begin(const uint8_t *bytes, uint64_t at);

/* The size of a record of which only the beginning is there, if it may begin at that offset and its
 * body is about as long as that; else 0, also for fewer bytes than MESSAGE_HEAD_MAX. */
uint32_t message_record_claims(const uint8_t *bytes, size_t size, uint64_t at);

/* Reads the record at bytes. ret is filled for MESSAGE_WHOLE; for MESSAGE_BLANK, MESSAGE_SHORT and
 * MESSAGE_BAD_SIZE only its size (SHORT: 0 if even that is not here). check_crc: sums up the body
 * and compares. */
enum message_scan message_record_read(const uint8_t *bytes, size_t size, bool check_crc,
				      struct message_record *ret);

/* RocketMQ's body checksum: CRC-32 with the sign bit cleared; 0 for no body. */
int32_t message_body_crc(const void *body, size_t size);

/* A message that is to be stored. Its properties may come in parts, so that they need not be
 * copied before they are written. Everything is borrowed. */
struct message_draft {
	struct gantry_str topic, body;
	struct gantry_str properties[MESSAGE_PARTS];
	uint32_t part_count;
	uint32_t size; /* of the record; message_draft_finish() sets it */
	int32_t magic, body_crc, queue, flag, sys_flag, reconsume_times;
	int64_t born_ms, prepared_offset;
	struct gantry_address born_host, store_host;
	uint16_t properties_size;
	bool checksum; /* it ends with one of itself: checksum.h */
};

/* Sets what follows from the rest: magic, host bits of sys_flag, sizes. Not body_crc.
 * -EMSGSIZE: the properties or the topic are too long for a record. */
int message_draft_finish(struct message_draft *draft);

/* Writes the record, draft->size bytes. Does not call out, allocate or fail. */
void message_record_write(const struct message_draft *draft, uint8_t *to, int64_t queue_offset,
			  uint64_t physical_offset, int64_t store_ms);

#ifdef __cplusplus
}
#endif
#endif
