/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata/data_version.h"
#include "metadata/topic_config.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace
{

/* Reads one TopicConfig and writes it again. */
std::string RoundTrip(const std::string &text, unsigned flags, int *err = nullptr)
{
	struct json_doc doc = {};
	struct topic_config config;
	char *attributes = nullptr, *out = nullptr;
	size_t size = 0;
	struct json_writer writer;

	EXPECT_EQ(json_parse(text.data(), text.size(), JSON_LENIENT, nullptr, &doc, nullptr), 0);
	int result = topic_config_read(json_root(&doc), &config, &attributes);
	if (err)
		*err = result;
	if (result) {
		json_free(&doc);
		return "";
	}
	json_writer_init(&writer, 1 << 20, flags);
	topic_config_write(&writer, &config);
	EXPECT_EQ(json_writer_take(&writer, &out, &size), 0);
	std::string written(out, size);
	free(out);
	free(attributes);
	json_free(&doc);
	return written;
}

TEST(TopicConfig, ComesBackAsFastjsonWroteIt)
{
	const std::string text =
		R"({"attributes":{"message.type":"FIFO"},"order":true,"perm":7,"readQueueNums":4,)"
		R"("topicFilterType":"MULTI_TAG","topicName":"%RETRY%g","topicSysFlag":2,)"
		R"("writeQueueNums":6})";

	EXPECT_EQ(RoundTrip(text, 0), text);
}

TEST(TopicConfig, PrettyAttributesAreLaidOut)
{
	EXPECT_EQ(RoundTrip("{attributes:{'a':'b'},topicName:'T'}", JSON_PRETTY),
		  "{\n\t\"attributes\":{\n\t\t\"a\":\"b\"\n\t},\n\t\"order\":false,\n\t\"perm\":6,"
		  "\n\t"
		  "\"readQueueNums\":16,\n\t\"topicFilterType\":\"SINGLE_TAG\",\n\t\"topicName\":"
		  "\"T\","
		  "\n\t\"topicSysFlag\":0,\n\t\"writeQueueNums\":16\n}");
}

TEST(TopicConfig, WhatIsMissingHasRocketMqsDefaults)
{
	EXPECT_EQ(RoundTrip(R"({"topicName":"T","unknown":[1,{"x":2}]})", 0),
		  R"({"attributes":{},"order":false,"perm":6,"readQueueNums":16,)"
		  R"("topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,)"
		  R"("writeQueueNums":16})");
}

TEST(TopicConfig, WithoutANameItIsRefused)
{
	int err = 0;

	RoundTrip("{}", 0, &err);
	EXPECT_EQ(err, -EINVAL);
	RoundTrip("[]", 0, &err);
	EXPECT_EQ(err, -EINVAL);
	RoundTrip(R"({"topicName":7e99})", 0, &err);
	RoundTrip(R"({"topicName":{}})", 0, &err);
	EXPECT_EQ(err, -EINVAL);
}

TEST(DataVersion, NextCountsAndTakesTheTime)
{
	struct data_version version = {3, 2, 1}, same = version;

	EXPECT_TRUE(data_version_equal(&version, &same));
	data_version_next(&version, 77);
	EXPECT_EQ(version.counter, 4);
	EXPECT_EQ(version.state_version, 2);
	EXPECT_EQ(version.timestamp, 77);
	EXPECT_FALSE(data_version_equal(&version, &same));
}

} // namespace
