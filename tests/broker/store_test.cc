/* SPDX-License-Identifier: Apache-2.0 */
/* The message store: what is sent stands in the log and in its queue, in RocketMQ's formats. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "broker.h"
#include "message/bytes.h"
#include "message/properties.h"
#include "plugins.h"
#include "pull/private.h"
#include "session.h"
#include "store/internal.h"
#include "topics/topics.h"

namespace
{

std::string read_file(const std::string &path)
{
	std::ifstream file(path, std::ios::binary | std::ios::ate);
	std::string text(file ? (size_t)file.tellg() : 0, '\0');

	file.seekg(0);
	file.read(text.data(), (std::streamsize)text.size());
	return text;
}

queue *queue_of(World &world, const std::string &topic, int32_t id)
{
	struct topic *found = topics_find(world.role()->topics, {topic.data(), topic.size()});

	return found ? store_queue(world.messages(), found, id) : nullptr;
}

int64_t end_of(World &world, const std::string &topic, int32_t id)
{
	int64_t min, max;

	queue_bounds(queue_of(world, topic, id), &min, &max);
	return max;
}

std::string queue_file(const Folder &folder, const std::string &topic, int32_t id)
{
	return folder /
	       ("consumequeue/" + topic + "/" + std::to_string(id) + "/00000000000000000000");
}

TEST(Store, PlacesMessagesInTheirFormat)
{
	Folder folder;
	uint64_t at;

	{
		World world(folder.path());
		Session session(world);
		Sent first = session.send(Sent{});
		Sent message;

		ASSERT_EQ(first.code, GANTRY_SUCCESS) << first.remark;
		EXPECT_EQ(first.queue_offset, 0);
		message.body = "second";
		message.properties =
			pairs({{"TAGS", "TagA"}, {"WAIT", "true"}, {"UNIQ_KEY", "U1"}});
		message = session.send(message);
		ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
		EXPECT_EQ(message.queue_offset, 1);
		EXPECT_EQ(message.transaction_id, "U1");
		at = message.offsets.at(0);
		world.dispatched();
		EXPECT_EQ(end_of(world, "TopicTest", 0), 2);
	}
	std::string log = read_file(folder / "commitlog/00000000000000000000");
	message_record record;
	ASSERT_EQ(log.size(), 1048576u);
	ASSERT_EQ(message_record_read((const uint8_t *)log.data() + at, log.size() - at, true,
				      &record),
		  MESSAGE_WHOLE);
	EXPECT_EQ(record.physical_offset, (int64_t)at);
	EXPECT_EQ(record.queue_offset, 1);
	EXPECT_EQ(record.flag, 7);
	EXPECT_EQ(record.born_ms, 1700000000000);
	EXPECT_EQ(record.born_host.port, 50000);
	EXPECT_EQ(record.store_host.port, 10911);
	EXPECT_EQ(std::string(record.properties.at, record.properties.size),
		  pairs({{"TAGS", "TagA"},
			 {"WAIT", "true"},
			 {"UNIQ_KEY", "U1"},
			 {"MSG_REGION", "DefaultRegion"},
			 {"TRACE_ON", "true"},
			 {"CLUSTER", "DefaultCluster"}}));

	std::string queue = read_file(queue_file(folder, "TopicTest", 0));
	ASSERT_EQ(queue.size(), 6000000u);
	const auto *unit = (const uint8_t *)queue.data() + 20;
	EXPECT_EQ(message_get64(unit), at);
	EXPECT_EQ(message_get32(unit + 8), record.size);
	EXPECT_EQ((int64_t)message_get64(unit + 12), 2598919);
	EXPECT_EQ(message_get64(unit + 20), 0u); /* nothing follows */
	EXPECT_EQ(message_get32(unit + 28), 0u);
}

TEST(Store, LeavesTheFilesOfACleanStop)
{
	Folder folder;
	struct stat info;

	{
		World world(folder.path());
		Session session(world);

		EXPECT_EQ(read_file(folder / "abort"), std::to_string(getpid()));
		EXPECT_EQ(read_file(folder / "lock"), "lock");
		ASSERT_EQ(session.send(Sent{}).code, GANTRY_SUCCESS);
	}
	EXPECT_NE(stat((folder / "abort").c_str(), &info), 0);
	std::string point = read_file(folder / "checkpoint");
	ASSERT_EQ(point.size(), 4096u);
	const auto *at = (const uint8_t *)point.data();
	EXPECT_GT(message_get64(at), 1600000000000u);
	EXPECT_EQ(message_get64(at), message_get64(at + 8));
	EXPECT_EQ(message_get64(at + 32), 0u); /* the last record begins the log */
}

TEST(Store, ManyQueuesGrowOnTheirOwn)
{
	const int topics = 10, queues = 4, rounds = 30;
	Folder folder;
	World world(folder.path(), "maxMessageSize = 65536");
	Session one(world, 0), two(world, 1);

	for (int round = 0; round < rounds; round++) {
		std::vector<Sent> messages;

		for (int topic = 0; topic < topics; topic++) {
			for (int id = 0; id < queues; id++) {
				Sent message;
				message.topic = "Topic" + std::to_string(topic);
				message.queue = id;
				message.body = std::to_string(round);
				messages.push_back(message);
			}
		}
		(round % 2 ? one : two).send(messages);
		for (const Sent &message : messages) {
			ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
			ASSERT_EQ(message.queue_offset, round);
		}
	}
	world.dispatched();
	for (int topic = 0; topic < topics; topic++)
		for (int id = 0; id < queues; id++)
			EXPECT_EQ(end_of(world, "Topic" + std::to_string(topic), id), rounds);
}

TEST(Store, AReaderInOrderKeepsAPageOfEntries)
{
	Folder folder;
	std::vector<Sent> messages(200);
	{
		World world(folder.path());
		Session session(world);

		session.send(messages);
	}
	World world(folder.path()); /* all entries are in the file */
	world.aside([&] {
		const std::string topic = messages[0].topic;
		queue *queue = store_queue_named(world.messages(), {topic.data(), topic.size()}, 0);
		std::vector<queue_unit> units(32), plain(32);
		queue_page page = {};
		int64_t min, max;
		int count;

		queue_bounds(queue, &min, &max);
		ASSERT_EQ(max, 200);
		auto read = [&](int64_t at) {
			while ((count = queue_read(queue, at, 32, plain.data())) == -EAGAIN)
				;
			int got = queue_read_paged(queue, at, 32, &page, units.data());
			for (int i = 0; i < got; i++)
				EXPECT_EQ(units[i].physical_offset, plain[i].physical_offset);
			return got;
		};
		EXPECT_EQ(read(0), 32);
		EXPECT_EQ(page.count, (uint32_t)QUEUE_PAGE);
		EXPECT_EQ(read(120), QUEUE_PAGE - 120) << "to its end";
		EXPECT_EQ(page.at, 0);
		EXPECT_EQ(read(128), 32);
		EXPECT_EQ(page.at, 128);
		EXPECT_GE(page.count, 71u) << "the last may be in memory";
		read(150);
		uint64_t cut = (uint64_t)plain[0].physical_offset;
		EXPECT_EQ(queue_cut(queue, cut), 0);
		EXPECT_EQ(read(140), 10);
		EXPECT_EQ(page.at + page.count, 150) << "what was kept is void";
		EXPECT_EQ(read(150), 0);
	});
}

/* An engine that counts, and has all in memory. */
class CountingEngine
{
      public:
	CountingEngine()
	{
		const char *now = getenv("BROKER_ENGINE");

		before = now ? now : "";
		setenv("BROKER_ENGINE", "storage-lazy", 1);
		lazy_engine_warm(true);
	}
	~CountingEngine()
	{
		lazy_engine_warm(false);
		if (before.empty())
			unsetenv("BROKER_ENGINE");
		else
			setenv("BROKER_ENGINE", before.c_str(), 1);
	}

      private:
	std::string before;
};

TEST(Store, ReadersByTurnsKeepTheirPages)
{
	constexpr int queues = 4, readers = 4, share = 3 * QUEUE_PAGE;
	constexpr int entries = readers * share, batch = 32, turns = share / batch - 1;
	Folder folder;
	{
		World world(folder.path());
		Session session(world);

		for (int id = 0; id < queues; id++) {
			std::vector<Sent> messages(entries);
			for (Sent &message : messages)
				message.queue = id;
			session.send(messages);
		}
	}
	CountingEngine engine;
	World world(folder.path()); /* all but the last entries are in the files */
	world.aside([&] {
		std::unique_ptr<pull_pages, decltype(&pull_pages_free)> pages(pull_pages_new(),
									      pull_pages_free);
		std::vector<queue *> all;
		int64_t min, max;

		for (int id = 0; id < queues; id++) {
			all.push_back(store_queue_named(world.messages(), {"TopicTest", 9}, id));
			queue_bounds(all[id], &min, &max);
			ASSERT_EQ(max, entries);
		}
		uint64_t copies = lazy_engine_copies();
		auto read = [&](queue *queue, int64_t at) {
			std::vector<queue_unit> units(batch);
			int got;

			while ((got = pull_pages_read(pages.get(), queue, at, batch,
						      units.data())) == -EAGAIN)
				;
			EXPECT_EQ(got, batch);
			for (int i = 0; i < got; i++)
				EXPECT_EQ(units[i].offset, at + i);
		};
		for (int turn = 0; turn < turns; turn++)
			for (int reader = 0; reader < readers; reader++)
				for (queue *queue : all)
					read(queue, reader * share + turn * batch);
		/* once in four reads, unless too many meet in a set */
		EXPECT_LT(lazy_engine_copies() - copies, (uint64_t)queues * readers * turns / 2);
	});
}

TEST(Store, FindsOffsetsByTime)
{
	Folder folder;
	World world(folder.path());
	Session session(world);
	std::vector<int64_t> times;

	for (int i = 0; i < 20; i++) {
		int64_t ms = broker_wall_ms();

		ASSERT_EQ(session.send(Sent{}).code, GANTRY_SUCCESS);
		world.until([&] { return broker_wall_ms() > ms; });
	}
	world.dispatched();
	world.aside([&] {
		queue *queue = queue_of(world, "TopicTest", 0);

		for (int i = 0; i < 20; i++)
			times.push_back(queue_store_ms(world.messages(), queue, i));
		for (int i = 1; i < 20; i++) {
			int64_t ms = times[(size_t)i];
			int64_t first = i, last = i;

			while (first > 0 && times[(size_t)first - 1] == ms)
				first--;
			while (last < 19 && times[(size_t)last + 1] == ms)
				last++;
			EXPECT_EQ(queue_offset_by_time(world.messages(), queue, ms, false), first);
			EXPECT_EQ(queue_offset_by_time(world.messages(), queue, ms, true), last);
		}
		EXPECT_EQ(queue_offset_by_time(world.messages(), queue, times[19] + 1, false), 20);
		EXPECT_EQ(queue_offset_by_time(world.messages(), queue, times[19] + 1, true), 19);
		EXPECT_EQ(queue_offset_by_time(world.messages(), queue, times[0] - 1, false), 0);
		EXPECT_EQ(queue_offset_by_time(world.messages(), queue, times[0] - 1, true), 0);
		EXPECT_EQ(queue_store_ms(world.messages(), queue, 20), -1);
		EXPECT_EQ(store_earliest_ms(world.messages()), times[0]);
	});
}

TEST(Store, ReadsAMessageByItsPlace)
{
	Folder folder;
	World world(folder.path());
	Session session(world);
	Sent sent = session.send(Sent{});
	uint64_t at = sent.offsets.at(0);

	session.send(Sent{});
	EXPECT_EQ(bodies(world.message_at(at)), std::vector<std::string>{"hello"});
	EXPECT_EQ(world.message_at(at + 1), "");
	EXPECT_EQ(world.message_at(1 << 20), "");
}

/* A Java broker locks the first byte of the file for its process. */
TEST(Store, StaysOutOfAStoreInUse)
{
	Folder folder;
	int fd = open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct flock lock = {};

	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	lock.l_len = 1;
	ASSERT_EQ(fcntl(fd, F_SETLK, &lock), 0);
	EXPECT_DEATH(World second(folder.path()), "another broker uses this store");
	close(fd);
}

} // namespace
