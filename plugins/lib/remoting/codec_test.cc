// SPDX-License-Identifier: Apache-2.0
// Frames and headers: the vectors of real clients, both ways through JSON, broken input.
extern "C" {
#include "decode.h"
}
#include "header_samples.h"

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace
{

std::string str(gantry_str text)
{
	return text.at ? std::string(text.at, text.size) : "(absent)";
}

std::string be32(uint32_t value)
{
	return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

std::string frame_of(const std::string &header, const std::string &body, uint32_t serialization)
{
	return be32(uint32_t(4 + header.size() + body.size())) +
	       be32(serialization << 24 | uint32_t(header.size())) + header + body;
}

// A scratch and what was decoded into it, in one comparable text.
struct Decoded {
	std::vector<gantry_field> fields = std::vector<gantry_field>(REMOTING_FIELDS_MAX + 8);
	std::vector<char> text = std::vector<char>(8192);
	remoting_scratch scratch = {};
	remoting_header header = {};
	const char *why = nullptr;
	int code = 0;

	Decoded()
	{
		scratch.fields = fields.data();
		scratch.field_room = uint32_t(fields.size());
		scratch.text = text.data();
		scratch.text_room = text.size();
	}
	std::string show() const
	{
		std::string out;

		if (code < 0)
			return "error " + std::to_string(code);
		for (int32_t number :
		     {header.code, header.language, header.version, header.opaque, header.flag})
			out += std::to_string(number) + " ";
		out += str(header.remark);
		for (uint32_t i = 0; i < header.field_count; i++)
			out += "|" + str(header.fields[i].name) + "=" + str(header.fields[i].value);
		return out;
	}
};

Decoded decode(const std::string &header, uint32_t serialization = REMOTING_JSON)
{
	Decoded result;
	// Exactly its size on the heap: reading past it is an error under ASan.
	std::vector<char> bytes(header.begin(), header.end());
	remoting_frame frame = {{bytes.data(), bytes.size()}, {}, 0, serialization};

	result.code = remoting_header_decode(&frame, &result.scratch, &result.header, &result.why);
	static std::vector<std::vector<char>> kept; // fields borrow from it
	kept.push_back(std::move(bytes));
	if (kept.size() > 8)
		kept.erase(kept.begin());
	return result;
}

// One of the two JSON ways alone; code 1 and 0 of both are a success.
Decoded decode_by(decltype(remoting_json_fast) *way, const std::string &header)
{
	Decoded result;

	result.header.fields = result.fields.data();
	result.code =
		way({header.data(), header.size()}, &result.scratch, &result.header, &result.why);
	result.header.field_count = result.scratch.field_used;
	return result;
}

TEST(Frame, CutsWhatIsThere)
{
	std::string bytes =
		frame_of("{}", "body", REMOTING_JSON) + frame_of("{}", "", REMOTING_JSON);
	remoting_frame frame;

	ASSERT_EQ(remoting_frame_cut(nullptr, bytes.data(), bytes.size(), &frame, nullptr), 0);
	EXPECT_EQ(frame.size, 14u);
	EXPECT_EQ(str(frame.header), "{}");
	EXPECT_EQ(str(frame.body), "body");
	ASSERT_EQ(
		remoting_frame_cut(nullptr, bytes.data() + 14, bytes.size() - 14, &frame, nullptr),
		0);
	EXPECT_EQ(frame.size, 10u);
	EXPECT_EQ(frame.body.at, nullptr);
}

TEST(Frame, SaysHowMuchIsMissing)
{
	std::string bytes = frame_of(java_pull, "body", REMOTING_JSON);
	remoting_frame frame;

	for (size_t size = 0; size < bytes.size(); size++) {
		std::vector<char> part(bytes.begin(), bytes.begin() + long(size));
		int64_t need = remoting_frame_cut(nullptr, part.data(), size, &frame, nullptr);

		EXPECT_EQ(need, int64_t(size < 8 ? 8 : bytes.size())) << size;
	}
}

TEST(Frame, RefusesWhatCannotBeOne)
{
	const struct {
		uint32_t length, word;
		const char *why;
	} cases[] = {
		{0, 0, "a frame without room for a header"},
		{3, 0, "a frame without room for a header"},
		{0xffffffff, 0, "a negative frame length"},
		{0x80000000, 0, "a negative frame length"},
		{REMOTING_FRAME_MAX - 3, 0, "a frame over the size limit"},
		{100, 97, "a header longer than its frame"},
		{100, 2 << 24 | 10, "an unknown serialization"},
		{100, 0xff000000, "an unknown serialization"},
		{REMOTING_HEADER_MAX + 100, REMOTING_HEADER_MAX + 1,
		 "a header over the size limit"},
	};
	remoting_frame frame;

	for (const auto &one : cases) {
		std::string bytes = be32(one.length) + be32(one.word);
		const char *why = "nothing";

		EXPECT_EQ(remoting_frame_cut(nullptr, bytes.data(), 8, &frame, &why), -EPROTO);
		EXPECT_STREQ(why, one.why);
	}
	// The length alone is enough to refuse.
	EXPECT_EQ(remoting_frame_cut(nullptr, "\xff\xff\xff\xff", 4, &frame, nullptr), -EPROTO);
	std::string largest = be32(REMOTING_FRAME_MAX - 4) + be32(0);
	EXPECT_EQ(remoting_frame_cut(nullptr, largest.data(), 8, &frame, nullptr),
		  REMOTING_FRAME_MAX);
	remoting_limits small = {64, 16};
	std::string over = be32(61) + be32(0), long_header = be32(60) + be32(17);
	EXPECT_EQ(remoting_frame_cut(&small, over.data(), 8, &frame, nullptr), -EPROTO);
	EXPECT_EQ(remoting_frame_cut(&small, long_header.data(), 8, &frame, nullptr), -EPROTO);
}

TEST(Header, JavasSend)
{
	Decoded send = decode(java_send_v2);

	ASSERT_EQ(send.code, 0);
	EXPECT_EQ(send.header.code, 310);
	EXPECT_EQ(send.header.version, 401);
	EXPECT_EQ(send.header.field_count, 13u);
	EXPECT_EQ(str(remoting_field(&send.header, "b")), "TopicTest");
	EXPECT_EQ(str(remoting_field(&send.header, "i")),
		  std::string("KEYS\1k1\2UNIQ_KEY\1"
			      "7F0000010001\2WAIT\1true\2weird\1\"q\\/\b\f\n\r\t"
			      "\x0b\x1f<>&'\0\3\x0e?x\2",
			      67));
	int64_t born = 0;
	int32_t queues = 0;
	EXPECT_EQ(remoting_field_int64(&send.header, "g", &born), 0);
	EXPECT_EQ(born, 1700000000000);
	EXPECT_EQ(remoting_field_int32(&send.header, "d", &queues), 0);
	EXPECT_EQ(queues, 4);
	EXPECT_EQ(remoting_field_int32(&send.header, "g", &queues), -ERANGE);
	EXPECT_EQ(remoting_field_int32(&send.header, "b", &queues), -EINVAL);
	EXPECT_EQ(remoting_field_int32(&send.header, "z", &queues), -ENOENT);
	EXPECT_EQ(remoting_field_bool(&send.header, "m", 1), 0);
	EXPECT_EQ(remoting_field_bool(&send.header, "z", 1), 1);
}

TEST(Header, WhatRealClientsSendIsFast)
{
	for (const std::string &text : sample_headers) {
		Decoded fast = decode_by(remoting_json_fast, text);

		EXPECT_EQ(fast.code, 1) << text;
		EXPECT_EQ(fast.show(), decode_by(remoting_json_full, text).show());
		EXPECT_EQ(fast.show(), decode(text).show());
	}
}

// What RocketMQ's own parser takes (tried on 4.9.8 and 5.5.0).
TEST(Header, LenientForms)
{
	const std::map<std::string, std::string> cases = {
		{R"({"code":"10","opaque":7})", "10 0 0 7 0 (absent)"},
		{R"({code:10,'opaque':7,language:3})", "10 3 0 7 0 (absent)"},
		{R"({"code":10,"language":"XX"})", "10 -1 0 0 0 (absent)"},
		{R"({"code":10,"language":99})", "10 -1 0 0 0 (absent)"},
		{R"({"code":null})", "0 0 0 0 0 (absent)"},
		{R"({"code":""})", "0 0 0 0 0 (absent)"},
		{R"({"code":3000000000})", "error -71"},
		{R"({"extFields":{"a":1,"b":true,"c":null,"d":{"x":1}}})",
		 R"(0 0 0 0 0 (absent)|a=1|b=true|d={"x":1})"},
		{R"({"extFields":null})", "0 0 0 0 0 (absent)"},
		{R"({"extFields":{}})", "0 0 0 0 0 (absent)"},
		{R"({"extFields":[1]})", "error -71"},
		{R"({"extFields":{"a":"1"},"extFields":{"b":"2"}})", "0 0 0 0 0 (absent)|b=2"},
		{R"({"code":1,"code":2})", "2 0 0 0 0 (absent)"},
		{R"({"remark":5,"unknown":[{"deep":1}]})", "0 0 0 0 0 5"},
		{R"({"remark":"caf\u00e9"})", "0 0 0 0 0 caf\xc3\xa9"},
		{R"({"flag":true})", "0 0 0 0 1 (absent)"},
		{R"({"version":"x"})", "error -71"},
		{R"({"code":1}x)", "error -71"},
		{R"([])", "error -71"},
		{R"(null)", "error -71"},
		{"", "error -71"},
	};

	for (const auto &one : cases)
		EXPECT_EQ(decode(one.first).show(), one.second) << one.first;
}

std::string random_text(std::mt19937 &random, const char *pieces[], size_t count)
{
	std::string text;

	for (unsigned n = random() % 12; n; n--)
		text += pieces[random() % count];
	return text;
}

// Whatever header is made, valid or not: if the fast way takes it, the full one says the same.
TEST(Header, FastSaysWhatFullSays)
{
	const char *inside[] = {"a",
				"topic",
				"0",
				" ",
				"\\u0001",
				"\\u0002",
				"\\\"",
				"\\\\",
				"\\n",
				"\\/",
				"\\u00e9",
				"\\u0041",
				"\xc3\xa9",
				"\t",
				"12345678901234567",
				"\\ud83d\\ude00",
				"'",
				":",
				"{",
				"}",
				"\\u007F",
				"\\x"};
	const char *outside[] = {"\"code\":1",
				 "\"code\":-2147483648",
				 "\"code\":2147483648",
				 "\"flag\":01",
				 "\"version\": 7",
				 "\"opaque\":-0",
				 "\"language\":\"GO\"",
				 "\"language\":9",
				 "\"remark\":\"r\"",
				 "\"remark\":null",
				 "\"x\":1",
				 "\"serializeTypeCurrentRPC\":\"JSON\"",
				 "\"code\":1.0",
				 "\"flag\":-",
				 " \"opaque\":8",
				 "\"version\" :5"};
	std::mt19937 random(11);
	int fast_ones = 0;

	for (int round = 0; round < 50000; round++) {
		std::string text = "{", fields;

		for (unsigned n = random() % 4; n; n--)
			text += outside[random() % std::size(outside)] + std::string(",");
		for (unsigned n = random() % 4; n; n--)
			fields += std::string(fields.empty() ? "" : ",") + "\"" +
				  random_text(random, inside, std::size(inside)) + "\":\"" +
				  random_text(random, inside, std::size(inside)) + "\"";
		text += "\"extFields\":{" + fields + "}}";
		if (random() % 8 == 0)
			text[random() % text.size()] = "{}[],:\"\\ 0a"[random() % 11];
		Decoded fast = decode_by(remoting_json_fast, text);
		if (fast.code == 1) {
			fast_ones++;
			ASSERT_EQ(fast.show(), decode_by(remoting_json_full, text).show()) << text;
		} else {
			ASSERT_EQ(fast.scratch.text_used, 0u);
			ASSERT_EQ(fast.scratch.field_used, 0u);
			ASSERT_EQ(fast.header.code, 0);
		}
	}
	EXPECT_GT(fast_ones, 1500);
}

TEST(Header, EveryTruncationFails)
{
	for (const std::string &text : sample_headers)
		for (size_t size = 0; size < text.size(); size++)
			EXPECT_EQ(decode(text.substr(0, size)).code, -EPROTO)
				<< text.substr(0, size);
}

TEST(Header, KeepsItsLimits)
{
	auto with_fields = [](int count, const char *more) {
		std::string text = "{\"extFields\":{\"f\":\"\"";

		for (int i = 1; i < count; i++)
			text += ",\"f" + std::to_string(i) + "\":\"\"";
		return text + "}" + more + "}";
	};
	std::string escaped = "{\"remark\":\"\\n" + std::string(100, 'x') + "\"}";
	Decoded tight;
	remoting_frame frame = {{escaped.data(), escaped.size()}, {}, 0, REMOTING_JSON};

	for (const char *more : {"", ",\"code\":\"1\""}) {
		EXPECT_EQ(decode(with_fields(REMOTING_FIELDS_MAX, more)).code, 0);
		EXPECT_EQ(decode(with_fields(REMOTING_FIELDS_MAX + 1, more)).code, -E2BIG);
	}
	tight.scratch.text_room = 100;
	EXPECT_EQ(remoting_header_decode(&frame, &tight.scratch, &tight.header, nullptr), -E2BIG);
	tight.scratch.text_room = 101;
	EXPECT_EQ(remoting_header_decode(&frame, &tight.scratch, &tight.header, nullptr), 0);
	EXPECT_EQ(decode("{\"x\":" + std::string(20, '[') + std::string(20, ']') + "}").code,
		  -E2BIG);
}

TEST(Header, SharesOneScratch)
{
	Decoded both;
	std::string text = java_send_v2;
	remoting_frame frame = {{text.data(), text.size()}, {}, 0, REMOTING_JSON};
	remoting_header first, second;

	ASSERT_EQ(remoting_header_decode(&frame, &both.scratch, &first, nullptr), 0);
	ASSERT_EQ(remoting_header_decode(&frame, &both.scratch, &second, nullptr), 0);
	EXPECT_EQ(both.scratch.field_used, 26u);
	EXPECT_NE(remoting_field(&first, "i").at, remoting_field(&second, "i").at);
	EXPECT_EQ(str(remoting_field(&first, "i")), str(remoting_field(&second, "i")));
}

// GET_ROUTEINFO_BY_TOPIC of a Java client in binary mode.
const std::string java_binary("\x00\x69\x00\x01\xdf\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00"
			      "\x00\x00\x00\x14\x00\x05topic\x00\x00\x00\x09TopicTest",
			      41);

TEST(Binary, JavasRouteRequest)
{
	EXPECT_EQ(decode(java_binary, REMOTING_BINARY).show(),
		  "105 0 479 7 0 (absent)|topic=TopicTest");
}

TEST(Binary, EveryTruncationFails)
{
	for (size_t size = 0; size < java_binary.size(); size++)
		EXPECT_EQ(decode(java_binary.substr(0, size), REMOTING_BINARY).code, -EPROTO)
			<< size;
	EXPECT_EQ(decode(java_binary + "x", REMOTING_BINARY).code, -EPROTO);
}

TEST(Binary, WrongLengthsFail)
{
	for (size_t at : {13u, 17u, 21u, 28u}) {
		for (const char *word :
		     {"\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\x00\x00\x01\x00"}) {
			std::string text = java_binary;

			text.replace(at, at == 21 ? 2 : 4, word, at == 21 ? 2 : 4);
			EXPECT_EQ(decode(text, REMOTING_BINARY).code, -EPROTO) << at;
		}
	}
}

TEST(Binary, UnknownLanguageIsNoError)
{
	std::string text = java_binary;

	text[2] = 77;
	EXPECT_EQ(decode(text, REMOTING_BINARY).header.language, -1);
}

// What is encoded is decoded to the same, in both forms, within the size announced.
TEST(Encode, ReadsBack)
{
	std::string awkward;
	for (int c = 0; c < 128; c++)
		awkward += char(c);
	gantry_field fields[] = {{{"topic", 5}, {"T", 1}},
				 {{"absent", 6}, {nullptr, 0}},
				 {{"i", 1}, {awkward.data(), awkward.size()}},
				 {{"n\"x", 3}, {"\xe4\xb8\xad", 3}}};

	for (uint32_t serialization : {REMOTING_JSON, REMOTING_BINARY}) {
		for (int32_t number : {0, -1, INT32_MAX, INT32_MIN}) {
			remoting_header header = {int16_t(number),
						  9,
						  int16_t(number),
						  number,
						  number,
						  serialization,
						  {"why\n", 4},
						  fields,
						  4,
						  0};
			std::vector<char> bytes(remoting_encoded_max(&header));
			size_t size = remoting_encode(&header, 3, bytes.data());
			remoting_frame frame;

			ASSERT_LE(size, bytes.size());
			bytes.resize(size + 3);
			ASSERT_EQ(remoting_frame_cut(nullptr, bytes.data(), bytes.size(), &frame,
						     nullptr),
				  0);
			EXPECT_EQ(frame.size, bytes.size());
			EXPECT_EQ(frame.body.size, 3u);
			EXPECT_EQ(frame.serialization, serialization);
			Decoded back = decode(str(frame.header), serialization);
			std::string numbers = std::to_string(int16_t(number)) + " 9 " +
					      std::to_string(int16_t(number)) + " " +
					      std::to_string(number) + " " + std::to_string(number);
			EXPECT_EQ(back.show(),
				  numbers + " why\n|topic=T|i=" + awkward + "|n\"x=\xe4\xb8\xad");
		}
	}
}

// Letter by letter what RocketMQ writes.
TEST(Encode, JavasForm)
{
	gantry_field field = {{"topic", 5}, {"TopicTest", 9}};
	remoting_header header = {105, 0, 479, 7, 0, REMOTING_JSON, {}, &field, 1, 0};
	char bytes[512];
	size_t size = remoting_encode(&header, 0, bytes);

	EXPECT_EQ(std::string(bytes, size),
		  frame_of(R"({"code":105,"extFields":{"topic":"TopicTest"},"flag":0,)"
			   R"("language":"JAVA",)"
			   R"("opaque":7,"serializeTypeCurrentRPC":"JSON","version":479})",
			   "", REMOTING_JSON));
	header.serialization = REMOTING_BINARY;
	size = remoting_encode(&header, 0, bytes);
	EXPECT_EQ(std::string(bytes, size), frame_of(java_binary, "", REMOTING_BINARY));
	header = {3, -1, 0, 1, 1, REMOTING_JSON, {"no", 2}, nullptr, 0, 0};
	size = remoting_encode(&header, 0, bytes);
	EXPECT_EQ(std::string(bytes + 8, size - 8),
		  R"({"code":3,"flag":1,"language":"OTHER","opaque":1,"remark":"no",)"
		  R"("serializeTypeCurrentRPC":"JSON","version":0})");
}

TEST(Language, NamesAndNumbers)
{
	for (int32_t i = 0; i < 14; i++) {
		const char *name = remoting_language_name(i);

		ASSERT_NE(name, nullptr);
		EXPECT_EQ(remoting_language_code({name, strlen(name)}), i);
	}
	EXPECT_EQ(remoting_language_name(14), nullptr);
	EXPECT_EQ(remoting_language_name(-1), nullptr);
	EXPECT_EQ(remoting_language_code({"java", 4}), -1);
	EXPECT_EQ(remoting_language_code({"", 0}), -1);
}

TEST(Numbers, AsJavaParsesThem)
{
	const struct {
		const char *text;
		int code;
		int64_t value;
	} cases[] = {{"0", 0, 0},
		     {"-0", 0, 0},
		     {"+7", 0, 7},
		     {"007", 0, 7},
		     {"9223372036854775807", 0, INT64_MAX},
		     {"-9223372036854775808", 0, INT64_MIN},
		     {"9223372036854775808", -ERANGE, 42},
		     {"-9223372036854775809", -ERANGE, 42},
		     {"00000000000000000000000000001", 0, 1},
		     {"99999999999999999999999", -ERANGE, 42},
		     {"", -EINVAL, 42},
		     {"-", -EINVAL, 42},
		     {"+", -EINVAL, 42},
		     {"1 ", -EINVAL, 42},
		     {"1.0", -EINVAL, 42},
		     {"0x1", -EINVAL, 42},
		     {"--1", -EINVAL, 42}};

	for (const auto &one : cases) {
		int64_t value = 42;

		EXPECT_EQ(remoting_parse_int64({one.text, strlen(one.text)}, &value), one.code)
			<< one.text;
		EXPECT_EQ(value, one.value) << one.text;
	}
	int32_t small = 42;
	EXPECT_EQ(remoting_parse_int32({"2147483648", 10}, &small), -ERANGE);
	EXPECT_EQ(remoting_parse_int32({"-2147483649", 11}, &small), -ERANGE);
	EXPECT_EQ(small, 42);
	EXPECT_EQ(remoting_parse_int32({"-2147483648", 11}, &small), 0);
	EXPECT_EQ(small, INT32_MIN);
}

} // namespace
