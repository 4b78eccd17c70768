// SPDX-License-Identifier: Apache-2.0
// What the front-end and its libraries take from the heap: nothing for a message. The linker sends
// their calls of malloc and its like through the functions below.
#include "../../../tests/support/kernel_fixture.h"
#include "front_fixture.h"

#include <atomic>
#include <thread>

static std::atomic<uint64_t> allocations;

extern "C" {
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	allocations++;
	return __real_realloc(memory, size);
}
}

namespace
{

using FrontMemory = FrontTest;

void SendMany(Wire *wire, int count, const std::function<void()> &sent)
{
	std::string all;
	Message send;

	send.code = 310;
	send.fields = {{"a", "PG"}, {"b", "T"}, {"c", "D"}, {"d", "4"},     {"e", "3"},
		       {"f", "0"},  {"g", "1"}, {"h", "0"}, {"i", "k\1v\2"}};
	send.body = "hello";
	for (int i = 0; i < count; i++) {
		send.opaque = i;
		all += send.Bytes();
	}
	std::thread writer([&] {
		wire->Send(all);
		sent();
	});
	for (int i = 0; i < count; i++)
		EXPECT_TRUE(wire->Read().whole);
	writer.join();
}

TEST_F(FrontMemory, NothingForASend)
{
	Start();
	Wire wire = Connect();

	// So few at once that their answers always find room in the socket.
	for (int round = 0; round < 30; round++)
		SendMany(&wire, 64, [] {});
	uint64_t before = allocations;
	EXPECT_GT(before, 0u) << "the counting works";
	for (int round = 0; round < 30; round++)
		SendMany(&wire, 64, [] {});
	// The tail of a partial frame may still grow to a size that it had not.
	EXPECT_LE(allocations - before, 2u);
}

TEST_F(FrontMemory, NothingForASendThatIsAnsweredLater)
{
	Start();
	role.hold_sends = true;
	Wire wire = Connect();
	uint64_t before = 0;

	for (int round = 0; round < 6; round++) {
		if (round == 3)
			before = allocations;
		SendMany(&wire, 64, [&] {
			EXPECT_TRUE(role.Wait(
				[&] { return role.sends.size() == 64u * unsigned(round + 1); }));
			role.FinishSends();
		});
	}
	EXPECT_LE(allocations - before, 2u);
}

} // namespace
