/* SPDX-License-Identifier: Apache-2.0 */
/* What a message is found by in IndexFiles, as RocketMQ's IndexService of 5.5.0 reads its
 * properties: the unique key, the words of KEYS, the tag, in that order. Pure; any thread. */
#ifndef MESSAGE_INDEX_KEYS_H
#define MESSAGE_INDEX_KEYS_H

#include "message/index_file.h"
#include "message/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct message_index_keys { /* what is still to come; borrows from the record */
	struct gantry_str unique, words, tag;
};

/* False: it has none, or is rolled back. */
bool message_index_keys(const struct message_record *record, struct message_index_keys *ret);
/* The next key's hash. topic: message_index_topic() of the record's. False: there is none. */
bool message_index_next(struct message_index_keys *keys, uint32_t topic, uint32_t *ret_hash);

#ifdef __cplusplus
}
#endif
#endif
