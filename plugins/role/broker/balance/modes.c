/* SPDX-License-Identifier: Apache-2.0 */
/* The table of message request modes and its file. */
#include "balance/modes.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "groups/groups.h"
#include "json/json.h"
#include "message/name.h"
#include "paths.h"
#include "table/table.h"
#include "topics/topics.h"

enum { TEXT_MAX = 256 * 1024 * 1024, KEY_ROOM = TOPIC_NAME_ROOM + GROUP_NAME_MAX + 1 };

struct mode_node {
	struct table_entry entry; /* key: topic@group */
	struct message_mode mode;
	size_t topic_size;
	char key[];
};

struct modes {
	struct broker *broker;
	struct state *file;
	pthread_rwlock_t lock;
	struct table table; /* guarded by lock */
	uint64_t adopted;   /* hash of what modes_adopt() took last; its own */
	struct gantry_log_limit pop_limit;
};

static const char *const names[] = {"PULL", "POP"};

const char *mode_name(int32_t mode)
{
	return names[mode == MODE_POP];
}

int mode_of(struct gantry_str name)
{
	for (int i = 0; i < 2; i++)
		if (str_is(name, names[i]))
			return i;
	return -EINVAL;
}

int modes_new(struct broker *broker, struct modes **ret)
{
	struct modes *modes = calloc(1, sizeof(*modes));

	if (!modes)
		return -ENOMEM;
	modes->broker = broker;
	pthread_rwlock_init(&modes->lock, NULL);
	*ret = modes;
	return 0;
}

static void free_nodes(struct table *table)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(table, NULL); entry; entry = next) {
		next = table_next(table, entry);
		free(TABLE_HOLDER(entry, struct mode_node, entry));
	}
	table_clear(table);
}

void modes_free(struct modes *modes)
{
	if (!modes)
		return;
	state_free(modes->file);
	free_nodes(&modes->table);
	pthread_rwlock_destroy(&modes->lock);
	free(modes);
}

static size_t make_key(char *key, struct gantry_str topic, struct gantry_str group)
{
	if (!topic.size || topic.size > TOPIC_NAME_ROOM || group.size > GROUP_NAME_MAX)
		return 0;
	memcpy(key, topic.at, topic.size);
	key[topic.size] = '@';
	if (group.size)
		memcpy(key + topic.size + 1, group.at, group.size);
	return topic.size + 1 + group.size;
}

void modes_get(struct modes *modes, struct gantry_str topic, struct gantry_str group,
	       struct message_mode *ret)
{
	const struct broker_conf *conf = modes->broker->conf;
	char key[KEY_ROOM];
	size_t size = make_key(key, topic, group);
	struct table_entry *entry;

	*ret = (struct message_mode){.mode = conf->defaultMessageRequestMode};
	if (message_topic_is_retry(topic))
		ret->mode = MODE_PULL;
	if (ret->mode == MODE_POP)
		ret->pop_share_queues = (int32_t)conf->defaultPopShareQueueNum;
	pthread_rwlock_rdlock(&modes->lock);
	entry = table_find(&modes->table, (struct gantry_str){key, size});
	if (entry)
		*ret = TABLE_HOLDER(entry, struct mode_node, entry)->mode;
	pthread_rwlock_unlock(&modes->lock);
}

void modes_served(struct modes *modes, struct gantry_str topic, struct gantry_str group,
		  struct message_mode *ret)
{
	modes_get(modes, topic, group, ret);
	if (ret->mode != MODE_POP)
		return;
	*ret = (struct message_mode){.mode = MODE_PULL};
	gantry_log_limited(modes->broker->inst, &modes->pop_limit, WARNING,
			   "group %.*s shall pop topic %.*s, which is not served yet: its members "
			   "are told to pull",
			   STR_ARGS(group), STR_ARGS(topic));
}

static int set_locked(struct modes *modes, const char *key, size_t size, size_t topic_size,
		      const struct message_mode *mode)
{
	struct table_entry *entry = table_find(&modes->table, (struct gantry_str){key, size});
	struct mode_node *node;

	if (entry) {
		TABLE_HOLDER(entry, struct mode_node, entry)->mode = *mode;
		return 0;
	}
	if ((int64_t)modes->table.count >= modes->broker->conf->maxOffsets)
		return -ENOSPC;
	node = malloc(sizeof(*node) + size);
	if (!node)
		return -ENOMEM;
	memcpy(node->key, key, size);
	node->topic_size = topic_size;
	node->mode = *mode;
	if (table_insert(&modes->table, (struct gantry_str){node->key, size}, &node->entry)) {
		free(node);
		return -ENOMEM;
	}
	return 0;
}

int modes_set(struct modes *modes, struct gantry_str topic, struct gantry_str group,
	      const struct message_mode *mode)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, topic, group);
	int err;

	if (!size)
		return -EINVAL;
	pthread_rwlock_wrlock(&modes->lock);
	err = set_locked(modes, key, size, topic.size, mode);
	pthread_rwlock_unlock(&modes->lock);
	if (!err && modes->file)
		state_changed(modes->file);
	return err;
}

/* ---- the file: {"messageRequestModeMap":{"T":{"G":{...}}}} */

static void write_node(struct json_writer *writer, const struct mode_node *node)
{
	size_t skip = node->topic_size + 1;
	struct gantry_str group = {node->key + skip, node->entry.key.size - skip};

	json_put_key_str(writer, group);
	json_open_object(writer);
	json_member_str(writer, "consumerGroup", group);
	json_member_string(writer, "mode", mode_name(node->mode.mode));
	json_member_int(writer, "popShareQueueNum", node->mode.pop_share_queues);
	json_member_str(writer, "topic", (struct gantry_str){node->key, node->topic_size});
	json_close_object(writer);
}

static void write_table(struct modes *modes, struct json_writer *writer)
{
	struct table_entry **sorted = table_sorted(&modes->table);
	struct gantry_str open = {NULL, 0};

	if (!sorted && modes->table.count)
		writer->error = -ENOMEM;
	for (size_t i = 0; sorted && i < modes->table.count; i++) {
		struct mode_node *node = TABLE_HOLDER(sorted[i], struct mode_node, entry);
		struct gantry_str topic = {node->key, node->topic_size};

		if (!open.at || !str_equal(open, topic)) {
			if (open.at)
				json_close_object(writer);
			json_put_key_str(writer, topic);
			json_open_object(writer);
			open = topic;
		}
		write_node(writer, node);
	}
	if (open.at)
		json_close_object(writer);
	free(sorted);
}

int modes_encode(struct modes *modes, unsigned flags, char **ret, size_t *ret_size)
{
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, flags);
	json_open_object(&writer);
	json_put_key(&writer, "messageRequestModeMap");
	json_open_object(&writer);
	pthread_rwlock_rdlock(&modes->lock);
	write_table(modes, &writer);
	pthread_rwlock_unlock(&modes->lock);
	json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static int encode_file(void *user, char **ret, size_t *ret_size)
{
	return modes_encode(user, JSON_PRETTY, ret, ret_size);
}

static int take_mode(struct modes *modes, struct json_value topic_key, struct json_value group_key,
		     struct json_value object)
{
	struct message_mode mode = {0};
	struct gantry_str topic, group, name;
	char key[KEY_ROOM];
	size_t size;
	int which;

	if (!json_raw(topic_key, &topic) || !json_raw(group_key, &group) ||
	    !json_raw(json_get(object, "mode"), &name) || (which = mode_of(name)) < 0)
		return -EINVAL;
	size = make_key(key, topic, group);
	mode.mode = which;
	mode.pop_share_queues = (int32_t)json_int64_or(json_get(object, "popShareQueueNum"), 0);
	return size ? set_locked(modes, key, size, topic.size, &mode) : -EINVAL;
}

/* With the lock held for writing. */
static int take_document_locked(struct modes *modes, struct json_value root)
{
	struct json_iter outer = json_iter(json_get(root, "messageRequestModeMap"));
	int err = 0;

	while (!err && json_next(&outer)) {
		struct json_iter inner = json_iter(outer.value);

		while (!err && json_next(&inner))
			err = take_mode(modes, outer.key, inner.key, inner.value);
	}
	return err;
}

static int say(int err, char *why, size_t why_size)
{
	if (err == -EINVAL)
		snprintf(why, why_size, "an entry of messageRequestModeMap has no mode");
	else if (err)
		snprintf(why, why_size, "%s", strerror(-err));
	return err;
}

static int decode_file(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	struct modes *modes = user;
	struct json_doc doc;
	int err = broker_parse(text, size, &doc, why, why_size);

	if (err)
		return err;
	pthread_rwlock_wrlock(&modes->lock);
	err = take_document_locked(modes, json_root(&doc));
	pthread_rwlock_unlock(&modes->lock);
	json_free(&doc);
	return say(err, why, why_size);
}

int modes_adopt(struct modes *modes, const struct json_doc *page, char *why, size_t why_size)
{
	uint64_t hash = table_hash((struct gantry_str){page->text, page->nodes[0].end});
	struct table before;
	int err;

	if (hash == modes->adopted)
		return 0;
	if (!json_is(json_get(json_root(page), "messageRequestModeMap"), JSON_OBJECT)) {
		snprintf(why, why_size, "it has no messageRequestModeMap");
		return -EINVAL;
	}
	pthread_rwlock_wrlock(&modes->lock);
	before = modes->table;
	modes->table = (struct table){0};
	err = take_document_locked(modes, json_root(page));
	if (err) {
		struct table half = modes->table;

		modes->table = before;
		before = half;
	}
	pthread_rwlock_unlock(&modes->lock);
	free_nodes(&before);
	if (!err)
		modes->adopted = hash;
	if (!err && modes->file)
		state_changed(modes->file);
	return say(err, why, why_size);
}

int modes_load(struct modes *modes)
{
	int result = broker_state_new(modes->broker, "messageRequestMode.json", encode_file,
				      decode_file, modes, &modes->file);

	if (!result)
		result = state_read(modes->file);
	return result < 0 ? result : 0;
}

int modes_close(struct modes *modes, struct gantry_op *op)
{
	return modes->file ? state_close(modes->file, op) : 0;
}
