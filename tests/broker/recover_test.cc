/* SPDX-License-Identifier: Apache-2.0 */
/* What a broker finds after its predecessor died, or somebody touched its files. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

#include "broker.h"
#include "message/bytes.h"
#include "session.h"
#include "store/store.h"
#include "topics/topics.h"

namespace
{

namespace fs = std::filesystem;

const size_t kSegment = 1048576;

/* count messages to each queue of each topic, in one call each. */
void fill(World &world, int topics, int queues, int count, const std::string &text = "m")
{
	Session session(world);

	for (int i = 0; i < count; i++) {
		std::vector<Sent> messages;

		for (int topic = 0; topic < topics; topic++) {
			for (int id = 0; id < queues; id++) {
				Sent message;
				message.topic = "Topic" + std::to_string(topic);
				message.queue = id;
				message.default_queues = 8;
				message.body = text + std::to_string(i);
				messages.push_back(message);
			}
		}
		session.send(messages);
		for (const Sent &message : messages)
			ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
	}
}

/* A topic's configuration is written by itself, soon after the topic was made. */
void topics_written(World &world, const Folder &folder, int topics)
{
	world.until([&] {
		std::ifstream file(folder / "config/topics.json");
		std::string text(std::istreambuf_iterator<char>(file), {});

		for (int i = 0; i < topics; i++)
			if (text.find("\"Topic" + std::to_string(i) + "\"") == std::string::npos)
				return false;
		return true;
	});
}

/* All messages of a queue from its beginning. */
std::vector<std::string> read_all(World &world, const std::string &topic, int32_t id)
{
	std::vector<std::string> texts;
	Session session(world);
	Pulled pull;

	pull.topic = topic;
	pull.queue = id;
	for (;;) {
		Pulled got = session.pull(pull);

		if (got.code == GANTRY_PULL_OFFSET_MOVED && got.next > pull.offset) {
			pull.offset = got.next;
			continue;
		}
		if (got.code != GANTRY_SUCCESS)
			return texts;
		for (std::string &text : bodies(got.bytes))
			texts.push_back(text);
		pull.offset = got.next;
	}
}

void expect_all(World &world, int topics, int queues, int count, const std::string &text = "m")
{
	for (int topic = 0; topic < topics; topic++) {
		for (int id = 0; id < queues; id++) {
			auto texts = read_all(world, "Topic" + std::to_string(topic), id);
			ASSERT_EQ(texts.size(), (size_t)count) << topic << "-" << id;
			for (int i = 0; i < count; i++)
				ASSERT_EQ(texts[(size_t)i], text + std::to_string(i));
		}
	}
}

/* Where the log's records end, as the store sees it. */
uint64_t log_end(World &world)
{
	uint64_t first, end;

	store_bounds(world.messages(), &first, &end);
	return end;
}

std::string log_file(const Folder &folder, uint64_t segment = 0)
{
	char name[32];

	snprintf(name, sizeof(name), "%020llu", (unsigned long long)(segment * kSegment));
	return folder / ("commitlog/" + std::string(name));
}

void overwrite(const std::string &path, uint64_t at, const std::string &bytes)
{
	std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);

	ASSERT_TRUE(file.good()) << path;
	file.seekp((std::streamoff)at);
	file.write(bytes.data(), (std::streamsize)bytes.size());
}

TEST(Recover, AfterAKill)
{
	Folder folder;

	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, 3, 4, 50);
		topics_written(world, folder, 3);
	});
	EXPECT_TRUE(fs::exists(folder / "abort"));
	{
		World world(folder.path());
		expect_all(world, 3, 4, 50);
		fill(world, 1, 1, 1, "more");
		world.dispatched();
		EXPECT_EQ(read_all(world, "Topic0", 0).size(), 51u);
	}
	EXPECT_FALSE(fs::exists(folder / "abort"));
	World world(folder.path());
	EXPECT_EQ(read_all(world, "Topic0", 0).at(50), "more0");
}

/* Killed at any moment, again and again: what was acknowledged is there, once and in order. */
TEST(Recover, AfterManyKills)
{
	Folder folder;

	for (int round = 0; round < 5; round++) {
		in_a_process_that_dies(folder.path(), [&](World &world) {
			fill(world, 2, 2, 37, std::to_string(round) + "-");
			topics_written(world, folder, 2);
			if (round % 2)
				world.dispatched();
		});
	}
	World world(folder.path());
	for (int id = 0; id < 2; id++) {
		auto texts = read_all(world, "Topic1", id);
		ASSERT_EQ(texts.size(), 5u * 37);
		for (size_t i = 0; i < texts.size(); i++)
			EXPECT_EQ(texts[i], std::to_string(i / 37) + "-" + std::to_string(i % 37));
	}
}

TEST(Recover, AfterACleanStopNothingIsReadTwice)
{
	Folder folder;

	{
		World world(folder.path());
		fill(world, 2, 2, 500);
	}
	testing::internal::CaptureStderr();
	setenv("BROKER_LOG", "1", 1);
	{
		World world(folder.path());
		expect_all(world, 2, 2, 500);
	}
	unsetenv("BROKER_LOG");
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(log.find("; 1 messages from "), std::string::npos) << log;
	EXPECT_EQ(log.find("was not clean"), std::string::npos) << log;
}

/* As long as a frame can make them, however they go to the disk. */
TEST(Recover, TheLongestMessages)
{
	const std::string body(16 * 1024 * 1024 - 1000, 'l');

	for (const char *flush : {"ASYNC_FLUSH", "SYNC_FLUSH"}) {
		std::string keys = "maxMessageSize = 33554432\nmappedFileSizeCommitLog = 50331648\n"
				   "flushDiskType = " +
				   std::string(flush);
		Folder folder;

		in_a_process_that_dies(
			folder.path(),
			[&](World &world) {
				Session session(world);

				fill(world, 1, 1, 2, body);
				Sent longer;
				longer.body = std::string(17 * 1024 * 1024, 'l');
				EXPECT_EQ(session.send(longer).code, GANTRY_MESSAGE_ILLEGAL);
				expect_all(world, 1, 1, 2, body);
				topics_written(world, folder, 1);
			},
			keys);
		World world(folder.path(), keys);
		expect_all(world, 1, 1, 2, body);
		fill(world, 1, 1, 1, body);
		world.dispatched();
		EXPECT_TRUE(read_all(world, "Topic0", 0).at(2) == body + "0");
	}
}

TEST(Recover, HalfARecordEndsTheLog)
{
	Folder folder;
	uint64_t end;

	{
		World world(folder.path());
		fill(world, 1, 1, 20);
		world.dispatched();
		end = log_end(world);
	}
	overwrite(log_file(folder), end - 10, std::string(10, '\0'));
	World world(folder.path());
	EXPECT_EQ(read_all(world, "Topic0", 0).size(), 20u); /* properties are not summed up */
	EXPECT_EQ(log_end(world), end);
}

TEST(Recover, ADamagedBodyAtTheEndIsDropped)
{
	Folder folder;
	uint64_t end, last = 0;

	{
		World world(folder.path());
		Session session(world);
		fill(world, 1, 1, 20);
		Sent message;
		message.topic = "Topic0";
		last = session.send(message).offsets.at(0);
		world.dispatched();
		end = log_end(world);
	}
	overwrite(log_file(folder), last + 88, "X"); /* the first byte of its body */
	World world(folder.path());
	EXPECT_EQ(log_end(world), last);
	expect_all(world, 1, 1, 20); /* its queue was ahead of the log, and is cut */
	fill(world, 1, 1, 1, "next");
	world.dispatched();
	EXPECT_EQ(read_all(world, "Topic0", 0).at(20), "next0");
	EXPECT_LE(log_end(world), end + 100);
}

TEST(Recover, GarbageBehindTheEndIsIgnored)
{
	Folder folder;
	uint64_t end;

	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, 1, 2, 30);
		world.dispatched();
		topics_written(world, folder, 1);
		std::ofstream(folder / "end") << log_end(world);
	});
	std::ifstream(folder / "end") >> end;
	/* a record that says it is longer than its segment, then noise */
	std::string noise(500, '\x5A');
	message_put32((uint8_t *)noise.data(), 2000000);
	message_put32((uint8_t *)noise.data() + 4, 0xDAA320A7);
	overwrite(log_file(folder), end, noise);
	World world(folder.path());
	EXPECT_EQ(log_end(world), end);
	expect_all(world, 1, 2, 30);
	fill(world, 1, 2, 10, "after");
	world.dispatched();
	EXPECT_EQ(read_all(world, "Topic0", 1).size(), 40u);
}

TEST(Recover, QueuesAreBuiltAnew)
{
	Folder folder;

	{
		World world(folder.path());
		fill(world, 2, 3, 40);
	}
	fs::remove_all(folder / "consumequeue");
	World world(folder.path());
	expect_all(world, 2, 3, 40);
}

TEST(Recover, AKilledStoreWithoutCheckpointIsReadFromItsBeginning)
{
	Folder folder;

	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, 2, 2, 1500); /* several segments */
		topics_written(world, folder, 2);
	});
	EXPECT_TRUE(fs::exists(log_file(folder, 1)));
	fs::remove(folder / "checkpoint");
	World world(folder.path());
	expect_all(world, 2, 2, 1500);
}

TEST(Recover, AnEmptyLogEmptiesTheQueues)
{
	Folder folder;

	{
		World world(folder.path());
		fill(world, 1, 2, 40);
	}
	fs::remove_all(folder / "commitlog");
	World world(folder.path());
	EXPECT_EQ(read_all(world, "Topic0", 0).size(), 0u);
	fill(world, 1, 2, 3, "new");
	world.dispatched();
	expect_all(world, 1, 2, 3, "new");
}

TEST(Recover, TheLogsBeginningMayBeGone)
{
	Folder folder;
	size_t left;

	{
		World world(folder.path());
		fill(world, 1, 2, 4500);
		ASSERT_GT(log_end(world), kSegment + kSegment / 4);
	}
	fs::remove(log_file(folder, 0));
	World world(folder.path());
	auto texts = read_all(world, "Topic0", 0);
	left = texts.size();
	ASSERT_GT(left, 10u);
	ASSERT_LT(left, 4400u);
	for (size_t i = 0; i < left; i++)
		EXPECT_EQ(texts[i], "m" + std::to_string(4500 - left + i));
	fill(world, 1, 2, 1, "next");
	world.dispatched();
	EXPECT_EQ(read_all(world, "Topic0", 0).size(), left + 1);
}

TEST(Recover, OldEntriesBehindAQueuesEndAreNotTaken)
{
	Folder folder;
	std::string path = folder / "consumequeue/Topic0/0/00000000000000000000";

	{
		World world(folder.path());
		fill(world, 1, 1, 100);
	}
	/* what a Java broker leaves when it truncates: entries of before, right behind the end */
	std::string old(50 * 20, '\0');
	for (int i = 0; i < 50; i++) {
		message_put64((uint8_t *)old.data() + i * 20, (uint64_t)(i * 10));
		message_put32((uint8_t *)old.data() + i * 20 + 8, 100);
	}
	overwrite(path, 100 * 20, old);
	World world(folder.path());
	expect_all(world, 1, 1, 100);
	fill(world, 1, 1, 1, "next");
	world.dispatched();
	EXPECT_EQ(read_all(world, "Topic0", 0).at(100), "next0");
}

TEST(Recover, AThousandQueues)
{
	Folder folder;

	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, 125, 8, 5);
		world.dispatched();
		topics_written(world, folder, 125);
	});
	World world(folder.path());
	for (int topic = 0; topic < 125; topic += 31)
		for (int id = 0; id < 8; id++)
			EXPECT_EQ(read_all(world, "Topic" + std::to_string(topic), id).size(), 5u);
	fill(world, 20, 8, 1, "more");
	world.dispatched();
	EXPECT_EQ(read_all(world, "Topic19", 7).size(), 6u);
}

/* Its messages are safe in the log: the next start builds it again. */
TEST(Recover, AQueueThatCannotBeOpenedIsOutOfUse)
{
	Folder folder;
	std::string path = folder / "consumequeue/Topic0/1/";

	{
		World world(folder.path());
		fill(world, 1, 3, 10);
	}
	std::ofstream(path + "00000000000012000000") << std::string(6000000, '\0'); /* a gap */
	{
		World world(folder.path());
		Session session(world);
		Sent message;

		message.topic = "Topic0";
		message.queue = 1;
		message = session.send(message);
		EXPECT_EQ(message.code, GANTRY_SERVICE_NOT_AVAILABLE);
		EXPECT_EQ(read_all(world, "Topic0", 0).size(), 10u);
		EXPECT_EQ(read_all(world, "Topic0", 1).size(), 0u);
		message.queue = 2;
		EXPECT_EQ(session.send(message).queue_offset, 10);
	}
	EXPECT_TRUE(fs::exists(folder / "abort"));
	fs::remove(path + "00000000000012000000");
	World world(folder.path());
	EXPECT_EQ(read_all(world, "Topic0", 1).size(), 10u);
	EXPECT_EQ(read_all(world, "Topic0", 2).size(), 11u);
}

/* A queue that begins with a later offset, as on a slave, or when its files were lost after the
 * log's beginning had expired: RocketMQ's filler entries come first. */
TEST(Recover, AQueueMayBeginLate)
{
	Folder folder;
	size_t left;

	{
		World world(folder.path());
		fill(world, 1, 1, 6000);
	}
	fs::remove(log_file(folder, 0));
	fs::remove_all(folder / "consumequeue");
	{
		World world(folder.path());
		auto texts = read_all(world, "Topic0", 0);
		left = texts.size();
		ASSERT_GT(left, 10u);
		EXPECT_EQ(texts.at(left - 1), "m5999");
	}
	std::ifstream file(folder / "consumequeue/Topic0/0/00000000000000000000", std::ios::binary);
	char unit[20];
	file.read(unit, sizeof(unit));
	EXPECT_EQ(message_get64((uint8_t *)unit), 0u);
	EXPECT_EQ(message_get32((uint8_t *)unit + 8), 0x7FFFFFFFu);
	World world(folder.path());
	EXPECT_EQ(read_all(world, "Topic0", 0).size(), left);
}

} // namespace
