/* SPDX-License-Identifier: Apache-2.0 */
/* The KV configuration's table and its file: {"configTable":{namespace:{key:value}}}. */
#include "kv.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "json/json.h"
#include "state/state.h"
#include "table/table.h"

enum {
	NAME_MAX_BYTES = 1024,
	VALUE_MAX = 1024 * 1024,
	BYTES_MAX = 64 * 1024 * 1024, /* of all values */
	KEY_ROOM = 2 * NAME_MAX_BYTES + 2,
	TEXT_MAX = 512 * 1024 * 1024,
};

/* A value; or a namespace itself, which RocketMQ keeps when its last value is deleted. */
struct kv_node {
	struct table_entry entry; /* key: see make_key; sorts by namespace, itself first */
	char *value;              /* NULL: the namespace */
	size_t space_size, value_size;
	char name[];
};

struct ns_kv {
	struct namesrv *namesrv;
	struct state *file;
	pthread_rwlock_t lock;
	/* guarded by lock */
	struct table table;
	size_t bytes;
};

int ns_kv_new(struct namesrv *namesrv, struct ns_kv **ret)
{
	struct ns_kv *kv = calloc(1, sizeof(*kv));

	if (!kv)
		return -ENOMEM;
	kv->namesrv = namesrv;
	pthread_rwlock_init(&kv->lock, NULL);
	*ret = kv;
	return 0;
}

static struct kv_node *node_of(struct table_entry *entry)
{
	return TABLE_HOLDER(entry, struct kv_node, entry);
}

static void drop_locked(struct ns_kv *kv, struct kv_node *node)
{
	table_remove(&kv->table, &node->entry);
	kv->bytes -= node->value_size;
	free(node->value);
	free(node);
}

void ns_kv_free(struct ns_kv *kv)
{
	struct table_entry *next;

	if (!kv)
		return;
	state_free(kv->file);
	for (struct table_entry *entry = table_next(&kv->table, NULL); entry; entry = next) {
		next = table_next(&kv->table, entry);
		drop_locked(kv, node_of(entry));
	}
	table_clear(&kv->table);
	pthread_rwlock_destroy(&kv->lock);
	free(kv);
}

/* The namespace and a line end; of a value '=' and its key, too. 0: too long, or a namespace with
 * a line end in it. */
static size_t make_key(char *to, struct gantry_str space, const struct gantry_str *key)
{
	size_t size = space.size + 1;

	if (space.size > NAME_MAX_BYTES || (key && key->size > NAME_MAX_BYTES) ||
	    (space.size && memchr(space.at, '\n', space.size)))
		return 0;
	if (space.size)
		memcpy(to, space.at, space.size);
	to[space.size] = '\n';
	if (!key)
		return size;
	to[size++] = '=';
	if (key->size)
		memcpy(to + size, key->at, key->size);
	return size + key->size;
}

static struct kv_node *find_locked(struct ns_kv *kv, struct gantry_str space,
				   const struct gantry_str *key)
{
	char name[KEY_ROOM];
	size_t size = make_key(name, space, key);
	struct table_entry *entry = table_find(&kv->table, (struct gantry_str){name, size});

	return entry ? node_of(entry) : NULL;
}

static int add_locked(struct ns_kv *kv, struct gantry_str space, const struct gantry_str *key,
		      struct kv_node **ret)
{
	char name[KEY_ROOM];
	size_t size = make_key(name, space, key);
	struct kv_node *node;

	if (!size)
		return -EINVAL;
	if ((int64_t)kv->table.count >= ns_conf(kv->namesrv)->maxKvEntries)
		return -ENOSPC;
	node = calloc(1, sizeof(*node) + size);
	if (!node)
		return -ENOMEM;
	memcpy(node->name, name, size);
	node->space_size = space.size;
	if (table_insert(&kv->table, (struct gantry_str){node->name, size}, &node->entry)) {
		free(node);
		return -ENOMEM;
	}
	*ret = node;
	return 0;
}

static int put_space_locked(struct ns_kv *kv, struct gantry_str space)
{
	struct kv_node *node;

	return find_locked(kv, space, NULL) ? 0 : add_locked(kv, space, NULL, &node);
}

static int put_locked(struct ns_kv *kv, struct gantry_str space, struct gantry_str key,
		      struct gantry_str value)
{
	struct kv_node *node = find_locked(kv, space, &key);
	char *copy;
	int err;

	if (value.size > VALUE_MAX || kv->bytes + value.size > BYTES_MAX)
		return -ENOSPC;
	copy = strndup(value.at ? value.at : "", value.size);
	if (!copy)
		return -ENOMEM;
	err = put_space_locked(kv, space);
	if (!err && !node)
		err = add_locked(kv, space, &key, &node);
	if (err) {
		free(copy);
		return err;
	}
	kv->bytes += value.size - node->value_size;
	free(node->value);
	node->value = copy;
	node->value_size = value.size;
	return 0;
}

int ns_kv_put(struct ns_kv *kv, struct gantry_str space, struct gantry_str key,
	      struct gantry_str value)
{
	int err;

	pthread_rwlock_wrlock(&kv->lock);
	err = put_locked(kv, space, key, value);
	pthread_rwlock_unlock(&kv->lock);
	if (!err && kv->file)
		state_changed(kv->file);
	return err;
}

void ns_kv_delete(struct ns_kv *kv, struct gantry_str space, struct gantry_str key)
{
	struct kv_node *node;

	pthread_rwlock_wrlock(&kv->lock);
	node = find_locked(kv, space, &key);
	if (node)
		drop_locked(kv, node);
	pthread_rwlock_unlock(&kv->lock);
	if (node && kv->file)
		state_changed(kv->file);
}

char *ns_kv_get(struct ns_kv *kv, struct gantry_str space, struct gantry_str key)
{
	struct kv_node *node;
	char *value = NULL;

	pthread_rwlock_rdlock(&kv->lock);
	node = find_locked(kv, space, &key);
	if (node)
		value = strdup(node->value);
	pthread_rwlock_unlock(&kv->lock);
	return value;
}

/* ---- JSON */

static struct gantry_str key_of(const struct kv_node *node)
{
	size_t skip = node->space_size + 2;

	return (struct gantry_str){node->name + skip, node->entry.key.size - skip};
}

static void write_entry(struct json_writer *writer, const struct kv_node *node)
{
	if (!node->value)
		return;
	json_put_key_str(writer, key_of(node));
	json_put_string(writer, node->value);
}

int ns_kv_list(struct ns_kv *kv, struct gantry_str space, char **ret, size_t *ret_size)
{
	struct json_writer writer;
	bool found = false;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "table");
	json_open_object(&writer);
	pthread_rwlock_rdlock(&kv->lock);
	for (struct table_entry *entry = table_next(&kv->table, NULL); entry;
	     entry = table_next(&kv->table, entry)) {
		struct kv_node *node = node_of(entry);

		if (!str_equal((struct gantry_str){node->name, node->space_size}, space))
			continue;
		write_entry(&writer, node);
		found = true;
	}
	pthread_rwlock_unlock(&kv->lock);
	json_close_object(&writer);
	json_close_object(&writer);
	if (found)
		return json_writer_take(&writer, ret, ret_size);
	json_writer_free(&writer);
	return -ENOENT;
}

static int encode_file(void *user, char **ret, size_t *ret_size)
{
	struct ns_kv *kv = user;
	struct gantry_str open = {NULL, 0};
	struct table_entry **sorted;
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "configTable");
	json_open_object(&writer);
	pthread_rwlock_rdlock(&kv->lock);
	sorted = table_sorted(&kv->table);
	if (!sorted && kv->table.count)
		writer.error = -ENOMEM;
	for (size_t i = 0; sorted && i < kv->table.count; i++) {
		struct kv_node *node = node_of(sorted[i]);
		struct gantry_str space = {node->name, node->space_size};

		if (!open.at || !str_equal(open, space)) {
			if (open.at)
				json_close_object(&writer);
			json_put_key_str(&writer, space);
			json_open_object(&writer);
			open = space;
		}
		write_entry(&writer, node);
	}
	if (open.at)
		json_close_object(&writer);
	pthread_rwlock_unlock(&kv->lock);
	free(sorted);
	json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static int take_entry(struct ns_kv *kv, struct json_value space, struct json_value key,
		      struct json_value value)
{
	char *texts[3] = {json_strdup(space), json_strdup(key), json_strdup(value)};
	int err = -EINVAL;

	if (texts[0] && texts[1] && texts[2])
		err = put_locked(kv, str_of(texts[0]), str_of(texts[1]), str_of(texts[2]));
	for (int i = 0; i < 3; i++)
		free(texts[i]);
	return err;
}

static int take_space(struct ns_kv *kv, struct json_value space)
{
	char *text = json_strdup(space);
	int err = text ? put_space_locked(kv, str_of(text)) : -EINVAL;

	free(text);
	return err;
}

static int decode_file(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	struct json_limits limits = {.nodes = size / 2 < UINT32_MAX / 32 ? (uint32_t)size / 2 + 16
									 : UINT32_MAX / 32};
	struct json_error error = {0};
	struct ns_kv *kv = user;
	struct json_iter outer;
	struct json_doc doc;
	int err = json_parse(text, size, JSON_LENIENT, &limits, &doc, &error);

	if (err == -EINVAL)
		snprintf(why, why_size, "%s at byte %u", error.why, error.offset);
	if (err)
		return err;
	pthread_rwlock_wrlock(&kv->lock);
	outer = json_iter(json_get(json_root(&doc), "configTable"));
	while (!err && json_next(&outer)) {
		struct json_iter inner = json_iter(outer.value);

		err = take_space(kv, outer.key);
		while (!err && json_next(&inner))
			err = take_entry(kv, outer.key, inner.key, inner.value);
	}
	pthread_rwlock_unlock(&kv->lock);
	json_free(&doc);
	if (err == -EINVAL)
		snprintf(why, why_size, "an entry of configTable is no text");
	return err;
}

int ns_kv_load(struct ns_kv *kv)
{
	struct state_spec spec = {
		.inst = kv->namesrv->inst,
		.path = ns_conf(kv->namesrv)->kvConfigPath,
		.encode = encode_file,
		.decode = decode_file,
		.user = kv,
	};
	int result = state_new(&spec, &kv->file);

	if (!result)
		result = state_read(kv->file);
	return result < 0 ? result : 0;
}

int ns_kv_close(struct ns_kv *kv, struct gantry_op *op)
{
	return kv->file ? state_close(kv->file, op) : 0;
}
