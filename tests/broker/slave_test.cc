// SPDX-License-Identifier: Apache-2.0
// A broker whose log another node writes: what it serves, what it refuses, and what begins and ends
// with its role.
#include <fstream>

#include <gtest/gtest.h>

#include "../contract/doubles.h"
#include "broker.h"
#include "delayed.h"
#include "session.h"
#include "store/store.h"
#include "topics/topics.h"

static const char kSlave[] = "brokerRole=SLAVE\nbrokerId=1\nslaveReadEnable=true\n";
static const char kDouble[] = "replication-follower-double";

// The log of a master that has taken so many messages.
static std::string log_of_a_master(int messages)
{
	Folder folder;
	uint64_t first = 0, end = 0;
	{
		World master(folder.path());
		Session session(master);

		for (int i = 0; i < messages; i++) {
			Sent message;
			message.body = "message " + std::to_string(i);
			EXPECT_EQ(session.send(message).code, GANTRY_SUCCESS);
		}
		store_bounds(master.messages(), &first, &end);
	}
	std::ifstream file(folder / "commitlog/00000000000000000000", std::ios::binary);
	std::string bytes{std::istreambuf_iterator<char>(file), {}};
	bytes.resize(end);
	return bytes;
}

static void make_topic(World &world)
{
	topic_config config;
	const char name[] = "TopicTest";

	topic_config_init(&config, {name, sizeof(name) - 1});
	config.read_queues = config.write_queues = 4;
	ASSERT_GE(topics_put(world.role()->topics, &config, nullptr), 0);
}

// Ships bytes in pieces that end anywhere.
static void ship(World &world, const std::string &log, size_t piece)
{
	for (size_t at = 0; at < log.size(); at += piece) {
		size_t size = std::min(piece, log.size() - at);
		world.aside([&] {
			EXPECT_EQ(follower_double_receive(world.replication(), at, log.data() + at,
							  size),
				  0);
		});
	}
}

TEST(Slave, ServesWhatIsShippedAndWritesNothing)
{
	std::string log = log_of_a_master(50);
	Folder folder;
	World world(folder.path(), kSlave, 2, kDouble);
	Session session(world);
	Pulled pull;

	make_topic(world);
	ship(world, log, 777);
	world.dispatched();
	Pulled got = session.pull(pull);
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_EQ(got.count, 32u);
	EXPECT_EQ(bodies(got.bytes).front(), "message 0");
	EXPECT_EQ(got.max, 50);

	Sent refused = session.send(Sent());
	EXPECT_EQ(refused.code, GANTRY_SYSTEM_BUSY);
	EXPECT_EQ(refused.remark, "[REJECTREQUEST]system busy, start flow control for a while");
	uint64_t first = 0, end = 0;
	store_bounds(world.messages(), &first, &end);
	EXPECT_EQ(end, log.size());
}

TEST(Slave, AHeldPullWakesWhenMoreIsShipped)
{
	std::string log = log_of_a_master(10);
	Folder folder;
	World world(folder.path(), kSlave, 2, kDouble);
	Session session(world);
	Pulled pull;

	make_topic(world);
	ship(world, log.substr(0, log.size() / 2 + 3), 100);
	world.until([&] { return session.pull(pull).count == 5; });
	pull.offset = 5; // three bytes of a message stand there
	pull.flags |= GANTRY_PULL_SUSPEND;
	pull.suspend_ms = 60000;
	auto pending = session.begin(pull);
	EXPECT_FALSE(pending->done());
	world.aside([&] {
		size_t at = log.size() / 2 + 3;
		EXPECT_EQ(follower_double_receive(world.replication(), at, log.data() + at,
						  log.size() - at),
			  0);
	});
	Pulled got = pending->wait();
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_EQ(bodies(got.bytes).front(), "message 5");
}

// With 10 of the ratio taken off, as a slave does, no memory is left: whatever is not the last
// message is far behind.
TEST(Slave, WhoLagsStaysAndWhoDoesNotGoesToTheMaster)
{
	std::string log = log_of_a_master(50);
	Folder folder;
	World world(folder.path(), kSlave + std::string("accessMessageInMemoryMaxRatio=10\n"), 2,
		    kDouble);
	Session session(world);
	Pulled pull;

	make_topic(world);
	ship(world, log, log.size());
	world.dispatched();
	EXPECT_EQ(session.pull(pull).suggest, 1);
	pull.subscription = "none"; // nothing of it matches
	pull.max_messages = 4;
	EXPECT_EQ(session.pull(pull).suggest, 1);
	pull.offset = 50;
	EXPECT_EQ(session.pull(pull).suggest, 0);
}

TEST(Slave, WhoIsNearIsSentToTheMaster)
{
	std::string log = log_of_a_master(50);
	Folder folder;
	World world(folder.path(), kSlave, 2, kDouble);
	Session session(world);

	make_topic(world);
	ship(world, log, log.size());
	world.dispatched();
	EXPECT_EQ(session.pull(Pulled()).suggest, 0);
}

TEST(Slave, WithoutSlaveReadEnableItRefusesPulls)
{
	Folder folder;
	World world(folder.path(), "brokerRole=SLAVE\nbrokerId=1\n", 2, kDouble);
	Session session(world);

	make_topic(world);
	Pulled got = session.pull(Pulled());
	EXPECT_EQ(got.code, GANTRY_SYSTEM_BUSY);
	EXPECT_EQ(got.remark, "[REJECTREQUEST]system busy, start flow control for a while");
}

TEST(Slave, WhatOnlyAMasterDoesBeginsAndEndsWithTheRole)
{
	Folder folder;
	World world(folder.path(), kKeys, 2, kDouble);
	Session session(world);

	make_topic(world);
	EXPECT_EQ(session.send(delayed(kNow, "early")).code, GANTRY_SYSTEM_BUSY);
	for (uint64_t term = 1; term <= 3; term++) {
		std::string body = "term " + std::to_string(term);

		ASSERT_EQ(follower_double_lead(world.replication(), term), 0);
		ASSERT_EQ(session.send(delayed(kNow, body)).code, GANTRY_SUCCESS);
		auto list = stored(world, "TopicTest", 2, term);
		EXPECT_EQ(list.back().body, body);
		follower_double_lost(world.replication(), term);
		EXPECT_EQ(session.send(delayed(kNow, "late")).code, GANTRY_SYSTEM_BUSY);
	}
	uint64_t first = 0, end = 0, after = 0;
	store_bounds(world.messages(), &first, &end);
	world.dispatched();
	store_bounds(world.messages(), &first, &after);
	EXPECT_EQ(after, end);
}

// A change of role while the last one is under way, and a stop in the middle of it.
TEST(Slave, RolesThatChangeAtOnceEndWell)
{
	Folder folder;
	World world(folder.path(), kKeys, 2, kDouble);
	Session session(world);
	auto lead = [&](uint64_t term) { // -EBUSY: the last term is not caught up with yet
		world.until([&] { return follower_double_lead(world.replication(), term) == 0; });
	};

	make_topic(world);
	for (uint64_t term = 1; term <= 20; term++) {
		lead(term);
		if (term % 3 == 0)
			session.send(delayed(kNow, "some"));
		follower_double_lost(world.replication(), term);
	}
	world.dispatched();
	EXPECT_EQ(session.send(delayed(kSecond, "refused")).code, GANTRY_SYSTEM_BUSY);
	lead(30);
	world.until([&] { return session.send(delayed(kSecond, "kept")).code == GANTRY_SUCCESS; });
}
