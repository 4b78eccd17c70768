/* SPDX-License-Identifier: Apache-2.0 */
/* Log shipping: a master with its slaves. */
#include "ha_fixture.h"

OVER_EVERY_ENGINE(Ha);

/* ---- a slave and its master */

TEST_P(Ha, ASlaveHasItsMastersBytes)
{
	auto leader = master();
	auto follower = slave();

	EXPECT_EQ(follower->client->roles, (std::vector<std::pair<int, uint64_t>>{{0, 0}}));
	EXPECT_EQ(follower->client->send({"mine"})->rc, -EROFS);
	fill(*leader, 40, 100);
	caught_up(*follower, *leader);
	fill(*leader, 60, 5000); /* over several files, with pads between them */
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->mark(GANTRY_VISIBLE), leader->end());
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
	uint64_t end = leader->end();
	follower.reset();
	leader.reset();
	same_files(end);
}

TEST_P(Ha, EachTellsOfTheOther)
{
	auto leader = master();
	gantry_replica seen[2];

	EXPECT_EQ(leader->client->ops->peers(leader->client->inst, seen, 2), 0u);
	auto follower = slave();
	fill(*leader, 4, 1000);
	ASSERT_TRUE(leader->world->until([&] {
		return leader->client->ops->peers(leader->client->inst, seen, 2) == 1 &&
		       seen[0].at == leader->end();
	}));
	EXPECT_EQ(std::string(seen[0].address).rfind("127.0.0.1:", 0), 0u);
	EXPECT_EQ(seen[0].flags, static_cast<uint32_t>(GANTRY_REPLICA_IN_SYNC));
	EXPECT_EQ(seen[0].from, leader->end());
	EXPECT_GT(seen[0].read_ms, 0);
	EXPECT_EQ(leader->client->ops->peers(leader->client->inst, nullptr, 0), 1u);
	ASSERT_EQ(follower->client->ops->peers(follower->client->inst, seen, 1), 1u);
	EXPECT_EQ(seen[0].address, "127.0.0.1:" + std::to_string(port));
	EXPECT_EQ(seen[0].flags, static_cast<uint32_t>(GANTRY_REPLICA_LEADS));
	EXPECT_EQ(seen[0].at, leader->end());
}

TEST_P(Ha, ASlaveGoesWhereItIsTold)
{
	auto leader = master();
	auto follower = std::make_unique<Node>(GetParam(), "replication-slave", folder / "slave",
					       "haSendHeartbeatInterval = 20\n");
	auto follow = [&](const std::string &address) {
		follower->client->ops->follow(follower->client->inst,
					      {address.data(), address.size()});
	};
	gantry_replica seen;

	fill(*leader, 4, 1000);
	EXPECT_EQ(follower->client->ops->peers(follower->client->inst, &seen, 1), 0u);
	follow("nowhere");
	follow("127.0.0.1:1");
	follow("localhost:" + std::to_string(port));
	caught_up(*follower, *leader);
	follow("");
	ASSERT_TRUE(leader->world->until(
		[&] { return leader->client->ops->peers(leader->client->inst, &seen, 1) == 0; }));
	fill(*leader, 4, 1000);
	follow("127.0.0.1:" + std::to_string(port));
	caught_up(*follower, *leader);
}

TEST_P(Ha, ASlaveThatWasAwayGoesOn)
{
	auto leader = master();

	for (int round = 0; round < 3; ++round) {
		auto follower = slave();

		fill(*leader, 10, 3000);
		caught_up(*follower, *leader);
		follower.reset();
		fill(*leader, 10, 3000);
	}
	auto follower = slave();
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
}

TEST_P(Ha, AMasterThatWasAwayIsFoundAgain)
{
	auto leader = master();
	auto follower = slave();

	fill(*leader, 10, 3000);
	caught_up(*follower, *leader);
	leader.reset();
	leader = master();
	fill(*leader, 10, 3000);
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
}

TEST_P(Ha, AnEmptySlaveBeginsWithTheLastFile)
{
	auto leader = master();

	fill(*leader, 30, 5000);
	uint64_t last = leader->end() - leader->end() % SEGMENT;
	ASSERT_GT(last, 0u);
	auto follower = slave();
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->bounds().first, last);
	auto records = follower->client->scan(last);
	ASSERT_FALSE(records.empty());
	EXPECT_EQ(records.back(), leader->client->placed.back());
}

TEST_P(Ha, AnEmptySlaveMayBeginWithTheFirstFile)
{
	auto leader = master("replication-async", "haSendFromFirstFile = true\n");

	fill(*leader, 30, 5000);
	auto follower = slave();
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
}

TEST_P(Ha, ASlaveIsNeverAheadIfItMustNot)
{
	auto leader = master("replication-async",
			     "haSendDurableOnly = true\nhaSendFromFirstFile = true\n");
	auto follower = slave();

	for (int i = 0; i < 20; ++i) {
		fill(*leader, 3, 2000);
		ASSERT_LE(follower->end(), leader->client->mark(GANTRY_DURABLE));
	}
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
}

TEST_P(Ha, NoFlushIsWaitedForAndAKillPutsNoSlaveAhead)
{
	auto leader = master("replication-async", "haSendFromFirstFile = true\n"
						  "flushIntervalCommitLog = 1h\n");
	auto follower = slave();

	fill(*leader, 20, 2000);
	caught_up(*follower, *leader);
	EXPECT_LT(leader->client->mark(GANTRY_DURABLE), leader->end());
	std::string kept = log_bytes(folder / "master", SEGMENT, leader->end());
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
	if (!slow()) {
		EXPECT_TRUE(kept == log_bytes(folder / "slave", SEGMENT, leader->end()));
	}
}

TEST_P(Ha, ManySlavesAreServed)
{
	auto leader = master("replication-async", "haSendFromFirstFile = true\n");
	std::vector<std::unique_ptr<Node>> followers;

	for (int i = 0; i < 4; ++i)
		followers.push_back(slave("", "slave-" + std::to_string(i)));
	fill(*leader, 60, 3000);
	for (auto &follower : followers) {
		caught_up(*follower, *leader);
		EXPECT_EQ(follower->client->scan(0), leader->client->placed);
	}
}

/* ---- SYNC_MASTER */

TEST_P(Ha, AcknowledgedWhenASlaveHasIt)
{
	auto leader = master("replication-sync", "slaveTimeout = 1m\n");
	auto follower = slave();

	ASSERT_TRUE(leader->world->until(
		[&] { return leader->client->send_and_wait("x") == GANTRY_ACK; }));
	std::vector<Sent *> sent;
	for (int i = 0; i < 200; ++i)
		sent.push_back(leader->client->send({std::string(500, 'b')}));
	for (Sent *one : sent) {
		ASSERT_GE(one->rc, 0);
		ASSERT_EQ(one->op.finish(one->rc), 0);
		EXPECT_EQ(one->answer(), GANTRY_ACK);
		EXPECT_LE(one->end, follower->end());
	}
	EXPECT_GE(leader->client->mark(GANTRY_REPLICATED), sent.back()->end);
}

TEST_P(Ha, WithoutASlaveItIsSaidAtOnce)
{
	auto leader = master("replication-sync", "slaveTimeout = 1m\n");

	EXPECT_EQ(leader->client->send_and_wait("x"), GANTRY_REPLICA_FEW);
	{
		auto follower = slave();

		ASSERT_TRUE(leader->world->until(
			[&] { return leader->client->send_and_wait("x") == GANTRY_ACK; }));
	}
	EXPECT_TRUE(leader->world->until(
		[&] { return leader->client->send_and_wait("x") == GANTRY_REPLICA_FEW; }));
	EXPECT_EQ(leader->client->scan(0), leader->client->placed) << "all are stored";
}

TEST_P(Ha, WithAFlushTooFewIsSaidWhenItIsDurable)
{
	auto leader = master("replication-sync", "slaveTimeout = 1m\nflushDiskType = SYNC_FLUSH\n");

	EXPECT_EQ(leader->client->send_and_wait("x"), GANTRY_REPLICA_FEW);
	EXPECT_EQ(leader->client->mark(GANTRY_DURABLE), leader->end());
}

TEST_P(Ha, ASlaveThatSaysNothingIsLate)
{
	auto leader = master("replication-sync", "slaveTimeout = 50\n");
	Peer peer(port);

	peer.report(0);
	ASSERT_TRUE(leader->world->until(
		[&] { return leader->client->send_and_wait("x") == GANTRY_REPLICA_LATE; }));
}

TEST_P(Ha, ASlaveFarBehindDoesNotCount)
{
	auto leader = master("replication-sync", "slaveTimeout = 1m\nhaMaxGapNotInSync = 1000\n");
	Peer peer(port);

	peer.report(0);
	ASSERT_TRUE(leader->world->until([&] {
		Sent *sent = leader->client->send({std::string(100, 'x')});
		return sent->rc > 0 && !sent->over();
	})) << "waited for, since it is near";
	auto sent = leader->client->send({std::string(2000, 'x')});
	ASSERT_EQ(sent->op.finish(sent->rc), 0);
	EXPECT_EQ(sent->answer(), GANTRY_REPLICA_FEW);
}

TEST_P(Ha, ASlaveUnderSyncFlushReportsWhatIsDurable)
{
	auto leader = master("replication-sync", "slaveTimeout = 1m\n");
	auto follower = slave("flushDiskType = SYNC_FLUSH\n");

	ASSERT_TRUE(leader->world->until(
		[&] { return leader->client->send_and_wait("x") == GANTRY_ACK; }));
	for (int i = 0; i < 5; ++i) {
		auto sent = leader->client->send({std::string(1000, 'b')});

		ASSERT_EQ(sent->op.finish(sent->rc), 0);
		EXPECT_EQ(sent->answer(), GANTRY_ACK);
		EXPECT_GE(follower->client->mark(GANTRY_DURABLE), sent->end);
	}
}

/* ---- a slave whose engine has no room */

class HaScript : public Ha
{
};
WITH_A_SCRIPT(HaScript);

TEST_P(HaScript, ASlaveThatIsBusyOrFullGoesOnWhenItCan)
{
	auto leader = master("replication-async", "haSendFromFirstFile = true\n");
	auto follower = slave();

	fill(*leader, 4, 1000);
	caught_up(*follower, *leader);
	slow_refuse_windows(follower->world->inst("storage-slow"), 0, 5, -EAGAIN);
	fill(*leader, 40, 3000);
	caught_up(*follower, *leader);
	slow_refuse_windows(follower->world->inst("storage-slow"), 1, 1, -ENOSPC);
	fill(*leader, 40, 3000);
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
}

TEST_P(HaScript, WhatIsColdComesWhenItIsThere)
{
	auto leader = master("replication-async", "haSendFromFirstFile = true\n");

	fill(*leader, 40, 3000);
	slow_hold(leader->world->inst("storage-slow"), SLOW_READS);
	auto follower = slave();
	ASSERT_TRUE(leader->world->until(
		[&] { return slow_held(leader->world->inst("storage-slow")) > 0; }));
	fill(*leader, 4, 3000);
	follower.reset(); /* it goes while its bytes are on their way */
	follower = slave();
	slow_hold(leader->world->inst("storage-slow"), 0);
	caught_up(*follower, *leader);
	EXPECT_EQ(follower->client->scan(0), leader->client->placed);
}

TEST_P(HaScript, AFencedLogIsShippedToItsEndAndHeartbeatsGoOn)
{
	auto leader = master("replication-async", "haSendFromFirstFile = true\n");
	Peer peer(port);
	uint64_t got = 0;

	slow_fail_sync(leader->world->inst("storage-slow"));
	ASSERT_TRUE(leader->world->until([&] { return leader->client->send({"x"})->rc == -EIO; }));
	peer.report(0);
	while (got < leader->end()) {
		auto batch = peer.take();

		ASSERT_TRUE(batch && static_cast<uint64_t>(batch->offset) == got);
		got += batch->body.size();
	}
	for (int i = 0; i < 2; ++i) {
		auto batch = peer.take();

		ASSERT_TRUE(batch) << "the connection stays";
		EXPECT_EQ(static_cast<uint64_t>(batch->offset), got);
		EXPECT_EQ(batch->body, "");
	}
}
