/* SPDX-License-Identifier: Apache-2.0 */
/* Guards: files that become shorter under their mapping, loads and system calls there, and what is
 * left alone. */
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include <gantry/guard.h>

namespace
{

constexpr uint64_t PAGE = 4096;

/* A file of four pages of 'x', mapped. */
class Guard : public testing::Test
{
      protected:
	Guard()
	{
		char path[] = "/tmp/guard-XXXXXX";

		fd = mkstemp(path);
		unlink(path);
		std::string text(4 * PAGE, 'x');
		EXPECT_EQ(write(fd, text.data(), text.size()), (ssize_t)text.size());
		map = static_cast<uint8_t *>(
			mmap(nullptr, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
		guard.from = map;
		guard.size = 4 * PAGE;
	}
	~Guard() override
	{
		gantry_guard_remove(&guard);
		munmap(map, 4 * PAGE);
		close(fd);
	}
	uint8_t load(uint64_t at)
	{
		return *const_cast<volatile uint8_t *>(map + at);
	}

	int fd;
	uint8_t *map;
	gantry_guard guard = {};
};

TEST_F(Guard, ALoadBehindTheFilesEndGivesZerosAndIsKnown)
{
	ASSERT_EQ(gantry_guard_add(&guard), 0);
	uint64_t before = gantry_guard_failures();
	EXPECT_EQ(load(PAGE), 'x');
	EXPECT_FALSE(gantry_guard_failed(map, 4 * PAGE));
	ASSERT_EQ(ftruncate(fd, 2 * PAGE), 0);
	EXPECT_EQ(load(3 * PAGE + 7), 0);
	EXPECT_EQ(gantry_guard_failures(), before + 1);
	EXPECT_TRUE(gantry_guard_failed(map + 3 * PAGE, 1));
	EXPECT_TRUE(gantry_guard_failed(map, 4 * PAGE));
	EXPECT_FALSE(gantry_guard_failed(map, 3 * PAGE)) << "what can be read stays";
	EXPECT_TRUE(gantry_guard_overlaps(&guard, 3 * PAGE, 4 * PAGE));
	EXPECT_FALSE(gantry_guard_overlaps(&guard, 0, 3 * PAGE));
	EXPECT_EQ(load(PAGE), 'x');
	EXPECT_FALSE(gantry_guard_failed(&guard, sizeof(guard))) << "it is not guarded memory";
}

TEST_F(Guard, AStoreGoesOnToo)
{
	ASSERT_EQ(gantry_guard_add(&guard), 0);
	ASSERT_EQ(ftruncate(fd, PAGE), 0);
	*const_cast<volatile uint8_t *>(map + 2 * PAGE) = 'y';
	EXPECT_TRUE(gantry_guard_failed(map + 2 * PAGE, 1));
}

TEST_F(Guard, TouchingFindsWhatASystemCallMet)
{
	int pair[2];

	ASSERT_EQ(gantry_guard_add(&guard), 0);
	ASSERT_EQ(ftruncate(fd, 2 * PAGE), 0);
	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	EXPECT_EQ(write(pair[0], map + 2 * PAGE, PAGE), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_FALSE(gantry_guard_failed(map, 4 * PAGE)) << "the system call notes nothing";
	EXPECT_TRUE(gantry_guard_touch(map + PAGE + 1, 3 * PAGE - 1));
	EXPECT_FALSE(gantry_guard_touch(map, 2 * PAGE));
	close(pair[0]);
	close(pair[1]);
}

TEST_F(Guard, NotesWhatWasFoundOtherwise)
{
	ASSERT_EQ(gantry_guard_add(&guard), 0);
	gantry_guard_note(&guard, PAGE, 2 * PAGE);
	EXPECT_TRUE(gantry_guard_failed(map + PAGE, 1));
	EXPECT_FALSE(gantry_guard_failed(map + 2 * PAGE, 1));
}

TEST_F(Guard, ManyThreadsMeetTheSamePages)
{
	ASSERT_EQ(gantry_guard_add(&guard), 0);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	std::vector<std::thread> threads;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([this] {
			for (uint64_t at = 0; at < 4 * PAGE; at += 64)
				EXPECT_EQ(load(at), 0);
		});
	for (auto &thread : threads)
		thread.join();
	EXPECT_TRUE(gantry_guard_overlaps(&guard, 0, PAGE));
	EXPECT_TRUE(gantry_guard_overlaps(&guard, 3 * PAGE, 4 * PAGE));
}

TEST_F(Guard, ThereIsRoomForThousands)
{
	std::vector<gantry_guard> many(3000);

	for (auto &one : many) {
		one = {};
		one.from = reinterpret_cast<const uint8_t *>(&one);
		one.size = 1;
		ASSERT_EQ(gantry_guard_add(&one), 0);
	}
	ASSERT_EQ(gantry_guard_add(&guard), 0);
	for (auto &one : many)
		gantry_guard_remove(&one);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	EXPECT_EQ(load(0), 0);
	EXPECT_TRUE(gantry_guard_failed(map, 1));
}

#ifndef __SANITIZE_ADDRESS__
#ifndef __SANITIZE_THREAD__
using GuardDeath = Guard;

TEST_F(GuardDeath, OtherMemoryEndsTheProcessAsEver)
{
	gantry_guard small = {};

	small.from = map;
	small.size = PAGE;
	ASSERT_EQ(gantry_guard_add(&small), 0);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	EXPECT_EXIT(load(2 * PAGE), testing::KilledBySignal(SIGBUS), "");
	EXPECT_EXIT(raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
	gantry_guard_remove(&small);
	EXPECT_EXIT(load(0), testing::KilledBySignal(SIGBUS), "") << "no longer guarded";
}
#endif
#endif

} /* namespace */
