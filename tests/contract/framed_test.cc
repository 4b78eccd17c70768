/* SPDX-License-Identifier: Apache-2.0 */
/* A quorum with frames, terms and cuts; a follower fed fragments; a store that changes its kind. */
#include "door_contract.h"

static std::string body(size_t size, char fill = 'b')
{
	return std::string(size, fill);
}

/* What a master writes: a record behind the others, with RocketMQ's blank at a segment's end. */
static void append(std::string *log, std::vector<Record> *records, const std::string &text)
{
	uint64_t left = 8192 - log->size() % 8192;

	if (RECORD_HEAD + text.size() + 8 > left) {
		const char pad[] = {0,
				    0,
				    static_cast<char>(left >> 8),
				    static_cast<char>(left),
				    '\xCB',
				    '\xD4',
				    '\x31',
				    '\x94'};
		log->append(pad, 8);
		log->resize(log->size() + left - 8);
	}
	records->push_back({log->size(), records->size(), 1700000000000, text});
	*log += encode_record(log->size(), records->back().number, 1700000000000, text);
}

/* ---- the quorum */

class Quorum : public ModeTest
{
      protected:
	Quorum()
	    : world(sections(GetParam(), "replication-quorum-double")),
	      client(world, "replication-quorum-double")
	{
		EXPECT_EQ(client.attach(folder / "data", 8192), 0);
		EXPECT_EQ(client.recover(), 0);
	}
	int cut(uint64_t at)
	{
		Op op(world);

		return op.finish(quorum_double_cut(client.inst, at, op.get()));
	}

	World world;
	Client client;
};
OVER_EVERY_ENGINE(Quorum);

TEST_P(Quorum, OnlyALeaderTakesProposals)
{
	EXPECT_EQ(client.send({body(1)})->rc, -EROFS);
	ASSERT_EQ(quorum_double_lead(client.inst, 7), 0);
	EXPECT_EQ(client.roles.back(), (std::pair<int, uint64_t>{1, 7}));
	EXPECT_EQ(client.send({body(1)})->rc, GANTRY_PENDING);
	quorum_double_lost(client.inst, 8);
	EXPECT_EQ(client.roles.back(), (std::pair<int, uint64_t>{0, 8}));
	EXPECT_EQ(client.send({body(1)})->rc, -EROFS);
}

TEST_P(Quorum, ALeaderWaitsForItsClient)
{
	client.hold_ready = true;
	ASSERT_EQ(quorum_double_lead(client.inst, 1), 0);
	EXPECT_EQ(client.send({body(1)})->rc, -EROFS);
	EXPECT_EQ(quorum_double_lead(client.inst, 2), -EBUSY);
	gantry_op_finish(client.ready, 0, 0);
	EXPECT_TRUE(world.until([&] { return client.send({body(1)})->rc > 0; }));
}

TEST_P(Quorum, ATermMayEndBeforeTheClientIsReady)
{
	client.hold_ready = true;
	ASSERT_EQ(quorum_double_lead(client.inst, 1), 0);
	quorum_double_lost(client.inst, 2);
	gantry_op_finish(client.ready, 0, 0);
	client.hold_ready = false;
	EXPECT_TRUE(world.until([&] { return quorum_double_lead(client.inst, 3) == 0; }));
	EXPECT_EQ(client.send({body(1)})->rc, GANTRY_PENDING);
}

TEST_P(Quorum, CommittedIsVisibleAndAcknowledged)
{
	std::vector<Sent *> sent;

	ASSERT_EQ(quorum_double_lead(client.inst, 1), 0);
	for (size_t i = 0; i < 60; ++i)
		sent.push_back(client.send({body(i * 17), body(400)}));
	EXPECT_EQ(client.mark(GANTRY_VISIBLE), 0u);
	EXPECT_TRUE(client.scan(0).empty());
	/* A commit may lie inside of a record; whole ones are seen. */
	quorum_double_committed(client.inst, sent[30]->end + 60);
	EXPECT_EQ(sent[30]->op.finish(1), 0);
	EXPECT_EQ(sent[30]->answer(), GANTRY_ACK);
	EXPECT_FALSE(sent[31]->over());
	auto records = client.scan(0);
	EXPECT_EQ(records.back(), sent[30]->records.back());
	EXPECT_EQ(client.scanned_to, sent[30]->end);
	quorum_double_committed(client.inst, sent.back()->end);
	EXPECT_EQ(sent.back()->op.finish(1), 0);
	EXPECT_EQ(client.scan(0), client.placed);
	EXPECT_EQ(client.scan(sent[30]->end).size(), client.placed.size() - records.size());
	for (auto &record : client.placed)
		ASSERT_EQ(client.read(record.at, record.end() - record.at), record);
}

TEST_P(Quorum, ASliceHoldsNoFrame)
{
	ASSERT_EQ(quorum_double_lead(client.inst, 1), 0);
	auto sent = client.send({body(100), body(100)});
	for (uint64_t at : {uint64_t(0), sent->records[0].at}) {
		gantry_slice slice;
		int rc;

		do {
			Op op(world);
			rc = client.ops->read(client.inst, at, UINT64_MAX, &slice, op.get());
			if (rc > 0)
				op.finish(rc);
		} while (rc > 0);
		ASSERT_EQ(rc, 0);
		EXPECT_EQ(slice.offset, 48u);
		EXPECT_EQ(slice.size, RECORD_HEAD + 100) << "more was asked for";
		gantry_slice_release(&slice);
	}
}

TEST_P(Quorum, FramesAreDLedgers)
{
	ASSERT_EQ(quorum_double_lead(client.inst, 3), 0);
	auto sent = client.send({body(10), body(8000)});
	ASSERT_EQ(sent->placed, 2u);
	EXPECT_EQ(sent->records[1].at, 8192u + 48) << "the first segment is padded";
	client.detach();
	std::string file = file_text(folder / ("data/" + name_of(0)));
	uint64_t end = sent->records[0].end();
	std::string frame(48, 0);
	frame[3] = 1;
	frame[7] = static_cast<char>(48 + end - 48);
	frame[23] = 3;
	frame[47] = static_cast<char>(end - 48);
	EXPECT_EQ(file.substr(0, 48), frame);
	uint32_t left = static_cast<uint32_t>(8192 - end);
	EXPECT_EQ(file.substr(end, 8),
		  (std::string{'\xff', '\xff', '\xff', '\xff', 0, 0, static_cast<char>(left >> 8),
			       static_cast<char>(left)}));
	file = file_text(folder / ("data/" + name_of(8192)));
	EXPECT_EQ(file[15], 1) << "index";
	EXPECT_EQ(file.substr(30, 2), std::string({0x20, 0})) << "its own offset";
}

TEST_P(Quorum, ALostTermIsSaidAndItsTailIsCut)
{
	ASSERT_EQ(quorum_double_lead(client.inst, 1), 0);
	auto kept = client.send({body(100)});
	auto lost = client.send({body(100), body(9000 - 2000)});
	quorum_double_committed(client.inst, kept->end);
	EXPECT_EQ(kept->op.finish(1), 0);
	Op waits(world);
	ASSERT_EQ(client.ops->wait(client.inst, GANTRY_APPENDED, lost->end + 1, waits.get()),
		  GANTRY_PENDING);
	quorum_double_lost(client.inst, 2);
	EXPECT_EQ(lost->op.finish(1), 0);
	EXPECT_EQ(lost->answer(), GANTRY_TERM_LOST);
	ASSERT_EQ(cut(kept->end), 0);
	EXPECT_EQ(client.cuts, (std::vector<uint64_t>{kept->end}));
	EXPECT_EQ(client.mark(GANTRY_APPENDED), kept->end);
	EXPECT_LE(client.mark(GANTRY_DURABLE), kept->end);
	EXPECT_EQ(client.scan(0, true), kept->records);
	/* The new leader's record takes the place. */
	uint64_t at = kept->end;
	std::string record = encode_record(at + 48, 1, 5, body(7000));
	std::string frame(48, 0);
	frame[3] = 1;
	for (int i = 0; i < 4; ++i) {
		frame[4 + i] = static_cast<char>((record.size() + 48) >> (24 - 8 * i));
		frame[28 + i] = static_cast<char>(at >> (24 - 8 * i));
		frame[44 + i] = static_cast<char>(record.size() >> (24 - 8 * i));
	}
	frame[15] = 1;
	frame[23] = 2;
	ASSERT_EQ(quorum_double_receive(client.inst, at, (frame + record).data(), 48 + 100), 0);
	EXPECT_EQ(quorum_double_receive(client.inst, at, frame.data(), 48), -ERANGE);
	ASSERT_EQ(quorum_double_receive(client.inst, at + 148, record.data() + 100,
					record.size() - 100),
		  0);
	quorum_double_committed(client.inst, at + 48 + record.size());
	auto records = client.scan(0);
	ASSERT_EQ(records.size(), 2u);
	EXPECT_EQ(records[1].body, body(7000));
	EXPECT_FALSE(waits.done()) << "the log is shorter than it was";
	ASSERT_EQ(quorum_double_lead(client.inst, 4), 0);
	client.placed = records;
	auto next = client.send({body(7000), body(500)});
	EXPECT_EQ(next->rc, GANTRY_PENDING);
	EXPECT_GT(next->end, lost->end);
	EXPECT_EQ(waits.finish(1), 0);
}

TEST_P(Quorum, ACutRefusesProposalsUntilTheClientHasFollowed)
{
	static Client *self;
	static int during;

	/* Same instance: the client is attached anew with another cut. */
	client.detach();
	self = &client;
	during = 0;
	client.calls.cut = [](void *, uint64_t) {
		during = self->send({body(1)})->rc;
		return 0;
	};
	ASSERT_EQ(client.attach(folder / "data", 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	ASSERT_EQ(quorum_double_lead(client.inst, 1), 0);
	auto sent = client.send({body(10)});
	ASSERT_EQ(cut(0), 0);
	EXPECT_EQ(during, -EAGAIN);
	EXPECT_EQ(sent->op.finish(1), 0);
	EXPECT_EQ(sent->answer(), GANTRY_TERM_LOST);
	EXPECT_EQ(client.send({body(1)})->rc, GANTRY_PENDING) << "it leads as before";
}

TEST_P(Quorum, RecoveryReadsPastFrames)
{
	ASSERT_EQ(quorum_double_lead(client.inst, 1), 0);
	for (size_t i = 0; i < 50; ++i)
		client.send({body(i * 31)});
	auto before = client.placed;
	client.detach();
	Client again(world, "replication-quorum-double");
	ASSERT_EQ(again.attach(folder / "data", 8192), 0);
	ASSERT_EQ(again.recover(), 0);
	EXPECT_EQ(again.placed, before);
	EXPECT_EQ(again.mark(GANTRY_APPENDED), before.back().end());
	EXPECT_EQ(again.mark(GANTRY_VISIBLE), 0u) << "nobody said what is committed";
	ASSERT_EQ(quorum_double_lead(again.inst, 2), 0);
	auto sent = again.send({body(10)});
	quorum_double_committed(again.inst, sent->end);
	EXPECT_EQ(again.scan(0), again.placed);
}

/* ---- the follower */

class Follower : public ModeTest
{
      protected:
	Follower()
	    : world(sections(GetParam(), "replication-follower-double")),
	      client(world, "replication-follower-double")
	{
		EXPECT_EQ(client.attach(folder / "slave", 8192), 0);
		EXPECT_EQ(client.recover(), 0);
		for (size_t i = 0; i < 200; ++i)
			append(&master, &records,
			       body(i * 13 % 900, static_cast<char>('a' + i % 26)));
	}

	World world;
	Client client;
	std::string master;
	std::vector<Record> records;
};
OVER_EVERY_ENGINE(Follower);

TEST_P(Follower, FragmentsBecomeTheSameLog)
{
	uint64_t at = 0, step = 1;

	while (at < master.size()) {
		uint64_t piece = std::min<uint64_t>(step, master.size() - at);
		piece = std::min(piece, 8192 - at % 8192); /* as RocketMQ sends */
		ASSERT_EQ(follower_double_receive(client.inst, at, master.data() + at, piece), 0);
		at += piece;
		step = step * 7 % 3001 + 1;
		EXPECT_EQ(client.mark(GANTRY_VISIBLE), at) << "even inside of a record";
	}
	EXPECT_EQ(client.scan(0), records);
	EXPECT_EQ(client.send({body(1)})->rc, -EROFS);
	client.detach();
	std::string slave;
	for (auto &name : names_in(folder / "slave"))
		slave += file_text(folder / ("slave/" + name));
	slave.resize(master.size());
	EXPECT_EQ(slave, master);
}

TEST_P(Follower, OneFragmentMayBeLong)
{
	ASSERT_EQ(follower_double_receive(client.inst, 0, master.data(), master.size()), 0);
	EXPECT_EQ(client.scan(0), records);
}

TEST_P(Follower, AnEmptyOneBeginsAnywhere)
{
	const Record &first = records[90];

	ASSERT_EQ(follower_double_receive(client.inst, first.at, master.data() + first.at, 100), 0);
	EXPECT_EQ(client.bounds().first, first.at);
	EXPECT_EQ(follower_double_receive(client.inst, first.at, master.data(), 1), -ERANGE);
	EXPECT_EQ(follower_double_receive(client.inst, 0, master.data(), 1), -ERANGE);
	ASSERT_EQ(follower_double_receive(client.inst, first.at + 100,
					  master.data() + first.at + 100,
					  master.size() - first.at - 100),
		  0);
	std::vector<Record> rest(records.begin() + 90, records.end());
	EXPECT_EQ(client.scan(first.at), rest);
	EXPECT_EQ(client.mark(GANTRY_APPENDED), master.size());
	/* After a restart who knows where records begin says so. */
	client.detach();
	Client again(world, "replication-follower-double");
	ASSERT_EQ(again.attach(folder / "slave", 8192), 0);
	EXPECT_EQ(again.bounds().first, first.at - first.at % 8192);
	ASSERT_EQ(again.recover(first.at), 0);
	EXPECT_EQ(again.placed, rest);
	EXPECT_EQ(again.mark(GANTRY_APPENDED), master.size());
}

TEST_P(Follower, ATailThatDivergedIsCutAndFedAgain)
{
	std::string other = master;
	uint64_t at = records[120].at;

	for (uint64_t i = at; i < other.size(); ++i)
		other[i] ^= 0x55;
	ASSERT_EQ(follower_double_receive(client.inst, 0, other.data(), other.size()), 0);
	Op op(world);
	ASSERT_EQ(op.finish(follower_double_cut(client.inst, at, op.get())), 0);
	EXPECT_EQ(client.cuts, (std::vector<uint64_t>{at}));
	EXPECT_EQ(client.mark(GANTRY_VISIBLE), at);
	ASSERT_EQ(follower_double_receive(client.inst, at, master.data() + at, master.size() - at),
		  0);
	EXPECT_EQ(client.scan(0), records);
}

TEST_P(Follower, WhatItGotIsThereAfterARestart)
{
	uint64_t at = records[150].at + 20; /* half a record */

	ASSERT_EQ(follower_double_receive(client.inst, 0, master.data(), at), 0);
	EXPECT_EQ(client.wait(GANTRY_DURABLE, at), 0);
	client.detach();
	Client again(world, "replication-follower-double");
	ASSERT_EQ(again.attach(folder / "slave", 8192), 0);
	ASSERT_EQ(again.recover(), 0);
	EXPECT_EQ(again.mark(GANTRY_APPENDED), records[150].at) << "the half one is not valid";
	ASSERT_EQ(follower_double_receive(again.inst, records[150].at,
					  master.data() + records[150].at,
					  master.size() - records[150].at),
		  0);
	EXPECT_EQ(again.scan(0), records);
}

/* ---- the divide */

class Divided : public ModeTest
{
      protected:
	Divided()
	    : world(sections(GetParam(), "replication-divided-double",
			     "framedDirectory = " + (folder / "framed") + "\n"))
	{
		std::string log;

		for (size_t i = 0; i < 60; ++i)
			append(&log, &records, body(i * 11));
		for (size_t at = 0; at < log.size(); at += 8192)
			make_file(folder / ("commitlog/" + name_of(at)), log.substr(at, 8192),
				  8192);
	}

	World world;
	std::vector<Record> records;
};
OVER_EVERY_ENGINE(Divided);

TEST_P(Divided, OneLogOfTwoKinds)
{
	Client client(world, "replication-divided-double");

	ASSERT_EQ(client.attach(folder / "commitlog", 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	EXPECT_EQ(client.placed, records);
	uint64_t divide = divided_double_divide(client.inst);
	EXPECT_EQ(divide % 8192, 0u);
	EXPECT_EQ(client.mark(GANTRY_APPENDED), divide);
	for (size_t i = 0; i < 60; ++i)
		ASSERT_EQ(client.send({body(i * 13)})->rc, 0);
	EXPECT_EQ(client.placed[records.size()].at, divide + 48);
	EXPECT_EQ(client.scan(0), client.placed) << "no reader sees the divide";
	for (auto &record : client.placed)
		ASSERT_EQ(client.read(record.at, record.end() - record.at), record);
	EXPECT_EQ(names_in(folder / "framed").front(), name_of(divide));
	auto before = client.placed;
	client.detach();

	Client again(world, "replication-divided-double");
	ASSERT_EQ(again.attach(folder / "commitlog", 8192), 0);
	ASSERT_EQ(again.recover(), 0);
	EXPECT_EQ(again.placed, before);
	ASSERT_EQ(again.send({body(5)})->rc, 0);
	EXPECT_EQ(again.scan(0), again.placed);
	EXPECT_EQ(divided_double_divide(again.inst), divide);
}

TEST_P(Divided, ThePlainPartExpiresWhole)
{
	Client client(world, "replication-divided-double");

	ASSERT_EQ(client.attach(folder / "commitlog", 8192), 0);
	ASSERT_EQ(client.recover(), 0);
	uint64_t divide = divided_double_divide(client.inst);
	for (size_t i = 0; i < 60; ++i)
		ASSERT_EQ(client.send({body(1000)})->rc, 0);
	EXPECT_EQ(client.ops->expire(client.inst, divide - 1), static_cast<int>(divide / 8192) - 1);
	EXPECT_EQ(client.bounds().first, divide - 8192);
	EXPECT_EQ(client.ops->expire(client.inst, divide + 8192), 2);
	EXPECT_EQ(client.bounds().first, divide + 8192);
	EXPECT_TRUE(names_in(folder / "commitlog").empty());
	auto left = client.scan(divide + 8192);
	ASSERT_FALSE(left.empty());
	EXPECT_EQ(left.back(), client.placed.back());
}
