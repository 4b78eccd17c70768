/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts at any moment: what was acknowledged is there, in order, and nothing else. The slow
 * engine remembers what was written and synced; its crashes are recovered by each engine. */
#include "door_contract.h"

class Crash : public ModeTest
{
      protected:
	struct Answered {
		size_t event;  /* it was seen to be acknowledged when so much had happened */
		uint64_t upto; /* by then the log was acknowledged to here */
	};

	Crash()
	    : world(sections(every_engine.back(), "replication-async",
			     "flushDiskType = SYNC_FLUSH\n"))
	{
	}

	unsigned dice(unsigned sides)
	{
		seed = seed * 1664525 + 1013904223;
		return (seed >> 8) % sides;
	}

	/* Sends batches, lets syncs end now and then, and notes what is acknowledged when. */
	void live(unsigned rounds)
	{
		Client client(world, "replication-async");
		gantry_inst *slow = world.inst("storage-slow");
		std::vector<Sent *> open;

		slow_record(slow);
		ASSERT_EQ(client.attach(folder / "log", 8192), 0);
		ASSERT_EQ(client.recover(), 0);
		slow_hold(slow, SLOW_SYNCS);
		for (unsigned i = 0; i < rounds; ++i) {
			std::vector<std::string> bodies;

			for (unsigned n = 1 + dice(4); n; --n)
				bodies.push_back(std::string(1 + dice(1500), 'a' + i % 26));
			open.push_back(client.send(bodies));
			if (dice(3) == 0)
				slow_let(slow, 1 + dice(2), 0);
			world.until([] { return true; }); /* ops that have ended are done */
			note(&open);
		}
		slow_hold(slow, 0);
		for (Sent *sent : open)
			EXPECT_EQ(sent->op.finish(sent->rc), 0);
		note(&open);
		EXPECT_TRUE(open.empty());
		records = client.placed;
	}

	void note(std::vector<Sent *> *open)
	{
		while (!open->empty() && open->front()->over()) {
			answered.push_back(
				{slow_events(world.inst("storage-slow")), open->front()->end});
			open->erase(open->begin());
		}
	}

	/* How many records must be there after a crash before that event. */
	size_t owed(size_t event)
	{
		uint64_t upto = 0;
		size_t count = 0;

		for (auto &one : answered) {
			if (one.event <= event)
				upto = one.upto;
		}
		while (count < records.size() && records[count].end() <= upto)
			++count;
		return count;
	}

	/* Recovers, goes on, recovers again. */
	void check(World &with, const std::string &directory, size_t event)
	{
		std::vector<Record> found;
		{
			Client client(with, "replication-async");

			ASSERT_EQ(client.attach(directory, 8192), 0);
			ASSERT_EQ(client.recover(), 0);
			found = client.placed;
			ASSERT_LE(found.size(), records.size());
			ASSERT_TRUE(std::equal(found.begin(), found.end(), records.begin()));
			ASSERT_GE(found.size(), owed(event));
			/* As long as the one that was lost: what followed that stands right
			 * behind the new one, if it is still there. */
			size_t size = found.size() < records.size()
					      ? records[found.size()].body.size()
					      : 100;
			ASSERT_EQ(client.send_and_wait(std::string(size, 'x')), GANTRY_ACK);
			found = client.placed;
		}
		Client again(with, "replication-async");
		ASSERT_EQ(again.attach(directory, 8192), 0);
		ASSERT_EQ(again.recover(), 0);
		ASSERT_EQ(again.placed, found) << "nothing old came back";
	}

	World world;
	std::vector<Record> records;
	std::vector<Answered> answered;
	unsigned seed = 7;
};
OVER_EVERY_ENGINE(Crash);

TEST_P(Crash, WhatWasAcknowledgedIsThere)
{
	live(60);
	size_t events = slow_events(world.inst("storage-slow"));
	ASSERT_GT(events, 60u);
	ASSERT_EQ(owed(events), records.size());
	World other(sections(GetParam(), "replication-async", "flushDiskType = SYNC_FLUSH\n"));
	for (size_t event = 0; event <= events; event += 3) {
		std::string directory = folder / ("crash" + std::to_string(event));

		SCOPED_TRACE("a crash before event " + std::to_string(event));
		ASSERT_EQ(slow_crash(world.inst("storage-slow"), event,
				     static_cast<uint32_t>(event), directory.c_str(), 8192),
			  0);
		check(other, directory, event);
		if (HasFatalFailure())
			return;
	}
}
