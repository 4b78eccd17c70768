// SPDX-License-Identifier: Apache-2.0
// The answers to pulls are, byte for byte, what the general encoder makes of the same fields.
extern "C" {
#include <remoting/pull_reply.h>
}

#include <climits>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace
{

using Numbers = std::vector<std::pair<std::string, int64_t>>;

std::string encoded(const remoting_pull_reply &reply, size_t body_size)
{
	std::vector<char> bytes(remoting_pull_reply_max(&reply));
	size_t size = remoting_pull_reply_encode(&reply, body_size, bytes.data());

	EXPECT_LE(size, bytes.size());
	return {bytes.data(), size};
}

Numbers told(const remoting_pull_reply &reply)
{
	Numbers numbers;

	if (reply.has_offsets)
		numbers = {{"suggestWhichBrokerId", reply.suggest_broker_id},
			   {"nextBeginOffset", reply.next},
			   {"minOffset", reply.min},
			   {"maxOffset", reply.max}};
	if (reply.topic_sys_flag >= 0)
		numbers.emplace_back("topicSysFlag", reply.topic_sys_flag);
	if (reply.group_sys_flag >= 0)
		numbers.emplace_back("groupSysFlag", reply.group_sys_flag);
	if (reply.forbidden_type)
		numbers.emplace_back("forbiddenType", reply.forbidden_type);
	return numbers;
}

std::string general(const remoting_pull_reply &reply, size_t body_size)
{
	Numbers numbers = told(reply);
	std::vector<std::string> values(numbers.size());
	std::vector<gantry_field> fields(numbers.size());
	remoting_header header = {};

	for (size_t i = 0; i < numbers.size(); i++) {
		values[i] = std::to_string(numbers[i].second);
		fields[i] = {{numbers[i].first.data(), numbers[i].first.size()},
			     {values[i].data(), values[i].size()}};
	}
	header.code = reply.code;
	header.language = REMOTING_JAVA;
	header.version = REMOTING_VERSION;
	header.opaque = reply.opaque;
	header.flag = REMOTING_RESPONSE;
	header.serialization = reply.serialization;
	header.fields = fields.data();
	header.field_count = (uint32_t)fields.size();
	if (reply.remark.size)
		header.remark = reply.remark;
	std::vector<char> bytes(remoting_encoded_max(&header));
	return {bytes.data(), remoting_encode(&header, body_size, bytes.data())};
}

class PullReply : public testing::TestWithParam<uint32_t>
{
      protected:
	remoting_pull_reply reply = {};

	void SetUp() override
	{
		reply.serialization = GetParam();
		reply.topic_sys_flag = reply.group_sys_flag = -1;
	}
	void compare(size_t body_size = 0)
	{
		EXPECT_EQ(general(reply, body_size), encoded(reply, body_size));
	}
	void remark(const std::string &text)
	{
		reply.remark = {text.data(), text.size()};
		compare();
	}
};

TEST_P(PullReply, Found)
{
	reply.opaque = 17;
	reply.has_offsets = true;
	reply.next = 8;
	reply.max = 12345678901;
	reply.topic_sys_flag = reply.group_sys_flag = 0;
	reply.remark = {"FOUND", 5};
	compare(238);
}

TEST_P(PullReply, NothingButACode)
{
	reply.code = 24;
	reply.opaque = INT_MIN;
	compare();
}

TEST_P(PullReply, EachFieldAlone)
{
	reply.code = 16;
	reply.forbidden_type = 3;
	compare();
	reply.forbidden_type = 0;
	reply.topic_sys_flag = 1;
	compare();
	reply.topic_sys_flag = -1;
	reply.group_sys_flag = 2;
	compare();
}

TEST_P(PullReply, TheLongestNumbersFit)
{
	reply.code = reply.opaque = reply.forbidden_type = INT_MIN;
	reply.has_offsets = true;
	reply.suggest_broker_id = reply.next = reply.min = reply.max = INT64_MIN;
	reply.topic_sys_flag = reply.group_sys_flag = INT_MAX;
	compare(1 << 20);
}

TEST_P(PullReply, RemarksThatHaveToBeEscaped)
{
	remark("the consumer's group info not exist\nSee https://x for \"more\"\\");
	remark(std::string(200, '\1'));
	remark("caf\xc3\xa9 \xe6\xb6\x88\xe6\x81\xaf");
	remark(std::string(40, 'a') + "\"");
}

INSTANTIATE_TEST_SUITE_P(Both, PullReply, testing::Values(REMOTING_JSON, REMOTING_BINARY));

} // namespace
