/* SPDX-License-Identifier: Apache-2.0 */
/* A patched frame must be the frame that the codec would have made; answers must be read as the
 * codec reads them. */
#include "prebuilt.h"

#include <cstring>
#include <gtest/gtest.h>
#include <message/properties.h>
#include <remoting/codec.h>
#include <string>
#include <vector>

#include "reply.h"

namespace
{

const char unique_key[] = "7F000001A2D1D41C55CF68F4B8FD0000";

struct Decoded {
	remoting_frame frame;
	remoting_header header;
	gantry_field fields[REMOTING_FIELDS_MAX];
	char text[4096];
};

void decode(const std::vector<uint8_t> &bytes, Decoded *ret)
{
	remoting_scratch scratch = {};
	const char *why = "";
	scratch.fields = ret->fields;
	scratch.field_room = REMOTING_FIELDS_MAX;
	scratch.text = ret->text;
	scratch.text_room = sizeof(ret->text);
	ASSERT_EQ(remoting_frame_cut(nullptr, bytes.data(), bytes.size(), &ret->frame, &why), 0)
		<< why;
	ASSERT_EQ(remoting_header_decode(&ret->frame, &scratch, &ret->header, &why), 0) << why;
}

std::string field(const Decoded &decoded, const char *name)
{
	gantry_str value = remoting_field(&decoded.header, name);
	return std::string(value.at ? value.at : "", value.size);
}

prebuilt_spec spec_of(uint32_t size, uint64_t mark)
{
	prebuilt_spec spec = {};
	spec.group = "group";
	spec.topic = "topic";
	spec.queue = 7;
	spec.queue_count = 8;
	spec.body_size = size;
	spec.mark = mark;
	spec.unique_key = unique_key;
	return spec;
}

std::vector<uint8_t> answer(int32_t code, int32_t opaque, const char *next)
{
	gantry_field fields[] = {{{"nextBeginOffset", 15}, {next, strlen(next)}}};
	remoting_header header = {};
	header.code = code;
	header.opaque = opaque;
	header.flag = REMOTING_RESPONSE;
	header.fields = fields;
	header.field_count = 1;
	std::vector<uint8_t> bytes(remoting_encoded_max(&header));
	bytes.resize(remoting_encode(&header, 0, bytes.data()));
	return bytes;
}

remoting_frame cut(const std::string &header, std::string *ret_bytes)
{
	remoting_frame frame;
	uint32_t words[2] = {__builtin_bswap32((uint32_t)header.size() + 4),
			     __builtin_bswap32((uint32_t)header.size())};
	*ret_bytes = std::string((const char *)words, sizeof(words)) + header;
	EXPECT_EQ(
		remoting_frame_cut(nullptr, ret_bytes->data(), ret_bytes->size(), &frame, nullptr),
		0);
	return frame;
}

} // namespace

TEST(Prebuilt, IsASendThatTheCodecReads)
{
	struct prebuilt t;
	prebuilt_spec spec = spec_of(64, 0);
	ASSERT_EQ(prebuilt_make(&spec, &t), 0);
	std::vector<uint8_t> bytes(t.size);
	prebuilt_write(&t, bytes.data(), 1234567890, 1795253581312, 0xABCDEF01, 0);
	Decoded decoded;
	decode(bytes, &decoded);
	EXPECT_EQ(decoded.frame.size, t.size);
	EXPECT_EQ(decoded.frame.body.size, 64u);
	EXPECT_EQ(decoded.header.code, 310);
	EXPECT_EQ(decoded.header.opaque, 1234567890);
	EXPECT_EQ(decoded.header.flag, 0);
	EXPECT_EQ(field(decoded, "a"), "group");
	EXPECT_EQ(field(decoded, "b"), "topic");
	EXPECT_EQ(field(decoded, "d"), "8");
	EXPECT_EQ(field(decoded, "e"), "7");
	EXPECT_EQ(field(decoded, "g"), "1795253581312");
	EXPECT_EQ(field(decoded, "i"), std::string(MESSAGE_UNIQ_KEY "\1") +
					       std::string(unique_key, 24) +
					       "ABCDEF01\2WAIT\1true\2");
	prebuilt_free(&t);
}

TEST(Prebuilt, ChangesNothingButItsDigits)
{
	struct prebuilt t;
	prebuilt_spec spec = spec_of(128, 0);
	ASSERT_EQ(prebuilt_make(&spec, &t), 0);
	std::vector<uint8_t> one(t.size), two(t.size);
	prebuilt_write(&t, one.data(), 1000000001, 1795253581312, 1, 5);
	prebuilt_write(&t, two.data(), 1000000001, 1795253581312, 1, 9);
	EXPECT_EQ(one, two) << "without a mark bodies are not stamped";
	prebuilt_write(&t, two.data(), 1000000002, 1795253581312, 1, 9);
	size_t different = 0;
	for (size_t i = 0; i < one.size(); i++)
		different += one[i] != two[i];
	EXPECT_EQ(different, 1u);
	prebuilt_free(&t);
}

TEST(Prebuilt, StampsBodiesWithTheTimeTheyWereDue)
{
	struct prebuilt t;
	const uint64_t mark = 0x0123456789ABCDEF, due = 987654321012345;
	prebuilt_spec spec = spec_of(PREBUILT_STAMP, mark);
	ASSERT_EQ(prebuilt_make(&spec, &t), 0);
	std::vector<uint8_t> bytes(t.size);
	prebuilt_write(&t, bytes.data(), PREBUILT_OPAQUE_MIN, 1795253581312, 0, due);
	const uint8_t *body = bytes.data() + t.size - PREBUILT_STAMP;
	EXPECT_EQ(prebuilt_due(mark, body, PREBUILT_STAMP), due);
	EXPECT_EQ(prebuilt_due(mark + 1, body, PREBUILT_STAMP), 0u) << "another run's message";
	EXPECT_EQ(prebuilt_due(mark, body, PREBUILT_STAMP - 1), 0u) << "too short";
	EXPECT_EQ(prebuilt_due(mark, "some other message, with 32 bytes", 32), 0u);
	prebuilt_free(&t);
}

TEST(Prebuilt, RefusesABodyThatNoFrameHolds)
{
	struct prebuilt t;
	prebuilt_spec spec = spec_of(REMOTING_FRAME_MAX, 0);
	EXPECT_EQ(prebuilt_make(&spec, &t), -EMSGSIZE);
}

TEST(Reply, IsReadWhereItStoodAndWhereItMoved)
{
	reply_hint hint = {};
	const int32_t codes[] = {0, 0, 17, 2, 0}, opaques[] = {1000000000, 1999999999, 5, 42, 7};
	for (int i = 0; i < 5; i++) {
		std::vector<uint8_t> bytes = answer(codes[i], opaques[i], "123");
		remoting_frame frame;
		reply reply = {};
		ASSERT_EQ(remoting_frame_cut(nullptr, bytes.data(), bytes.size(), &frame, nullptr),
			  0);
		ASSERT_EQ(reply_read(&frame, &hint, &reply), 0);
		EXPECT_EQ(reply.code, codes[i]);
		EXPECT_EQ(reply.opaque, opaques[i]);
		EXPECT_EQ(reply_field(&frame, "nextBeginOffset", -1), 123);
		EXPECT_EQ(reply_field(&frame, "minOffset", -1), -1);
	}
}

TEST(Reply, DoesNotMistakeTextForKeys)
{
	reply_hint hint = {};
	reply reply = {};
	std::string bytes;
	remoting_frame frame =
		cut(R"({"remark":"\"code\":9,\"opaque\":8","opaque":3,"code":-1000,"version":479})",
		    &bytes);
	ASSERT_EQ(reply_read(&frame, &hint, &reply), 0);
	EXPECT_EQ(reply.code, -1000);
	EXPECT_EQ(reply.opaque, 3);
}

TEST(Reply, NeedsAnOpaque)
{
	reply_hint hint = {};
	reply reply = {};
	std::string bytes;
	remoting_frame frame = cut(R"({"code":0,"flag":1})", &bytes);
	EXPECT_EQ(reply_read(&frame, &hint, &reply), -EPROTO);
	frame = cut("", &bytes);
	EXPECT_EQ(reply_read(&frame, &hint, &reply), -EPROTO);
}

TEST(Reply, ReadsTheBinaryForm)
{
	reply_hint hint = {};
	reply reply = {};
	std::vector<uint8_t> bytes(256);
	remoting_header header = {};
	header.serialization = REMOTING_BINARY;
	header.code = 21;
	header.opaque = 1234567;
	bytes.resize(remoting_encode(&header, 0, bytes.data()));
	remoting_frame frame;
	ASSERT_EQ(remoting_frame_cut(nullptr, bytes.data(), bytes.size(), &frame, nullptr), 0);
	ASSERT_EQ(reply_read(&frame, &hint, &reply), 0);
	EXPECT_EQ(reply.code, 21);
	EXPECT_EQ(reply.opaque, 1234567);
}
