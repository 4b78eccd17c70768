/* SPDX-License-Identifier: Apache-2.0 */
/* testdata/subscriptionGroup.json was written by a Java broker 5.5.0 with the group GroupA. */
#include "groups/groups.h"

#include <set>

#include "../../../tests/support/broker_fixture.h"
#include "json/json.h"

namespace
{

using control::Broker;

class Groups : public Broker
{
      protected:
	explicit Groups(const std::string &keys = "") : Broker(keys)
	{
	}
	std::string Encode(unsigned flags)
	{
		return Take([&](char **text, size_t *size) {
			return groups_encode(broker_->groups, flags, nullptr, text, size);
		});
	}
	int Put(const std::string &json)
	{
		struct json_doc doc;
		char why[160];

		EXPECT_EQ(json_parse(json.data(), json.size(), 0, nullptr, &doc, nullptr), 0);
		struct json_value root = json_root(&doc);
		int err = groups_put_json(broker_->groups, &root, why, sizeof(why));
		json_free(&doc);
		return err;
	}
};

TEST_F(Groups, AnUnknownOneIsMadeWithJavasDefaults)
{
	struct group *group = groups_find(broker_, str_of("g"));

	ASSERT_NE(group, nullptr);
	EXPECT_TRUE(GROUP_READ(group, consume_enable));
	EXPECT_TRUE(GROUP_READ(group, consume_broadcast_enable));
	EXPECT_EQ(GROUP_READ(group, retry_queue_nums), 1);
	EXPECT_EQ(GROUP_READ(group, retry_max_times), 16);
	EXPECT_EQ(GROUP_READ(group, which_broker_when_consume_slowly), 1);
	EXPECT_EQ(groups_find(broker_, str_of("g")), group);
	EXPECT_EQ(groups_find(broker_, str_of("a+b")), nullptr);
	EXPECT_EQ(groups_find(broker_, str_of("")), nullptr);
	EXPECT_EQ(groups_find(broker_, str_of(std::string(256, 'g').c_str())), nullptr);
}

TEST_F(Groups, AJavaBrokersFileComesBackTheSame)
{
	std::string java = Sample("subscriptionGroup.json");

	WriteConfig("subscriptionGroup.json", java);
	ASSERT_EQ(groups_load(broker_->groups), 0);
	struct group *group = groups_look(broker_->groups, str_of("GroupA"));
	ASSERT_NE(group, nullptr);
	EXPECT_FALSE(GROUP_READ(group, consume_broadcast_enable));
	auto lines = [](const std::string &whole) {
		std::multiset<std::string> result;
		std::stringstream in(whole);

		for (std::string line; std::getline(in, line);)
			result.insert(line.substr(0, line.find_last_not_of(',') + 1));
		return result;
	};
	EXPECT_EQ(lines(Encode(JSON_PRETTY)), lines(java));
}

TEST_F(Groups, WhatWeDoNotUseIsCarriedThrough)
{
	EXPECT_EQ(
		Put(R"({"groupName":"g","groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetry)"
		    R"(Policy":{"initial":2}},"attributes":{"a":"b"},"retryMaxTimes":3})"),
		0);
	std::string text = Encode(0);
	EXPECT_NE(text.find(R"("groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetryPolicy":)"
			    R"({"initial":2}})"),
		  std::string::npos);
	EXPECT_NE(text.find(R"("attributes":{"a":"b"})"), std::string::npos);
	EXPECT_NE(text.find(R"("retryMaxTimes":3)"), std::string::npos);
}

TEST_F(Groups, WhatAnUpdateDoesNotSayIsAsInANewOne)
{
	ASSERT_EQ(Put(R"({"groupName":"g","consumeEnable":false,"retryMaxTimes":3,"brokerId":2})"),
		  0);
	ASSERT_EQ(Put(R"({"groupName":"g","retryQueueNums":"2","retryMaxTimes":null})"), 0);
	struct group *group = groups_look(broker_->groups, str_of("g"));
	EXPECT_TRUE(GROUP_READ(group, consume_enable));
	EXPECT_EQ(GROUP_READ(group, retry_max_times), 16);
	EXPECT_EQ(GROUP_READ(group, retry_queue_nums), 2);
	EXPECT_EQ(GROUP_READ(group, broker_id), 0);
}

TEST_F(Groups, WrongTypesChangeNothing)
{
	ASSERT_EQ(Put(R"({"groupName":"g","retryMaxTimes":3})"), 0);
	EXPECT_EQ(Put(R"({"groupName":"g","consumeEnable":[]})"), -EBADMSG);
	EXPECT_EQ(Put(R"({"groupName":"g","consumeEnable":"x"})"), -EBADMSG);
	EXPECT_EQ(Put(R"({"groupName":"g","retryQueueNums":"x"})"), -EBADMSG);
	EXPECT_EQ(Put(R"({"groupName":"new","retryQueueNums":[]})"), -EBADMSG);
	EXPECT_EQ(GROUP_READ(groups_look(broker_->groups, str_of("g")), retry_max_times), 3);
	EXPECT_EQ(groups_look(broker_->groups, str_of("new")), nullptr);
}

TEST_F(Groups, ForbiddenTopicsSurviveAFile)
{
	WriteConfig("subscriptionGroup.json",
		    R"({"forbiddenTable":{"g":{"T":4,"U":1},"h":{"T":4}},)"
		    R"("subscriptionGroupTable":{}})");
	ASSERT_EQ(groups_load(broker_->groups), 0);
	EXPECT_TRUE(groups_forbids_read(broker_->groups, str_of("g"), str_of("T")));
	EXPECT_FALSE(groups_forbids_read(broker_->groups, str_of("g"), str_of("U")));
	EXPECT_FALSE(groups_forbids_read(broker_->groups, str_of("g"), str_of("V")));
	EXPECT_NE(Encode(0).find(R"("forbiddenTable":{"g":{"T":4,"U":1},"h":{"T":4}})"),
		  std::string::npos);
}

TEST_F(Groups, ADeletedOneIsRetired)
{
	struct group *group = groups_find(broker_, str_of("g"));

	EXPECT_EQ(groups_delete(broker_->groups, str_of("g")), 0);
	EXPECT_EQ(groups_look(broker_->groups, str_of("g")), nullptr);
	EXPECT_TRUE(GROUP_READ(group, retired));
	EXPECT_EQ(groups_delete(broker_->groups, str_of("g")), -ENOENT);
}

TEST_F(Groups, ThereIsALimit)
{
	conf_.maxGroups = groups_count(broker_->groups) + 1;
	EXPECT_NE(groups_find(broker_, str_of("g")), nullptr);
	EXPECT_EQ(groups_find(broker_, str_of("h")), nullptr);
	EXPECT_EQ(Put(R"({"groupName":"h"})"), -ENOSPC);
	EXPECT_EQ(Put(R"({"groupName":"g"})"), 0);
	EXPECT_EQ(Put(R"({})"), -EINVAL);
}

class NoAutoGroups : public Groups
{
      protected:
	NoAutoGroups() : Groups("autoCreateSubscriptionGroup=false")
	{
	}
};

TEST_F(NoAutoGroups, OnlySystemGroupsAreMade)
{
	EXPECT_EQ(groups_find(broker_, str_of("g")), nullptr);
	EXPECT_NE(groups_find(broker_, str_of("CID_RMQ_SYS_X")), nullptr);
	EXPECT_NE(groups_find(broker_, str_of("TOOLS_CONSUMER")), nullptr);
}

} // namespace
