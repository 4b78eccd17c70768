/* SPDX-License-Identifier: Apache-2.0 */
#include "message/index_keys.h"

#include <string.h>

#include "message/properties.h"

enum { KEY_SEPARATOR = ' ' };

static bool is_key(struct gantry_str key, const char *name, size_t size)
{
	return key.size == size && memcmp(key.at, name, size) == 0;
}

/* One pass over the properties; of equal names the last counts. */
bool message_index_keys(const struct message_record *record, struct message_index_keys *ret)
{
	struct gantry_str properties = record->properties;
	struct message_index_keys keys = {0};
	struct message_property property;

	if ((record->sys_flag & MESSAGE_TRANSACTION) == MESSAGE_ROLLED_BACK)
		return false;
	while (message_property_next(&properties, &property)) {
		if (is_key(property.key, MESSAGE_UNIQ_KEY, sizeof(MESSAGE_UNIQ_KEY) - 1))
			keys.unique = property.value;
		else if (is_key(property.key, MESSAGE_KEYS, sizeof(MESSAGE_KEYS) - 1))
			keys.words = property.value;
		else if (is_key(property.key, MESSAGE_TAGS, sizeof(MESSAGE_TAGS) - 1))
			keys.tag = property.value;
	}
	*ret = keys;
	return keys.unique.size || keys.words.size || keys.tag.size;
}

static struct gantry_str take(struct gantry_str *from)
{
	struct gantry_str taken = *from;

	*from = (struct gantry_str){0};
	return taken;
}

static struct gantry_str take_word(struct gantry_str *words)
{
	struct gantry_str word = {0};

	while (words->size && !word.size) {
		const char *end = memchr(words->at, KEY_SEPARATOR, words->size);

		word = (struct gantry_str){words->at,
					   end ? (size_t)(end - words->at) : words->size};
		words->at += word.size + (end != NULL);
		words->size -= word.size + (end != NULL);
	}
	return word;
}

bool message_index_next(struct message_index_keys *keys, uint32_t topic, uint32_t *ret_hash)
{
	struct gantry_str key = take(&keys->unique);

	if (!key.size)
		key = take_word(&keys->words);
	if (!key.size) {
		key = take(&keys->tag);
		topic = message_index_topic_tag(topic);
	}
	if (!key.size)
		return false;
	*ret_hash = message_index_end(topic, key);
	return true;
}
