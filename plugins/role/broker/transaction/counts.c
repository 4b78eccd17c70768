/* SPDX-License-Identifier: Apache-2.0 */
#include "transaction/counts.h"

#include <errno.h>
#include <gantry/loop.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "json/json.h"
#include "metadata/data_version.h"
#include "paths.h"
#include "state/paced.h"
#include "table/table.h"
#include "topics/topics.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

struct count {
	struct table_entry entry;
	int64_t open, changed_ms; /* atomics */
	char name[];
};

struct counts {
	struct broker *broker;
	struct paced state;          /* the control loop's */
	uint64_t changes;            /* atomic */
	pthread_rwlock_t lock;       /* of the table; what it holds are atomics */
	struct table table;          /* struct count, by topic */
	struct data_version version; /* guarded by lock, held for writing */
};

int counts_new(struct broker *broker, struct counts **ret)
{
	struct counts *counts = calloc(1, sizeof(*counts));

	if (!counts)
		return -ENOMEM;
	counts->broker = broker;
	counts->state.changes = &counts->changes;
	counts->version.timestamp = broker_wall_ms();
	pthread_rwlock_init(&counts->lock, NULL);
	*ret = counts;
	return 0;
}

void counts_free(struct counts *counts)
{
	struct table_entry *next;

	if (!counts)
		return;
	state_free(counts->state.file);
	for (struct table_entry *entry = table_next(&counts->table, NULL); entry; entry = next) {
		next = table_next(&counts->table, entry);
		free(TABLE_HOLDER(entry, struct count, entry));
	}
	table_clear(&counts->table);
	pthread_rwlock_destroy(&counts->lock);
	free(counts);
}

/* ---- counting */

static bool change(struct counts *counts, struct gantry_str topic, int64_t by, int64_t now_ms)
{
	struct table_entry *entry = table_find(&counts->table, topic);
	struct count *count;

	if (!entry)
		return false;
	count = TABLE_HOLDER(entry, struct count, entry);
	__atomic_add_fetch(&count->open, by, __ATOMIC_RELAXED);
	__atomic_store_n(&count->changed_ms, now_ms, __ATOMIC_RELAXED);
	return true;
}

/* With the lock held for writing. */
static int make(struct counts *counts, struct gantry_str topic)
{
	struct count *count;

	if (table_find(&counts->table, topic))
		return 0;
	if ((int64_t)counts->table.count >= counts->broker->conf->maxTopics ||
	    topic.size > TOPIC_NAME_ROOM)
		return -ENOSPC;
	count = calloc(1, sizeof(*count) + topic.size + 1);
	if (!count)
		return -ENOMEM;
	memcpy(count->name, topic.at, topic.size);
	if (table_insert(&counts->table, (struct gantry_str){count->name, topic.size},
			 &count->entry)) {
		free(count);
		return -ENOMEM;
	}
	return 0;
}

void counts_add(struct counts *counts, struct gantry_str topic, int by)
{
	int64_t now_ms = broker_wall_ms();
	bool known;

	if (!topic.size)
		return;
	pthread_rwlock_rdlock(&counts->lock);
	known = change(counts, topic, by, now_ms);
	pthread_rwlock_unlock(&counts->lock);
	if (!known) {
		pthread_rwlock_wrlock(&counts->lock);
		if (!make(counts, topic))
			change(counts, topic, by, now_ms);
		pthread_rwlock_unlock(&counts->lock);
	}
	__atomic_add_fetch(&counts->changes, 1, __ATOMIC_RELAXED);
}

int64_t counts_get(struct counts *counts, struct gantry_str topic)
{
	struct table_entry *entry;
	int64_t open = 0;

	pthread_rwlock_rdlock(&counts->lock);
	entry = table_find(&counts->table, topic);
	if (entry)
		open = __atomic_load_n(&TABLE_HOLDER(entry, struct count, entry)->open,
				       __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&counts->lock);
	return open;
}

/* ---- the file */

static void write_count(struct json_writer *writer, struct count *count)
{
	json_put_key_str(writer, count->entry.key);
	json_open_object(writer);
	json_member_int(writer, "count", __atomic_load_n(&count->open, __ATOMIC_RELAXED));
	json_member_int(writer, "timeStamp", __atomic_load_n(&count->changed_ms, __ATOMIC_RELAXED));
	json_close_object(writer);
}

static int encode(void *user, char **ret, size_t *ret_size)
{
	struct counts *counts = user;
	struct json_writer writer;
	struct table_entry **sorted;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	pthread_rwlock_wrlock(&counts->lock);
	data_version_next(&counts->version, broker_wall_ms());
	json_put_key(&writer, "dataVersion");
	data_version_write(&writer, &counts->version);
	json_put_key(&writer, "transactionCount");
	json_open_object(&writer);
	sorted = table_sorted(&counts->table);
	if (!sorted && counts->table.count)
		writer.error = -ENOMEM;
	for (size_t i = 0; sorted && i < counts->table.count; i++)
		write_count(&writer, TABLE_HOLDER(sorted[i], struct count, entry));
	free(sorted);
	pthread_rwlock_unlock(&counts->lock);
	json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static int take(struct counts *counts, struct json_value table, char *why, size_t why_size)
{
	struct json_iter it = json_iter(table);
	int err = 0;

	while (!err && json_next(&it)) {
		struct gantry_str topic;

		err = json_plain(it.key, &topic) ? make(counts, topic) : -EINVAL;
		if (err == -EINVAL)
			snprintf(why, why_size, "transactionCount has a topic without a name");
		if (!err)
			change(counts, topic, json_int64_or(json_get(it.value, "count"), 0),
			       json_int64_or(json_get(it.value, "timeStamp"), 0));
	}
	return err;
}

static int decode(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	struct counts *counts = user;
	struct json_doc doc;
	int err = broker_parse(text, size, &doc, why, why_size);

	if (err)
		return err;
	pthread_rwlock_wrlock(&counts->lock);
	counts->version = data_version_read(json_get(json_root(&doc), "dataVersion"));
	err = take(counts, json_get(json_root(&doc), "transactionCount"), why, why_size);
	pthread_rwlock_unlock(&counts->lock);
	json_free(&doc);
	return err;
}

int counts_load(struct counts *counts)
{
	int result = broker_state_new(counts->broker, "transactionMetrics", encode, decode, counts,
				      &counts->state.file);

	if (!result)
		result = state_read(counts->state.file);
	/* numbers for a reader only: a broken file is no reason not to start */
	return result == -ENOMEM ? result : 0;
}

int counts_serve(struct counts *counts)
{
	return paced_start(&counts->state, counts->broker->inst,
			   (uint64_t)counts->broker->conf->transactionMetricFlushInterval);
}

int counts_close(struct counts *counts, struct gantry_op *op)
{
	return paced_close(&counts->state, op);
}
