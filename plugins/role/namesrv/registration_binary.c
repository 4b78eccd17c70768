/* SPDX-License-Identifier: Apache-2.0 */
/* What a compressed registration inflates to: lengths of four bytes, each before its text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "registration.h"

struct reader {
	const char *at, *end;
	bool failed;
};

static uint32_t read_number(struct reader *reader)
{
	const unsigned char *at = (const unsigned char *)reader->at;

	if (reader->failed || reader->end - reader->at < 4) {
		reader->failed = true;
		return 0;
	}
	reader->at += 4;
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static struct gantry_str read_text(struct reader *reader)
{
	uint32_t size = read_number(reader);
	struct gantry_str text = {reader->at, size};

	if (reader->failed || size > (size_t)(reader->end - reader->at)) {
		reader->failed = true;
		return (struct gantry_str){"", 0};
	}
	reader->at += size;
	return text;
}

static struct gantry_str cut_word(struct gantry_str *rest)
{
	const char *end = rest->size ? memchr(rest->at, ' ', rest->size) : NULL;
	struct gantry_str word = {rest->at, end ? (size_t)(end - rest->at) : rest->size};

	rest->at += word.size + (end != NULL);
	rest->size -= word.size + (end != NULL);
	return word;
}

/* "name readQueues writeQueues perm filterType attributes" */
static int read_topic(struct ns_registration *registration, struct gantry_str text)
{
	struct topic_config topic;
	struct gantry_str name = cut_word(&text);
	int filter;

	topic_config_init(&topic, name);
	if (!name.size || str_int32(cut_word(&text), &topic.read_queues) ||
	    str_int32(cut_word(&text), &topic.write_queues) ||
	    str_int32(cut_word(&text), &topic.perm))
		return -EINVAL;
	filter = topic_filter_of(cut_word(&text));
	if (filter < 0)
		return -EINVAL;
	topic.filter_type = filter;
	return ns_registration_add_topic(registration, &topic);
}

static int read_version(struct ns_registration *registration, struct gantry_str text)
{
	struct json_doc doc;
	int err = json_parse(text.at, text.size, JSON_LENIENT, NULL, &doc, NULL);

	if (err)
		return err;
	registration->version = data_version_read(json_root(&doc));
	json_free(&doc);
	return 0;
}

static int read_filter_servers(struct ns_registration *registration, struct gantry_str text)
{
	struct json_doc doc;
	int err = json_parse(text.at, text.size, JSON_LENIENT, NULL, &doc, NULL);

	if (err)
		return err;
	registration->filter_servers_given = true;
	if (json_count(json_root(&doc))) {
		err = ns_registration_set_filter_servers(registration, json_root(&doc));
	}
	json_free(&doc);
	return err;
}

/* The names borrow from text, which outlives the document. */
static int read_mapping(struct ns_registration *registration, struct gantry_str text)
{
	struct ns_mapping *mapping;
	struct json_doc doc;
	int err = json_parse(text.at, text.size, JSON_LENIENT, NULL, &doc, NULL);

	if (err)
		return err;
	err = ns_registration_add_mapping(registration, json_root(&doc));
	if (!err) {
		mapping = &registration->mappings[registration->mapping_count - 1];
		err = mapping->topic.size && mapping->broker.size ? 0 : -EINVAL;
	}
	json_free(&doc);
	return err;
}

int ns_registration_read_binary(struct ns_registration *registration, struct gantry_str body,
				bool has_mappings)
{
	struct reader reader = {body.at, body.at + body.size, false};
	int err = read_version(registration, read_text(&reader));
	uint32_t count = read_number(&reader);

	for (uint32_t i = 0; !err && !reader.failed && i < count; i++)
		err = read_topic(registration, read_text(&reader));
	if (!err && !reader.failed)
		err = read_filter_servers(registration, read_text(&reader));
	count = has_mappings && !err && reader.at < reader.end ? read_number(&reader) : 0;
	for (uint32_t i = 0; !err && !reader.failed && i < count; i++)
		err = read_mapping(registration, read_text(&reader));
	return err ? err : reader.failed ? -EINVAL : 0;
}
