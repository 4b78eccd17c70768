/* SPDX-License-Identifier: Apache-2.0 */
/* consumerOffset.json: {"offsetTable":{"topic@group":{0:12,1:9}}}, with bare integer keys. With
 * enableLmq it is lmqConsumerOffset.json instead, in which light groups have a table of their own:
 * {"lmqOffsetTable":{"topic@%LMQ%group":12}}. As ConsumerOffsetManager and LmqConsumerOffsetManager
 * of broker 5.5.0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "offsets/private.h"
#include "paths.h"
#include "topics/topics.h"

static const char plain_name[] = "consumerOffset.json", light_name[] = "lmqConsumerOffset.json";

enum { TEXT_MAX = 1024 * 1024 * 1024 };

static void write_node(struct json_writer *writer, const struct offset_node *node)
{
	json_put_key_str(writer, node->entry.key);
	json_open_object(writer);
	for (uint32_t i = 0; i < node->slot_count; i++) {
		int64_t offset = __atomic_load_n(&node->slots[i].committed, __ATOMIC_RELAXED);

		if (offset < 0)
			continue;
		json_put_key_int(writer, i);
		json_put_int(writer, offset);
	}
	json_close_object(writer);
}

static bool has_committed(const struct offset_node *node)
{
	for (uint32_t i = 0; i < node->slot_count; i++)
		if (__atomic_load_n(&node->slots[i].committed, __ATOMIC_RELAXED) >= 0)
			return true;
	return false;
}

static bool is_light(const struct offsets *offsets, const struct offset_node *node)
{
	size_t skip = (size_t)node->topic_size + 1;
	struct gantry_str group = {node->key + skip, node->entry.key.size - skip};

	return topics_is_light(offsets->broker, group);
}

static void write_light(struct json_writer *writer, const struct offset_node *node)
{
	json_put_key_str(writer, node->entry.key);
	json_put_int(writer, __atomic_load_n(&node->slots[0].committed, __ATOMIC_RELAXED));
}

/* The offsets of light groups, or of all others. */
static void write_table(const struct offsets *offsets, struct json_writer *writer,
			struct table_entry *const *sorted, bool light)
{
	json_put_key(writer, light ? "lmqOffsetTable" : "offsetTable");
	json_open_object(writer);
	for (size_t i = 0; sorted && i < offsets->table.count; i++) {
		struct offset_node *node = TABLE_HOLDER(sorted[i], struct offset_node, entry);

		if (!has_committed(node) || is_light(offsets, node) != light)
			continue;
		if (light)
			write_light(writer, node);
		else
			write_node(writer, node);
	}
	json_close_object(writer);
}

/* RocketMQ counts a version for every so many commits. */
static struct data_version version_locked(const struct offsets *offsets)
{
	struct data_version version = offsets->version;
	uint64_t commits = __atomic_load_n(&offsets->commits, __ATOMIC_RELAXED);

	version.counter +=
		(int64_t)(commits /
			  (uint64_t)offsets->broker->conf->consumerOffsetUpdateVersionStep);
	return version;
}

int offsets_encode(struct offsets *offsets, unsigned flags, char **ret, size_t *ret_size)
{
	struct json_writer writer;
	struct table_entry **sorted;
	struct data_version version;

	json_writer_init(&writer, TEXT_MAX, flags);
	pthread_rwlock_rdlock(&offsets->lock);
	version = version_locked(offsets);
	sorted = table_sorted(&offsets->table);
	if (!sorted && offsets->table.count)
		writer.error = -ENOMEM;
	json_open_object(&writer);
	json_put_key(&writer, "dataVersion");
	data_version_write(&writer, &version);
	if (offsets->broker->conf->enableLmq)
		write_table(offsets, &writer, sorted, true);
	write_table(offsets, &writer, sorted, false);
	json_close_object(&writer);
	free(sorted);
	pthread_rwlock_unlock(&offsets->lock);
	return json_writer_take(&writer, ret, ret_size);
}

static int encode_file(void *user, char **ret, size_t *ret_size)
{
	return offsets_encode(user, JSON_PRETTY, ret, ret_size);
}

static int take_queues(struct offsets *offsets, struct gantry_str key, struct json_value queues)
{
	const char *at = memchr(key.at, '@', key.size);
	struct json_iter it = json_iter(queues);
	int err = at ? 0 : -EINVAL;

	while (!err && json_next(&it)) {
		struct offset_slot *slot;
		int64_t queue, offset;

		if (json_int64(it.key, &queue) || json_int64(it.value, &offset) ||
		    queue > INT32_MAX)
			return -EINVAL;
		err = offsets_slot_locked(offsets, key, (size_t)(at - key.at), (int32_t)queue,
					  &slot);
		if (!err)
			slot->committed = offset;
	}
	return err;
}

static int take_light(struct offsets *offsets, struct gantry_str key, struct json_value value)
{
	const char *at = memchr(key.at, '@', key.size);
	struct offset_slot *slot;
	int64_t offset;
	int err = !at || json_int64(value, &offset) ? -EINVAL : 0;

	if (!err)
		err = offsets_slot_locked(offsets, key, (size_t)(at - key.at), 0, &slot);
	if (!err)
		slot->committed = offset;
	return err;
}

static int take_table(struct offsets *offsets, struct json_value table, const char *name,
		      int (*take)(struct offsets *offsets, struct gantry_str key,
				  struct json_value value),
		      char *why, size_t why_size)
{
	struct json_iter it = json_iter(table);
	struct gantry_str key = {NULL, 0};
	int err = 0;

	while (!err && json_next(&it)) {
		err = json_plain(it.key, &key) ? take(offsets, key, it.value) : -EINVAL;
		if (err == -EINVAL)
			snprintf(why, why_size, "\"%.*s\" of %s has no queue offsets",
				 STR_ARGS(key), name);
		else if (err)
			snprintf(why, why_size, "%s (maxOffsets)", strerror(-err));
	}
	return err;
}

static int take_document(void *user, struct json_value root, char *why, size_t why_size)
{
	struct offsets *offsets = user;
	struct json_value table = json_get(root, "offsetTable");
	struct json_value light = json_get(root, "lmqOffsetTable");
	int err = json_is(table, JSON_OBJECT) ? 0 : -EINVAL;

	if (err)
		snprintf(why, why_size, "it has no offsetTable");
	pthread_rwlock_wrlock(&offsets->lock);
	offsets->version = data_version_read(json_get(root, "dataVersion"));
	if (!err)
		err = take_table(offsets, table, "offsetTable", take_queues, why, why_size);
	if (!err && offsets->broker->conf->enableLmq && json_is(light, JSON_OBJECT))
		err = take_table(offsets, light, "lmqOffsetTable", take_light, why, why_size);
	pthread_rwlock_unlock(&offsets->lock);
	return err;
}

static int decode_file(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	return broker_decode(text, size, take_document, user, why, why_size);
}

/* enableLmq was set a moment ago: consumers go on where they were. As state_read(). */
static int read_plain(struct offsets *offsets)
{
	struct state *plain = NULL;
	int result = broker_state_new(offsets->broker, plain_name, encode_file, decode_file,
				      offsets, &plain);

	if (!result)
		result = state_read(plain);
	state_free(plain);
	if (result > 0) {
		gantry_log(offsets->broker->inst, NOTICE,
			   "enableLmq: the offsets of %s are taken over into %s", plain_name,
			   light_name);
		offsets->commits++; /* so that they are written */
	}
	return result;
}

int offsets_load(struct offsets *offsets)
{
	bool light = offsets->broker->conf->enableLmq;
	int result = broker_state_new(offsets->broker, light ? light_name : plain_name, encode_file,
				      decode_file, offsets, &offsets->state.file);

	if (!result)
		result = state_read(offsets->state.file);
	if (!result && light)
		result = read_plain(offsets);
	return result < 0 ? result : 0;
}

int offsets_serve(struct offsets *offsets)
{
	return paced_start(&offsets->state, offsets->broker->inst,
			   (uint64_t)offsets->broker->conf->flushConsumerOffsetInterval);
}

int offsets_close(struct offsets *offsets, struct gantry_op *op)
{
	return paced_close(&offsets->state, op);
}
