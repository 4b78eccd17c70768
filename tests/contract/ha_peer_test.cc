/* SPDX-License-Identifier: Apache-2.0 */
/* A master and a slave with a peer that keeps to RocketMQ's HA protocol, or does not. */
#include <filesystem>
#include <thread>

#include "ha_fixture.h"

/* No engine makes a difference here. */
class HaPeer : public Ha
{
};
OVER_ENGINES(HaPeer, std::vector<Engine>{every_engine.front()});

/* ---- SYNC_MASTER */

TEST_P(HaPeer, OneReportAcknowledgesMany)
{
	auto leader = master("replication-sync", "slaveTimeout = 1m\n");
	Peer peer(port);
	std::vector<Sent *> sent;
	uint64_t got = 0;

	peer.report(0);
	ASSERT_TRUE(peer.take());
	for (int i = 0; i < 10; ++i)
		sent.push_back(leader->client->send({std::string(100, 'x')}));
	while (got < sent.back()->end) {
		auto batch = peer.take();

		ASSERT_TRUE(batch);
		got = static_cast<uint64_t>(batch->offset) + batch->body.size();
	}
	peer.report(static_cast<int64_t>(sent[4]->end - 1));
	EXPECT_EQ(sent[3]->op.finish(sent[3]->rc), 0);
	EXPECT_FALSE(sent[4]->over());
	peer.report(static_cast<int64_t>(got));
	for (Sent *one : sent) {
		EXPECT_EQ(one->op.finish(one->rc), 0);
		EXPECT_EQ(one->answer(), GANTRY_ACK);
	}
}

TEST_P(HaPeer, TwoSlavesMayBeAskedFor)
{
	auto leader = master("replication-sync", "slaveTimeout = 1m\ninSyncReplicas = 3\n");
	auto first = slave("", "slave-1");

	EXPECT_EQ(leader->client->send_and_wait("x"), GANTRY_REPLICA_FEW);
	caught_up(*first, *leader);
	EXPECT_EQ(leader->client->send_and_wait("x"), GANTRY_REPLICA_FEW);
	auto second = slave("", "slave-2");
	ASSERT_TRUE(leader->world->until(
		[&] { return leader->client->send_and_wait("x") == GANTRY_ACK; }));
	EXPECT_EQ(first->end(), second->end());
}

TEST_P(HaPeer, OneReplicaWaitsForNobody)
{
	auto leader = master("replication-sync", "inSyncReplicas = 1\n");

	EXPECT_EQ(leader->client->send({"x"})->rc, 0);
}

/* ---- a master and a peer */

TEST_P(HaPeer, BatchesAndHeartbeatsAreJavas)
{
	auto leader = master("replication-async", "haTransferBatchSize = 1024\n");
	Peer peer(port);
	std::string got;

	fill(*leader, 30, 5000);
	uint64_t from = SEGMENT, end = leader->end();
	peer.report(static_cast<int64_t>(from));
	while (got.size() < end - from) {
		auto batch = peer.take();

		ASSERT_TRUE(batch);
		ASSERT_EQ(static_cast<uint64_t>(batch->offset), from + got.size());
		ASSERT_LE(batch->body.size(), 1024u);
		uint64_t last = static_cast<uint64_t>(batch->offset) + batch->body.size();
		ASSERT_TRUE(batch->body.empty() ||
			    static_cast<uint64_t>(batch->offset) / SEGMENT == (last - 1) / SEGMENT)
			<< "a batch is of one file";
		got += batch->body;
	}
	auto beat = peer.take();
	ASSERT_TRUE(beat);
	EXPECT_EQ(static_cast<uint64_t>(beat->offset), end);
	EXPECT_TRUE(beat->body.empty());
	leader.reset();
	EXPECT_EQ(got == log_bytes(folder / "master", SEGMENT, end).substr(from), true);
}

TEST_P(HaPeer, NothingIsSentBeforeTheFirstReport)
{
	auto leader = master("replication-async", "haHousekeepingInterval = 200\n");
	Peer silent(port);

	fill(*leader, 3, 100);
	EXPECT_FALSE(silent.take()) << "closed after haHousekeepingInterval, without a byte";
}

TEST_P(HaPeer, WhatIsNoSlaveIsRefused)
{
	auto leader = master();
	std::string many(100000, 'x');

	fill(*leader, 30, 5000);
	leader->client->ops->expire(leader->client->inst, SEGMENT);
	for (int64_t offset : {INT64_C(-1), INT64_MIN, INT64_MAX, INT64_C(10),
			       static_cast<int64_t>(leader->end()) + 1}) {
		Peer peer(port);

		peer.report(offset);
		EXPECT_TRUE(peer.closed()) << offset;
	}
	for (auto &text : {std::string("GET / HTTP/1.1\r\n\r\n"), many,
			   std::string("\x16\x03\x01\0\0\0\0\0\0", 9)}) {
		Peer peer(port);

		peer.say(text);
		EXPECT_TRUE(peer.closed());
	}
	{
		Peer peer(port); /* a good start, and then a lie */

		peer.report(static_cast<int64_t>(leader->end()));
		ASSERT_TRUE(peer.take());
		peer.report(static_cast<int64_t>(leader->end()) + 100);
		EXPECT_TRUE(peer.closed());
	}
	{
		Peer peer(port); /* both at once */
		std::string both(16, '\0');

		both[10] = 1; /* the second one: 1 << 40 */
		peer.say(both);
		EXPECT_TRUE(peer.closed());
	}
	auto follower = slave();
	fill(*leader, 3, 100);
	caught_up(*follower, *leader);
}

TEST_P(HaPeer, AReportMayComeInPieces)
{
	auto leader = master();
	Peer peer(port);
	std::string report("\0\0\0\0\0\0\0\0", 8);

	fill(*leader, 1, 100);
	for (char byte : report) {
		peer.say(std::string(1, byte));
		std::this_thread::yield();
	}
	auto batch = peer.take();
	ASSERT_TRUE(batch);
	EXPECT_EQ(batch->offset, 0);
	peer.say(report.substr(0, 5));
}

TEST_P(HaPeer, ConnectionsHaveALimit)
{
	auto leader = master("replication-async", "haMaxConnections = 3\n");
	std::vector<std::unique_ptr<Peer>> peers;

	fill(*leader, 1, 100);
	for (int i = 0; i < 3; ++i) {
		peers.push_back(std::make_unique<Peer>(port));
		peers.back()->report(0);
		ASSERT_TRUE(peers.back()->take());
	}
	EXPECT_TRUE(Peer(port).closed());
	for (int i = 0; i < 50; ++i)
		Peer health_check(port);
	peers.clear();
	EXPECT_TRUE(leader->world->until([&] {
		Peer peer(port);

		peer.report(0);
		return peer.take().has_value();
	}));
}

TEST_P(HaPeer, WhoSaysNothingGivesWay)
{
	auto leader =
		master("replication-async", "haMaxConnections = 3\nhaHousekeepingInterval = 1h\n");
	Peer real(port);
	std::vector<std::unique_ptr<Peer>> silent;

	fill(*leader, 1, 100);
	real.report(0);
	ASSERT_TRUE(real.take());
	for (int i = 0; i < 20; ++i)
		silent.push_back(std::make_unique<Peer>(port));
	EXPECT_TRUE(silent.front()->closed());
	EXPECT_TRUE(leader->world->until([&] {
		Peer late(port);

		late.report(0);
		return late.take().has_value();
	}));
	leader->client->send({std::string(100, 'x')});
	EXPECT_TRUE(real.take());
}

static size_t open_sockets()
{
	size_t count = 0;
	std::error_code gone; /* the one that lists them */

	for (auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
		auto target = std::filesystem::read_symlink(entry.path(), gone).string();

		count += target.rfind("socket:", 0) == 0;
	}
	return count;
}

TEST_P(HaPeer, HealthChecksLeaveNothing)
{
	auto leader = master();
	size_t before;

	fill(*leader, 1, 100);
	before = open_sockets();
	for (int i = 0; i < 600; ++i) {
		Peer health_check(port);

		if (i % 3 == 1)
			health_check.report(0);
		else if (i % 3 == 2)
			health_check.say("x");
	}
	EXPECT_TRUE(leader->world->until([&] { return open_sockets() <= before; }));
}

TEST_P(HaPeer, FlowControlIsKept)
{
	auto leader = master("replication-async",
			     "haFlowControlEnable = true\nmaxHaTransferByteInSecond = 30000\n");
	Peer peer(port);
	size_t got = 0;

	fill(*leader, 15, 3000);
	uint64_t begin_ms = gantry_clock_ms();
	peer.report(0);
	while (got < leader->end()) {
		auto batch = peer.take();

		ASSERT_TRUE(batch);
		got += batch->body.size();
	}
	EXPECT_GE(gantry_clock_ms() - begin_ms, 900u) << "45 kB at 30 kB a second";
}

/* ---- a slave and a peer */

TEST_P(HaPeer, FragmentsEndAnywhere)
{
	Listener listener;
	port = listener.port;
	auto follower = slave();
	auto peer = listener.accept();
	std::string text;
	std::vector<Record> records;

	ASSERT_TRUE(peer);
	EXPECT_EQ(peer->take_report(), 0);
	for (uint64_t i = 0; i < 20; ++i) {
		std::string one = encode_record(text.size(), i, 1000, std::string(37 * i + 1, 'x'));
		text += one;
	}
	for (size_t at = 0, size = 1; at < text.size(); at += size, size = size * 2 + 1) {
		std::string part = text.substr(at, size);

		peer->batch(static_cast<int64_t>(at), part);
		size = part.size();
	}
	ASSERT_TRUE(follower->world->until([&] { return follower->end() == text.size(); }));
	EXPECT_EQ(follower->client->scan(0).size(), 20u);
	int64_t reported = 0;
	while (reported < static_cast<int64_t>(text.size())) {
		auto report = peer->take_report();
		ASSERT_TRUE(report);
		ASSERT_GE(*report, reported);
		reported = *report;
	}
	EXPECT_EQ(reported, static_cast<int64_t>(text.size()));
}

TEST_P(HaPeer, WhatDoesNotFitEndsTheConnection)
{
	Listener listener;
	port = listener.port;
	auto follower = slave();
	std::string record = encode_record(0, 0, 1000, "the first");

	{
		auto peer = listener.accept();
		ASSERT_TRUE(peer);
		ASSERT_EQ(peer->take_report(), 0);
		peer->batch(0, record);
		peer->batch(static_cast<int64_t>(record.size()) + 8, "too far");
		EXPECT_TRUE(peer->closed());
	}
	for (auto &bad :
	     {std::string(12, '\xff'), std::string("\0\0\0\0\0\0\0\0\x7f\xff\xff\xff", 12)}) {
		auto peer = listener.accept();
		ASSERT_TRUE(peer) << "it comes back";
		EXPECT_EQ(peer->take_report(), static_cast<int64_t>(record.size()));
		peer->say(bad);
		EXPECT_TRUE(peer->closed());
	}
	EXPECT_EQ(follower->end(), record.size());
}

/* A slave with an empty log whose master's heartbeat said where it begins. */
class HaPeerEmpty : public HaPeer
{
      protected:
	void begin_at(uint64_t offset)
	{
		port = listener.port;
		follower = slave();
		peer = listener.accept();
		ASSERT_TRUE(peer);
		ASSERT_EQ(peer->take_report(), 0);
		peer->batch(static_cast<int64_t>(offset), "");
		ASSERT_TRUE(follower->world->until([&] { return follower->end() == offset; }));
	}

	Listener listener;
	std::unique_ptr<Node> follower;
	std::unique_ptr<Peer> peer;
};
OVER_ENGINES(HaPeerEmpty, std::vector<Engine>{every_engine.front()});

TEST_P(HaPeerEmpty, AnEmptyLogBeginsWhereAHeartbeatSays)
{
	ASSERT_NO_FATAL_FAILURE(begin_at(3 * SEGMENT));
	std::string record = encode_record(3 * SEGMENT, 0, 1000, "the first");
	peer->batch(3 * SEGMENT, record);
	ASSERT_TRUE(follower->world->until(
		[&] { return follower->end() == 3 * SEGMENT + record.size(); }));
	EXPECT_EQ(follower->client->scan(3 * SEGMENT).size(), 1u);
}

TEST_P(HaPeerEmpty, AnEmptyLogThatBeganDoesNotBeginBefore)
{
	ASSERT_NO_FATAL_FAILURE(begin_at(3 * SEGMENT));
	peer->batch(SEGMENT, "x");
	EXPECT_TRUE(peer->closed());
	EXPECT_EQ(follower->client->bounds().end, 3 * SEGMENT);
	peer = listener.accept();
	ASSERT_TRUE(peer) << "it comes back";
	EXPECT_EQ(peer->take_report(), static_cast<int64_t>(3 * SEGMENT));
}

TEST_P(HaPeer, AFileThatBeginsElsewhereIsRefused)
{
	Listener listener;
	port = listener.port;
	auto follower = slave();
	auto peer = listener.accept();

	ASSERT_TRUE(peer);
	ASSERT_EQ(peer->take_report(), 0);
	peer->batch(SEGMENT + 4096, "x");
	EXPECT_TRUE(peer->closed());
	EXPECT_EQ(follower->end(), 0u);
}

TEST_P(HaPeer, ASilentMasterIsLeft)
{
	Listener listener;
	port = listener.port;
	auto follower = slave("haHousekeepingInterval = 100\n");
	auto first = listener.accept();

	ASSERT_TRUE(first);
	EXPECT_TRUE(first->closed());
	EXPECT_TRUE(listener.accept());
}
