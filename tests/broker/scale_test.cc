/* SPDX-License-Identifier: Apache-2.0 */
/* 50,000 queues (10,000 under a sanitizer): what they take stays bounded, and nothing is lost. */
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sys/resource.h>

#include "../support/memory.h"
#include "broker.h"
#include "session.h"
#include "store/internal.h"
#include "store/point.h"
#include "store/store.h"
#include "topics/topics.h"

namespace
{

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const bool kSanitized = true; /* which is slow, and takes memory of its own */
#else
const bool kSanitized = false;
#endif
const int kTopics = kSanitized ? 1250 : 6250, kQueues = 8, kAtOnce = 512;

std::string topic_name(int topic)
{
	return "Topic" + std::to_string(topic);
}

/* One message to each queue. */
void fill(World &world, const std::string &text, int topics = kTopics)
{
	Session session(world);
	std::vector<Sent> messages;

	for (int i = 0; i < topics * kQueues; i++) {
		Sent message;
		message.topic = topic_name(i % topics);
		message.queue = i / topics;
		message.default_queues = kQueues;
		message.body = text;
		messages.push_back(message);
		if (messages.size() < kAtOnce && i + 1 < topics * kQueues)
			continue;
		session.send(messages);
		for (const Sent &sent : messages)
			ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.topic << ": " << sent.remark;
		messages.clear();
	}
}

size_t lines_of(const char *path)
{
	std::ifstream file(path);
	std::string line;
	size_t count = 0;

	while (std::getline(file, line))
		count++;
	return count;
}

size_t descriptors()
{
	std::filesystem::directory_iterator files("/proc/self/fd"), end;

	return (size_t)std::distance(files, end);
}

void expect_bounded()
{
	EXPECT_LT(descriptors(), 2000u);
	EXPECT_LT(lines_of("/proc/self/maps"), 2000u);
	EXPECT_LT(anonymous_mib(), kSanitized ? 1000u : 110u);
}

bool all_written(const Folder &folder, World &world)
{
	std::ifstream file(folder / "gantry.point", std::ios::binary);
	char bytes[POINT_USED] = {};
	uint64_t first, end;
	point point;

	file.read(bytes, sizeof(bytes));
	store_bounds(world.messages(), &first, &end);
	return point_decode((const uint8_t *)bytes, &point) == 0 && point.written == end;
}

std::vector<std::string> texts_of(World &world, int topic, int queue)
{
	std::vector<std::string> texts;
	Session session(world);
	Pulled pull;

	pull.topic = topic_name(topic);
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

queue *queue_at(World &world, int topic, int id)
{
	std::string name = topic_name(topic);
	struct topic *found = topics_find(world.role()->topics, {name.data(), name.size()});

	return found ? store_queue(world.messages(), found, id) : nullptr;
}

void limit_descriptors()
{
	rlimit limit;

	ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max < 20000 ? limit.rlim_max : 20000;
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(Scale, FiftyThousandQueues)
{
	Folder folder;
	const std::vector<std::string> three = {"one", "two", "three"};
	const int step = 1249;

	limit_descriptors();
	in_a_process_that_dies(folder.path(), [&](World &world) {
		fill(world, "one");
		world.until([&] { return all_written(folder, world); });
		expect_bounded();
		fill(world, "two");
		world.dispatched();
		expect_bounded();
	});
	{
		World world(folder.path());
		fill(world, "three");
		world.until([&] { return all_written(folder, world); });
		expect_bounded();
		for (int topic = 0; topic < kTopics; topic += step)
			EXPECT_EQ(texts_of(world, topic, topic % kQueues), three) << topic;
	}
	World world(folder.path());
	for (int topic = 0; topic < kTopics - 1; topic += step) {
		queue *queue = queue_at(world, topic, 3);
		ASSERT_NE(queue, nullptr) << topic;
		EXPECT_FALSE(queue_is_open(queue)) << topic; /* a start opens none */
		EXPECT_EQ(texts_of(world, topic, 3), three) << topic;
	}
	expect_bounded();
}

/* So many messages to each queue, one after the other. */
void spread(World &world, Session &session, int topics, int rounds)
{
	const uint32_t count = 64;
	std::vector<gantry_send> sends(count);
	std::vector<gantry_send *> at;
	std::vector<std::string> names;
	const std::string body = "spread", group = "producers", dflt = "TBW102";

	for (int topic = 0; topic < topics; topic++)
		names.push_back(topic_name(topic));
	for (gantry_send &send : sends) {
		send.session = session.get();
		send.group = {group.data(), group.size()};
		send.default_topic = {dflt.data(), dflt.size()};
		send.body = {body.data(), body.size()};
		send.max_reconsume_times = -1;
		at.push_back(&send);
	}
	for (int i = 0; i < rounds * topics * kQueues;) {
		for (gantry_send &send : sends) {
			const std::string &name = names[(size_t)(i % topics)];

			send.topic = {name.data(), name.size()};
			send.queue = i++ / topics % kQueues;
		}
		world.on(session.loop(), [&] {
			gantry_op op = {};

			op.loop = session.loop();
			ASSERT_EQ(world.ops()->send(world.inst(), at.data(), count, &op), 0);
		});
		for (const gantry_send &send : sends)
			ASSERT_EQ(send.code, GANTRY_SUCCESS) << send.remark;
	}
}

uint64_t runs(World &world)
{
	return __atomic_load_n(&world.messages()->writer.runs, __ATOMIC_RELAXED);
}

/* How often a file is written does not depend on how many queues there are. */
TEST(Scale, EntriesWaitInMemoryForOthersOfTheirQueue)
{
	const int topics = 1024, rounds = 20; /* more queues than are written at once */
	Folder folder;
	World world(folder.path(), "messageIndexEnable = false\n"
				   "mappedFileSizeCommitLog = 1073741824\n");
	uint64_t before;

	fill(world, "first", topics);
	world.until([&] { return all_written(folder, world); });
	before = runs(world);
	{
		Session session(world);

		spread(world, session, topics, rounds);
	}
	world.until([&] { return all_written(folder, world); });
	EXPECT_LE(runs(world) - before, (uint64_t)topics * kQueues * rounds / 5);
}

} // namespace
