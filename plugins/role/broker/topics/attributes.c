/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of a topic: which there are, and how "+key=value,-key" changes them. Sentences are
 * those of RocketMQ's AttributeParser and AttributeUtil, since tools show them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "topics/private.h"

enum { CHANGES_MAX = 16, TEXT_MAX = 64 * 1024 };

struct attribute { /* RocketMQ's TopicAttributes of 5.5.0 */
	const char *key;
	bool changeable;
	const char *values; /* allowed, each followed by a blank; NULL: a number */
	const char *shown;  /* as Java lists them */
	int64_t min, max;
};

static const struct attribute attributes[] = {
	{"queue.type", false, "BatchCQ SimpleCQ ", "BatchCQ, SimpleCQ", 0, 0},
	{"cleanup.policy", false, "DELETE COMPACTION ", "DELETE, COMPACTION", 0, 0},
	{"message.type", true, "UNSPECIFIED MIXED TRANSACTION PRIORITY FIFO DELAY LITE NORMAL ",
	 "UNSPECIFIED, MIXED, TRANSACTION, PRIORITY, FIFO, DELAY, LITE, NORMAL", 0, 0},
	{"reserve.time", true, NULL, NULL, -1, INT64_MAX},
	{"lite.topic.expiration", true, NULL, NULL, -1, 30},
};

struct change {
	char sign;
	struct gantry_str key, value;
};

static int refuse(char *why, size_t why_size, const char *sentence, struct gantry_str key)
{
	snprintf(why, why_size, "%s%.*s", sentence, key.size > 64 ? 64 : (int)key.size,
		 key.size ? key.at : "");
	return -EINVAL;
}

static struct gantry_str cut(struct gantry_str *rest, char at)
{
	const char *end = rest->size ? memchr(rest->at, at, rest->size) : NULL;
	struct gantry_str part = {rest->at, end ? (size_t)(end - rest->at) : rest->size};

	rest->at += part.size + (end != NULL);
	rest->size -= part.size + (end != NULL);
	return part;
}

static bool contains(struct gantry_str text, char c)
{
	return text.size && memchr(text.at, c, text.size);
}

/* One of the parts between commas. */
static int read_change(struct gantry_str part, struct change *ret, char *why, size_t why_size)
{
	struct gantry_str key = cut(&part, '=');
	bool has_value = part.size > 0;

	if (has_value && !contains(key, '+'))
		return refuse(why, why_size, "add/alter attribute format is wrong: ", key);
	if (!has_value && !contains(key, '-'))
		return refuse(why, why_size, "delete attribute format is wrong: ", key);
	ret->sign = key.at[0];
	ret->key = (struct gantry_str){key.at + 1, key.size - 1};
	ret->value = part;
	if (!ret->key.size || contains(ret->key, '+') || contains(ret->key, '-'))
		return refuse(why, why_size, "kv string format wrong.", (struct gantry_str){0});
	return 0;
}

static int read_changes(struct gantry_str text, struct change *changes, uint32_t *ret_count,
			char *why, size_t why_size)
{
	uint32_t count = 0;

	while (text.size) {
		struct gantry_str part = cut(&text, ',');
		int err;

		if (count == CHANGES_MAX)
			return refuse(why, why_size, "too many attributes", (struct gantry_str){0});
		err = read_change(part, &changes[count], why, why_size);
		if (err)
			return err;
		for (uint32_t i = 0; i < count; i++)
			if (str_equal(changes[i].key, changes[count].key))
				return refuse(why, why_size,
					      "alter duplication key. key: ", changes[i].key);
		count++;
	}
	*ret_count = count;
	return 0;
}

static const struct attribute *attribute_of(struct gantry_str key)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (str_is(key, attributes[i].key))
			return &attributes[i];
	return NULL;
}

static bool allowed(const char *values, struct gantry_str value)
{
	for (const char *at = values; *at; at = strchr(at, ' ') + 1)
		if (str_equal((struct gantry_str){at, (size_t)(strchr(at, ' ') - at)}, value))
			return true;
	return false;
}

static int verify(const struct attribute *attribute, struct gantry_str value, char *why,
		  size_t why_size)
{
	int64_t number;

	if (attribute->values) {
		if (allowed(attribute->values, value))
			return 0;
		snprintf(why, why_size, "value is not in set: [%s]", attribute->shown);
		return -EINVAL;
	}
	if (str_int64(value, &number)) {
		snprintf(why, why_size, "For input string: \"%.*s\"",
			 value.size > 64 ? 64 : (int)value.size, value.at);
		return -EINVAL;
	}
	if (number < attribute->min || number > attribute->max) {
		snprintf(why, why_size, "value is not in range(%" PRId64 ", %" PRId64 ")",
			 attribute->min, attribute->max);
		return -EINVAL;
	}
	return 0;
}

static int judge(const struct change *change, bool create, bool exists, char *why, size_t why_size)
{
	const struct attribute *attribute = attribute_of(change->key);

	if (create && change->sign != '+')
		return refuse(
			why, why_size,
			"only add attribute is supported while creating topic. key: ", change->key);
	if (change->sign != '+' && change->sign != '-')
		return refuse(why, why_size, "wrong format key: ", change->key);
	if (change->sign == '-' && !exists)
		return refuse(why, why_size, "attempt to delete a nonexistent key: ", change->key);
	if (!attribute)
		return refuse(why, why_size, "unsupported key: ", change->key);
	if (!create && !attribute->changeable)
		return refuse(why, why_size,
			      "attempt to update an unchangeable attribute. key: ", change->key);
	return change->sign == '+' ? verify(attribute, change->value, why, why_size) : 0;
}

static const struct change *change_of(const struct change *changes, uint32_t count,
				      struct json_value key)
{
	struct gantry_str text;

	for (uint32_t i = 0; i < count; i++)
		if (json_raw(key, &text) && str_equal(text, changes[i].key))
			return &changes[i];
	return NULL;
}

/* The old attributes without those that change, then the new values. */
static int rewrite(struct json_value old, const struct change *changes, uint32_t count, char **ret)
{
	struct json_iter it = json_iter(old);
	struct json_writer writer;
	uint32_t left = 0;
	char *text;
	size_t size;
	int err;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	while (json_next(&it)) {
		struct gantry_str key;

		if (change_of(changes, count, it.key) || !json_raw(it.key, &key))
			continue;
		json_put_key_str(&writer, key);
		metadata_copy_json(&writer, it.value);
		left++;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (changes[i].sign != '+')
			continue;
		json_put_key_str(&writer, changes[i].key);
		json_put_str(&writer, changes[i].value);
		left++;
	}
	json_close_object(&writer);
	err = json_writer_take(&writer, &text, &size);
	if (err)
		return err;
	if (!left) {
		free(text);
		text = NULL;
	}
	*ret = text;
	return 0;
}

int topics_alter_attributes(const char *current, bool create, struct gantry_str change, char **ret,
			    char *why, size_t why_size)
{
	struct change changes[CHANGES_MAX];
	struct json_doc doc = {0};
	uint32_t count = 0;
	int err = read_changes(change, changes, &count, why, why_size);

	if (!current)
		current = "{}";
	if (!err)
		err = json_parse(current, strlen(current), 0, NULL, &doc, NULL);
	for (uint32_t i = 0; !err && i < count; i++) {
		struct json_iter it = json_iter(json_root(&doc));
		bool exists = false;

		while (json_next(&it))
			exists |= change_of(&changes[i], 1, it.key) != NULL;
		err = judge(&changes[i], create, exists, why, why_size);
	}
	if (!err)
		err = rewrite(json_root(&doc), changes, count, ret);
	json_free(&doc);
	return err;
}

int topics_alter(struct topics *topics, struct gantry_str name, struct gantry_str change,
		 char **ret, char *why, size_t why_size)
{
	struct topic *topic;
	char *current = NULL;
	int err = 0;

	pthread_rwlock_rdlock(&topics->lock);
	topic = topics_find_locked(topics, name);
	if (topic && topic->attributes && !(current = strdup(topic->attributes)))
		err = -ENOMEM;
	pthread_rwlock_unlock(&topics->lock);
	if (!err)
		err = topics_alter_attributes(current, !topic, change, ret, why, why_size);
	if (!err)
		err = topics_check_served(topics, *ret, why, why_size);
	free(current);
	return err;
}
