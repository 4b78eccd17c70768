/* SPDX-License-Identifier: Apache-2.0 */
/* Delay levels: what stands in the schedule topic, when and how it comes out, and that nothing is
 * lost over restarts. What a Java broker does with the same is in tests/peers/delay.py. */
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "broker.h"
#include "delayed.h"

namespace
{

namespace fs = std::filesystem;

const char kSchedule[] = "SCHEDULE_TOPIC_XXXX";
const int32_t kHour = 3;

TEST(Delay, AMessageComesWhenItIsDue)
{
	Folder folder;
	World world(folder.path(), kKeys);
	Session session(world);
	Sent sent = session.send(delayed(kSecond, "late", "TAGS\1a\2KEYS\1k\2"));
	Kept kept, come;

	ASSERT_EQ(GANTRY_SUCCESS, sent.code) << sent.remark;
	EXPECT_EQ(2, sent.ret_queue);
	EXPECT_EQ(0, sent.queue_offset);
	kept = stored(world, kSchedule, kSecond - 1, 1).at(0);
	EXPECT_EQ("late", kept.body);
	EXPECT_EQ("TopicTest", kept.properties["REAL_TOPIC"]);
	EXPECT_EQ("2", kept.properties["REAL_QID"]);
	EXPECT_EQ("2", kept.properties["DELAY"]);
	EXPECT_TRUE(stored(world, "TopicTest", 2).empty() ||
		    broker_wall_ms() >= kept.store_ms + 1000);

	come = stored(world, "TopicTest", 2, 1).at(0);
	EXPECT_EQ(kept.properties, come.properties);
	EXPECT_EQ("a", come.properties["TAGS"]);
	EXPECT_EQ(kept.body, come.body);
	EXPECT_EQ(7, come.flag);
	EXPECT_EQ(kept.born_ms, come.born_ms);
	EXPECT_EQ(2, come.queue);
	EXPECT_GE(come.store_ms - kept.store_ms, 1000);
	EXPECT_LT(come.store_ms - kept.store_ms, 60000); /* 100, on a machine that is not loaded */
}

TEST(Delay, EveryLevelKeepsItsOrder)
{
	Folder folder;
	World world(folder.path(), kKeys);
	Session session(world);
	std::vector<std::string> expected;

	for (int i = 0; i < 10; i++) {
		std::vector<Sent> messages;

		for (int j = 0; j < 100; j++) {
			expected.push_back(std::to_string(i * 100 + j));
			messages.push_back(delayed(kNow, expected.back()));
		}
		session.send(messages);
		for (const Sent &sent : messages)
			ASSERT_EQ(GANTRY_SUCCESS, sent.code) << sent.remark;
	}
	EXPECT_EQ(expected, bodies_of(stored(world, "TopicTest", 2, expected.size())));
}

TEST(Delay, WhatAProducerMaySayOfIt)
{
	Folder folder;
	World world(folder.path(), kKeys);
	Session session(world);
	Sent dead = delayed(kHour, "retried too often");
	Kept kept;

	session.send(delayed(99, "past the last",
			     pairs({{"REAL_TOPIC", "Elsewhere"},
				    {"TIMER_DELAY_SEC", "5"},
				    {"REAL_QID", "7"},
				    {"TIMER_DELIVER_MS", "1"},
				    {"TIMER_DELAY_MS", "1"}})));
	kept = stored(world, kSchedule, kHour - 1, 1).at(0);
	EXPECT_EQ("3", kept.properties["DELAY"]);
	EXPECT_EQ("TopicTest", kept.properties["REAL_TOPIC"]);
	EXPECT_EQ("2", kept.properties["REAL_QID"]);
	for (const char *key : {"TIMER_DELAY_SEC", "TIMER_DELIVER_MS", "TIMER_DELAY_MS"})
		EXPECT_FALSE(kept.has(key)) << key;

	for (int32_t level : {0, -1}) {
		session.send(delayed(level, "at once"));
		EXPECT_EQ("at once", stored(world, "TopicTest", 2, 1).back().body);
	}
	dead.topic = "%RETRY%g";
	dead.queue = 0;
	dead.reconsume = 17;
	EXPECT_EQ(GANTRY_SUCCESS, session.send(dead).code);
	EXPECT_EQ("retried too often", stored(world, "%DLQ%g", 0, 1).at(0).body);
	dead.reconsume = 1;
	EXPECT_EQ(GANTRY_SUCCESS, session.send(dead).code);
	EXPECT_EQ("%RETRY%g",
		  stored(world, kSchedule, kHour - 1, 2).back().properties["REAL_TOPIC"]);
}

TEST(Delay, OffsetsThatCannotBeAreCorrected)
{
	Folder folder;

	fs::create_directories(folder / "config");
	std::ofstream(folder / "config/delayOffset.json")
		<< R"({"dataVersion":{"counter":7},"offsetTable":{1:500,18:3}})";
	World world(folder.path(), kKeys);
	Session session(world);

	EXPECT_TRUE(says(ask(world, 45, {}).body, "{1:0,")) << ask(world, 45, {}).body;
	session.send(delayed(kNow, "one"));
	session.send(delayed(kNow, "two"));
	EXPECT_EQ("two", stored(world, "TopicTest", 2, 1).back().body);
	/* levels that messageDelayLevel does not have are kept for when it has them again */
	EXPECT_TRUE(says(ask(world, 45, {}).body, "18:3")) << ask(world, 45, {}).body;
	world.until([&] { return says(offsets_file(folder.path()), "1:2,18:3"); });
}

TEST(Delay, ABrokenFileStopsTheStartOnlyWithoutABackup)
{
	Folder folder;

	fs::create_directories(folder / "config");
	std::ofstream(folder / "config/delayOffset.json") << R"({"offsetTable":{0:1}})";
	std::ofstream(folder / "config/delayOffset.json.bak") << R"({"offsetTable":{18:4}})";
	World world(folder.path(), kKeys);

	EXPECT_TRUE(says(ask(world, 45, {}).body, "{18:4}")) << ask(world, 45, {}).body;
}

TEST(Delay, MessagesThatAreNoneOfOursAreLeftOut)
{
	Folder folder;
	World world(folder.path(), kKeys);
	Session session(world);
	Sent half = delayed(kNow, "half");

	half.sys_flag = 4; /* prepared: in no queue */
	EXPECT_EQ(GANTRY_SUCCESS, session.send(half).code);
	session.send(delayed(kNow, "whole"));
	EXPECT_EQ((std::vector<std::string>{"whole"}), bodies_of(stored(world, "TopicTest", 2, 1)));
}

TEST(Delay, GoesToItsLightQueuesToo)
{
	Folder folder;
	World world(folder.path(), std::string(kKeys) + "enableLmq=true\nenableMultiDispatch=true\n"
							"maxLmqConsumeQueueNum=2\n");
	Session session(world);
	std::vector<Kept> come;

	session.send(delayed(kNow, "both", "INNER_MULTI_DISPATCH\1%LMQ%a,%LMQ%b\2"));
	session.send(delayed(kNow, "one", "INNER_MULTI_DISPATCH\1%LMQ%b\2"));
	session.send(delayed(kNow, "too many", "INNER_MULTI_DISPATCH\1%LMQ%c\2"));
	session.send(delayed(kNow, "none", "INNER_MULTI_DISPATCH\1Other\2"));
	come = stored(world, "TopicTest", 2, 4);
	EXPECT_EQ((std::vector<std::string>{"both", "one", "too many", "none"}), bodies_of(come));
	EXPECT_EQ("0,0", come[0].properties["INNER_MULTI_QUEUE_OFFSET"]);
	EXPECT_EQ("1", come[1].properties["INNER_MULTI_QUEUE_OFFSET"]);
	EXPECT_FALSE(come[2].has("INNER_MULTI_QUEUE_OFFSET"));
	EXPECT_EQ((std::vector<std::string>{"both"}), bodies_of(stored(world, "%LMQ%a", 0)));
	EXPECT_EQ((std::vector<std::string>{"both", "one"}), bodies_of(stored(world, "%LMQ%b", 0)));
}

} // namespace
