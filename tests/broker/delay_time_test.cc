/* SPDX-License-Identifier: Apache-2.0 */
/* Delayed messages over restarts, kills and a full disk: what takes seconds. */
#include <gtest/gtest.h>

#include <fstream>

#include "broker.h"
#include "delayed.h"
#include "store/expire.h"

namespace
{

/* A second level that is not over before the test has done what comes before it. */
const char kLong[] = "messageDelayLevel=0s 6s 1h\n"
		     "flushDelayOffsetInterval=50\n"
		     "delayOffsetUpdateVersionStep=1\n";

TEST(Delay, ARestartNeitherForgetsNorRepeats)
{
	Folder folder;
	{
		World world(folder.path(), kLong);
		Session session(world);

		session.send(delayed(kNow, "before"));
		session.send(delayed(kSecond, "after"));
		stored(world, "TopicTest", 2, 1);
		world.until([&] { return says(offsets_file(folder.path()), "1:1"); });
	}
	EXPECT_TRUE(says(offsets_file(folder.path()), "\"offsetTable\":{1:1"));
	EXPECT_FALSE(says(offsets_file(folder.path()), "2:1"));
	World world(folder.path(), kLong);

	EXPECT_EQ((std::vector<std::string>{"before", "after"}),
		  bodies_of(stored(world, "TopicTest", 2, 2)));
	EXPECT_TRUE(says(ask(world, 45, {}).body, "\"offsetTable\":{1:1,2:1}"))
		<< ask(world, 45, {}).body;
	EXPECT_TRUE(says(ask(world, 28, {}).body, "\"scheduleMessageOffset_2\":\"1,1\""))
		<< ask(world, 28, {}).body;
}

TEST(Delay, AKillLosesNothing)
{
	Folder folder;

	in_a_process_that_dies(
		folder.path(),
		[](World &world) {
			Session session(world);

			for (int i = 0; i < 100; i++)
				session.send(delayed(kSecond, std::to_string(i)));
			session.abandon();
		},
		kKeys);
	World world(folder.path(), kKeys);
	std::vector<Kept> come;
	int last = -1;

	/* what went out before the end may go out again, but nothing is passed over */
	do
		come = stored(world, "TopicTest", 2, come.size() + (come.empty() ? 100 : 1));
	while (come.back().body != "99");
	for (const Kept &message : come) {
		int number = std::stoi(message.body);

		EXPECT_LE(number, last + 1);
		last = number;
	}
}

TEST(Delay, AFullDiskDelaysAndKeepsTheOrder)
{
	Folder folder;
	World world(folder.path(), kLong);
	Session session(world);
	int32_t used = 10;
	struct expiry_senses senses = {};

	senses.now_ms = [](void *) -> int64_t { return broker_wall_ms(); };
	senses.used_percent = [](const char *, void *user) {
		return (int)__atomic_load_n(static_cast<int32_t *>(user), __ATOMIC_RELAXED);
	};
	senses.user = &used;
	expiry_set_senses(store_expiry(world.messages()), &senses);
	for (int i = 0; i < 10; i++)
		ASSERT_EQ(GANTRY_SUCCESS, session.send(delayed(kSecond, std::to_string(i))).code);
	__atomic_store_n(&used, 99, __ATOMIC_RELAXED);
	world.aside([&] { expiry_round(store_expiry(world.messages())); });
	ASSERT_EQ(GANTRY_SERVICE_NOT_AVAILABLE, session.send(delayed(kNow, "no")).code);
	/* the tenth of a second after which it tries again is long over when the disk is empty */
	uint64_t full_until = gantry_clock_ms() + 6300;
	world.until([&] { return gantry_clock_ms() > full_until; });
	EXPECT_TRUE(stored(world, "TopicTest", 2).empty());
	__atomic_store_n(&used, 10, __ATOMIC_RELAXED);
	world.aside([&] { expiry_round(store_expiry(world.messages())); });
	EXPECT_EQ((std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}),
		  bodies_of(stored(world, "TopicTest", 2, 10)));
	senses.used_percent = [](const char *, void *) { return 10; };
	expiry_set_senses(store_expiry(world.messages()), &senses);
}

} // namespace
