/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling: codes and texts in RocketMQ's order of checks, limits, filters, long polling. */
#include <gtest/gtest.h>

#include "broker.h"
#include "groups/groups.h"
#include "message/properties.h"
#include "offsets/offsets.h"
#include "pull/pull.h"
#include "session.h"
#include "store/store.h"
#include "topics/topics.h"

namespace
{

class Pull : public testing::Test
{
      protected:
	explicit Pull(const std::string &keys = "") : world(folder.path(), keys), session(world)
	{
	}

	void send(int count, const std::string &tag = "", size_t size = 10, int32_t queue = 0)
	{
		std::vector<Sent> messages;

		for (int i = 0; i < count; i++) {
			Sent message;
			message.queue = queue;
			message.body = std::to_string(next_body++);
			message.body.resize(std::max(size, message.body.size()), '.');
			if (!tag.empty())
				message.properties = pairs({{"TAGS", tag}});
			messages.push_back(message);
		}
		session.send(messages);
		for (const Sent &message : messages)
			ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
		world.dispatched();
	}

	Folder folder;
	World world;
	Session session;
	int next_body = 0;
};

Pulled from(int64_t offset)
{
	Pulled pull;

	pull.offset = offset;
	return pull;
}

Pulled held(int64_t offset, int64_t ms = 60000)
{
	Pulled pull = from(offset);

	pull.suspend_ms = ms;
	pull.flags |= GANTRY_PULL_SUSPEND;
	return pull;
}

TEST_F(Pull, GivesMessagesInOneSlice)
{
	send(10);
	Pulled got = session.pull(from(0));
	ASSERT_EQ(got.code, GANTRY_SUCCESS) << got.remark;
	EXPECT_EQ(got.remark, "FOUND");
	EXPECT_EQ(got.count, 10u);
	EXPECT_EQ(got.slices, 1u); /* they stand side by side */
	EXPECT_EQ(got.next, 10);
	EXPECT_EQ(got.min, 0);
	EXPECT_EQ(got.max, 10);
	auto texts = bodies(got.bytes);
	ASSERT_EQ(texts.size(), 10u);
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(texts[(size_t)i].substr(0, 1), std::to_string(i));
	got = session.pull(from(7));
	EXPECT_EQ(got.count, 3u);
	EXPECT_EQ(bodies(got.bytes).at(0).substr(0, 1), "7");
}

TEST_F(Pull, TakesNeighboursTogetherAcrossQueues)
{
	for (int i = 0; i < 5; i++) {
		send(2, "", 10, 0);
		send(1, "", 10, 1);
	}
	Pulled got = session.pull(from(0));
	EXPECT_EQ(got.count, 10u);
	EXPECT_EQ(got.slices, 5u);
	EXPECT_EQ(bodies(got.bytes).size(), 10u);
}

TEST_F(Pull, AnswersOffsetsThatAreNone)
{
	Pulled got = session.pull(from(0)); /* no such topic yet */
	EXPECT_EQ(got.code, GANTRY_TOPIC_NOT_EXIST);
	send(5, "", 10, 1);
	got = session.pull(from(0)); /* of a queue without messages */
	EXPECT_EQ(got.code, GANTRY_PULL_NOT_FOUND);
	EXPECT_EQ(got.remark, "NO_MESSAGE_IN_QUEUE");
	got = session.pull(from(3));
	EXPECT_EQ(got.code, GANTRY_PULL_OFFSET_MOVED);
	EXPECT_EQ(got.next, 0);
	Pulled pull = from(5);
	pull.queue = 1;
	got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_PULL_NOT_FOUND);
	EXPECT_EQ(got.remark, "OFFSET_OVERFLOW_ONE");
	EXPECT_EQ(got.next, 5);
	pull.offset = 9;
	got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_PULL_OFFSET_MOVED);
	EXPECT_EQ(got.remark, "OFFSET_OVERFLOW_BADLY");
	EXPECT_EQ(got.next, 5);
	pull.offset = -1;
	got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_PULL_OFFSET_MOVED);
	EXPECT_EQ(got.remark, "OFFSET_TOO_SMALL");
	EXPECT_EQ(got.next, 0);
}

TEST_F(Pull, FiltersByTag)
{
	for (int i = 0; i < 6; i++)
		send(1, i % 2 ? "odd" : "even");
	Pulled pull = from(0);
	pull.subscription = "odd || none";
	Pulled got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_EQ(got.count, 3u);
	EXPECT_EQ(got.next, 6);
	EXPECT_EQ(bodies(got.bytes).at(1).substr(0, 1), "3");
	pull.subscription = "none";
	got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_PULL_RETRY_IMMEDIATELY);
	EXPECT_EQ(got.remark, "NO_MATCHED_MESSAGE");
	EXPECT_EQ(got.next, 6);
	EXPECT_EQ(got.count, 0u);
	pull.subscription = "||";
	got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_SUBSCRIPTION_PARSE_FAILED);
	EXPECT_EQ(got.remark, "parse the consumer's subscription failed");
}

TEST_F(Pull, LooksThroughSoMuchAndNoMore)
{
	for (int i = 0; i < 5; i++)
		send(200, "no");
	Pulled pull = from(0);
	pull.subscription = "yes";
	Pulled got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_PULL_RETRY_IMMEDIATELY);
	EXPECT_EQ(got.next, 800); /* 16000 bytes of the queue */
}

TEST_F(Pull, KeepsItsLimits)
{
	send(100);
	Pulled pull = from(0);
	pull.max_messages = 7;
	EXPECT_EQ(session.pull(pull).count, 7u);
	pull.max_messages = 1000;
	EXPECT_EQ(session.pull(pull).count, 32u); /* maxTransferCountOnMessageInMemory */
	send(10, "", 100000);
	pull.offset = 100;
	EXPECT_EQ(session.pull(pull).count, 2u); /* 256 KiB */
	pull.max_bytes = 1;
	EXPECT_EQ(session.pull(pull).count, 1u); /* the first one always comes */
	send(1, "", 400000);
	pull.offset = 110;
	pull.max_bytes = -1;
	EXPECT_EQ(session.pull(pull).count, 1u);
}

TEST_F(Pull, ChecksInRocketmqsOrder)
{
	send(1);
	Pulled pull = from(0);
	pull.queue = 4;
	Pulled got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_INVALID_PARAMETER);
	EXPECT_EQ(got.remark, "queueId[4] is illegal, topic:[TopicTest] "
			      "topicConfig.readQueueNums:[4] consumer:[/127.0.0.1:50000]");
	pull.queue = -1;
	EXPECT_EQ(session.pull(pull).code, GANTRY_INVALID_PARAMETER);
	pull = from(0);
	pull.flags = 0; /* no subscription, and no heartbeat before */
	got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_SUBSCRIPTION_NOT_EXIST);
	EXPECT_EQ(got.remark.rfind("the consumer's group info not exist\nSee ", 0), 0u)
		<< got.remark;
	pull = from(0);
	pull.type = "SQL92";
	got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(got.remark, "The broker does not support consumer to filter message by SQL92");
	group *group = groups_find(world.role(), {"consumers", 9});
	ASSERT_NE(group, nullptr);
	__atomic_store_n(&group->consume_enable, 0, __ATOMIC_RELAXED);
	got = session.pull(from(0));
	EXPECT_EQ(got.code, GANTRY_NO_PERMISSION);
	EXPECT_EQ(got.forbidden, 2);
	EXPECT_EQ(got.remark, "subscription group no permission, consumers");
	__atomic_store_n(&group->consume_enable, 1, __ATOMIC_RELAXED);
	topic *topic = topics_find(world.role()->topics, {"TopicTest", 9});
	__atomic_store_n(&topic->perm, 2, __ATOMIC_RELAXED);
	got = session.pull(from(0));
	EXPECT_EQ(got.code, GANTRY_NO_PERMISSION);
	EXPECT_EQ(got.forbidden, 3);
	EXPECT_EQ(got.remark, "the topic[TopicTest] pulling message is forbidden");
}

TEST_F(Pull, CommitsOffsetsOnItsWay)
{
	send(5);
	Pulled pull = from(2);
	pull.commit_offset = 2;
	pull.flags |= GANTRY_PULL_COMMIT;
	session.pull(pull);
	EXPECT_EQ(offsets_get(world.role()->offsets, {"consumers", 9}, {"TopicTest", 9}, 0), 2);
	EXPECT_EQ(offsets_pulled(world.role()->offsets, {"consumers", 9}, {"TopicTest", 9}, 0), 5);
	pull.flags &= ~(uint32_t)GANTRY_PULL_COMMIT;
	pull.commit_offset = 4;
	session.pull(pull);
	EXPECT_EQ(offsets_get(world.role()->offsets, {"consumers", 9}, {"TopicTest", 9}, 0), 2);
}

/* ---- long polling */

TEST_F(Pull, IsHeldUntilAMessageComes)
{
	send(1);
	auto waiting = session.begin(held(1));
	EXPECT_FALSE(waiting->done());
	EXPECT_EQ(puller_held(world.role()->puller), 1u);
	send(1);
	Pulled got = waiting->wait();
	EXPECT_TRUE(got.pending);
	EXPECT_EQ(got.op_status, 0);
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_EQ(bodies(got.bytes).at(0).substr(0, 1), "1");
	EXPECT_EQ(got.next, 2);
	world.until([&] { return puller_held(world.role()->puller) == 0; });
}

TEST_F(Pull, IsHeldAtAnEmptyQueueOfAnotherLoop)
{
	Session other(world, 1);

	send(1, "", 10, 1);
	auto waiting = other.begin(held(0));
	EXPECT_FALSE(waiting->done());
	send(3);
	Pulled got = waiting->wait();
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_GE(got.count, 1u);
}

TEST_F(Pull, IsNotWokenByOthersMessages)
{
	Pulled pull = held(1);

	send(1);
	pull.subscription = "mine";
	auto waiting = session.begin(pull);
	send(50, "other");
	EXPECT_FALSE(waiting->done());
	send(1, "mine");
	Pulled got = waiting->wait();
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_EQ(got.count, 1u);
	EXPECT_EQ(got.next, 52);
}

TEST_F(Pull, GivesUpInTime)
{
	send(1);
	Pulled got = session.pull(held(1, 150));
	EXPECT_TRUE(got.pending);
	EXPECT_EQ(got.code, GANTRY_PULL_NOT_FOUND);
	EXPECT_EQ(got.remark, "OFFSET_OVERFLOW_ONE");
	EXPECT_EQ(got.next, 1);
}

TEST_F(Pull, TellsWhereToGoOnAfterMessagesOfOthers)
{
	Pulled pull = held(1, 300);

	send(1);
	pull.subscription = "mine";
	auto waiting = session.begin(pull);
	send(20, "other");
	Pulled got = waiting->wait();
	EXPECT_EQ(got.code, GANTRY_PULL_RETRY_IMMEDIATELY);
	EXPECT_EQ(got.next, 21);
}

TEST_F(Pull, IsDroppedWhenItsClientGoes)
{
	auto gone = std::make_unique<Session>(world, 1);
	std::vector<std::unique_ptr<Session::Pending>> waiting;

	send(1);
	for (int i = 0; i < 100; i++)
		waiting.push_back(gone->begin(held(1)));
	EXPECT_EQ(puller_held(world.role()->puller), 100u);
	gone->close();
	for (auto &one : waiting)
		EXPECT_EQ(one->wait().op_status, -EPIPE);
	send(1);
	world.until([&] { return puller_held(world.role()->puller) == 0; });
}

TEST_F(Pull, ThousandsWaitAndAreWoken)
{
	std::vector<std::unique_ptr<Session::Pending>> waiting;
	Session other(world, 1);

	send(1);
	for (int i = 0; i < 2000; i++) {
		Pulled pull = held(1);
		pull.group = "group" + std::to_string(i);
		waiting.push_back((i % 2 ? other : session).begin(pull));
	}
	EXPECT_EQ(puller_held(world.role()->puller), 2000u);
	send(1);
	for (auto &one : waiting)
		ASSERT_EQ(one->wait().code, GANTRY_SUCCESS);
}

class ShortPull : public Pull
{
      protected:
	ShortPull() : Pull("longPollingEnable = false\nshortPollingTimeMills = 100")
	{
	}
};

TEST_F(ShortPull, LooksAgainAfterItsTime)
{
	send(1);
	auto waiting = session.begin(held(1));
	send(1);
	Pulled got = waiting->wait();
	EXPECT_TRUE(got.pending);
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_EQ(got.count, 1u);
}

/* A consumer far behind reads what is no longer in memory: tails are written, pages dropped. */
TEST_F(Pull, ReadsWhatIsNotInMemory)
{
	send(3000);
	world.until(
		[&] { return access((folder / "consumequeue/TopicTest/0").c_str(), F_OK) == 0; });
	std::vector<std::string> texts;
	Pulled pull = from(0);

	while (texts.size() < 3000) {
		Pulled got = session.pull(pull);
		ASSERT_EQ(got.code, GANTRY_SUCCESS) << got.remark;
		for (std::string &text : bodies(got.bytes))
			texts.push_back(text);
		ASSERT_EQ(got.next, (int64_t)texts.size());
		pull.offset = got.next;
	}
	for (int i = 0; i < 3000; i++)
		ASSERT_EQ(std::stoi(texts[(size_t)i]), i);
}

/* What is held when the broker stops is answered, and nothing is left behind. */
TEST(PullDrain, AnswersWhatIsHeld)
{
	Folder folder;
	auto world = std::make_unique<World>(folder.path());
	auto session = std::make_unique<Session>(*world);

	ASSERT_EQ(session->send(Sent{}).code, GANTRY_SUCCESS);
	world->dispatched();
	auto waiting = session->begin(held(1));
	EXPECT_FALSE(waiting->done());
	session->abandon();
	world.reset();
	EXPECT_TRUE(waiting->done());
}

} // namespace
