/* SPDX-License-Identifier: Apache-2.0 */
/* What a message costs in the role alone: sending, dispatching, pulling, in nanoseconds of one
 * loop's CPU. A number for a profile, not a test. */
#include <cstdio>
#include <ctime>
#include <vector>

#include "broker.h"
#include "session.h"
#include "store/store.h"

namespace
{

const uint32_t kBatch = 64, kCalls = 200, kRounds = 40;

int64_t cpu_ns()
{
	timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

struct Load {
	std::string topic = "BenchTopic", group = "producers", dflt = "TBW102",
		    body = std::string(128, 'x');
	std::string properties = pairs({{"UNIQ_KEY", "7F0000010B5C18B4AAC20000000A0000"},
					{"WAIT", "true"},
					{"TAGS", "TagA"}});
	std::vector<gantry_send> sends{kBatch};
	std::vector<gantry_send *> at;

	explicit Load(gantry_session *session)
	{
		for (uint32_t i = 0; i < kBatch; i++) {
			gantry_send &send = sends[i];

			send.session = session;
			send.topic = str(topic);
			send.group = str(group);
			send.default_topic = str(dflt);
			send.properties = str(properties);
			send.body = str(body);
			send.queue = (int32_t)(i % 4);
			send.default_queues = 4;
			send.max_reconsume_times = -1;
			at.push_back(&send);
		}
	}
};

struct Cost {
	double send, dispatch, pull;
};

/* All on the loop: what follows a task there, the dispatcher's turns, is measured by the next. */
void send_round(World &world, Session &session, Load &load, Cost &cost)
{
	const double messages = kCalls * kBatch;
	int64_t sent = 0;

	world.on(session.loop(), [&] {
		int64_t began = cpu_ns();
		gantry_op op = {};

		op.loop = session.loop();
		for (uint32_t i = 0; i < kCalls; i++) {
			if (world.ops()->send(world.inst(), load.at.data(), kBatch, &op) ||
			    load.sends[0].code)
				abort();
		}
		sent = cpu_ns();
		cost.send = (double)(sent - began) / messages;
	});
	world.dispatched();
	world.on(session.loop(), [&] { cost.dispatch = (double)(cpu_ns() - sent) / messages; });
}

void pull_round(World &world, Session &session, Load &load, Cost &cost, int64_t from)
{
	std::string all = "*", type = "TAG";
	gantry_pull pull = {};
	uint32_t messages = 0;

	pull.session = session.get();
	pull.topic = str(load.topic);
	pull.group = str(load.group);
	pull.subscription = str(all);
	pull.expression_type = str(type);
	pull.offset = from;
	pull.max_messages = 32;
	pull.max_bytes = -1;
	pull.flags = GANTRY_PULL_SUBSCRIPTION;
	world.on(session.loop(), [&] {
		int64_t began = cpu_ns();
		gantry_op op = {};

		op.loop = session.loop();
		while (messages < kCalls * kBatch / 4) {
			if (world.ops()->pull(world.inst(), &pull, &op) || pull.code)
				abort();
			for (uint32_t i = 0; i < pull.slice_count; i++)
				gantry_slice_release(&pull.slices[i]);
			messages += pull.message_count;
			pull.offset = pull.next_offset;
		}
		cost.pull = (double)(cpu_ns() - began) / messages;
	});
}

} // namespace

int main()
{
	Folder folder;
	World world(folder.path(),
		    "mappedFileSizeCommitLog = 1073741824\nflushIntervalCommitLog = 500", 1);
	Session session(world);
	Load load(session.get());
	Sent first;

	first.topic = load.topic;
	for (first.queue = 0; first.queue < 4; first.queue++)
		session.send(first);
	for (uint32_t round = 0; round < kRounds; round++) {
		Cost cost = {};

		send_round(world, session, load, cost);
		pull_round(world, session, load, cost, 1 + round * (kCalls * kBatch / 4));
		printf("send %6.0f ns   dispatch %6.0f ns   pull %6.0f ns   a message\n", cost.send,
		       cost.dispatch, cost.pull);
	}
	return 0;
}
