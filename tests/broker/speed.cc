/* SPDX-License-Identifier: Apache-2.0 */
/* What a message costs in the role alone: sending, dispatching, pulling, in nanoseconds of one
 * loop's CPU. A number for a profile, not a test.
 *
 *     broker-speed                      the parts, over four queues
 *     broker-speed QUEUES [MESSAGES]    sending over so many queues: all threads, written behind */
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>

#include <sys/resource.h>

#include "../support/memory.h"
#include "broker.h"
#include "session.h"
#include "store/internal.h"
#include "store/point.h"
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

/* ---- many queues */

enum { QUEUES_A_TOPIC = 8, PASSES = 2 };

double cpu_us(bool kernel)
{
	rusage used;

	getrusage(RUSAGE_SELF, &used);
	const timeval &time = kernel ? used.ru_stime : used.ru_utime;
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

/* Sends to each queue in turn, kBatch messages a call. */
class Spread
{
      public:
	Spread(World &world, Session &session, uint32_t queues)
	    : world_(world), session_(session), load_(session.get()), queues_(queues),
	      per_topic_(queues < QUEUES_A_TOPIC ? queues : (uint32_t)QUEUES_A_TOPIC)
	{
		char name[32];

		for (uint32_t i = 0; i < queues / per_topic_; i++) {
			snprintf(name, sizeof(name), "Topic_%05u", i);
			topics_.push_back(name);
		}
		for (gantry_send &send : load_.sends)
			send.default_queues = (int32_t)per_topic_;
	}

	void send(uint32_t messages)
	{
		for (uint32_t sent = 0; sent < messages; sent += kBatch) {
			Op op(world_, session_.loop());
			bool pending = false;

			aim();
			world_.on(session_.loop(), [&] {
				int status = world_.ops()->send(world_.inst(), load_.at.data(),
								kBatch, op.get());

				pending = status > 0;
				if (status < 0)
					abort();
			});
			if (pending)
				op.wait();
			for (const gantry_send &send : load_.sends)
				if (send.code)
					abort();
		}
		world_.dispatched();
	}

	/* As send(), on the loop without a pause, so that its other work queues up behind. */
	void send_fast(uint32_t messages)
	{
		const uint32_t turn = 8 * kBatch;

		for (uint32_t sent = 0; sent < messages; sent += turn) {
			world_.on(session_.loop(), [&] {
				gantry_op op = {};

				op.loop = session_.loop();
				for (uint32_t i = 0; i < turn; i += kBatch) {
					aim();
					if (world_.ops()->send(world_.inst(), load_.at.data(),
							       kBatch, &op))
						abort();
				}
			});
		}
		world_.dispatched();
	}

      private:
	void aim()
	{
		for (gantry_send &send : load_.sends) {
			send.topic = str(topics_[next_ % topics_.size()]);
			send.queue = (int32_t)(next_ / topics_.size() % per_topic_);
			next_ = (next_ + 1) % queues_;
		}
	}

	World &world_;
	Session &session_;
	Load load_;
	uint32_t queues_, per_topic_, next_ = 0;
	std::vector<std::string> topics_;
};

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

void measure_many(uint32_t queues, uint32_t messages)
{
	Folder folder;
	World world(folder.path(),
		    "mappedFileSizeCommitLog = 1073741824\nflushIntervalCommitLog = 500\n"
		    "messageIndexEnable = false",
		    1);
	Session session(world);
	Spread spread(world, session, queues);
	double began = cpu_us(false) + cpu_us(true);

	spread.send(queues);
	world.until([&] { return all_written(folder, world); });
	printf("%u queues: made for %.1f us each\n", queues,
	       (cpu_us(false) + cpu_us(true) - began) / queues);
	for (uint32_t pass = 0; pass < PASSES; pass++) {
		double user = cpu_us(false), kernel = cpu_us(true);
		uint64_t runs = world.messages()->writer.runs;

		spread.send_fast(messages);
		world.until([&] { return all_written(folder, world); });
		user = (cpu_us(false) - user) / messages;
		kernel = (cpu_us(true) - kernel) / messages;
		printf("%u queues: %.2f us a message, %.2f in the kernel; %zu MiB; %.1f a run\n",
		       queues, user + kernel, kernel, anonymous_mib(),
		       (double)messages / (double)(world.messages()->writer.runs - runs));
	}
}

} // namespace

int main(int argc, char **argv)
{
	if (argc > 1) {
		measure_many((uint32_t)strtoul(argv[1], nullptr, 10),
			     argc > 2 ? (uint32_t)strtoul(argv[2], nullptr, 10) : 2000000);
		return 0;
	}

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
