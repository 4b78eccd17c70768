/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting topics: their queues' files go, and a topic of the same name begins anew. */
#include <gtest/gtest.h>

#include <filesystem>

#include "broker.h"
#include "session.h"
#include "store/delete.h"
#include "store/store.h"
#include "topics/topics.h"

namespace
{

namespace fs = std::filesystem;

const char *const kKeys = "mappedFileSizeConsumeQueue = 2000\n";
const gantry_str kTopic = {"TopicTest", sizeof("TopicTest") - 1};

class Delete : public testing::Test
{
      protected:
	void open()
	{
		world = std::make_unique<World>(folder.path(), kKeys);
	}
	/* count messages to each of four queues; the offset of the first. */
	int64_t send(int count, const std::string &text)
	{
		Session session(*world);
		int64_t first = -1;

		for (int i = 0; i < count; i++) {
			std::vector<Sent> messages(4);

			for (int id = 0; id < 4; id++) {
				messages[id].queue = id;
				messages[id].body = text;
			}
			session.send(messages);
			for (const Sent &message : messages)
				EXPECT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
			if (first < 0)
				first = messages[3].queue_offset;
		}
		return first;
	}
	/* As call 215. */
	void remove()
	{
		int status = -1;

		topics_delete(world->role()->topics, kTopic);
		world->aside([&] { status = store_delete_topic(world->messages(), kTopic); });
		EXPECT_EQ(status, 0);
	}
	void expect(int count, const std::string &text)
	{
		world->dispatched();
		for (int32_t id = 0; id < 4; id++) {
			Session session(*world);
			Pulled asked;
			int found = 0;

			asked.queue = id;
			asked.offset = 0;
			for (Pulled got = session.pull(asked); got.code == GANTRY_SUCCESS;
			     got = session.pull(asked)) {
				EXPECT_EQ(got.min, 0);
				for (const std::string &body : bodies(got.bytes)) {
					EXPECT_EQ(body, text);
					found++;
				}
				asked.offset = got.next;
			}
			EXPECT_EQ(found, count);
		}
	}
	std::string queues() const
	{
		return folder / "consumequeue/TopicTest";
	}
	Folder folder;
	std::unique_ptr<World> world;
};

TEST_F(Delete, FilesGoAndOffsetsBeginAnew)
{
	open();
	EXPECT_EQ(send(150, "old"), 0);
	world->dispatched();
	ASSERT_TRUE(world->until([&] { return fs::exists(queues() + "/3"); }));
	remove();
	EXPECT_FALSE(fs::exists(queues()));
	EXPECT_EQ(send(5, "new"), 0);
	expect(5, "new");
	ASSERT_TRUE(world->until([&] { return fs::exists(queues() + "/3"); }));
	world.reset();
	open();
	expect(5, "new");
	EXPECT_EQ(send(1, "new"), 5);
}

TEST_F(Delete, WhatIsNotDispatchedYetStaysAway)
{
	open();
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(send(30, "old"), 0);
		remove();
	}
	EXPECT_EQ(send(7, "new"), 0);
	expect(7, "new");
}

TEST_F(Delete, QueuesThatAreNotOpen)
{
	open();
	send(150, "old");
	world.reset();
	ASSERT_TRUE(fs::exists(queues() + "/3"));
	open();
	remove();
	EXPECT_FALSE(fs::exists(queues()));
	EXPECT_EQ(send(3, "new"), 0);
	expect(3, "new");
	world.reset();
	EXPECT_FALSE(fs::exists(folder / "abort"));
}

TEST_F(Delete, ATopicWithoutQueues)
{
	open();
	remove();
	EXPECT_EQ(send(1, "new"), 0);
	expect(1, "new");
}

/* Whatever is acknowledged after a deletion is there; nobody is stuck. */
TEST_F(Delete, WhileOthersSend)
{
	open();
	for (int round = 0; round < 20; round++) {
		std::atomic<bool> done{false};
		Session session(*world);
		int status = -1;
		struct gantry_work work = {};
		struct Job {
			World *world;
			std::atomic<bool> *done;
			int *status;
		} job{world.get(), &done, &status};

		topics_delete(world->role()->topics, kTopic);
		work.run = [](struct gantry_work *work) -> int {
			auto *job = static_cast<Job *>(work->user);
			*job->status = store_delete_topic(job->world->messages(), kTopic);
			*job->done = true;
			return 0;
		};
		work.user = &job;
		Op op(*world, world->control());
		gantry_work(world->inst(), &work, op.get());
		while (!done) {
			Sent sent = session.send(Sent());
			EXPECT_TRUE(sent.code == GANTRY_SUCCESS ||
				    sent.code == GANTRY_SYSTEM_BUSY ||
				    sent.code == GANTRY_SERVICE_NOT_AVAILABLE)
				<< sent.code << sent.remark;
		}
		op.wait();
		EXPECT_EQ(status, 0);
		Sent sent = session.send(Sent());
		ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
		world->dispatched();
		Pulled asked;
		asked.offset = sent.queue_offset;
		Pulled got = session.pull(asked);
		ASSERT_EQ(got.code, GANTRY_SUCCESS);
		EXPECT_EQ(got.min, 0);
		EXPECT_EQ(got.max, sent.queue_offset + 1);
	}
}

/* As call 316: what is removed cannot come back meanwhile, and nothing else has to wait. */
TEST_F(Delete, AReservedNameIsMadeByNobody)
{
	const gantry_str old = {"Old", 3};
	Sent sent;

	open();
	struct topics *topics = world->role()->topics;
	send(1, "first");
	EXPECT_FALSE(topics_reserve(topics, kTopic)); /* there is one */
	ASSERT_TRUE(topics_reserve(topics, old));
	Session session(*world);
	sent.topic = "Old";
	EXPECT_EQ(GANTRY_SYSTEM_ERROR, session.send(sent).code);
	sent.topic = "Other";
	EXPECT_EQ(GANTRY_SUCCESS, session.send(sent).code);
	topics_release(topics);
	sent.topic = "Old";
	EXPECT_EQ(GANTRY_SUCCESS, session.send(sent).code);
}

} // namespace
