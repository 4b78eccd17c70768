/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that consumers send back: to the retry topic, delayed, or to the dead letters. What a
 * Java broker does with the same is in tests/peers/delay.py. */
#include <gtest/gtest.h>

#include "broker.h"
#include "message/id.h"
#include "session.h"
#include "topics/topics.h"

namespace
{

const char kKeys[] = "messageDelayLevel=0s 1h 1h 1h\n";
const char kRetry[] = "%RETRY%g", kDead[] = "%DLQ%g", kSchedule[] = "SCHEDULE_TOPIC_XXXX";

using Fields = std::vector<std::pair<std::string, std::string>>;

class Back : public testing::Test
{
      protected:
	Called back(uint64_t at, int level, const Fields &more = {})
	{
		Fields fields = {{"offset", std::to_string(at)},
				 {"group", "g"},
				 {"delayLevel", std::to_string(level)},
				 {"originTopic", "TopicTest"}};

		for (const auto &[name, value] : more) {
			Fields rest;

			for (const auto &pair : fields)
				if (pair.first != name)
					rest.push_back(pair);
			if (value != "(none)")
				rest.emplace_back(name, value);
			fields = rest;
		}
		return ask(world, 36, fields);
	}
	Kept sent(const std::string &properties = "TAGS\1t\2KEYS\1k\2", int32_t reconsume = 0)
	{
		Sent message;

		message.properties = properties;
		message.reconsume = reconsume;
		message = session.send(message);
		EXPECT_EQ(GANTRY_SUCCESS, message.code) << message.remark;
		return stored(world, "TopicTest", 0, (size_t)message.queue_offset + 1).back();
	}
	Folder folder;
	World world{folder.path(), kKeys};
	Session session{world};
};

std::string offset_id(World &world, uint64_t at)
{
	gantry_address host;
	char id[MESSAGE_ID_MAX];

	broker_store_host(world.role(), &host);
	return {id, message_offset_id(&host, at, id)};
}

TEST_F(Back, ComesAgainWithWhatItWas)
{
	Kept first = sent(), one, two;

	EXPECT_EQ(GANTRY_SUCCESS, back(first.at, 1).code);
	one = stored(world, kRetry, 0, 1).at(0);
	EXPECT_EQ(1, one.reconsume);
	EXPECT_EQ(first.body, one.body);
	EXPECT_EQ(first.flag, one.flag);
	EXPECT_EQ(first.born_ms, one.born_ms);
	EXPECT_EQ("t", one.properties["TAGS"]);
	EXPECT_EQ("k", one.properties["KEYS"]);
	EXPECT_EQ("1", one.properties["DELAY"]);
	EXPECT_EQ("false", one.properties["WAIT"]);
	EXPECT_EQ("TopicTest", one.properties["RETRY_TOPIC"]);
	EXPECT_EQ(kRetry, one.properties["REAL_TOPIC"]);
	EXPECT_EQ("0", one.properties["REAL_QID"]);
	EXPECT_EQ(offset_id(world, first.at), one.properties["ORIGIN_MESSAGE_ID"]);
	EXPECT_EQ(first.properties["UNIQ_KEY"], one.properties["UNIQ_KEY"]);

	EXPECT_EQ(GANTRY_SUCCESS, back(one.at, 1).code);
	two = stored(world, kRetry, 0, 2).at(1);
	EXPECT_EQ(2, two.reconsume);
	EXPECT_EQ(one.properties, two.properties);
}

TEST_F(Back, LevelZeroIsThreeMoreThanTheTries)
{
	Kept first = sent("A\1b\2", 1);
	Kept kept;

	EXPECT_EQ(GANTRY_SUCCESS, back(first.at, 0).code);
	kept = stored(world, kSchedule, 3, 1).at(0);
	EXPECT_EQ("4", kept.properties["DELAY"]);
	EXPECT_EQ(2, kept.reconsume);
}

TEST_F(Back, DiesAfterTooManyTriesOrWhenTheConsumerSaysSo)
{
	Kept tried = sent("A\1b\2", 16), fresh = sent(), dead;

	EXPECT_EQ(GANTRY_SUCCESS, back(tried.at, 0).code);
	dead = stored(world, kDead, 0, 1).at(0);
	EXPECT_EQ(17, dead.reconsume);
	EXPECT_EQ("0", dead.properties["DELAY"]);
	EXPECT_EQ("TopicTest", dead.properties["RETRY_TOPIC"]);
	EXPECT_EQ(GANTRY_SUCCESS, back(fresh.at, -1).code);
	EXPECT_EQ(1, stored(world, kDead, 0, 2).at(1).reconsume);
	EXPECT_EQ(GANTRY_SUCCESS, back(fresh.at, 1, {{"maxReconsumeTimes", "0"}}).code);
	EXPECT_EQ(3u, stored(world, kDead, 0, 3).size());
	EXPECT_EQ(GANTRY_SUCCESS, back(fresh.at, 1, {{"maxReconsumeTimes", "many"}}).code);
	EXPECT_EQ(1u, stored(world, kRetry, 0, 1).size());
	for (const char *name : {kRetry, kDead}) {
		topic *topic = topics_find(world.role()->topics, {name, strlen(name)});

		ASSERT_TRUE(topic);
		EXPECT_EQ(1, topic_write_queues(topic));
		EXPECT_EQ(6, topic_perm(topic));
	}
}

TEST_F(Back, RefusesWhatCannotBe)
{
	Kept first = sent();

	for (const char *name : {"offset", "group", "delayLevel"}) {
		EXPECT_EQ(GANTRY_SYSTEM_ERROR, back(first.at, 1, {{name, "(none)"}}).code) << name;
		EXPECT_NE(GANTRY_SUCCESS, back(first.at, 1, {{name, ""}}).code) << name;
		EXPECT_NE(GANTRY_SUCCESS, back(first.at, 1, {{name, std::string(30000, '9')}}).code)
			<< name;
	}
	EXPECT_EQ(GANTRY_SYSTEM_ERROR, back(first.at, 1, {{"delayLevel", "soon"}}).code);
	for (const char *at : {"-5", "far", "9223372036854775807", "99999999999999999999"})
		EXPECT_EQ(GANTRY_SYSTEM_ERROR, back(0, 1, {{"offset", at}}).code) << at;
	EXPECT_EQ("look message by offset failed, 1099511627776",
		  back(UINT64_C(1) << 40, 1).remark);
	EXPECT_EQ(GANTRY_SYSTEM_ERROR, back(first.at + 4, 1).code);
	EXPECT_EQ(GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST, back(first.at, 1, {{"group", "a b"}}).code);
	EXPECT_TRUE(stored(world, kRetry, 0).empty());
}

TEST(BackElsewhere, ABrokerThatMayNotBeWrittenToRefuses)
{
	Folder folder;
	World world(folder.path(), "brokerPermission=4\n");

	EXPECT_EQ(GANTRY_NO_PERMISSION,
		  ask(world, 36, {{"offset", "0"}, {"group", "g"}, {"delayLevel", "1"}}).code);
}

} // namespace
