/* SPDX-License-Identifier: Apache-2.0 */
/* Many delayed messages: what they cost while they wait, and how they leave. DELAY_MESSAGES says
 * how many; the figures are printed. */
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "broker.h"
#include "session.h"
#include "store/store.h"

namespace
{

int how_many(int usual)
{
	const char *wanted = getenv("DELAY_MESSAGES");

	return wanted ? std::stoi(wanted) : usual;
}

/* In KiB. */
long own_memory()
{
	std::ifstream status("/proc/self/status");
	std::string name;
	long size = 0;

	while (status >> name)
		if (name == "RssAnon:")
			status >> size;
	return size;
}

void send_many(Session &session, int count, const std::string &properties)
{
	std::vector<Sent> messages(500);

	for (int sent = 0; sent < count; sent += (int)messages.size()) {
		for (size_t i = 0; i < messages.size(); i++) {
			messages[i] = {};
			messages[i].body = std::to_string(sent + (int)i);
			messages[i].properties = properties;
		}
		session.send(messages);
		for (const Sent &message : messages)
			ASSERT_EQ(GANTRY_SUCCESS, message.code) << message.remark;
	}
}

int64_t end_of(World &world, const std::string &topic)
{
	queue *queue = store_queue_named(world.messages(), {topic.data(), topic.size()}, 0);
	int64_t min, max;

	queue_bounds(queue, &min, &max);
	return max;
}

TEST(DelayScale, ManyWaitInLittleMemoryAndLeaveAtOnce)
{
	Folder folder;
	int count = how_many(100000) / 500 * 500;
	{
		World world(folder.path(), "messageDelayLevel=1h\n");
		Session session(world);
		long before;

		send_many(session, 500,
			  "DELAY\1"
			  "1\2");
		before = own_memory();
		send_many(session, count - 500,
			  "DELAY\1"
			  "1\2");
		world.dispatched();
		printf("%d messages wait in %.1f MiB\n", count,
		       (double)(own_memory() - before) / 1024);
		EXPECT_LT(own_memory() - before, 200 * 1024);
	}
	/* what is due later than its level can say is due at once */
	World world(folder.path(), "messageDelayLevel=0s\n");
	uint64_t begun = gantry_clock_ms();

	world.until([&] { return end_of(world, "TopicTest") >= count; });
	printf("%d messages left in %.2f s\n", count, (double)(gantry_clock_ms() - begun) / 1000);
	printf("with %.1f MiB\n", (double)own_memory() / 1024);
	EXPECT_EQ(count, end_of(world, "TopicTest"));
}

TEST(DelayScale, IsExact)
{
	Folder folder;
	World world(folder.path(), "messageDelayLevel=1s\n");
	Session session(world);
	std::vector<Kept> kept, come;
	std::vector<int64_t> late;

	for (int i = 0; i < 200; i++) {
		Sent message;
		uint64_t until = gantry_clock_ms() + 5;

		message.properties = "DELAY\1"
				     "1\2";
		session.send(message);
		world.until([&] { return gantry_clock_ms() >= until; });
	}
	come = stored(world, "TopicTest", 0, 200);
	kept = stored(world, "SCHEDULE_TOPIC_XXXX", 0);
	ASSERT_EQ(kept.size(), come.size());
	for (size_t i = 0; i < come.size(); i++) {
		late.push_back(come[i].store_ms - kept[i].store_ms - 1000);
		EXPECT_GE(late.back(), 0);
	}
	std::sort(late.begin(), late.end());
	printf("late by %lld ms in the middle, %lld at most\n", (long long)late[100],
	       (long long)late[199]);
	EXPECT_LE(late[100], 100);
}

} // namespace
