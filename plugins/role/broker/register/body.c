/* SPDX-License-Identifier: Apache-2.0 */
/* RegisterBrokerBody as RocketMQ 5.5.0 sends it, and the order configuration that comes back. */
#include <errno.h>
#include <stdlib.h>

#include "call/fields.h"
#include "register/private.h"
#include "topics/private.h"

enum { TEXT_MAX = 512 * 1024 * 1024 };

static void write_topic(struct json_writer *writer, const struct topic *topic, int32_t allowed)
{
	struct topic_config config;

	topics_config_locked(topic, &config);
	if ((allowed & (PERM_READ | PERM_WRITE)) != (PERM_READ | PERM_WRITE))
		config.perm &= allowed;
	json_put_key_str(writer, config.name);
	topic_config_write(writer, &config);
}

static void write_topics(struct topics *topics, struct json_writer *writer,
			 struct topic *const *some, uint32_t count)
{
	int32_t allowed = __atomic_load_n(&topics->broker->live.permission, __ATOMIC_RELAXED);

	json_put_key(writer, "topicConfigTable");
	json_open_object(writer);
	if (some) {
		for (uint32_t i = 0; i < count; i++)
			if (!topic_retired(some[i]))
				write_topic(writer, some[i], allowed);
	} else {
		for (struct table_entry *entry = table_next(&topics->table, NULL); entry;
		     entry = table_next(&topics->table, entry))
			write_topic(writer, &TABLE_HOLDER(entry, struct topic_node, entry)->topic,
				    allowed);
	}
	json_close_object(writer);
}

static void write_empty(struct json_writer *writer, const char *name)
{
	json_put_key(writer, name);
	json_open_object(writer);
	json_close_object(writer);
}

int register_body(struct broker *broker, struct topic *const *some, uint32_t count,
		  uint32_t parts_left, char **ret, size_t *ret_size)
{
	struct data_version mapping = {.timestamp = broker->started_ms};
	struct topics *topics = broker->topics;
	struct data_version version;
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "filterServerList");
	json_open_array(&writer);
	json_close_array(&writer);
	json_put_key(&writer, "topicConfigSerializeWrapper");
	json_open_object(&writer);
	pthread_rwlock_rdlock(&topics->lock);
	json_put_key(&writer, "dataVersion");
	version = topics->version;
	version.timestamp -= parts_left;
	data_version_write(&writer, &version);
	json_put_key(&writer, "mappingDataVersion");
	data_version_write(&writer, &mapping);
	write_topics(topics, &writer, some, count);
	pthread_rwlock_unlock(&topics->lock);
	write_empty(&writer, "topicQueueMappingDetailMap");
	write_empty(&writer, "topicQueueMappingInfoMap");
	json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

void register_order_topics(struct broker *broker, struct gantry_str body)
{
	struct json_doc doc;
	struct json_iter it;
	struct gantry_str name;

	if (!body.size || json_parse(body.at, body.size, JSON_LENIENT, NULL, &doc, NULL))
		return;
	it = json_iter(json_get(json_root(&doc), "table"));
	while (json_next(&it)) {
		struct topic *topic =
			json_raw(it.key, &name) ? topics_find(broker->topics, name) : NULL;

		if (topic && !topic_order(topic))
			topics_set_order(broker->topics, topic, true);
	}
	json_free(&doc);
}
