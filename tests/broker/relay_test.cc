/* SPDX-License-Identifier: Apache-2.0 */
/* What the broker passes between clients: questions to consumers, new offsets, replies. What it
 * answers in each case is compared with the Java broker in tests/peers/frames. */
#include <gtest/gtest.h>

#include "client.h"
#include "session.h"

static const char kTopic[] = "TopicTest", kReplies[] = "DefaultCluster_REPLY_TOPIC";

class Relay : public testing::Test
{
      protected:
	Folder folder;
	World world{folder.path()};
	Session sender{world};
	Client asker{world};

	/* Makes the topic with so many messages in queue 0, and a group that read some. */
	void fill(int count, int read)
	{
		for (int i = 0; i < count; i++)
			ASSERT_EQ(sender.send(Sent{}).code, GANTRY_SUCCESS);
		world.dispatched();
		asker.call(200, {}, R"({"groupName":"consumers"})");
		ASSERT_EQ(commit(read).code, GANTRY_SUCCESS);
	}

	Answered commit(int offset)
	{
		return asker.call(15, {{"consumerGroup", "consumers"},
				       {"topic", kTopic},
				       {"queueId", "0"},
				       {"commitOffset", std::to_string(offset)}});
	}

	std::string committed()
	{
		return asker
			.call(14,
			      {{"consumerGroup", "consumers"}, {"topic", kTopic}, {"queueId", "0"}})
			.fields["offset"];
	}

	Answered reset(const Fields &more)
	{
		Fields fields = {{"group", "consumers"}, {"topic", kTopic}, {"isForce", "true"}};

		fields.insert(more.begin(), more.end());
		return asker.call(222, fields);
	}
};

TEST_F(Relay, AConsumersAnswerComesBackWhole)
{
	Client consumer(world, 1);
	Fields fields = {
		{"consumerGroup", "consumers"}, {"clientId", "c"}, {"jstackEnable", "true"}};

	consumer.join("c", "consumers", {kTopic});
	consumer.answers(0, "{state}");
	Answered answer = asker.call(307, fields);
	EXPECT_EQ(answer.code, 0) << answer.remark;
	EXPECT_EQ(answer.body, "{state}");
	EXPECT_EQ(consumer.heard(2).back().fields, fields);
}

TEST_F(Relay, AConsumerThatCannotAnswerIsToldOf)
{
	Client consumer(world, 1), old(world, 1, 61);
	Fields fields = {{"consumerGroup", "consumers"}, {"clientId", "c"}};

	consumer.join("c", "consumers", {kTopic});
	old.join("old", "consumers", {kTopic});
	EXPECT_EQ(asker.call(307, fields).code, GANTRY_CONSUME_MSG_TIMEOUT);
	consumer.refuses(-EPIPE);
	EXPECT_EQ(asker.call(307, fields).code, GANTRY_CONSUME_MSG_TIMEOUT);
	consumer.refuses(-ENOBUFS);
	EXPECT_EQ(asker.call(307, fields).code, GANTRY_SYSTEM_ERROR);
	consumer.answers(1);
	EXPECT_EQ(asker.call(307, fields).remark,
		  "The Consumer Group <consumers> not exist in this consumer");
	fields["clientId"] = "old";
	EXPECT_EQ(asker.call(307, fields).remark,
		  "The Consumer <old> Version <V3_1_7> too low to finish, please upgrade it to "
		  "V3_1_8_SNAPSHOT");
	EXPECT_EQ(asker.call(309, fields).code, GANTRY_SYSTEM_ERROR);
}

TEST_F(Relay, AMessageIsGivenToOneConsumer)
{
	Client consumer(world, 1);
	char id[33];

	fill(2, 0);
	Sent sent = sender.send(Sent{});
	world.dispatched();
	consumer.join("c", "consumers", {kTopic});
	consumer.answers(0, "{verdict}");
	snprintf(id, sizeof(id), "7F00000100002A9F%016llX", (unsigned long long)sent.offsets[0]);
	Answered answer = asker.call(309, {{"consumerGroup", "consumers"},
					   {"clientId", "c"},
					   {"topic", kTopic},
					   {"msgId", id}});
	EXPECT_EQ(answer.body, "{verdict}") << answer.remark;
	Heard heard = consumer.heard(2).back();
	EXPECT_EQ(bodies(heard.body), std::vector<std::string>{"hello"});
	EXPECT_EQ(heard.fields["brokerName"], "broker-a");
	EXPECT_EQ(heard.fields["topicSysFlag"], "0");
	EXPECT_EQ(heard.fields["groupSysFlag"], "0");
}

TEST_F(Relay, ClientsAreAskedHowFarTheyAre)
{
	Client one(world, 0), two(world, 1), three(world, 1);

	one.join("one", "consumers", {kTopic});
	two.join("two", "consumers", {kTopic});
	three.join("three", "consumers", {kTopic});
	one.answers(0, R"({"messageQueueTable":{{"queueId":0}:1}})");
	two.answers(0, "no JSON");
	Answered answer = asker.call(223, {{"group", "consumers"}, {"topic", kTopic}});
	EXPECT_EQ(answer.body,
		  R"({"consumerTable":{"one":{{"queueId":0}:1}},"messageQueueTable":{}})");
	one.refuses(-EPIPE);
	answer = asker.call(223, {{"group", "consumers"}, {"clientAddr", "one"}});
	EXPECT_EQ(answer.body, R"({"consumerTable":{},"messageQueueTable":{}})");
}

/* ---- offsets that are set */

TEST_F(Relay, ASetOffsetIsToldByTheNextPull)
{
	fill(10, 8);
	Answered answer = reset({{"timestamp", "0"}});
	EXPECT_EQ(answer.code, 0) << answer.remark;
	EXPECT_EQ(committed(), "0");
	EXPECT_EQ(commit(9).remark, "Offset has been previously reset");
	EXPECT_EQ(committed(), "0");

	Pulled pulled;
	pulled.offset = 9;
	pulled.flags = GANTRY_PULL_SUBSCRIPTION | GANTRY_PULL_COMMIT;
	pulled.commit_offset = 9;
	Pulled told = sender.pull(pulled);
	EXPECT_EQ(told.code, GANTRY_PULL_OFFSET_MOVED);
	EXPECT_EQ(told.next, 0);
	EXPECT_EQ(told.max, 10);
	EXPECT_EQ(committed(), "0"); /* not what that pull committed along */

	EXPECT_EQ(sender.pull(pulled).code, GANTRY_SUCCESS);
	EXPECT_EQ(committed(), "9");
}

TEST_F(Relay, AHeldPullLearnsOfASetOffsetAtOnce)
{
	Pulled pulled;

	fill(4, 4);
	pulled.offset = 4;
	pulled.flags = GANTRY_PULL_SUBSCRIPTION | GANTRY_PULL_SUSPEND;
	pulled.suspend_ms = 3600000;
	auto held = sender.begin(pulled);
	EXPECT_FALSE(held->done());
	reset({{"queueId", "0"}, {"offset", "2"}});
	Pulled told = held->wait();
	EXPECT_EQ(told.code, GANTRY_PULL_OFFSET_MOVED);
	EXPECT_EQ(told.next, 2);
}

TEST_F(Relay, ASetOffsetGoesWithItsGroup)
{
	fill(4, 4);
	reset({{"timestamp", "0"}});
	asker.call(207, {{"groupName", "consumers"}, {"cleanOffset", "true"}});
	asker.call(200, {}, R"({"groupName":"consumers"})");
	commit(3);
	EXPECT_EQ(sender.pull(Pulled{}).code, GANTRY_SUCCESS);
}

TEST_F(Relay, OffsetsAreCopiedAndCompared)
{
	fill(10, 5);
	EXPECT_EQ(asker.call(314, {{"srcGroup", "consumers"},
				   {"destGroup", "others"},
				   {"topic", kTopic},
				   {"offline", "true"}})
			  .code,
		  0);
	EXPECT_EQ(asker.call(14, {{"consumerGroup", "others"}, {"topic", kTopic}, {"queueId", "0"}})
			  .fields["offset"],
		  "5");
	commit(2);
	EXPECT_EQ(asker.call(308, {{"compareGroup", "others"}, {"topic", kTopic}}).body,
		  R"({"correctionOffsets":{0:2}})");
	EXPECT_EQ(asker.call(308, {{"compareGroup", "consumers"},
				   {"filterGroups", "consumers"},
				   {"topic", kTopic}})
			  .body,
		  R"({"correctionOffsets":{0:9223372036854775807}})");
}

/* Without the broker's own resets the clients are told. */
TEST(ResetAtClients, OnlyThoseOnlineAreTold)
{
	Folder folder;
	World world(folder.path(), "useServerSideResetOffset = false\n");
	Session sender(world);
	Client asker(world), consumer(world, 1);
	Fields fields = {{"group", "consumers"}, {"topic", kTopic}, {"timestamp", "0"}};
	Fields commit = {{"consumerGroup", "consumers"}, {"topic", kTopic}, {"commitOffset", "1"}};

	sender.send(Sent{});
	world.dispatched();
	EXPECT_EQ(asker.call(222, fields).remark, "THe consumer group <consumers> not exist");
	asker.call(200, {}, R"({"groupName":"consumers"})");
	for (const char *queue : {"0", "1", "2", "3"}) {
		commit["queueId"] = queue;
		EXPECT_EQ(asker.call(15, commit).code, 0);
	}
	EXPECT_EQ(asker.call(222, fields).code, GANTRY_CONSUMER_NOT_ONLINE);
	consumer.join("c", "consumers", {kTopic});
	Answered answer = asker.call(222, fields);
	EXPECT_EQ(answer.code, 0) << answer.remark;
	Heard heard = consumer.heard(2).back();
	EXPECT_EQ(heard.code, 220);
	EXPECT_EQ(heard.body, answer.body);
	EXPECT_NE(heard.body.find(R"({"brokerName":"broker-a","queueId":0,"topic":"TopicTest"}:0)"),
		  std::string::npos);
	fields["timestamp"] = "-1"; /* the end, but only forwards if forced */
	answer = asker.call(222, fields);
	EXPECT_NE(answer.body.find(R"("queueId":3,"topic":"TopicTest"}:0)"), std::string::npos);
}

/* ---- replies */

static Fields reply_to(const std::string &client)
{
	return {{"producerGroup", "repliers"},
		{"topic", kReplies},
		{"defaultTopic", "TBW102"},
		{"defaultTopicQueueNums", "4"},
		{"queueId", "0"},
		{"sysFlag", "0"},
		{"bornTimestamp", "1700000000000"},
		{"flag", "0"},
		{"properties", pairs({{"CORRELATION_ID", "x"}, {"REPLY_TO_CLIENT", client}})}};
}

TEST_F(Relay, AReplyIsPushedAndStored)
{
	Client waiting(world, 1);

	waiting.join("w", "", {}, "producers");
	waiting.answers(0);
	Answered answer = asker.call(324, reply_to("w"), "the reply");
	EXPECT_EQ(answer.code, 0) << answer.remark;
	EXPECT_EQ(answer.fields["queueOffset"], "0");
	EXPECT_EQ(answer.fields["msgId"].size(), 32u);
	Heard heard = waiting.heard(1).back();
	EXPECT_EQ(heard.code, 326);
	EXPECT_EQ(heard.body, "the reply");
	EXPECT_EQ(heard.fields["bornHost"], "127.0.0.1:50001");
	EXPECT_NE(heard.fields["properties"].find("PUSH_REPLY_TIME\1"), std::string::npos);
	world.dispatched();
	Pulled stored;
	stored.topic = kReplies;
	EXPECT_EQ(bodies(sender.pull(stored).bytes), std::vector<std::string>{"the reply"});
}

TEST_F(Relay, AReplyIsStoredWhateverTheClientSays)
{
	Client waiting(world, 1);

	waiting.join("w", "", {}, "producers");
	EXPECT_EQ(asker.call(324, reply_to("w"), "a").remark, "push reply message to wfail.");
	waiting.answers(1);
	EXPECT_EQ(asker.call(324, reply_to("w"), "b").code, GANTRY_SYSTEM_ERROR);
	waiting.refuses(-EPIPE);
	EXPECT_EQ(asker.call(324, reply_to("w"), "c").remark, "push reply message to wfail.");
	EXPECT_EQ(asker.call(324, reply_to("nobody"), "d").remark,
		  "push reply message fail, channel of <nobody> not found.");
	world.dispatched();
	Pulled stored;
	stored.topic = kReplies;
	EXPECT_EQ(bodies(sender.pull(stored).bytes),
		  (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(Relay, AProducerIsFoundByItsIdAsLongAsAnyOfItsGroupsStays)
{
	Client one(world, 0), two(world, 1);

	for (Client *client : {&one, &two}) {
		client->join("same", "", {}, "first");
		client->join("same", "", {}, "second");
		client->answers(0);
	}
	EXPECT_EQ(asker.call(324, reply_to("same"), "a").code, 0);
	EXPECT_EQ(two.heard(1).size(), 1u); /* it came last */
	two.leave("", "second");
	EXPECT_EQ(asker.call(324, reply_to("same"), "b").code, 0);
	two.close();
	EXPECT_EQ(asker.call(324, reply_to("same"), "c").code, 0);
	EXPECT_EQ(one.heard(1).back().body, "c");
	one.leave("", "first");
	EXPECT_EQ(asker.call(324, reply_to("same"), "d").code, 0);
	one.join("another", "", {}, "second");
	EXPECT_EQ(asker.call(324, reply_to("same"), "e").code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(asker.call(324, reply_to("another"), "f").code, 0);
	one.leave("", "second");
	EXPECT_EQ(asker.call(324, reply_to("another"), "g").code, GANTRY_SYSTEM_ERROR);
}

TEST(Replies, NeedNotBeStored)
{
	Folder folder;
	World world(folder.path(), "storeReplyMessageEnable = false\n");
	Client asker(world), waiting(world);
	Session reader(world);
	Pulled stored;

	waiting.join("w", "", {}, "producers");
	waiting.answers(0);
	Answered answer = asker.call(324, reply_to("w"), "a");
	EXPECT_EQ(answer.fields["msgId"], "0");
	EXPECT_EQ(answer.fields["queueOffset"], "0");
	stored.topic = kReplies;
	EXPECT_EQ(reader.pull(stored).max, 0);
}

/* Whatever is missing or odd costs the request only. */
TEST_F(Relay, EveryFieldMayBeMissingOrOdd)
{
	const std::vector<std::pair<int, Fields>> good = {
		{307, {{"consumerGroup", "g"}, {"clientId", "c"}}},
		{309, {{"consumerGroup", "g"}, {"clientId", "c"}, {"msgId", "x"}, {"topic", "t"}}},
		{222,
		 {{"group", "consumers"},
		  {"topic", kTopic},
		  {"timestamp", "0"},
		  {"queueId", "0"},
		  {"offset", "0"}}},
		{223, {{"group", "g"}, {"topic", kTopic}, {"clientAddr", "c"}}},
		{308, {{"compareGroup", "consumers"}, {"topic", kTopic}, {"filterGroups", "g"}}},
		{314, {{"srcGroup", "consumers"}, {"destGroup", "g"}, {"topic", kTopic}}},
		{324, reply_to("nobody")},
	};
	const std::string odd[] = {"",
				   "-1",
				   "9223372036854775807",
				   "-9223372036854775808",
				   "99999999999999999999",
				   "x",
				   "1.5",
				   std::string(70000, 'a'),
				   std::string("a\0b", 3),
				   "\1\2\1",
				   "%RETRY%g"};

	fill(1, 0);
	for (const auto &[code, fields] : good) {
		for (const auto &[name, value] : fields) {
			Fields changed = fields;

			changed.erase(name);
			EXPECT_GE(asker.call(code, changed, "b").code, 0);
			for (const std::string &text : odd) {
				changed[name] = text;
				EXPECT_GE(asker.call(code, changed, "b").code, 0);
			}
		}
		EXPECT_GE(asker.call(code, {}).code, 0);
	}
	EXPECT_EQ(sender.send(Sent{}).code, GANTRY_SUCCESS);
}
