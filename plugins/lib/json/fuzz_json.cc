// SPDX-License-Identifier: Apache-2.0
// Any bytes as JSON: the first says how lenient. Whatever is taken can be walked, and writing it
// again gives a text that reads the same.
#include <json/json.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace
{

void copy(json_value value, json_writer *writer);

std::string text_of(json_value value)
{
	const json_node &node = value.doc->nodes[value.node];
	std::vector<char> room(node.end - node.start + 1);
	gantry_str text;

	if (json_text(value, room.data(), room.size(), &text) != 0)
		abort();
	return std::string(text.at, text.size);
}

void copy_members(json_value value, json_writer *writer)
{
	struct json_iter iter = json_iter(value);
	uint32_t count = 0;

	for (; json_next(&iter); count++) {
		if (iter.object && json_is(iter.key, JSON_OBJECT)) {
			copy(iter.key, writer);
		} else if (iter.object) {
			std::string key = text_of(iter.key);
			json_put_key_str(writer, {key.data(), key.size()});
		}
		copy(iter.value, writer);
	}
	if (count != json_count(value))
		abort();
}

void copy(json_value value, json_writer *writer)
{
	const json_node &node = value.doc->nodes[value.node];

	if (json_is(value, JSON_OBJECT)) {
		json_open_object(writer);
		copy_members(value, writer);
		json_close_object(writer);
	} else if (json_is(value, JSON_ARRAY)) {
		json_open_array(writer);
		copy_members(value, writer);
		json_close_array(writer);
	} else if (json_is(value, JSON_STRING)) {
		std::string text = text_of(value);
		json_put_str(writer, {text.data(), text.size()});
	} else {
		json_put_literal(writer, {value.doc->text + node.start, node.end - node.start});
	}
}

std::string written(const json_doc &doc)
{
	json_writer writer;
	char *text;
	size_t size;

	json_writer_init(&writer, 1 << 26, 0);
	copy(json_root(&doc), &writer);
	if (json_writer_take(&writer, &text, &size) != 0)
		abort();
	std::string out(text, size);
	free(text);
	return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_limits limits = {32, 4096};
	json_error error;
	json_doc doc, again;

	if (size == 0)
		return 0;
	std::string text(reinterpret_cast<const char *>(data) + 1, size - 1);
	if (json_parse(text.data(), text.size(), data[0] & JSON_LENIENT, &limits, &doc, &error) !=
	    0)
		return error.offset <= text.size() && error.why ? 0 : (abort(), 0);
	std::string once = written(doc);
	if (json_parse(once.data(), once.size(), JSON_LENIENT, &limits, &again, &error) != 0)
		abort();
	if (written(again) != once)
		abort();
	json_free(&again);
	json_free(&doc);
	return 0;
}
