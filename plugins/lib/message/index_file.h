/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's IndexFile (store 5.5.0): from a hash of "topic#key" to the log offsets of messages.
 * Big-endian: a header of 40 bytes, one number per hash slot, then entries of 20 bytes, numbered
 * from 1; number 0 is never used and means none. A slot holds its newest entry's number, an entry
 * that of the one before it. Everything here is pure and takes whatever a file may hold. */
#ifndef MESSAGE_INDEX_FILE_H
#define MESSAGE_INDEX_FILE_H

#include <stdbool.h>

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	MESSAGE_INDEX_HEADER = 40, /* bytes */
	MESSAGE_INDEX_SLOT = 4,
	MESSAGE_INDEX_ENTRY = 20,
	MESSAGE_INDEX_NAME = 17, /* digits of a file's name */
};

/* What tells keys, unique keys and tags apart in a query; in files only tags are marked. */
#define MESSAGE_INDEX_KEY "K"
#define MESSAGE_INDEX_UNIQUE "U"
#define MESSAGE_INDEX_TAG "T"

/* A file does not say its own shape: it comes from maxHashSlotNum and maxIndexNum. */
struct message_index_shape {
	uint32_t slots;
	uint32_t entries; /* room for this many; the first is never used */
};

struct message_index_header {
	int64_t begin_ms, end_ms; /* store times of the first message and the last */
	int64_t begin_at, end_at; /* and their log offsets */
	uint32_t used_slots;
	uint32_t next; /* the number that the next entry gets; 1: the file has none */
};

struct message_index_entry {
	uint32_t hash;
	int64_t at;       /* of the message, in the log */
	int32_t seconds;  /* since begin_ms, by which the first entry means the file before */
	int32_t previous; /* entry of the same slot */
};

/* Bytes of a file; 0: Java could not have one of that shape (no slot, no entry, 2 GiB or more). */
uint64_t message_index_size(const struct message_index_shape *shape);
/* Where a slot or an entry stands in the file; slot < slots, number < entries. */
uint64_t message_index_slot_at(uint32_t slot);
uint64_t message_index_entry_at(const struct message_index_shape *shape, uint32_t number);

/* From MESSAGE_INDEX_HEADER bytes. A count that no file can have becomes what Java makes of it (1
 * for none) or the most that the shape has room for. */
void message_index_header_read(const uint8_t *from, const struct message_index_shape *shape,
			       struct message_index_header *ret);
void message_index_header_write(const struct message_index_header *header, uint8_t *to);
void message_index_entry_read(const uint8_t *from, struct message_index_entry *ret);
void message_index_entry_write(const struct message_index_entry *entry, uint8_t *to);

static inline bool message_index_is_full(const struct message_index_header *header,
					 const struct message_index_shape *shape)
{
	return header->next >= shape->entries;
}

/* The hash under which a key is kept: of topic#key, or topic#T#tag. */
uint32_t message_index_hash(struct gantry_str topic, struct gantry_str key);
uint32_t message_index_tag_hash(struct gantry_str topic, struct gantry_str tag);
/* The same in two steps, for many keys of one topic. */
uint32_t message_index_topic(struct gantry_str topic); /* of topic# */
uint32_t message_index_topic_tag(uint32_t topic);      /* from there on to topic#T# */
uint32_t message_index_end(uint32_t topic, struct gantry_str key);

/* ---- writing */

/* A new file's header: as if its first entry followed the last of the file before (NULL: none). */
void message_index_begin(struct message_index_header *ret,
			 const struct message_index_header *before);
/* Adds a message to the header and returns its entry's number; the file is not full. slot: the
 * slot's number as it stands; ret: the entry. The caller puts the number into the slot. */
uint32_t message_index_add(struct message_index_header *header, uint32_t hash, int64_t at,
			   int64_t store_ms, uint32_t slot, struct message_index_entry *ret);

/* ---- searching */

/* Whether the file may hold messages of that time. */
bool message_index_has_time(const struct message_index_header *header, int64_t begin_ms,
			    int64_t end_ms);

struct message_index_search {
	uint32_t hash;
	int64_t begin_ms, end_ms; /* inclusive, good to a second */
};

/* The entry that a slot's number means; 0: none. */
uint32_t message_index_first(const struct message_index_header *header, uint32_t slot);
/* Judges entry number: ret_found says whether it is an answer. Returns the entry to look at next,
 * 0: none. It is always smaller than number, so a damaged chain ends too. */
uint32_t message_index_step(const struct message_index_header *header,
			    const struct message_index_search *search, uint32_t number,
			    const struct message_index_entry *entry, bool *ret_found);

/* Searches a whole file in memory, newest first: as many as max offsets of messages whose key has
 * that hash; it is the caller's to look whether their key is the one. Returns how many, or
 * -EUCLEAN: size is not that of the shape. */
int message_index_find(const uint8_t *file, size_t size, const struct message_index_shape *shape,
		       const struct message_index_search *search, uint32_t max, int64_t *ret);

#ifdef __cplusplus
}
#endif
#endif
