/* SPDX-License-Identifier: Apache-2.0 */
/* Multi-dispatch: messages that stand in light queues beside their own, across restarts, too. */
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "broker.h"
#include "call/fields.h"
#include "groups/groups.h"
#include "message/properties.h"
#include "message/record.h"
#include "offsets/offsets.h"
#include "session.h"
#include "store/store.h"
#include "topics/topics.h"

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

/* ---- topics and groups of light queues */

Pulled light_pull(Session &session, const std::string &topic, int64_t offset)
{
	Pulled pull;

	pull.topic = topic;
	pull.group = "%LMQ%group";
	pull.offset = offset;
	return session.pull(pull);
}

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

TEST(Light, QueuesArePulledWithoutAnyConfiguration)
{
	Folder folder;
	World world(folder.path(), keys);
	Session session(world);

	for (const char *body : {"one", "two"}) {
		Sent message = to("%LMQ%a");
		message.body = body;
		ASSERT_EQ(GANTRY_SUCCESS, session.send(message).code);
	}
	world.dispatched();
	Pulled got = light_pull(session, "%LMQ%a", 0);
	EXPECT_EQ(GANTRY_SUCCESS, got.code) << got.remark;
	EXPECT_EQ((std::vector<std::string>{"one", "two"}), bodies(got.bytes));
	EXPECT_EQ(GANTRY_PULL_NOT_FOUND, light_pull(session, "%LMQ%a", 2).code);
	got = light_pull(session, "%LMQ%none", 0);
	EXPECT_EQ(GANTRY_PULL_NOT_FOUND, got.code);
	EXPECT_EQ("NO_MESSAGE_IN_QUEUE", got.remark);
	EXPECT_EQ(nullptr, groups_look(world.role()->groups, str_of("group")));
	EXPECT_EQ(nullptr, topics_find(world.role()->topics, str_of("%LMQ%a/b")));
}

TEST(Light, TopicsAndGroupsAreInNoListAndLimited)
{
	Folder folder;
	World world(folder.path(), std::string(keys) + "maxGroups=12\n");
	struct topics *topics = world.role()->topics;
	struct groups *groups = world.role()->groups;
	uint32_t topic_count = topics_count(topics), group_count = groups_count(groups);
	topic *first = topics_find(topics, str_of("%LMQ%1"));

	ASSERT_NE(nullptr, first);
	EXPECT_EQ(1, topic_read_queues(first));
	EXPECT_EQ(first, topics_find(topics, str_of("%LMQ%1")));
	EXPECT_NE(nullptr, topics_find(topics, str_of("%LMQ%2")));
	EXPECT_NE(nullptr, topics_find(topics, str_of("%LMQ%3")));
	EXPECT_EQ(nullptr, topics_find(topics, str_of("%LMQ%4"))); /* maxLmqConsumeQueueNum */
	EXPECT_EQ(topic_count, topics_count(topics));
	for (int i = 0; i < 14; i++) {
		std::string name = "%LMQ%" + std::to_string(i);

		EXPECT_EQ(i < 12, groups_find(world.role(), str(name)) != nullptr) << i;
	}
	EXPECT_EQ(group_count, groups_count(groups));
}

TEST(Light, GroupsHaveOneOffsetOfATopicThatIsKept)
{
	Folder folder;
	gantry_str light = str_of("%LMQ%group"), group = str_of("group"), topic = str_of("%LMQ%a");
	{
		World world(folder.path(), keys);
		offsets *offsets = world.role()->offsets;

		EXPECT_EQ(-1, offsets_get(offsets, light, topic, 0));
		EXPECT_EQ(0, offsets_commit(offsets, light, topic, 3, 30));
		EXPECT_EQ(0, offsets_commit(offsets, light, topic, 0, 31));
		EXPECT_EQ(31, offsets_get(offsets, light, topic, 3));
		EXPECT_EQ(0, offsets_commit(offsets, group, topic, 3, 33));
		EXPECT_EQ(-1, offsets_get(offsets, group, topic, 0));
	}
	EXPECT_FALSE(std::filesystem::exists(folder / "config/consumerOffset.json"));
	std::ifstream file(folder / "config/lmqConsumerOffset.json");
	std::string text{std::istreambuf_iterator<char>(file), {}};
	EXPECT_NE(std::string::npos, text.find("\"%LMQ%a@%LMQ%group\":31")) << text;
	World again(folder.path(), keys);
	offsets *offsets = again.role()->offsets;
	EXPECT_EQ(31, offsets_get(offsets, light, topic, 0));
	EXPECT_EQ(33, offsets_get(offsets, group, topic, 3));
}

TEST(Light, OffsetsFromBeforeItWasEnabledAreTakenOverOnce)
{
	Folder folder;
	gantry_str group = str_of("group"), topic = str_of("T");
	{
		World world(folder.path());
		EXPECT_EQ(0, offsets_commit(world.role()->offsets, group, topic, 1, 11));
	}
	{
		World world(folder.path(), keys);
		EXPECT_EQ(11, offsets_get(world.role()->offsets, group, topic, 1));
	}
	EXPECT_TRUE(std::filesystem::exists(folder / "config/lmqConsumerOffset.json"));
	{
		World world(folder.path());
		EXPECT_EQ(0, offsets_commit(world.role()->offsets, group, topic, 1, 12));
	}
	World world(folder.path(), keys);
	EXPECT_EQ(11, offsets_get(world.role()->offsets, group, topic, 1));
}

TEST(Light, NamesAreOrdinaryUnlessEnabled)
{
	Folder folder;
	World world(folder.path());
	offsets *offsets = world.role()->offsets;

	EXPECT_EQ(nullptr, topics_find(world.role()->topics, str_of("%LMQ%a")));
	offsets_commit(offsets, str_of("%LMQ%g"), str_of("%LMQ%a"), 1, 5);
	EXPECT_EQ(-1, offsets_get(offsets, str_of("%LMQ%g"), str_of("%LMQ%a"), 0));
}

} // namespace
