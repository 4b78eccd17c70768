/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of messages on their way into the index. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/index_keys.h"
#include "store/index.h"

enum { FIRST_ROOM = 64 };

static uint32_t topic_hash(struct index_topic *topic, struct gantry_str name)
{
	if (topic->size == name.size && memcmp(topic->name, name.at, name.size) == 0)
		return topic->hash;
	if (name.size > INDEX_TOPIC)
		return message_index_topic(name);
	topic->size = (uint32_t)name.size;
	memcpy(topic->name, name.at, name.size);
	topic->hash = message_index_topic(name);
	return topic->hash;
}

static int grow(struct index_puts *puts)
{
	uint32_t room = puts->room ? puts->room * 2 : FIRST_ROOM;
	struct index_put *at;

	if (puts->room >= INDEX_BATCH)
		return -ENOSPC;
	at = realloc(puts->at, room * sizeof(*at));
	if (!at)
		return -ENOMEM;
	puts->at = at;
	puts->room = room;
	return 0;
}

static int add(struct index_puts *puts, uint32_t hash, const struct message_record *record,
	       uint64_t at)
{
	int status = puts->used < puts->room ? 0 : grow(puts);

	if (!status)
		puts->at[puts->used++] =
			(struct index_put){.at = at, .ms = record->store_ms, .hash = hash};
	return status;
}

bool index_has_keys(const struct message_record *record)
{
	return record->properties.size > 0 &&
	       (record->sys_flag & MESSAGE_TRANSACTION) != MESSAGE_ROLLED_BACK;
}

int index_collect(struct index_topic *cache, const struct message_record *record, uint64_t at,
		  struct index_puts *puts)
{
	uint32_t topic, hash, before = puts->used;
	struct message_index_keys keys;
	int status = 0;

	if (!message_index_keys(record, &keys))
		return 0;
	topic = topic_hash(cache, record->topic);
	while (!status && message_index_next(&keys, topic, &hash))
		status = add(puts, hash, record, at);
	if (status)
		puts->used = before;
	return status;
}
