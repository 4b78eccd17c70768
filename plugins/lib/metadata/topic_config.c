/* SPDX-License-Identifier: Apache-2.0 */
/* TopicConfig as JSON, in the order of fields that fastjson writes (alphabetical). */
#include "metadata/topic_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUES_DEFAULT = 16, TEXT_MAX = 64 * 1024 * 1024 };

static const char *const filter_names[] = {"SINGLE_TAG", "MULTI_TAG"};

void topic_config_init(struct topic_config *config, struct gantry_str name)
{
	*config = (struct topic_config){
		.name = name,
		.read_queues = QUEUES_DEFAULT,
		.write_queues = QUEUES_DEFAULT,
		.perm = PERM_READ | PERM_WRITE,
	};
}

const char *topic_filter_name(int32_t filter_type)
{
	return filter_names[filter_type == TOPIC_MULTI_TAG];
}

int topic_filter_of(struct gantry_str name)
{
	for (int i = 0; i < 2; i++)
		if (name.size == strlen(filter_names[i]) &&
		    memcmp(name.at, filter_names[i], name.size) == 0)
			return i;
	return -EINVAL;
}

static int32_t read_int32(struct json_value object, const char *name, int32_t missing)
{
	int64_t value = json_int64_or(json_get(object, name), missing);

	return value < INT32_MIN || value > INT32_MAX ? missing : (int32_t)value;
}

int topic_config_read(struct json_value object, struct topic_config *ret, char **ret_attributes)
{
	struct topic_config config;
	struct json_value attributes = json_get(object, "attributes");
	struct gantry_str name, filter;

	if (!json_is(object, JSON_OBJECT) || !json_plain(json_get(object, "topicName"), &name))
		return -EINVAL;
	topic_config_init(&config, name);
	config.read_queues = read_int32(object, "readQueueNums", config.read_queues);
	config.write_queues = read_int32(object, "writeQueueNums", config.write_queues);
	config.perm = read_int32(object, "perm", config.perm);
	config.sys_flag = read_int32(object, "topicSysFlag", 0);
	config.order = json_bool_or(json_get(object, "order"), false);
	if (json_raw(json_get(object, "topicFilterType"), &filter) && topic_filter_of(filter) > 0)
		config.filter_type = TOPIC_MULTI_TAG;
	if (ret_attributes) {
		*ret_attributes = NULL;
		if (json_is(attributes, JSON_OBJECT) && json_count(attributes)) {
			*ret_attributes = metadata_json_text(attributes);
			if (!*ret_attributes)
				return -ENOMEM;
		}
		config.attributes = *ret_attributes;
	}
	*ret = config;
	return 0;
}

/* Attributes are kept as compact text; a pretty file wants them laid out. */
static void write_attributes(struct json_writer *writer, const char *attributes)
{
	struct json_doc doc;

	if (attributes && (writer->flags & JSON_PRETTY) &&
	    json_parse(attributes, strlen(attributes), 0, NULL, &doc, NULL) == 0) {
		metadata_copy_json(writer, json_root(&doc));
		json_free(&doc);
		return;
	}
	if (!attributes)
		attributes = "{}";
	json_put_literal(writer, (struct gantry_str){attributes, strlen(attributes)});
}

void topic_config_write(struct json_writer *writer, const struct topic_config *config)
{
	json_open_object(writer);
	json_put_key(writer, "attributes");
	write_attributes(writer, config->attributes);
	json_member_bool(writer, "order", config->order);
	json_member_int(writer, "perm", config->perm);
	json_member_int(writer, "readQueueNums", config->read_queues);
	json_member_string(writer, "topicFilterType", topic_filter_name(config->filter_type));
	json_member_str(writer, "topicName", config->name);
	json_member_int(writer, "topicSysFlag", config->sys_flag);
	json_member_int(writer, "writeQueueNums", config->write_queues);
	json_close_object(writer);
}

static void copy_text(struct json_writer *writer, struct json_value value, bool is_key)
{
	const struct json_node *node = &value.doc->nodes[value.node];
	struct gantry_str text;
	char small[256];
	size_t room = node->end - node->start;
	char *to = room <= sizeof(small) ? small : malloc(room);

	if (!to)
		writer->error = writer->error ? writer->error : -ENOMEM;
	else if (json_text(value, to, room, &text))
		writer->error = writer->error ? writer->error : -EINVAL;
	else if (is_key)
		json_put_key_str(writer, text);
	else
		json_put_str(writer, text);
	if (to != small)
		free(to);
}

static void copy_container(struct json_writer *writer, struct json_value value)
{
	struct json_iter it = json_iter(value);
	bool object = json_is(value, JSON_OBJECT);

	(object ? json_open_object : json_open_array)(writer);
	while (json_next(&it)) {
		if (object)
			copy_text(writer, it.key, true);
		metadata_copy_json(writer, it.value);
	}
	(object ? json_close_object : json_close_array)(writer);
}

void metadata_copy_json(struct json_writer *writer, struct json_value value)
{
	const struct json_node *node;

	if (json_is(value, JSON_OBJECT) || json_is(value, JSON_ARRAY)) {
		copy_container(writer, value);
		return;
	}
	if (!value.doc || json_is(value, JSON_NULL)) {
		json_put_null(writer);
		return;
	}
	if (json_is(value, JSON_STRING)) {
		copy_text(writer, value, false);
		return;
	}
	node = &value.doc->nodes[value.node];
	json_put_literal(writer, (struct gantry_str){value.doc->text + node->start,
						     node->end - node->start});
}

char *metadata_json_text(struct json_value value)
{
	struct json_writer writer;
	char *text;
	size_t size;

	if (!value.doc)
		return NULL;
	json_writer_init(&writer, TEXT_MAX, 0);
	metadata_copy_json(&writer, value);
	return json_writer_take(&writer, &text, &size) ? NULL : text;
}
