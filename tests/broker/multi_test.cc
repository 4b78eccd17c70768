/* SPDX-License-Identifier: Apache-2.0 */
/* Multi-dispatch: messages that stand in light queues beside their own, across restarts, too. */
#include <gtest/gtest.h>

#include "broker.h"
#include "message/properties.h"
#include "message/record.h"
#include "session.h"
#include "store/store.h"

namespace
{

const char keys[] = "enableLmq=true\nenableMultiDispatch=true\nmaxLmqConsumeQueueNum=3\n";

Sent to(const std::string &queues, const std::string &more = "")
{
	Sent message;

	message.properties = "INNER_MULTI_DISPATCH\1" + queues + "\2" + more;
	return message;
}

std::string offsets_of(World &world, uint64_t at)
{
	std::string bytes = world.message_at(at);
	message_record record = {};
	const std::string key = MESSAGE_MULTI_OFFSETS;
	gantry_str value;

	EXPECT_EQ(MESSAGE_WHOLE,
		  message_record_read((const uint8_t *)bytes.data(), bytes.size(), true, &record));
	value = message_property_find(record.properties, {key.data(), key.size()});
	return value.at ? std::string(value.at, value.size) : "(none)";
}

/* The log offsets in a queue. */
std::vector<int64_t> entries(World &world, const std::string &name)
{
	std::vector<int64_t> found;

	world.dispatched();
	world.aside([&] {
		queue *queue = store_queue_named(world.messages(), {name.data(), name.size()}, 0);
		queue_unit units[16];
		int64_t min, max;
		int count;

		queue_bounds(queue, &min, &max);
		while ((count = queue_read(queue, min, 16, units)) > 0 || count == -EAGAIN)
			for (int i = 0; i < count; i++, min++)
				found.push_back(units[i].physical_offset);
		EXPECT_EQ(max, min);
	});
	return found;
}

TEST(Multi, AMessageStandsInEveryQueueThatItNames)
{
	Folder folder;
	std::vector<int64_t> both, one;
	{
		World world(folder.path(), keys);
		Session session(world);

		for (int i = 0; i < 5; i++) {
			Sent sent = session.send(to(i % 2 ? "%LMQ%a,%LMQ%b" : "%LMQ%b"));

			ASSERT_EQ(GANTRY_SUCCESS, sent.code) << sent.remark;
			EXPECT_EQ(i, sent.queue_offset);
			both.push_back((int64_t)sent.offsets[0]);
			if (i % 2)
				one.push_back((int64_t)sent.offsets[0]);
		}
		EXPECT_EQ("0", offsets_of(world, (uint64_t)both[0]));
		EXPECT_EQ("0,1", offsets_of(world, (uint64_t)both[1]));
		EXPECT_EQ("1,3", offsets_of(world, (uint64_t)both[3]));
		EXPECT_EQ(one, entries(world, "%LMQ%a"));
		EXPECT_EQ(both, entries(world, "%LMQ%b"));
		EXPECT_EQ(both, entries(world, "TopicTest"));
	}
	World again(folder.path(), keys);
	Session session(again);
	Sent sent = session.send(to("%LMQ%a"));

	ASSERT_EQ(GANTRY_SUCCESS, sent.code) << sent.remark;
	EXPECT_EQ("2", offsets_of(again, sent.offsets[0]));
	one.push_back((int64_t)sent.offsets[0]);
	EXPECT_EQ(one, entries(again, "%LMQ%a"));
	EXPECT_EQ(both, entries(again, "%LMQ%b"));
}

TEST(Multi, LightQueuesAreBuiltAgainAfterACrash)
{
	Folder folder;

	in_a_process_that_dies(
		folder.path(),
		[](World &world) {
			Session session(world);

			for (int i = 0; i < 20; i++)
				session.send(to("%LMQ%a"));
		},
		keys);
	World world(folder.path(), keys);

	EXPECT_EQ(20u, entries(world, "TopicTest").size());
	EXPECT_EQ(20u, entries(world, "%LMQ%a").size());
	{
		Session session(world);

		EXPECT_EQ("20", offsets_of(world, session.send(to("%LMQ%a")).offsets[0]));
	}
}

TEST(Multi, WhatTheProducerSaysOfOffsetsIsDropped)
{
	Folder folder;
	World world(folder.path(), keys);
	Session session(world);
	Sent forged = session.send(to("%LMQ%a", "INNER_MULTI_QUEUE_OFFSET\1"
						"77\2"));
	Sent plain;

	ASSERT_EQ(GANTRY_SUCCESS, forged.code) << forged.remark;
	EXPECT_EQ("0", offsets_of(world, forged.offsets[0]));
	plain.properties = "INNER_MULTI_QUEUE_OFFSET\1"
			   "77\2";
	plain = session.send(plain);
	ASSERT_EQ(GANTRY_SUCCESS, plain.code);
	EXPECT_EQ("(none)", offsets_of(world, plain.offsets[0]));
}

TEST(Multi, RefusesNamesAndNumbersThatCannotBe)
{
	Folder folder;
	World world(folder.path(), keys);
	Session session(world);
	Sent sent;

	EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, session.send(to("%LMQ%a,other")).code);
	EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, session.send(to("%LMQ%a/../b")).code);
	EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, session.send(to("%LMQ%a,,%LMQ%b")).code);
	sent = session.send(to("%LMQ%1,%LMQ%2,%LMQ%3,%LMQ%4"));
	EXPECT_EQ(GANTRY_SYSTEM_ERROR, sent.code);
	EXPECT_NE(std::string::npos, sent.remark.find("LMQ_CONSUME_QUEUE_NUM_EXCEEDED"));
	EXPECT_EQ(GANTRY_SUCCESS, session.send(to("%LMQ%1,%LMQ%2,%LMQ%3")).code);
	EXPECT_EQ(1u, entries(world, "%LMQ%3").size());
}

TEST(Multi, IsOffUnlessEnabled)
{
	Folder folder;
	World world(folder.path());
	Session session(world);
	Sent sent = session.send(to("%LMQ%a"));

	ASSERT_EQ(GANTRY_SUCCESS, sent.code);
	EXPECT_EQ("(none)", offsets_of(world, sent.offsets[0]));
	EXPECT_EQ(0u, entries(world, "%LMQ%a").size());
}

} // namespace
