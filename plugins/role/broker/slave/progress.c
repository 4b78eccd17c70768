/* SPDX-License-Identifier: Apache-2.0 */
/* The table of noted queues, under a mutex that no pull and no send takes; and its file. */
#include "slave/progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offsets/private.h"
#include "paths.h"

enum { KEY_ROOM = OFFSET_KEY_MAX + sizeof(int32_t), TEXT_MAX = 1024 * 1024 * 1024 };

struct noted {
	struct table_entry entry; /* key: the queue's number as it lies in memory, topic@group */
	char key[];
};

struct progress {
	struct broker *broker;
	struct state *file;
	pthread_mutex_t lock;
	/* guarded by lock */
	struct table table;
	uint32_t count; /* atomic: of the table */
};

int progress_new(struct broker *broker, struct progress **ret)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (!progress)
		return -ENOMEM;
	progress->broker = broker;
	pthread_mutex_init(&progress->lock, NULL);
	*ret = progress;
	return 0;
}

void progress_free(struct progress *progress)
{
	struct table_entry *next;

	if (!progress)
		return;
	state_free(progress->file);
	for (struct table_entry *entry = table_next(&progress->table, NULL); entry; entry = next) {
		next = table_next(&progress->table, entry);
		free(TABLE_HOLDER(entry, struct noted, entry));
	}
	table_clear(&progress->table);
	pthread_mutex_destroy(&progress->lock);
	free(progress);
}

static struct gantry_str make_key(char room[KEY_ROOM], int32_t queue, struct gantry_str key)
{
	if (!key.size || key.size > OFFSET_KEY_MAX)
		return (struct gantry_str){NULL, 0};
	memcpy(room, &queue, sizeof(queue));
	memcpy(room + sizeof(queue), key.at, key.size);
	return (struct gantry_str){room, sizeof(queue) + key.size};
}

static void changed_locked(struct progress *progress)
{
	__atomic_store_n(&progress->count, (uint32_t)progress->table.count, __ATOMIC_RELAXED);
	if (progress->file)
		state_changed(progress->file);
}

static void drop_locked(struct progress *progress, struct noted *noted)
{
	table_remove(&progress->table, &noted->entry);
	free(noted);
	changed_locked(progress);
}

static int add_locked(struct progress *progress, struct gantry_str key)
{
	struct noted *noted;

	if (table_find(&progress->table, key))
		return 0;
	if ((int64_t)progress->table.count >= progress->broker->conf->maxOffsets)
		return -ENOSPC;
	noted = malloc(sizeof(*noted) + key.size);
	if (!noted)
		return -ENOMEM;
	memcpy(noted->key, key.at, key.size);
	if (table_insert(&progress->table, (struct gantry_str){noted->key, key.size},
			 &noted->entry)) {
		free(noted);
		return -ENOMEM;
	}
	changed_locked(progress);
	return 0;
}

int progress_note(struct progress *progress, struct gantry_str group, struct gantry_str topic,
		  int32_t queue)
{
	char joined[OFFSET_KEY_MAX], room[KEY_ROOM];
	struct gantry_str key = {joined, topic.size + 1 + group.size};
	int err;

	if (!topic.size || topic.size > TOPIC_NAME_ROOM || !group.size ||
	    group.size > GROUP_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(joined, topic.at, topic.size);
	joined[topic.size] = '@';
	memcpy(joined + topic.size + 1, group.at, group.size);
	key = make_key(room, queue, key);
	pthread_mutex_lock(&progress->lock);
	err = add_locked(progress, key);
	pthread_mutex_unlock(&progress->lock);
	return err;
}

uint32_t progress_count(struct progress *progress)
{
	return __atomic_load_n(&progress->count, __ATOMIC_RELAXED);
}

int64_t progress_choose(void *user, struct gantry_str key, int32_t queue, int64_t ours,
			int64_t theirs)
{
	struct progress *progress = user;
	struct table_entry *entry;
	char room[KEY_ROOM];

	if (!progress_count(progress))
		return theirs;
	key = make_key(room, queue, key);
	if (!key.at)
		return theirs;
	pthread_mutex_lock(&progress->lock);
	entry = table_find(&progress->table, key);
	if (entry && theirs >= ours)
		drop_locked(progress, TABLE_HOLDER(entry, struct noted, entry));
	pthread_mutex_unlock(&progress->lock);
	return entry && ours > theirs ? ours : theirs;
}

void progress_drop(struct progress *progress, const struct progress_item *item)
{
	struct gantry_str key = {item->topic.at, item->topic.size + 1 + item->group.size};
	struct table_entry *entry;
	char room[KEY_ROOM];

	key = make_key(room, item->queue, key);
	pthread_mutex_lock(&progress->lock);
	entry = table_find(&progress->table, key);
	if (entry)
		drop_locked(progress, TABLE_HOLDER(entry, struct noted, entry));
	pthread_mutex_unlock(&progress->lock);
}

static int fill(const struct noted *noted, struct progress_item *ret)
{
	size_t skip = sizeof(int32_t), size = noted->entry.key.size - skip;
	const char *at;

	ret->text = malloc(size);
	if (!ret->text)
		return -ENOMEM;
	memcpy(&ret->queue, noted->key, sizeof(ret->queue));
	memcpy(ret->text, noted->key + skip, size);
	at = memchr(ret->text, '@', size);
	ret->topic = (struct gantry_str){ret->text, (size_t)(at - ret->text)};
	ret->group = (struct gantry_str){at + 1, size - ret->topic.size - 1};
	return 0;
}

uint32_t progress_list(struct progress *progress, struct progress_item *ret, uint32_t max)
{
	struct table_entry *entry = NULL;
	uint32_t count = 0;

	pthread_mutex_lock(&progress->lock);
	while (count < max && (entry = table_next(&progress->table, entry)))
		if (!fill(TABLE_HOLDER(entry, struct noted, entry), &ret[count]))
			count++;
	pthread_mutex_unlock(&progress->lock);
	return count;
}

void progress_item_clear(struct progress_item *item)
{
	free(item->text);
	item->text = NULL;
}

/* ---- the file: {"noted":[["topic@group",0],...]} */

static int encode(void *user, char **ret, size_t *ret_size)
{
	struct progress *progress = user;
	struct table_entry *entry = NULL;
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "noted");
	json_open_array(&writer);
	pthread_mutex_lock(&progress->lock);
	while ((entry = table_next(&progress->table, entry))) {
		int32_t queue;

		memcpy(&queue, entry->key.at, sizeof(queue));
		json_open_array(&writer);
		json_put_str(&writer, (struct gantry_str){entry->key.at + sizeof(queue),
							  entry->key.size - sizeof(queue)});
		json_put_int(&writer, queue);
		json_close_array(&writer);
	}
	pthread_mutex_unlock(&progress->lock);
	json_close_array(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static int take_item(struct progress *progress, struct json_value item)
{
	char room[KEY_ROOM];
	struct gantry_str key;
	int64_t queue;

	if (!json_plain(json_at(item, 0), &key) || !memchr(key.at, '@', key.size) ||
	    json_int64(json_at(item, 1), &queue) || queue < 0 || queue > INT32_MAX)
		return -EINVAL;
	key = make_key(room, (int32_t)queue, key);
	return key.at ? add_locked(progress, key) : -EINVAL;
}

static int take(void *user, struct json_value root, char *why, size_t why_size)
{
	struct progress *progress = user;
	struct json_value list = json_get(root, "noted");
	struct json_iter it = json_iter(list);
	int err = json_is(list, JSON_ARRAY) ? 0 : -EINVAL;

	pthread_mutex_lock(&progress->lock);
	while (!err && json_next(&it))
		err = take_item(progress, it.value);
	pthread_mutex_unlock(&progress->lock);
	if (err)
		snprintf(why, why_size, "noted is no list of [\"topic@group\", queue]");
	return err;
}

static int decode(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	return broker_decode(text, size, take, user, why, why_size);
}

int progress_load(struct progress *progress)
{
	struct state *file;
	int result = broker_state_new(progress->broker, "slaveProgress.json", encode, decode,
				      progress, &file);

	if (result)
		return result;
	result = state_read(file);
	progress->file = file; /* what was just read need not be written */
	return result < 0 ? result : 0;
}

int progress_close(struct progress *progress, struct gantry_op *op)
{
	return progress->file ? state_close(progress->file, op) : 0;
}
