/* SPDX-License-Identifier: Apache-2.0 */
/* topics.json: RocketMQ's TopicConfigSerializeWrapper, read leniently, written in its layout. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paths.h"
#include "topics/private.h"

enum { TEXT_MAX = 512 * 1024 * 1024 };

static void write_table(struct topics *topics, const struct page *page, struct json_writer *writer)
{
	struct table_entry **sorted = table_sorted(&topics->table);
	struct topic_config config;
	size_t begin, end;

	page_cut(page, &topics->version, topics->table.count, &begin, &end);

	if (!sorted && topics->table.count)
		writer->error = -ENOMEM;
	json_open_object(writer);
	for (size_t i = begin; sorted && i < end; i++) {
		topics_config_locked(&TABLE_HOLDER(sorted[i], struct topic_node, entry)->topic,
				     &config);
		json_put_key_str(writer, config.name);
		topic_config_write(writer, &config);
	}
	json_close_object(writer);
	free(sorted);
}

int topics_encode(struct topics *topics, unsigned flags, const struct page *page, char **ret,
		  size_t *ret_size)
{
	static const struct data_version no_mapping = {0, 0, 0};
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, flags);
	pthread_rwlock_rdlock(&topics->lock);
	json_open_object(&writer);
	json_put_key(&writer, "dataVersion");
	data_version_write(&writer, &topics->version);
	if (page) {
		json_put_key(&writer, "mappingDataVersion");
		data_version_write(&writer, &no_mapping);
	}
	json_put_key(&writer, "topicConfigTable");
	write_table(topics, page, &writer);
	if (page) {
		json_put_key(&writer, "topicQueueMappingDetailMap");
		json_open_object(&writer);
		json_close_object(&writer);
		json_put_key(&writer, "topicQueueMappingInfoMap");
		json_open_object(&writer);
		json_close_object(&writer);
	}
	json_close_object(&writer);
	pthread_rwlock_unlock(&topics->lock);
	return json_writer_take(&writer, ret, ret_size);
}

static int encode_file(void *user, char **ret, size_t *ret_size)
{
	return topics_encode(user, JSON_PRETTY, NULL, ret, ret_size);
}

static int take_topic(struct topics *topics, struct json_value object)
{
	struct topic_config config;
	struct topic *topic;
	char *attributes = NULL;
	int err = topic_config_read(object, &config, &attributes);

	if (err)
		return err;
	topic = topics_find_locked(topics, config.name);
	if (topic)
		err = topics_change_locked(topics, topic, &config);
	else if (!topics_add_locked(topics, &config))
		err = -ENOMEM;
	free(attributes);
	return err < 0 ? err : 0;
}

static int take_document(struct topics *topics, const struct json_doc *doc, char *why,
			 size_t why_size)
{
	struct json_value table = json_get(json_root(doc), "topicConfigTable");
	struct json_iter it = json_iter(table);
	int err = 0;

	if (!json_is(table, JSON_OBJECT)) {
		snprintf(why, why_size, "it has no topicConfigTable");
		return -EINVAL;
	}
	pthread_rwlock_wrlock(&topics->lock);
	topics->version = data_version_read(json_get(json_root(doc), "dataVersion"));
	while (!err && json_next(&it)) {
		err = take_topic(topics, it.value);
		if (err == -EINVAL)
			snprintf(why, why_size, "entry %u of topicConfigTable is no topic",
				 it.value.node);
	}
	pthread_rwlock_unlock(&topics->lock);
	return err;
}

static int decode_file(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	struct json_doc doc;
	int err = broker_parse(text, size, &doc, why, why_size);

	if (err)
		return err;
	err = take_document(user, &doc, why, why_size);
	json_free(&doc);
	return err;
}

int topics_load(struct topics *topics)
{
	int result = broker_state_new(topics->broker, "topics.json", encode_file, decode_file,
				      topics, &topics->file);

	if (!result)
		result = state_read(topics->file);
	return result < 0 ? result : 0;
}

void topics_settle(struct topics *topics)
{
	if (topics && topics->file)
		state_settle(topics->file);
}

int topics_close(struct topics *topics, struct gantry_op *op)
{
	return topics->file ? state_close(topics->file, op) : 0;
}
