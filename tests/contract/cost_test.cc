/* SPDX-License-Identifier: Apache-2.0 */
/* What the door may cost: nanoseconds, system calls, allocations. The time is the best of many
 * rounds, so that a busy machine does not matter, and only asked for of optimised code. */
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fstream>
#include <thread>

#include "door_contract.h"

static thread_local uint64_t allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1
extern "C" void *malloc(size_t size)
{
	static auto next = reinterpret_cast<void *(*)(size_t)>(dlsym(RTLD_NEXT, "malloc"));

	++allocations;
	return next(size);
}
#endif

static uint64_t now_ns()
{
	timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

/* How often this thread has called write() or its like. */
static uint64_t writes()
{
	std::ifstream io("/proc/thread-self/io");
	std::string word;
	uint64_t count = 0;

	while (io >> word) {
		if (word == "syscw:")
			io >> count;
	}
	return count;
}

constexpr uint32_t BATCH = 64, BYTES = 250;

struct Load {
	Load()
	{
		memset(text, 'x', sizeof(text));
		for (auto &one : record) {
			one = {};
			one.bytes_max = BYTES;
		}
		batch.record = record;
		batch.count = BATCH;
		batch.user = text;
		batch.place = [](gantry_batch *batch, gantry_record *, uint8_t *to, uint64_t,
				 int64_t) -> uint32_t {
			memcpy(to, batch->user, BYTES);
			return BYTES;
		};
	}
	/* The same copies, without a door. */
	uint64_t copy(uint8_t *to)
	{
		uint64_t begin = now_ns();

		for (uint32_t i = 0; i < BATCH; ++i)
			to += batch.place(&batch, &record[i], to, 0, 0);
		return now_ns() - begin;
	}
	gantry_record record[BATCH];
	gantry_batch batch = {};
	char text[BYTES];
};

TEST(Cost, AnAsynchronousBatchCallsNobody)
{
	Folder folder;
	World world(sections(file_engines.front(), "replication-async"));
	Client client(world, "replication-async");
	Load load;
	uint64_t best = UINT64_MAX, copies = UINT64_MAX, quiet = 0;
	std::vector<uint8_t> memory(BATCH * BYTES);

	ASSERT_EQ(client.attach(folder.path(), 256 << 20), 0);
	ASSERT_EQ(client.recover(), 0);
	for (int round = 0; round < 2000; ++round) {
		uint64_t allocated = allocations, written = writes(), begin = now_ns();

		ASSERT_EQ(client.ops->propose(client.inst, &load.batch, nullptr), 0);
		best = std::min(best, now_ns() - begin);
		/* Reading the counter allocates; the copy's own calls don't count. */
		quiet += writes() == written;
		(void)allocated;
		copies = std::min(copies, load.copy(memory.data()));
	}
	printf("a record: %.1f ns, its copy %.1f\n", static_cast<double>(best) / BATCH,
	       static_cast<double>(copies) / BATCH);
	/* Now and then it is the one that finds the worker late. */
	EXPECT_GT(quiet, 1900u);
	uint64_t allocated = allocations;
	for (int i = 0; i < 10; ++i)
		ASSERT_EQ(client.ops->propose(client.inst, &load.batch, nullptr), 0);
	EXPECT_EQ(allocations, allocated);
#if defined(__OPTIMIZE__) && defined(COUNTS_ALLOCATIONS)
	EXPECT_LT(best, copies + BATCH * 150);
#endif
}
