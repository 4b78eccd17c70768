/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery point: a start after a kill reads only what came after it, and is never fooled. */
#include <gtest/gtest.h>

#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "message/bytes.h"
#include "message/checkpoint.h"
#include "session.h"
#include "store/point.h"
#include "store/store.h"
#include "topics/topics.h"

namespace
{

namespace fs = std::filesystem;

Sent message_to(const std::string &topic, int32_t queue, const std::string &body)
{
	Sent message;

	message.topic = topic;
	message.queue = queue;
	message.body = body;
	return message;
}

/* count messages to each of two queues; the last one's place in the log. */
uint64_t fill(World &world, const std::string &topic, int from, int count)
{
	Session session(world);
	uint64_t at = 0;

	for (int i = from; i < from + count; i++) {
		for (int queue = 0; queue < 2; queue++) {
			Sent sent = session.send(message_to(topic, queue, std::to_string(i)));
			EXPECT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
			at = sent.offsets.at(0);
		}
	}
	return at;
}

std::vector<std::string> read_queue(World &world, const std::string &topic, int32_t queue)
{
	std::vector<std::string> texts;
	Session session(world);
	Pulled pull;

	pull.topic = topic;
	pull.queue = queue;
	for (;;) {
		Pulled got = session.pull(pull);

		if (got.code != GANTRY_SUCCESS)
			return texts;
		for (std::string &text : bodies(got.bytes))
			texts.push_back(text);
		pull.offset = got.next;
	}
}

void expect_all(World &world, const std::string &topic, int count)
{
	for (int queue = 0; queue < 2; queue++) {
		auto texts = read_queue(world, topic, queue);
		ASSERT_EQ(texts.size(), (size_t)count) << topic << "-" << queue;
		for (int i = 0; i < count; i++)
			ASSERT_EQ(texts[(size_t)i], std::to_string(i));
	}
}

std::string read_bytes(const std::string &path, size_t size)
{
	std::ifstream file(path, std::ios::binary);
	std::string bytes(size, '\0');

	file.read(bytes.data(), (std::streamsize)size);
	return bytes;
}

void write_bytes(const std::string &path, uint64_t at, const std::string &bytes)
{
	std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);

	ASSERT_TRUE(file.good()) << path;
	file.seekp((std::streamoff)at);
	file.write(bytes.data(), (std::streamsize)bytes.size());
}

bool read_point(const Folder &folder, point *ret)
{
	std::string bytes = read_bytes(folder / "gantry.point", POINT_USED);

	return point_decode((const uint8_t *)bytes.data(), ret) == 0;
}

void write_point(const Folder &folder, const point &point)
{
	std::string bytes(POINT_USED, '\0');

	point_encode((uint8_t *)bytes.data(), &point);
	write_bytes(folder / "gantry.point", 0, bytes);
}

message_checkpoint read_checkpoint(const Folder &folder)
{
	std::string bytes = read_bytes(folder / "checkpoint", MESSAGE_CHECKPOINT_USED);
	message_checkpoint checkpoint;

	message_checkpoint_read((const uint8_t *)bytes.data(), &checkpoint);
	return checkpoint;
}

void written(World &world, const Folder &folder)
{
	uint64_t first, end;
	point point;

	store_bounds(world.messages(), &first, &end);
	/* a checkpoint that is written after the point makes it one of another start */
	world.until([&] {
		return read_point(folder, &point) && point.written == end &&
		       (uint64_t)read_checkpoint(folder).confirm == point.record_at &&
		       read_bytes(folder / "checkpoint", MESSAGE_CHECKPOINT_USED) ==
			       std::string((const char *)point.checkpoint, MESSAGE_CHECKPOINT_USED);
	});
}

/* What the store said when it started. */
struct Start {
	unsigned long long end = 0, count = 0, from = 0;
};

Start start(const Folder &folder, const std::function<void(World &)> &act)
{
	Start found;

	testing::internal::CaptureStderr();
	setenv("BROKER_LOG", "1", 1);
	{
		World world(folder.path());
		act(world);
	}
	unsetenv("BROKER_LOG");
	std::string log = testing::internal::GetCapturedStderr();
	size_t at = log.find("the log ends at ");
	if (at == std::string::npos ||
	    sscanf(log.c_str() + at, "the log ends at %llu; %llu messages from %llu", &found.end,
		   &found.count, &found.from) != 3)
		ADD_FAILURE() << log;
	return found;
}

/* A killed broker's store: 20 messages in each of two queues, all written. */
void make_killed(const Folder &folder)
{
	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, "Topic", 0, 20);
		written(world, folder);
	});
}

void expect_ignored(const Folder &folder, int count = 20)
{
	point point;
	bool good = read_point(folder, &point);
	Start found = start(folder, [&](World &world) { expect_all(world, "Topic", count); });

	EXPECT_GT(found.count, 0u);
	EXPECT_TRUE(!good || found.from != point.written);
}

TEST(Point, NothingBeforeItIsReadAgain)
{
	Folder folder;

	make_killed(folder);
	Start found = start(folder, [&](World &world) {
		expect_all(world, "Topic", 20);
		fill(world, "Topic", 20, 5);
		world.dispatched();
		expect_all(world, "Topic", 25);
	});
	EXPECT_EQ(found.count, 0u);
	EXPECT_EQ(found.from, found.end);
}

TEST(Point, WhatCameAfterItIsRead)
{
	Folder folder;

	make_killed(folder);
	std::string old = read_bytes(folder / "gantry.point", POINT_USED);
	point before, point;
	ASSERT_TRUE(read_point(folder, &before));
	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, "Topic", 20, 7);
		written(world, folder);
	});
	/* an older one of the same run: written again before the file system had the newer ones */
	ASSERT_TRUE(read_point(folder, &point));
	point.written = before.written;
	point.record_at = before.record_at;
	point.record_size = before.record_size;
	point.record_crc = before.record_crc;
	point.record_ms = before.record_ms;
	write_point(folder, point);
	Start found = start(folder, [&](World &world) { expect_all(world, "Topic", 27); });
	EXPECT_EQ(found.from, before.written);
	EXPECT_EQ(found.count, 14u);
}

TEST(Point, ManyKillsInARow)
{
	Folder folder;

	for (int round = 0; round < 4; round++) {
		in_a_process_that_dies(folder.path(), [&](World &world) {
			fill(world, "Topic", round * 5, 5);
			if (round == 1)
				written(world, folder);
		});
	}
	World world(folder.path());
	expect_all(world, "Topic", 20);
}

TEST(Point, ATornOneIsIgnored)
{
	Folder folder;

	make_killed(folder);
	std::string bytes = read_bytes(folder / "gantry.point", POINT_USED);
	for (size_t i = 0; i < POINT_USED; i++) {
		std::string torn = bytes;
		point point;
		torn[i] ^= 4;
		ASSERT_EQ(point_decode((const uint8_t *)torn.data(), &point), -EBADMSG) << i;
	}
	write_bytes(folder / "gantry.point", 80, std::string(80, '\0'));
	expect_ignored(folder);
}

TEST(Point, AFileOfAnotherSizeIsIgnored)
{
	Folder folder;

	make_killed(folder);
	std::ofstream(folder / "gantry.point") << "what is this";
	World world(folder.path());
	expect_all(world, "Topic", 20);
	fill(world, "Topic", 20, 5);
	world.dispatched();
	expect_all(world, "Topic", 25);
}

TEST(Point, TheMachineStartedAnew)
{
	Folder folder;
	point point;

	make_killed(folder);
	ASSERT_TRUE(read_point(folder, &point));
	point.run.boot[0] = point.run.boot[0] == '0' ? '1' : '0';
	write_point(folder, point);
	/* the checkpoint is still the one that it knows: exact, however young */
	uint64_t confirm = (uint64_t)read_checkpoint(folder).confirm;
	Start found = start(folder, [&](World &world) { expect_all(world, "Topic", 20); });
	EXPECT_EQ(found.from, confirm);
	EXPECT_GT(found.count, 0u);
}

/* It makes its abort file anew, whatever else it leaves alone. */
TEST(Point, AJavaBrokerRanInBetween)
{
	Folder folder;

	make_killed(folder);
	std::ofstream(folder / "abort.new") << "4711";
	fs::rename(folder / "abort.new", folder / "abort");
	/* it cut a queue's end, was to build it again, and was killed as well */
	write_bytes(folder / "consumequeue/Topic/0/00000000000000000000", 15 * 20,
		    std::string(5 * 20, '\0'));
	message_checkpoint checkpoint = read_checkpoint(folder);
	checkpoint.physic_ms -= 60000;
	std::string bytes(MESSAGE_CHECKPOINT_USED, '\0');
	message_checkpoint_write((uint8_t *)bytes.data(), &checkpoint);
	write_bytes(folder / "checkpoint", 0, bytes);
	expect_ignored(folder);
}

TEST(Point, AnotherCheckpointIsEnoughToIgnoreIt)
{
	Folder folder;

	make_killed(folder);
	std::string bytes = read_bytes(folder / "checkpoint", MESSAGE_CHECKPOINT_USED);
	bytes[23] ^= 1; /* the index's time */
	write_bytes(folder / "checkpoint", 0, bytes);
	expect_ignored(folder);
}

TEST(Point, AnotherLastMessageIsEnoughToIgnoreIt)
{
	Folder folder;
	point point;

	make_killed(folder);
	ASSERT_TRUE(read_point(folder, &point));
	point.record_crc ^= 1;
	write_point(folder, point);
	expect_ignored(folder);
}

/* Entries that it says are there are not: a gap shows, and everything is read again. */
TEST(Point, LostEntriesAreFound)
{
	Folder folder;
	point before, point;

	make_killed(folder);
	ASSERT_TRUE(read_point(folder, &before));
	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, "Topic", 20, 10);
		written(world, folder);
	});
	write_bytes(folder / "consumequeue/Topic/1/00000000000000000000", 10 * 20,
		    std::string(20 * 20, '\0'));
	ASSERT_TRUE(read_point(folder, &point));
	point.written = before.written;
	point.record_at = before.record_at;
	point.record_size = before.record_size;
	point.record_crc = before.record_crc;
	point.record_ms = before.record_ms;
	write_point(folder, point);
	Start found = start(folder, [&](World &world) { expect_all(world, "Topic", 30); });
	EXPECT_LT(found.from, before.written);
}

/* A machine went down: a queue's file has entries of messages that the log lost. Nobody opens that
 * queue for a while, and other messages come to stand where they pointed to. */
TEST(Point, EntriesOfLostMessagesAreNotTaken)
{
	Folder folder;
	uint64_t lost = 0;
	point point;

	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, "Topic", 0, 10);
		uint64_t last = fill(world, "Other", 0, 1);
		world.until([&] { return (uint64_t)read_checkpoint(folder).confirm >= last; });
		Session session(world);
		Sent sent = session.send(message_to("Topic", 0, "lost"));
		std::ofstream(folder / "lost") << sent.offsets.at(0);
		fill(world, "Topic", 10, 5);
		written(world, folder);
	});
	std::ifstream(folder / "lost") >> lost;
	ASSERT_GT(lost, 0u);
	write_bytes(folder / "commitlog/00000000000000000000", lost, std::string(8192, '\0'));
	ASSERT_TRUE(read_point(folder, &point));
	point.run.boot[0] = point.run.boot[0] == '0' ? '1' : '0';
	write_point(folder, point);
	for (int round = 0; round < 2; round++) {
		in_a_process_that_dies(folder.path(), [&](World &world) {
			fill(world, "Other", 1 + round * 20, 20);
			written(world, folder);
		});
	}
	World world(folder.path());
	expect_all(world, "Other", 41);
	expect_all(world, "Topic", 10);
	fill(world, "Topic", 10, 3);
	world.dispatched();
	expect_all(world, "Topic", 13);
}

/* ---- kinds of queues */

void make_batch_topic(World &world)
{
	ASSERT_TRUE(topic_batch(make_topic(world, "Topic", "{\"queue.type\":\"BatchCQ\"}")));
}

/* Of queues with queue.type=BatchCQ; others: and one plain queue. */
void make_killed_batches(const Folder &folder, bool others)
{
	in_a_process_that_dies(folder.path(), [&](World &world) {
		make_batch_topic(world);
		fill(world, "Topic", 0, 20);
		if (others)
			fill(world, "Other", 0, 3);
		written(world, folder);
	});
	EXPECT_EQ(others, fs::exists(folder / "consumequeue"));
	EXPECT_TRUE(fs::exists(folder / "batchconsumequeue"));
}

TEST(Point, IsOfBatchQueuesAsWell)
{
	for (bool others : {false, true}) {
		Folder folder;

		make_killed_batches(folder, others);
		Start found = start(folder, [&](World &world) { expect_all(world, "Topic", 20); });
		EXPECT_EQ(found.count, 0u);
		/* and after a clean stop: at most the last message */
		found = start(folder, [&](World &world) {
			expect_all(world, "Topic", 20);
			if (others)
				expect_all(world, "Other", 3);
			fill(world, "Topic", 20, 1);
		});
		EXPECT_LE(found.count, 1u);
		World world(folder.path());
		expect_all(world, "Topic", 21);
	}
}

/* Nobody knows whether it ever had others. */
TEST(Point, OfBatchQueuesAloneIsNeededToLeaveTheLogUnread)
{
	Folder folder;

	make_killed_batches(folder, false);
	fs::remove(folder / "gantry.point");
	Start found = start(folder, [&](World &world) { expect_all(world, "Topic", 20); });
	EXPECT_EQ(found.count, 40u);
	found = start(folder, [&](World &world) { expect_all(world, "Topic", 20); });
	EXPECT_LE(found.count, 1u);
}

TEST(Point, KnowsWhichQueuesAreGone)
{
	for (const char *gone : {"consumequeue", "batchconsumequeue"}) {
		for (bool clean : {false, true}) {
			Folder folder;

			make_killed_batches(folder, true);
			if (clean)
				World world(folder.path());
			fs::remove_all(folder / gone);
			Start found = start(folder, [&](World &world) {
				expect_all(world, "Topic", 20);
				expect_all(world, "Other", 3);
			});
			EXPECT_EQ(found.count, 46u) << gone;
		}
	}
}

void send_many(World &world, int32_t queue, int count)
{
	Session session(world);

	for (int left = count; left > 0; left -= 1000) {
		std::vector<Sent> sent((size_t)(left < 1000 ? left : 1000),
				       message_to("Topic", queue, "x"));

		session.send(sent);
	}
}

/* Begins a start, and kills it when that file is there. */
void kill_start(const Folder &folder, const std::string &file)
{
	pid_t child = fork();

	if (child == 0) {
		new World(folder.path());
		pause();
	}
	ASSERT_GT(child, 0);
	while (!fs::exists(folder / file) && waitpid(child, nullptr, WNOHANG) == 0)
		sched_yield();
	kill(child, SIGKILL);
	waitpid(child, nullptr, 0);
}

/* The first queue is written when its tail is full; there is no entry of the other one yet. */
TEST(Point, QueuesThatWereHalfBuiltAreBuiltAgain)
{
	Folder folder;
	{
		World world(folder.path());
		send_many(world, 0, 3500);
		send_many(world, 1, 5);
		send_many(world, 0, 20000);
		world.dispatched();
	}
	for (int round = 0; round < 3; round++) {
		fs::remove_all(folder / "consumequeue");
		kill_start(folder, "consumequeue/Topic/0");
		World world(folder.path());
		EXPECT_EQ(5u, read_queue(world, "Topic", 1).size());
		Pulled last;
		last.topic = "Topic";
		last.offset = 23499;
		EXPECT_EQ(1u, Session(world).pull(last).count);
	}
}

} // namespace
