/* SPDX-License-Identifier: Apache-2.0 */
/* What every replication mode owes in placing, marks and recovery, shown by replication-async; and
 * what acknowledgement means, shown by a synchronous mode with late and missing followers. */
#include "door_contract.h"

class Async : public ModeTest
{
      protected:
	Async() : world(sections(GetParam(), "replication-async", "flushIntervalCommitLog = 20\n"))
	{
	}
	World world;
};
OVER_EVERY_ENGINE(Async);

static std::string body(size_t size, char fill = 'b')
{
	return std::string(size, fill);
}

TEST_P(Async, RecordsKnowTheirOffsetsAndAreReadBack)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	EXPECT_EQ(client.roles, (std::vector<std::pair<int, uint64_t>>{{1, 0}}));
	for (size_t i = 0; i < 300; ++i) {
		auto sent = client.send({body(i), body(3 * i + 1), body(1)});
		ASSERT_EQ(sent->rc, 0) << "acknowledged when appended";
		ASSERT_EQ(sent->placed, 3u);
		EXPECT_EQ(sent->end, client.mark(GANTRY_APPENDED));
	}
	EXPECT_EQ(client.mark(GANTRY_VISIBLE), client.mark(GANTRY_APPENDED));
	EXPECT_EQ(client.mark(GANTRY_REPLICATED), client.mark(GANTRY_APPENDED));
	EXPECT_GT(client.placed.back().at, 2 * SEGMENT);
	EXPECT_EQ(client.scan(0), client.placed);
	for (size_t i = 0; i < client.placed.size(); i += 37) {
		auto &record = client.placed[i];
		EXPECT_EQ(client.read(record.at, record.end() - record.at), record);
	}
}

TEST_P(Async, NoRecordCrossesASegmentsEnd)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path(), 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	/* Ends at every distance from the segment's end, 8 bytes being kept free. */
	for (size_t size = 1; size < 400; ++size)
		ASSERT_EQ(client.send({body(size * 7)})->rc, 0);
	for (auto &record : client.placed)
		ASSERT_LE(record.at % 8192 + (record.end() - record.at) + 8, 8192u);
	EXPECT_EQ(client.scan(0), client.placed);
}

TEST_P(Async, APadIsRocketMQsBlank)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder / "log", 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	ASSERT_EQ(client.send({body(7000)})->rc, 0);
	ASSERT_EQ(client.send({body(7000)})->rc, 0);
	uint64_t end = client.placed[0].end();
	EXPECT_EQ(client.placed[1].at, 8192u);
	client.detach();
	std::string file = file_text(folder / ("log/" + name_of(0)));
	std::string pad = file.substr(end, 8);
	uint32_t left = static_cast<uint32_t>(8192 - end);
	EXPECT_EQ(pad, (std::string{0, 0, static_cast<char>(left >> 8), static_cast<char>(left),
				    '\xCB', '\xD4', '\x31', '\x94'}));
	EXPECT_EQ(file.substr(end + 8), std::string(8192 - end - 8, 0));
}

TEST_P(Async, AUnitSharesASegment)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path(), 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	ASSERT_EQ(client.send({body(5000)})->rc, 0);
	auto sent = client.send({body(1100), body(1100), body(1100)}, 3);
	ASSERT_EQ(sent->placed, 3u);
	EXPECT_EQ(sent->records[0].at, 8192u) << "two would have fitted before";
	EXPECT_EQ(client.send({body(4000), body(4000), body(4000)}, 3)->rc, -EMSGSIZE);
	EXPECT_EQ(client.send({body(8200)})->rc, -EMSGSIZE);
	sent = client.send({body(4000), body(4000), body(4000)});
	EXPECT_EQ(sent->placed, 3u) << "alone, each finds room";
	EXPECT_EQ(client.scan(0), client.placed);
}

TEST_P(Async, WhatIsTooLongToBeReadIsNotPlaced)
{
	const size_t most = GANTRY_SLICE_MAX;
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path(), 4 * most), 0);
	ASSERT_EQ(client.recover(), 0);
	EXPECT_EQ(client.send({body(most)})->rc, -EMSGSIZE);
	auto sent = client.send({body(10), body(most), body(10)});
	EXPECT_EQ(sent->placed, 1u);
	ASSERT_EQ(client.send({body(most - 1000)})->rc, 0);
	EXPECT_EQ(client.scan(0), client.placed);
}

TEST_P(Async, ARecordMayBeLeftOut)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	auto sent = client.send({body(10), "", body(20), ""});
	EXPECT_EQ(sent->placed, 4u);
	EXPECT_EQ(sent->records.size(), 2u);
	EXPECT_EQ(client.scan(0), client.placed);
	EXPECT_EQ(client.send({""})->rc, 0);
}

class AsyncScript : public Async
{
};
WITH_A_SCRIPT(AsyncScript);

TEST_P(AsyncScript, AWindowThatIsNotReadyIsBusy)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path(), 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	slow_refuse_windows(world.inst(engine()), 0, 1, -EAGAIN);
	EXPECT_EQ(client.send({body(10)})->rc, -EAGAIN);
	EXPECT_EQ(client.send({body(10)})->rc, 0);
	slow_refuse_windows(world.inst(engine()), 0, 2, -ENOSPC);
	EXPECT_EQ(client.send({body(10)})->rc, -ENOSPC);
	EXPECT_EQ(client.send({body(10)})->rc, -ENOSPC);
	EXPECT_EQ(client.send({body(10)})->rc, 0);
	EXPECT_EQ(client.scan(0), client.placed);
}

TEST_P(AsyncScript, WhatDoesNotFitNowIsLeftForLater)
{
	Client client(world, "replication-async");
	std::vector<std::string> bodies = {body(10), body(5000), body(5000)};

	ASSERT_EQ(client.attach(folder.path(), 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	/* The third record needs the next segment. */
	slow_refuse_windows(world.inst(engine()), 1, 1, -ENOSPC);
	auto sent = client.send(bodies);
	EXPECT_EQ(sent->rc, 0);
	EXPECT_EQ(sent->placed, 2u);
	EXPECT_EQ(client.mark(GANTRY_APPENDED), client.bounds().end) << "a pad counts";
	sent = client.send({bodies[2]});
	EXPECT_EQ(sent->rc, 0);
	EXPECT_EQ(sent->records[0].at, 8192u);
	EXPECT_EQ(client.scan(0), client.placed);
}

TEST_P(Async, WaitersHearOfMarks)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	EXPECT_EQ(client.wait(GANTRY_APPENDED, 0), 0);
	Op visible(world), durable(world), far(world), early(world);
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_VISIBLE, 200, visible.get()),
		  GANTRY_PENDING);
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_DURABLE, 10, durable.get()), GANTRY_PENDING);
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_VISIBLE, 1u << 30, far.get()),
		  GANTRY_PENDING);
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_VISIBLE, 10, early.get()), GANTRY_PENDING);
	ASSERT_EQ(client.send({body(20)})->rc, 0);
	EXPECT_EQ(early.finish(1), 0);
	EXPECT_FALSE(visible.done());
	ASSERT_EQ(client.send({body(200)})->rc, 0);
	EXPECT_EQ(visible.finish(1), 0);
	EXPECT_EQ(visible.result(), client.mark(GANTRY_VISIBLE));
	EXPECT_EQ(durable.finish(1), 0) << "within flushIntervalCommitLog";
	EXPECT_FALSE(far.done());
	EXPECT_EQ(gantry_op_cancel(far.get()), 0);
	EXPECT_EQ(far.finish(1), -ECANCELED);
	Op late(world);
	late.get()->deadline_ms = gantry_clock_ms() + 1;
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_VISIBLE, 1u << 30, late.get()),
		  GANTRY_PENDING);
	EXPECT_EQ(late.finish(1), -ETIMEDOUT);
}

TEST_P(Async, WhoWaitsWhenTheLogGoesIsTold)
{
	Client client(world, "replication-async");
	Op waits(world);

	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_VISIBLE, 1000, waits.get()), GANTRY_PENDING);
	client.detach();
	EXPECT_EQ(waits.finish(1), -ESHUTDOWN);
	EXPECT_EQ(client.send({body(1)})->rc, -ESHUTDOWN);
}

TEST_P(Async, NothingIsPlacedBeforeRecoveryAndReadiness)
{
	Client client(world, "replication-async");

	client.hold_ready = true;
	ASSERT_EQ(client.attach(folder.path()), 0);
	EXPECT_EQ(client.send({body(1)})->rc, -EROFS);
	ASSERT_EQ(client.recover(), 0);
	EXPECT_EQ(client.send({body(1)})->rc, -EROFS);
	ASSERT_NE(client.ready, nullptr);
	gantry_op_finish(client.ready, 0, 0);
	EXPECT_TRUE(world.until([&] { return client.send({body(1)})->rc == 0; }));
}

TEST_P(Async, RecoveryCutsWhatIsNotValid)
{
	std::vector<Record> before;
	{
		Client client(world, "replication-async");

		ASSERT_EQ(client.attach(folder / "log"), 0);
		ASSERT_EQ(client.recover(), 0);
		for (int i = 0; i < 100; ++i)
			ASSERT_EQ(client.send({body(1000)})->rc, 0);
		before = client.placed;
	}
	/* A torn record in the second file. */
	uint64_t torn = before[80].at;
	std::string path = folder / ("log/" + name_of(torn - torn % SEGMENT));
	std::string file = file_text(path);
	file[torn % SEGMENT + 500] ^= 1;
	make_file(path, file, SEGMENT);
	Client client(world, "replication-async");
	ASSERT_EQ(client.attach(folder / "log"), 0);
	ASSERT_EQ(client.recover(), 0);
	before.resize(80);
	EXPECT_EQ(client.placed, before);
	EXPECT_EQ(client.mark(GANTRY_APPENDED), torn);
	EXPECT_EQ(client.mark(GANTRY_DURABLE), torn);
	EXPECT_TRUE(client.cuts.empty()) << "the client said it itself";
	ASSERT_EQ(client.send({body(10)})->rc, 0);
	EXPECT_EQ(client.scan(0), client.placed);
}

TEST_P(Async, StoreTimesNeverGoBack)
{
	int64_t future = (time(nullptr) + 3600) * int64_t(1000);
	std::string text = encode_record(0, 0, future, "from a clock that was ahead");

	make_file(folder / ("log/" + name_of(0)), text, SEGMENT);
	Client client(world, "replication-async");
	ASSERT_EQ(client.attach(folder / "log"), 0);
	ASSERT_EQ(client.recover(), 0);
	ASSERT_EQ(client.placed.size(), 1u);
	auto sent = client.send({body(1)});
	EXPECT_EQ(sent->store_ms, future);
	EXPECT_EQ(sent->records[0].store_ms, future);
}

TEST_P(Async, ExpiryLeavesWhatIsYounger)
{
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	for (int i = 0; i < 100; ++i)
		ASSERT_EQ(client.send({body(2000)})->rc, 0);
	EXPECT_EQ(client.ops->expire(client.inst, 2 * SEGMENT + 5), 2);
	EXPECT_EQ(client.bounds().first, 2 * SEGMENT);
	EXPECT_GT(client.ops->modified_ms(client.inst, 2 * SEGMENT), 0);
	EXPECT_EQ(client.ops->modified_ms(client.inst, 0), -ERANGE);
	auto records = client.scan(2 * SEGMENT);
	ASSERT_FALSE(records.empty());
	EXPECT_EQ(records.back(), client.placed.back());
}

/* ---- SYNC_FLUSH */

class SyncFlush : public ModeTest
{
};
OVER_EVERY_ENGINE(SyncFlush);

class SyncFlushScript : public ModeTest
{
};
WITH_A_SCRIPT(SyncFlushScript);

TEST_P(SyncFlush, VisibleIsDurable)
{
	World world(sections(GetParam(), "replication-async",
			     "flushDiskType = SYNC_FLUSH\nsyncFlushTimeout = 1m\n"));
	Client client(world, "replication-async");

	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	if (slow())
		slow_hold(world.inst(engine()), SLOW_SYNCS);
	auto sent = client.send({body(100)});
	ASSERT_EQ(sent->rc, GANTRY_PENDING);
	if (slow()) {
		EXPECT_FALSE(sent->over());
		EXPECT_EQ(client.mark(GANTRY_VISIBLE), 0u);
		EXPECT_TRUE(client.scan(0).empty());
		slow_hold(world.inst(engine()), 0);
	}
	EXPECT_EQ(sent->op.finish(1), 0);
	EXPECT_EQ(sent->answer(), GANTRY_ACK);
	EXPECT_GE(client.mark(GANTRY_DURABLE), sent->end);
	EXPECT_EQ(client.mark(GANTRY_VISIBLE), client.mark(GANTRY_DURABLE));
	sent = client.send({body(100)}, 1, GANTRY_RECORD_NO_WAIT);
	EXPECT_EQ(sent->rc, 0) << "nobody waits for it";
	EXPECT_EQ(client.wait(GANTRY_DURABLE, sent->end), 0) << "but it becomes durable";
}

TEST_P(SyncFlushScript, ManyShareOneSync)
{
	World world(sections(GetParam(), "replication-async",
			     "flushDiskType = SYNC_FLUSH\nsyncFlushTimeout = 1m\n"));
	Client client(world, "replication-async");
	std::vector<Sent *> sent;

	slow_record(world.inst(engine()));
	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	slow_hold(world.inst(engine()), SLOW_SYNCS);
	for (int i = 0; i < 100; ++i)
		sent.push_back(client.send({body(100)}));
	EXPECT_LE(slow_held(world.inst(engine())), 2u);
	slow_hold(world.inst(engine()), 0);
	for (Sent *one : sent)
		EXPECT_EQ(one->op.finish(one->rc), 0);
	EXPECT_LE(slow_events(world.inst(engine())), 100 + 8u) << "100 writes, a few syncs";
}

TEST_P(SyncFlushScript, AFailedSyncFencesForGood)
{
	World world(sections(GetParam(), "replication-async",
			     "flushDiskType = SYNC_FLUSH\nsyncFlushTimeout = 1m\n"));
	Client client(world, "replication-async");
	Op durable(world);

	ASSERT_EQ(client.attach(folder.path()), 0);
	ASSERT_EQ(client.recover(), 0);
	EXPECT_EQ(client.send_and_wait(body(10)), GANTRY_ACK);
	auto good = client.placed;
	slow_hold(world.inst(engine()), SLOW_SYNCS);
	auto first = client.send({body(10)}), second = client.send({body(10)});
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_DURABLE, second->end, durable.get()),
		  GANTRY_PENDING);
	slow_fail_sync(world.inst(engine()));
	slow_hold(world.inst(engine()), 0);
	EXPECT_EQ(first->op.finish(first->rc), -EIO);
	EXPECT_EQ(second->op.finish(second->rc), -EIO);
	EXPECT_EQ(durable.finish(1), -EIO);
	EXPECT_EQ(client.send({body(10)})->rc, -EIO);
	EXPECT_EQ(client.wait(GANTRY_DURABLE, second->end), -EIO);
	EXPECT_EQ(client.scan(0), good) << "reading goes on";
}

/* ---- late and missing acknowledgements */

class Late : public ModeTest
{
      protected:
	/* flush and replica: how long a proposal waits for each, ms. */
	void start(const std::string &flush, const std::string &replica)
	{
		world = std::make_unique<World>(
			sections(GetParam(), "replication-sync-double",
				 "flushWait = " + flush + "\nreplicaWait = " + replica + "\n"));
		client = std::make_unique<Client>(*world, "replication-sync-double");
		ASSERT_EQ(client->attach(folder.path()), 0);
		ASSERT_EQ(client->recover(), 0);
	}
	void TearDown() override
	{
		client.reset();
		world.reset();
	}
	void ack(uint64_t upto)
	{
		sync_double_acked(client->inst, upto);
	}

	std::unique_ptr<World> world;
	std::unique_ptr<Client> client;
};
OVER_EVERY_ENGINE(Late);

TEST_P(Late, AcknowledgedWhenTheFollowerHasIt)
{
	start("0", "1m");
	auto first = client->send({body(10)}), second = client->send({body(20)});
	ASSERT_EQ(first->rc, GANTRY_PENDING);
	EXPECT_EQ(client->mark(GANTRY_VISIBLE), second->end)
		<< "a slave that is late stops no reader";
	EXPECT_EQ(client->scan(0), client->placed);
	ack(first->end - 1);
	ack(first->end);
	EXPECT_EQ(first->op.finish(1), 0);
	EXPECT_EQ(first->answer(), GANTRY_ACK);
	EXPECT_FALSE(second->over());
	ack(second->end + 1000);
	EXPECT_EQ(second->op.finish(1), 0);
	EXPECT_EQ(client->mark(GANTRY_REPLICATED), second->end + 1000);
}

TEST_P(Late, AFollowerThatIsSilentIsLate)
{
	start("0", "50");
	auto sent = client->send({body(10)});
	ASSERT_EQ(sent->op.finish(sent->rc), 0);
	EXPECT_EQ(sent->answer(), GANTRY_REPLICA_LATE);
	EXPECT_EQ(client->scan(0), client->placed) << "the message keeps its place";
	auto next = client->send({body(10)});
	EXPECT_EQ(next->records[0].at, sent->records[0].end());
	ack(next->end);
	EXPECT_EQ(next->op.finish(next->rc), 0);
	EXPECT_EQ(next->answer(), GANTRY_ACK);
}

TEST_P(Late, TheCallersDeadlineCountsToo)
{
	start("0", "1m");
	auto sent = client->send({body(10)}, 1, 0, gantry_clock_ms() + 20);
	ASSERT_EQ(sent->op.finish(sent->rc), 0);
	EXPECT_EQ(sent->answer(), GANTRY_REPLICA_LATE);
}

TEST_P(Late, TooFewFollowersIsSaidAtOnce)
{
	start("0", "1m");
	auto first = client->send({body(10)}), second = client->send({body(10)});
	ack(first->end);
	EXPECT_EQ(first->op.finish(1), 0);
	sync_double_lost_followers(client->inst);
	EXPECT_EQ(second->op.finish(1), 0);
	EXPECT_EQ(second->answer(), GANTRY_REPLICA_FEW);
}

TEST_P(Late, BothAreWaitedFor)
{
	start("1m", "1m");
	auto sent = client->send({body(10)});
	EXPECT_EQ(client->wait(GANTRY_DURABLE, sent->end), 0);
	EXPECT_FALSE(sent->over());
	ack(sent->end);
	EXPECT_EQ(sent->op.finish(1), 0);
	EXPECT_EQ(sent->answer(), GANTRY_ACK);
}

class LateScript : public Late
{
};
WITH_A_SCRIPT(LateScript);

TEST_P(LateScript, EachHasItsOwnCode)
{
	start("50", "20");
	slow_hold(world->inst(engine()), SLOW_SYNCS);
	auto flush = client->send({body(10)});
	ack(flush->end);
	EXPECT_EQ(flush->op.finish(flush->rc), 0);
	EXPECT_EQ(flush->answer(), GANTRY_FLUSH_LATE);
	auto both = client->send({body(10)});
	EXPECT_EQ(both->op.finish(both->rc), 0);
	EXPECT_EQ(both->answer(), GANTRY_REPLICA_LATE) << "as in RocketMQ";
	EXPECT_EQ(client->mark(GANTRY_VISIBLE), 0u) << "nothing is durable";
	slow_hold(world->inst(engine()), 0);
	EXPECT_EQ(client->wait(GANTRY_VISIBLE, both->end), 0);
	EXPECT_EQ(client->scan(0), client->placed);
}

TEST_P(LateScript, SyncsThatEndInAnotherOrderDoNoHarm)
{
	start("1m", "0");
	auto *inst = world->inst(engine());
	slow_hold(inst, SLOW_SYNCS);
	auto first = client->send({body(10)}), second = client->send({body(10)});
	ASSERT_EQ(slow_held(inst), 2u);
	EXPECT_EQ(slow_let(inst, 1, 1), 1u) << "the newer one";
	EXPECT_EQ(second->op.finish(1), 0);
	EXPECT_EQ(first->op.finish(1), 0) << "what is before it is durable, too";
	uint64_t durable = client->mark(GANTRY_DURABLE);
	slow_hold(inst, 0);
	auto third = client->send({body(10)});
	EXPECT_EQ(third->op.finish(third->rc), 0);
	EXPECT_GT(client->mark(GANTRY_DURABLE), durable);
}
