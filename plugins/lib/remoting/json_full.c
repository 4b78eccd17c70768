/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON header, through the general parser. It takes what RocketMQ's parser takes: numbers in
 * quotes, null for absent, anything as a field's value, names that nobody knows. */
#include "decode.h"

#include <errno.h>
#include <json/json.h>
#include <string.h>

/* Enough for every field there may be and some more that nobody knows. */
enum { HEADER_NODES_MAX = 8 * REMOTING_FIELDS_MAX, HEADER_DEPTH_MAX = 16 };

struct reader {
	struct json_doc doc;
	struct remoting_scratch *scratch;
	struct remoting_header *header;
	uint32_t first; /* field of the scratch that is ours */
	const char **why;
};

static int fail(struct reader *reader, int code, const char *why)
{
	*reader->why = why;
	return code;
}

/* The text of any value: a string's inside, or everything else as it stands. */
static int take_text(struct reader *reader, struct json_value value, struct gantry_str *ret)
{
	const struct json_node *node = &reader->doc.nodes[value.node];
	struct remoting_scratch *scratch = reader->scratch;

	if (node->type == JSON_NULL) {
		*ret = (struct gantry_str){0};
		return 0;
	}
	if (node->type != JSON_STRING) {
		*ret = (struct gantry_str){value.doc->text + node->start, node->end - node->start};
		return 0;
	}
	if (json_text(value, scratch->text + scratch->text_used,
		      scratch->text_room - scratch->text_used, ret))
		return fail(reader, -E2BIG, "more text than there is room for");
	if (node->count)
		scratch->text_used += ret->size;
	return 0;
}

static int take_int32(struct reader *reader, struct json_value value, int32_t *ret)
{
	int64_t number;
	bool flag;

	if (json_is(value, JSON_NULL) || json_equals(value, ""))
		return 0;
	if (json_is(value, JSON_BOOL) && json_bool(value, &flag) == 0) {
		*ret = flag;
		return 0;
	}
	if (json_int64(value, &number) || number < INT32_MIN || number > INT32_MAX)
		return fail(reader, -EPROTO, "a header number that is no 32-bit integer");
	*ret = (int32_t)number;
	return 0;
}

static int take_language(struct reader *reader, struct json_value value)
{
	struct gantry_str name;
	int64_t number;

	if (json_is(value, JSON_NUMBER)) {
		number = json_int64_or(value, -1);
		reader->header->language =
			number >= 0 && number < INT32_MAX && remoting_language_name((int32_t)number)
				? (int32_t)number
				: -1;
		return 0;
	}
	if (!json_is(value, JSON_STRING) || !json_raw(value, &name))
		reader->header->language = -1;
	else
		reader->header->language = remoting_language_code(name);
	return 0;
}

static int take_fields(struct reader *reader, struct json_value value)
{
	struct json_iter member = json_iter(value);

	reader->scratch->field_used = reader->first; /* of two the last wins */
	if (json_is(value, JSON_NULL))
		return 0;
	if (!json_is(value, JSON_OBJECT))
		return fail(reader, -EPROTO, "extFields that are no object");
	while (json_next(&member)) {
		struct gantry_field *field =
			remoting_scratch_field(reader->scratch, reader->first, reader->why);
		int code;

		if (!field)
			return -E2BIG;
		code = take_text(reader, member.key, &field->name);
		if (!code)
			code = take_text(reader, member.value, &field->value);
		if (code)
			return code;
		if (!field->value.at)
			reader->scratch->field_used--;
	}
	return 0;
}

static int take_member(struct reader *reader, struct json_value key, struct json_value value)
{
	struct remoting_header *header = reader->header;

	if (json_equals(key, "code"))
		return take_int32(reader, value, &header->code);
	if (json_equals(key, "version"))
		return take_int32(reader, value, &header->version);
	if (json_equals(key, "opaque"))
		return take_int32(reader, value, &header->opaque);
	if (json_equals(key, "flag"))
		return take_int32(reader, value, &header->flag);
	if (json_equals(key, "language"))
		return take_language(reader, value);
	if (json_equals(key, "remark"))
		return take_text(reader, value, &header->remark);
	if (json_equals(key, "extFields"))
		return take_fields(reader, value);
	return 0;
}

int remoting_json_full(struct gantry_str text, struct remoting_scratch *scratch,
		       struct remoting_header *ret, const char **why)
{
	struct json_limits limits = {HEADER_DEPTH_MAX, HEADER_NODES_MAX};
	struct reader reader = {.scratch = scratch, .header = ret, .why = why};
	struct json_error error;
	struct json_iter member;
	int code;

	reader.first = scratch->field_used;
	code = json_parse(text.at, text.size, JSON_LENIENT, &limits, &reader.doc, &error);

	if (code) {
		*why = error.why;
		return code == -EINVAL ? -EPROTO : code;
	}
	if (!json_is(json_root(&reader.doc), JSON_OBJECT))
		code = fail(&reader, -EPROTO, "a header that is no object");
	member = json_iter(json_root(&reader.doc));
	while (!code && json_next(&member))
		code = take_member(&reader, member.key, member.value);
	json_free(&reader.doc);
	return code;
}
