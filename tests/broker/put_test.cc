/* SPDX-License-Identifier: Apache-2.0 */
/* What services of the broker stand on: storing messages of their own, and reading a queue in
 * order; over an engine where everything has to be waited for, too. */
#include <gtest/gtest.h>

#include "broker.h"
#include "send/put.h"
#include "session.h"
#include "stats/stats.h"
#include "store/delete.h"
#include "store/walk.h"

namespace
{

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

/* Messages for one put, and its result. */
struct Put {
	std::vector<std::string> texts; /* bodies */
	std::string topic = "TopicTest";
	int32_t queue = 0;
	uint32_t room_ms = 0;
	/* out */
	int status = 0;
	uint32_t placed = 0;
	std::vector<uint64_t> at;
	std::vector<int64_t> offsets;
};

void run(World &world, Put &put, const std::function<void(store_put &, size_t)> &more = nullptr)
{
	std::vector<store_put> messages(put.texts.size());
	std::vector<gantry_record> records(put.texts.size());
	struct put call = {};
	Op op(world, world.loop(1));
	int status = 0;

	for (size_t i = 0; i < messages.size(); i++) {
		message_draft *draft = &messages[i].draft;

		draft->topic = str(put.topic);
		draft->queue = put.queue;
		draft->body = str(put.texts[i]);
		draft->born_ms = 1700000000000;
		draft->born_host.ip_size = 4;
		if (more)
			more(messages[i], i);
		status = put_prepare(world.role(), &messages[i]);
		ASSERT_EQ(0, status);
	}
	call.messages = messages.data();
	call.records = records.data();
	call.count = (uint32_t)messages.size();
	call.room_ms = put.room_ms;
	world.on(world.loop(1), [&] { status = put_messages(world.role(), &call, op.get()); });
	if (status > 0) {
		op.wait();
		status = op.status();
	}
	put.status = status;
	put.placed = call.placed;
	for (uint32_t i = 0; i < call.placed; i++) {
		put.at.push_back(records[i].at);
		put.offsets.push_back(messages[i].queue_offset);
	}
}

/* Calls ask until it does not have to wait any more. */
int settle(World &world, const std::function<int(gantry_op *)> &ask)
{
	int status;

	do {
		Op op(world, world.loop(0));

		world.on(world.loop(0), [&] { status = ask(op.get()); });
		if (status > 0) {
			op.wait();
			EXPECT_EQ(0, op.status());
		}
	} while (status > 0);
	return status;
}

queue *queue_of(World &world, const std::string &topic, int32_t id)
{
	return store_queue_named(world.messages(), str(topic), id);
}

/* Walks from at to the end; the bodies, and where it ended. */
std::vector<std::string> walk_all(World &world, const std::string &topic, int64_t at,
				  int64_t *ret_end, int *ret_status)
{
	std::vector<std::string> found;
	struct walk walk = {};
	queue_unit unit;

	walk_begin(&walk, world.messages(), queue_of(world, topic, 0), at);
	for (;;) {
		walk_message message = {};

		*ret_status =
			settle(world, [&](gantry_op *op) { return walk_entry(&walk, &unit, op); });
		*ret_end = walk.at;
		if (*ret_status)
			return found;
		EXPECT_EQ(0, settle(world, [&](gantry_op *op) {
				  return walk_read(world.messages(), (uint64_t)unit.physical_offset,
						   &message, op);
			  }));
		EXPECT_EQ(walk.at, message.record.queue_offset);
		EXPECT_EQ(unit.size, (int32_t)message.record.size);
		found.emplace_back(message.record.body.at, message.record.body.size);
		walk_release(&message);
		walk_release(&message);
		walk_next(&walk);
	}
}

std::vector<std::string> numbers(int count, size_t size = 0)
{
	std::vector<std::string> list;

	for (int i = 0; i < count; i++) {
		list.push_back(std::to_string(i));
		if (list.back().size() < size)
			list.back().resize(size, '.');
	}
	return list;
}

TEST(Put, StoresInOrderAndSaysWhere)
{
	Folder folder;
	World world(folder.path());
	Put put;
	int64_t end;
	int status;

	put.texts = numbers(5);
	run(world, put);
	EXPECT_EQ(0, put.status);
	ASSERT_EQ(5u, put.placed);
	EXPECT_EQ((std::vector<int64_t>{0, 1, 2, 3, 4}), put.offsets);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(std::to_string(i), bodies(world.message_at(put.at[i])).at(0));
	world.dispatched();
	EXPECT_EQ(put.texts, walk_all(world, "TopicTest", 0, &end, &status));
	EXPECT_EQ(5, end);
	EXPECT_EQ(-ENOENT, status);
}

TEST(Put, OneMessageWithProperties)
{
	Folder folder;
	World world(folder.path(), "flushDiskType=SYNC_FLUSH\n");
	struct put_one one = {};
	const std::string topic = "%RETRY%g", body = "hello", properties = "TAGS\1a\2";
	message_record record;
	std::string bytes;

	one.message.draft.topic = str(topic);
	one.message.draft.queue = 3;
	one.message.draft.body = str(body);
	one.message.draft.properties[0] = str(properties);
	one.message.draft.part_count = 1;
	one.message.draft.born_host.ip_size = 4;
	one.message.draft.reconsume_times = 7;
	{
		Op op(world, world.loop(0));
		int status;

		world.on(world.loop(0), [&] { status = put_one(world.role(), &one, op.get()); });
		if (status > 0) {
			op.wait();
			status = op.status();
		}
		ASSERT_EQ(0, status);
	}
	EXPECT_EQ(GANTRY_ACK, one.put.ack);
	bytes = world.message_at(one.record.at);
	ASSERT_EQ(MESSAGE_WHOLE,
		  message_record_read((const uint8_t *)bytes.data(), bytes.size(), true, &record));
	EXPECT_EQ(properties, std::string(record.properties.at, record.properties.size));
	EXPECT_EQ(3, record.queue);
	EXPECT_EQ(7, record.reconsume_times);
	EXPECT_EQ(10911, record.store_host.port);
}

TEST(Put, RefusesWhatCannotBe)
{
	Folder folder;
	World world(folder.path());
	const std::string long_text(40000, 'x'), topic = "T", hidden = "../T";
	store_put message = {};

	message.draft.topic = str(topic);
	message.draft.queue = -1;
	EXPECT_EQ(-EINVAL, put_prepare(world.role(), &message));
	message.draft.queue = STORE_QUEUES_MAX;
	EXPECT_EQ(-EINVAL, put_prepare(world.role(), &message));
	message.draft.queue = 0;
	message.draft.topic = str(hidden);
	EXPECT_EQ(-EINVAL, put_prepare(world.role(), &message));
	message.draft.topic = str(topic);
	message.draft.properties[0] = str(long_text);
	message.draft.part_count = 1;
	EXPECT_EQ(-EMSGSIZE, put_prepare(world.role(), &message));
}

TEST(Put, MoreThanTheLogHasRoomForIsPlacedInParts)
{
	Folder folder;
	World world(folder.path(), "maxMessageSize=65536\n");
	Put put;
	int64_t end;
	int status;

	put.texts = numbers(300, 20000); /* six segments */
	put.room_ms = 60000;
	run(world, put);
	ASSERT_EQ(0, put.status);
	ASSERT_EQ(300u, put.placed);
	world.dispatched();
	EXPECT_EQ(put.texts, walk_all(world, "TopicTest", 0, &end, &status));
}

/* The store counts all; users' messages are those of topics that are not the system's. */
TEST(Put, CountsAsAMessageOfItsTopic)
{
	Folder folder;
	World world(folder.path());
	struct stats_totals before, after;
	Put put, waiting;

	{
		Session session(world);
		session.send(Sent()); /* makes the topic */
	}
	stats_totals(world.role()->stats, &before);
	put.texts = {"a", "b", "c"};
	run(world, put);
	waiting.texts = {"d"};
	waiting.topic = "SCHEDULE_TOPIC_XXXX";
	run(world, waiting);
	stats_totals(world.role()->stats, &after);
	EXPECT_EQ(4u, after.put - before.put);
	EXPECT_EQ(3u, after.put_user - before.put_user);
	EXPECT_LT(400u, after.put_bytes - before.put_bytes);
}

TEST(Put, ATopicThatIsDeletedMeanwhileIsTold)
{
	Folder folder;
	World world(folder.path());
	Put first, put;
	const std::string topic = "Doomed";

	put.texts = first.texts = numbers(2);
	put.topic = first.topic = topic;
	run(world, first);
	ASSERT_EQ(0, first.status);
	run(world, put, [&](store_put &, size_t i) {
		if (i == 1)
			world.aside([&] {
				while (store_delete_topic(world.messages(), str(topic)) == -EAGAIN)
					;
			});
	});
	EXPECT_EQ(-ESTALE, put.status);
	EXPECT_EQ(0u, put.placed);
}

TEST(Walk, BeginsWithTheFirstEntryAndSaysWhenItIsPastTheEnd)
{
	Folder folder;
	World world(folder.path());
	int64_t end;
	int status;
	Put put;

	EXPECT_TRUE(walk_all(world, "Nothing", 0, &end, &status).empty());
	EXPECT_EQ(-ENOENT, status);
	put.texts = numbers(200);
	run(world, put);
	world.dispatched();
	EXPECT_EQ(200u, walk_all(world, "TopicTest", -5, &end, &status).size());
	EXPECT_EQ(100u, walk_all(world, "TopicTest", 100, &end, &status).size());
	EXPECT_EQ(200, end);
	EXPECT_TRUE(walk_all(world, "TopicTest", 200, &end, &status).empty());
	EXPECT_EQ(-ENOENT, status);
	EXPECT_TRUE(walk_all(world, "TopicTest", 201, &end, &status).empty());
	EXPECT_EQ(-ERANGE, status);
	EXPECT_EQ(201, end);
}

TEST(Walk, ReadsWhatAnEarlierProcessWrote)
{
	Folder folder;
	int64_t end;
	int status;

	in_a_process_that_dies(folder.path(), [](World &world) {
		Put put;

		put.texts = numbers(150);
		run(world, put);
	});
	World world(folder.path());

	EXPECT_EQ(numbers(150), walk_all(world, "TopicTest", 0, &end, &status));
}

TEST(Walk, NoMessageBeginsInTheMiddleOfOne)
{
	Folder folder;
	World world(folder.path());
	walk_message message = {};
	Put put;

	put.texts = numbers(2);
	run(world, put);
	EXPECT_EQ(-ENOENT, settle(world, [&](gantry_op *op) {
		return walk_read(world.messages(), put.at[0] + 1, &message, op);
	}));
	EXPECT_EQ(-ENOENT, settle(world, [&](gantry_op *op) {
		return walk_read(world.messages(), 1000000, &message, op);
	}));
}

} // namespace
