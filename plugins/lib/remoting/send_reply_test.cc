// SPDX-License-Identifier: Apache-2.0
// The prepared answers to sends say what the general encoder would say.
extern "C" {
#include <remoting/send_reply.h>
}

#include <cerrno>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

const gantry_address host = {{127, 0, 0, 1}, 10911, 4, 0};

struct Reply {
	remoting_send_template prepared = {};
	remoting_send_reply reply = {};

	explicit Reply(const gantry_address &store_host = host,
		       const char *region = "DefaultRegion")
	{
		EXPECT_EQ(remoting_send_template_init(&prepared, region, "true", &store_host), 0);
	}
	std::string encode()
	{
		std::vector<char> bytes(remoting_send_reply_max(&prepared, &reply));
		size_t size = remoting_send_reply_encode(&prepared, &reply, bytes.data());

		EXPECT_LE(size, bytes.size());
		return std::string(bytes.data(), size);
	}
	// The fields as "name=value ..." with the header's numbers in front.
	std::string decoded()
	{
		std::string bytes = encode(), out;
		remoting_frame frame;
		gantry_field fields[16];
		std::vector<char> text(bytes.size() + REMOTING_SLACK);
		remoting_scratch scratch = {fields, text.data(), text.size(), 0, 16, 0};
		remoting_header header;

		EXPECT_EQ(remoting_frame_cut(nullptr, bytes.data(), bytes.size(), &frame, nullptr),
			  0);
		EXPECT_EQ(frame.size, bytes.size());
		EXPECT_EQ(remoting_header_decode(&frame, &scratch, &header, nullptr), 0);
		out = std::to_string(header.code) + " " + std::to_string(header.opaque) + " " +
		      std::to_string(header.flag) + " " +
		      std::string(header.remark.at, header.remark.size);
		for (uint32_t i = 0; i < header.field_count; i++)
			out += " " + std::string(fields[i].name.at, fields[i].name.size) + "=" +
			       std::string(fields[i].value.at, fields[i].value.size);
		return out;
	}
};

TEST(SendReply, OneMessage)
{
	Reply r;
	uint64_t offset = 1234;

	r.reply.opaque = 77;
	r.reply.queue = 3;
	r.reply.queue_offset = 9000000000;
	r.reply.offsets = &offset;
	r.reply.offset_count = 1;
	r.reply.transaction_id = {"7F0000010001", 12};
	EXPECT_EQ(r.encode().substr(8),
		  R"({"code":0,"extFields":{"MSG_REGION":"DefaultRegion","TRACE_ON":"true",)"
		  R"("msgId":"7F00000100002A9F00000000000004D2","queueId":"3",)"
		  R"("queueOffset":"9000000000",)"
		  R"("transactionId":"7F0000010001"},"flag":1,"language":"JAVA","opaque":77,)"
		  R"("serializeTypeCurrentRPC":"JSON","version":513})");
	std::string json = r.decoded();
	r.reply.serialization = REMOTING_BINARY;
	EXPECT_EQ(r.decoded(), json);
}

TEST(SendReply, BatchThatIsOneRecord)
{
	Reply r;
	uint64_t offset = 1234;

	r.reply.offsets = &offset;
	r.reply.offset_count = 1;
	r.reply.inner_batch = 1;
	r.reply.transaction_id = {"7F0000010001", 12};
	for (uint32_t serialization : {REMOTING_JSON, REMOTING_BINARY}) {
		r.reply.serialization = serialization;
		EXPECT_EQ(r.decoded(),
			  "0 0 1  MSG_REGION=DefaultRegion TRACE_ON=true "
			  "msgId=7F00000100002A9F00000000000004D2 queueId=0 queueOffset=0 "
			  "transactionId=7F0000010001 batchUniqId=7F0000010001");
	}
}

TEST(SendReply, Batch)
{
	Reply r;
	uint64_t offsets[] = {0, 255, UINT64_MAX};

	r.reply.offsets = offsets;
	r.reply.offset_count = 3;
	for (uint32_t serialization : {REMOTING_JSON, REMOTING_BINARY}) {
		r.reply.serialization = serialization;
		EXPECT_EQ(r.decoded(),
			  "0 0 1  MSG_REGION=DefaultRegion TRACE_ON=true "
			  "msgId=7F00000100002A9F0000000000000000,7F00000100002A9F00000000000000FF,"
			  "7F00000100002A9FFFFFFFFFFFFFFFFF queueId=0 queueOffset=0");
	}
}

TEST(SendReply, RefusalAndLateAnswer)
{
	Reply r;
	uint64_t offset = 1;

	for (uint32_t serialization : {REMOTING_JSON, REMOTING_BINARY}) {
		r.reply = {};
		r.reply.serialization = serialization;
		r.reply.code = 17;
		r.reply.opaque = -5;
		r.reply.remark = {"topic[\"x\"] not exist", 20};
		EXPECT_EQ(r.decoded(), "17 -5 1 topic[\"x\"] not exist MSG_REGION=DefaultRegion "
				       "TRACE_ON=true");
		r.reply.code = 10;
		r.reply.remark = {};
		r.reply.offsets = &offset;
		r.reply.offset_count = 1;
		r.reply.transaction_id = {"a\1\"b", 4};
		EXPECT_EQ(r.decoded(),
			  "10 -5 1  MSG_REGION=DefaultRegion TRACE_ON=true "
			  "msgId=7F00000100002A9F0000000000000001 queueId=0 queueOffset=0 "
			  "transactionId=a\1\"b");
	}
}

TEST(SendReply, HostsAndRegions)
{
	gantry_address six = {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 1, 16, 0};
	Reply r(six, "a\"b");
	uint64_t offset = 2;

	r.reply.offsets = &offset;
	r.reply.offset_count = 1;
	EXPECT_EQ(r.decoded(),
		  "0 0 1  MSG_REGION=a\"b TRACE_ON=true "
		  "msgId=FE800000000000000000000000000001000000010000000000000002 queueId=0 "
		  "queueOffset=0");
	remoting_send_template prepared;
	EXPECT_EQ(remoting_send_template_init(&prepared, std::string(300, 'r').c_str(), "true",
					      &host),
		  -E2BIG);
}

} // namespace
