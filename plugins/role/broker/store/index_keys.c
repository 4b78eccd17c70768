/* SPDX-License-Identifier: Apache-2.0 */
/* What a message is found by: as RocketMQ's IndexService of 5.5.0 reads its properties. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/properties.h"
#include "store/index.h"

enum { FIRST_ROOM = 64, KEY_SEPARATOR = ' ' };

struct keys {
	struct gantry_str unique, keys, tag;
};

static bool is_key(struct gantry_str key, const char *name, size_t size)
{
	return key.size == size && memcmp(key.at, name, size) == 0;
}

/* One pass over the properties; of equal names the last counts. */
static void find_keys(struct gantry_str properties, struct keys *ret)
{
	struct message_property property;

	while (message_property_next(&properties, &property)) {
		if (is_key(property.key, MESSAGE_UNIQ_KEY, sizeof(MESSAGE_UNIQ_KEY) - 1))
			ret->unique = property.value;
		else if (is_key(property.key, MESSAGE_KEYS, sizeof(MESSAGE_KEYS) - 1))
			ret->keys = property.value;
		else if (is_key(property.key, MESSAGE_TAGS, sizeof(MESSAGE_TAGS) - 1))
			ret->tag = property.value;
	}
}

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

static int add_words(struct index_puts *puts, uint32_t topic, struct gantry_str words,
		     const struct message_record *record, uint64_t at)
{
	int status = 0;

	while (words.size && !status) {
		const char *end = memchr(words.at, KEY_SEPARATOR, words.size);
		size_t size = end ? (size_t)(end - words.at) : words.size;

		if (size)
			status = add(puts,
				     message_index_end(topic, (struct gantry_str){words.at, size}),
				     record, at);
		size += end != NULL;
		words.at += size;
		words.size -= size;
	}
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
	uint32_t topic, before = puts->used;
	struct keys keys = {0};
	int status = 0;

	find_keys(record->properties, &keys);
	if (!keys.unique.size && !keys.keys.size && !keys.tag.size)
		return 0;
	topic = topic_hash(cache, record->topic);
	if (keys.unique.size)
		status = add(puts, message_index_end(topic, keys.unique), record, at);
	if (!status)
		status = add_words(puts, topic, keys.keys, record, at);
	if (!status && keys.tag.size)
		status = add(puts, message_index_end(message_index_topic_tag(topic), keys.tag),
			     record, at);
	if (status)
		puts->used = before;
	return status;
}
