// SPDX-License-Identifier: Apache-2.0
// Writing JSON: fastjson's forms, RocketMQ's config file layout, and refusing what is no JSON.
#include <json/json.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <string>

namespace
{

std::string write(unsigned flags, const std::function<void(json_writer *)> &fill,
		  size_t max = 1 << 20)
{
	json_writer writer;
	char *text;
	size_t size;

	json_writer_init(&writer, max, flags);
	fill(&writer);
	int code = json_writer_take(&writer, &text, &size);
	if (code)
		return "error " + std::to_string(code);
	std::string out(text, size);
	EXPECT_EQ(text[size], '\0');
	free(text);
	return out;
}

void fill_topic(json_writer *w)
{
	json_open_object(w);
	json_put_key(w, "attributes");
	json_open_object(w);
	json_close_object(w);
	json_member_bool(w, "order", false);
	json_member_int(w, "perm", 6);
	json_member_string(w, "topicName", "T");
	json_put_key(w, "list");
	json_open_array(w);
	json_put_int(w, 1);
	json_put_int(w, -2);
	json_close_array(w);
	json_member_string(w, "none", nullptr);
	json_close_object(w);
}

TEST(JsonWrite, Compact)
{
	EXPECT_EQ(write(0, fill_topic), "{\"attributes\":{},\"order\":false,\"perm\":6,"
					"\"topicName\":\"T\",\"list\":[1,-2],\"none\":null}");
}

// The layout that RocketMQ 5.5.0 gives its config/*.json.
TEST(JsonWrite, Pretty)
{
	EXPECT_EQ(write(JSON_PRETTY, fill_topic),
		  "{\n\t\"attributes\":{},\n\t\"order\":false,\n\t\"perm\":6,\n\t\"topicName\":"
		  "\"T\",\n"
		  "\t\"list\":[\n\t\t1,\n\t\t-2\n\t],\n\t\"none\":null\n}");
}

TEST(JsonWrite, FastjsonKeys)
{
	auto queue = [](json_writer *w, int id) {
		json_open_object(w);
		json_member_string(w, "topic", "T");
		json_member_int(w, "queueId", id);
		json_close_object(w);
	};
	auto fill = [&](json_writer *w) {
		json_open_object(w);
		json_put_key_int(w, 0);
		json_put_string(w, "a");
		queue(w, 1);
		json_put_int(w, 5);
		queue(w, 2);
		json_open_array(w);
		json_close_array(w);
		json_close_object(w);
	};

	EXPECT_EQ(write(0, fill), "{0:\"a\",{\"topic\":\"T\",\"queueId\":1}:5,"
				  "{\"topic\":\"T\",\"queueId\":2}:[]}");
}

TEST(JsonWrite, Escapes)
{
	std::string text("q\"\\/\b\f\n\r\t\x0b\x1f\x7f\xc3\xa9");
	auto fill = [&](json_writer *w) { json_put_str(w, {text.data(), text.size()}); };

	EXPECT_EQ(write(0, fill), "\"q\\\"\\\\/\\b\\f\\n\\r\\t\\u000b\\u001f\x7f\xc3\xa9\"");
	EXPECT_EQ(write(JSON_ASCII, fill),
		  "\"q\\\"\\\\\\/\\b\\f\\n\\r\\t\\u000b\\u001f\x7f\\u00E9\"");
	EXPECT_EQ(write(JSON_ASCII,
			[](json_writer *w) { json_put_string(w, "\xf0\x9f\x98\x80\xff"); }),
		  "\"\\uD83D\\uDE00\\uFFFD\"");
	gantry_str zero = {"\0", 1};
	EXPECT_EQ(write(0, [&](json_writer *w) { json_put_str(w, zero); }), "\"\\u0000\"");
	EXPECT_EQ(json_quoted_size({"a\n", 2}), 5u);
}

TEST(JsonWrite, Doubles)
{
	const struct {
		double number;
		const char *text;
	} cases[] = {{0, "0.0"},
		     {1, "1.0"},
		     {-2.5, "-2.5"},
		     {0.001, "0.001"},
		     {1e7, "1.0E7"},
		     {1.5e20, "1.5E20"},
		     {1e-4, "1.0E-4"},
		     {0.1, "0.1"},
		     {1234567, "1234567.0"},
		     {1.0 / 3, "0.3333333333333333"},
		     {INFINITY, "null"},
		     {9999999.5, "9999999.5"}};

	for (const auto &one : cases)
		EXPECT_EQ(write(0, [&](json_writer *w) { json_put_double(w, one.number); }),
			  one.text);
}

TEST(JsonWrite, MisuseIsAnError)
{
	EXPECT_EQ(write(0, [](json_writer *) {}), "error -22");
	EXPECT_EQ(write(0, json_open_object), "error -22");
	EXPECT_EQ(write(0, json_close_object), "error -22");
	EXPECT_EQ(write(0, [](json_writer *w) { json_open_array(w), json_close_object(w); }),
		  "error -22");
	EXPECT_EQ(write(0, [](json_writer *w) { json_open_object(w), json_put_int(w, 1); }),
		  "error -22");
	EXPECT_EQ(write(0, [](json_writer *w) { json_open_array(w), json_put_key(w, "a"); }),
		  "error -22");
	EXPECT_EQ(write(0, [](json_writer *w) { json_put_int(w, 1), json_put_int(w, 2); }),
		  "error -22");
	EXPECT_EQ(write(0,
			[](json_writer *w) {
				json_open_object(w);
				json_put_key(w, "a");
				json_close_object(w);
			}),
		  "error -22");
}

TEST(JsonWrite, Limits)
{
	std::string text(1000, 'x');
	auto fill = [&](json_writer *w) { json_put_str(w, {text.data(), text.size()}); };
	auto deep = [](json_writer *w) {
		for (int i = 0; i < 100; i++)
			json_open_array(w);
	};

	EXPECT_EQ(write(0, fill, 1003).size(), 1002u);
	EXPECT_EQ(write(0, fill, 1002), "error " + std::to_string(-ENOBUFS));
	EXPECT_EQ(write(0, deep), "error " + std::to_string(-E2BIG));
}

// What is written is read back, whatever the text.
TEST(JsonWrite, ReadsBack)
{
	for (unsigned flags : {0u, unsigned(JSON_ASCII), unsigned(JSON_PRETTY)}) {
		std::string all;

		for (int c = 1; c < 128; c++)
			all += char(c);
		all += "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80";
		std::string text = write(flags, [&](json_writer *w) {
			json_open_object(w);
			json_put_key_str(w, {all.data(), all.size()});
			json_put_str(w, {all.data(), all.size()});
			json_close_object(w);
		});
		json_doc doc;
		ASSERT_EQ(json_parse(text.data(), text.size(), 0, nullptr, &doc, nullptr), 0);
		EXPECT_TRUE(json_equals(json_get(json_root(&doc), all.c_str()), all.c_str()));
		json_free(&doc);
	}
}

} // namespace
