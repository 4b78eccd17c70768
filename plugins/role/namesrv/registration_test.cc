/* SPDX-License-Identifier: Apache-2.0 */
/* testdata/register_body.json is what a Java broker 5.5.0 sent when it registered;
 * register_compressed.bin is RegisterBrokerBody.encode(true) of 5.5.0 for two topics, a static
 * topic and a filter server. */
#include "registration.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "call/fields.h"

namespace
{

std::string ReadFile(const std::string &name)
{
	std::ifstream in(std::string(TESTDATA "/") + name, std::ios::binary);
	std::stringstream text;

	text << in.rdbuf();
	return text.str();
}

std::string Text(struct gantry_str text)
{
	return std::string(text.at ? text.at : "", text.size);
}

class Registration : public ::testing::Test
{
      protected:
	Registration()
	{
		call_.client_version = 513;
		Set("brokerName", "broker-a");
		Set("brokerAddr", "127.0.0.1:10911");
		Set("clusterName", "DefaultCluster");
		Set("haServerAddr", "127.0.0.1:10912");
		Set("brokerId", "0");
	}
	~Registration() override
	{
		ns_registration_free(&registration_);
	}
	void Set(const std::string &name, const std::string &value)
	{
		for (auto &field : fields_)
			if (field.first == name) {
				field.second = value;
				return;
			}
		fields_.push_back({name, value});
	}
	int Read(const std::string &body)
	{
		static std::vector<struct gantry_field> fields;

		fields.clear();
		for (auto &field : fields_)
			fields.push_back(
				{str_of(field.first.c_str()), str_of(field.second.c_str())});
		body_ = body;
		call_.fields = fields.data();
		call_.field_count = static_cast<uint32_t>(fields.size());
		call_.body = {body_.data(), body_.size()};
		ns_registration_free(&registration_);
		return ns_registration_read(&call_, &registration_);
	}

	std::vector<std::pair<std::string, std::string>> fields_;
	std::string body_;
	struct gantry_call call_ = {};
	struct ns_registration registration_ = {};
};

TEST_F(Registration, ReadsWhatAJavaBrokerSends)
{
	Set("bodyCrc32", "786730826");
	Set("enableActingMaster", "false");
	Set("compressed", "false");
	ASSERT_EQ(Read(ReadFile("register_body.json")), 0);
	EXPECT_EQ(registration_.topic_count, 16u);
	EXPECT_EQ(registration_.version.counter, 1);
	EXPECT_EQ(registration_.acting_master, 0);
	EXPECT_TRUE(registration_.filter_servers_given);
	EXPECT_EQ(registration_.filter_servers, nullptr);
	EXPECT_EQ(Text(registration_.ha_address), "127.0.0.1:10912");
	for (uint32_t i = 0; i < registration_.topic_count; i++) {
		if (Text(registration_.topics[i].name) != "Orders")
			continue;
		EXPECT_EQ(registration_.topics[i].read_queues, 4);
		EXPECT_EQ(registration_.topics[i].write_queues, 6);
		return;
	}
	FAIL() << "no topic Orders";
}

TEST_F(Registration, ReadsWhatJavaCompresses)
{
	Set("compressed", "true");
	ASSERT_EQ(Read(ReadFile("register_compressed.bin")), 0) << call_.remark;
	ASSERT_EQ(registration_.topic_count, 2u);
	EXPECT_EQ(registration_.version.counter, 7);
	EXPECT_EQ(registration_.version.state_version, 3);
	EXPECT_EQ(registration_.version.timestamp, 1700000000000);
	for (uint32_t i = 0; i < 2; i++) {
		bool orders = Text(registration_.topics[i].name) == "Orders";

		EXPECT_TRUE(orders || Text(registration_.topics[i].name) == "%RETRY%GroupA");
		EXPECT_EQ(registration_.topics[i].read_queues, orders ? 4 : 1);
		EXPECT_EQ(registration_.topics[i].write_queues, orders ? 6 : 1);
		EXPECT_EQ(registration_.topics[i].perm, orders ? 6 : 7);
	}
	EXPECT_STREQ(registration_.filter_servers, "[\"10.0.0.1:1234\"]");
	ASSERT_EQ(registration_.mapping_count, 1u);
	EXPECT_EQ(Text(registration_.mappings[0].topic), "Static");
	EXPECT_EQ(Text(registration_.mappings[0].broker), "broker-a");
	EXPECT_STREQ(registration_.mappings[0].json,
		     R"({"bname":"broker-a","currIdMap":{"0":0},"dirty":false,"epoch":12,)"
		     R"("scope":"__global__","topic":"Static","totalQueues":8})");
}

TEST_F(Registration, OlderBrokersCompressWithoutMappings)
{
	Set("compressed", "true");
	call_.client_version = 401;
	ASSERT_EQ(Read(ReadFile("register_compressed.bin")), 0);
	EXPECT_EQ(registration_.topic_count, 2u);
	EXPECT_EQ(registration_.mapping_count, 0u);
}

TEST_F(Registration, EveryShortenedCompressedBodyIsRefused)
{
	std::string whole = ReadFile("register_compressed.bin");

	Set("compressed", "true");
	for (size_t size = 1; size < whole.size(); size++)
		EXPECT_EQ(Read(whole.substr(0, size)), -EINVAL) << size;
}

TEST_F(Registration, LengthsThatLieAreRefused)
{
	std::string whole = ReadFile("register_compressed.bin"), plain(4096, '\0');
	uLongf size = plain.size();

	ASSERT_EQ(uncompress(reinterpret_cast<Bytef *>(&plain[0]), &size,
			     reinterpret_cast<const Bytef *>(whole.data()), whole.size()),
		  Z_OK);
	Set("compressed", "true");
	for (size_t at = 0; at + 4 <= size; at++) {
		std::string broken = plain.substr(0, size), packed(8192, '\0');
		uLongf packed_size = packed.size();

		for (int i = 0; i < 4; i++)
			broken[at + static_cast<size_t>(i)] = '\xff';
		compress(reinterpret_cast<Bytef *>(&packed[0]), &packed_size,
			 reinterpret_cast<const Bytef *>(broken.data()), broken.size());
		Read(packed.substr(0, packed_size)); /* any answer, but no bad read */
	}
}

TEST_F(Registration, AWrongChecksumIsRefused)
{
	Set("bodyCrc32", "1");
	EXPECT_EQ(Read("{}"), -EINVAL);
	EXPECT_EQ(call_.ret_code, GANTRY_SYSTEM_ERROR);
	EXPECT_STREQ(call_.remark, "crc32 not match");
}

TEST_F(Registration, WithoutABodyThereAreNoTopics)
{
	ASSERT_EQ(Read(""), 0);
	EXPECT_EQ(registration_.topic_count, 0u);
	EXPECT_EQ(registration_.acting_master, -1);
	EXPECT_TRUE(registration_.filter_servers_given);
}

TEST_F(Registration, BrokersBefore3_0_11SendTopicsAlone)
{
	call_.client_version = 36;
	ASSERT_EQ(
		Read(R"({"dataVersion":{"counter":5},"topicConfigTable":{"T":{"topicName":"T"}}})"),
		0);
	EXPECT_EQ(registration_.topic_count, 1u);
	EXPECT_EQ(registration_.version.counter, 5);
	EXPECT_FALSE(registration_.filter_servers_given);
}

TEST_F(Registration, WhatIsNotJsonIsRefused)
{
	EXPECT_EQ(Read("{"), -EINVAL);
	EXPECT_EQ(call_.ret_code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(Read(R"({"topicConfigSerializeWrapper":{"topicConfigTable":{"T":7}}})"), -EINVAL);
}

TEST_F(Registration, NamesHaveALimit)
{
	Set("brokerName", std::string(NS_NAME_MAX + 1, 'b'));
	EXPECT_EQ(Read(""), -EINVAL);
}

} // namespace
