/* SPDX-License-Identifier: Apache-2.0 */
/* Logs whose window is memory of the engine's own: when their bytes reach the files, and that the
 * files are the same as every engine's. */
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <optional>
#include <sys/syscall.h>

#include "../support/limit.h"
#include "log_fixture.h"

namespace fs = std::filesystem;

static constexpr uint64_t MIB = 1024 * 1024;
static const std::string POOL = "[plugin storage-mmap]\ntransientStorePoolEnable = true\n";
static const Engine MMAP = {"mmap", "storage-mmap", ""};
static const Engine URING = {"io_uring", "storage-io-uring", "flushDiskType = SYNC_FLUSH\n"};
static const Engine FLUSHED = {"flushed", "storage-mmap", "flushDiskType = SYNC_FLUSH\n"};
static const char *const NEVER = "commitIntervalCommitLog = 1h\n";

static Shape shape_in(const Folder &folder, const std::string &name = "commitlog")
{
	Shape shape;

	shape.directories = {folder / name};
	shape.segment_bytes = 64 * MIB;
	return shape;
}

/* What the file has at its beginning. */
static std::string head_of(const std::string &directory, size_t size)
{
	std::string text(size, 'x');
	FILE *file = fopen((directory + "/" + name_of(0)).c_str(), "r");

	text.resize(file ? fread(text.data(), 1, size, file) : 0);
	if (file)
		fclose(file);
	return text;
}

static bool has_ring()
{
	for (auto &name : names_in("/proc/self/fd")) {
		std::error_code none;
		auto target = fs::read_symlink("/proc/self/fd/" + name, none);

		if (target.string().find("[io_uring]") != std::string::npos)
			return true;
	}
	return false;
}

/* ---- the transient pool */

TEST(Pool, BytesStayInMemoryUntilSomebodyNeedsThem)
{
	Folder folder;
	World world(POOL + NEVER);
	Log log(world, MMAP);
	std::string text = pattern(0, 1000);
	char byte;

	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write(text), 0);
	EXPECT_EQ(log.end(), 1000u);
	EXPECT_EQ(head_of(folder / "commitlog", 1000), std::string(1000, 0));
	EXPECT_EQ(log.ops->copy_hot(log.log, 10, &byte, 1), -EAGAIN);
	gantry_slice slice;
	EXPECT_EQ(log.ops->read(log.log, 0, 10, &slice, nullptr), -EAGAIN);
	EXPECT_EQ(log.text(0, 1000), text) << "a reader";
	EXPECT_EQ(head_of(folder / "commitlog", 1000), text);

	ASSERT_EQ(log.write(pattern(1000, 1000)), 0);
	ASSERT_EQ(log.sync(), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 2000), pattern(0, 2000)) << "a sync";
	ASSERT_EQ(log.write(pattern(2000, 1000)), 0);
	log.close();
	EXPECT_EQ(head_of(folder / "commitlog", 3000), pattern(0, 3000)) << "closing";
}

TEST(Pool, TheTimerCommits)
{
	Folder folder;
	World world(POOL + "commitIntervalCommitLog = 5\ncommitCommitLogThoroughInterval = 10\n");
	Log log(world, MMAP);

	ASSERT_EQ(log.open(shape_in(folder)), 0);
	for (uint64_t at : {0, 1000, 2000}) {
		ASSERT_EQ(log.write(pattern(at, 1000)), 0);
		EXPECT_TRUE(world.until([&] {
			return head_of(folder / "commitlog", at + 1000) == pattern(0, at + 1000);
		}));
	}
}

TEST(Pool, FewPagesWait)
{
	Folder folder;
	World world(POOL + "commitIntervalCommitLog = 5\ncommitCommitLogLeastPages = 2\n"
			   "commitCommitLogThoroughInterval = 1h\n");
	Log log(world, MMAP);

	/* The first look is thorough: nothing was committed before. */
	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write(pattern(0, 100)), 0);
	EXPECT_TRUE(
		world.until([&] { return head_of(folder / "commitlog", 100) == pattern(0, 100); }));
	ASSERT_EQ(log.write(pattern(100, 2 * 4096 - 100)), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 8192).substr(100), std::string(8092, 0));
	ASSERT_EQ(log.write(pattern(8192, 100)), 0);
	EXPECT_TRUE(world.until(
		[&] { return head_of(folder / "commitlog", 8292) == pattern(0, 8292); }));
}

TEST(Pool, ASlaveHasNone)
{
	Folder folder;
	World world(POOL + NEVER + "brokerRole = SLAVE\n");
	Log log(world, MMAP);

	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write("text"), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 4), "text");
}

/* ---- the ring */

class Ring : public testing::TestWithParam<Engine>
{
      protected:
	Ring() : world(section(GetParam()) + NEVER), log(world, GetParam())
	{
	}
	Folder folder;
	World world;
	Log log;
};
OVER_ENGINES(Ring, (std::vector<Engine>{file_engines[1], FLUSHED, URING}));

TEST_P(Ring, GoesRoundManyTimes)
{
	uint64_t at = 0;

	ASSERT_EQ(log.open(shape_in(folder)), 0);
	for (int i = 0; at < 40 * MIB; ++i) {
		ASSERT_EQ(log.write(pattern(at, 300000 + i % 7 * 1000)), 0);
		at = log.end();
		if (i % 50 == 0) {
			ASSERT_EQ(log.sync(), 0);
		}
	}
	EXPECT_TRUE(log.all(0) == pattern(0, at));
	gantry_window window;
	ASSERT_EQ(log.ops->window(log.log, 8 * MIB, &window), 0) << "never refused for its size";
	EXPECT_GE(window.usable, 8 * MIB);
	EXPECT_TRUE(std::string(reinterpret_cast<char *>(window.to), 8 * MIB) ==
		    std::string(8 * MIB, 0));
}

/* The next file gets its zeros while the first is flushed again and again, and then whole pages. */
TEST_P(Ring, FlushesGoOnFromFileToFile)
{
	const uint64_t file_bytes = 8 * MIB;
	const std::string next = folder / "commitlog/" + name_of(file_bytes);
	Shape shape = shape_in(folder);
	uint64_t at = 0;

	shape.segment_bytes = file_bytes;
	ASSERT_EQ(log.open(shape), 0);
	while (at < 5 * file_bytes / 2) {
		ASSERT_EQ(log.write(pattern(at, 400001)), 0);
		at = log.end();
		ASSERT_EQ(log.sync(), 0);
	}
	EXPECT_TRUE(log.all(0) == pattern(0, at));
	log.close();
	EXPECT_TRUE(file_text(next) == pattern(file_bytes, file_bytes));
	std::string last = file_text(folder / "commitlog/" + name_of(2 * file_bytes));
	EXPECT_TRUE(last.substr(0, at - 2 * file_bytes) ==
		    pattern(2 * file_bytes, at - 2 * file_bytes));
	EXPECT_TRUE(last.substr(at - 2 * file_bytes) == std::string(3 * file_bytes - at, 0))
		<< "zeros follow";
	EXPECT_EQ(last.size(), file_bytes);
}

TEST_P(Ring, WhatWasSkippedReadsAsZeros)
{
	Shape shape = shape_in(folder);

	ASSERT_EQ(log.open(shape), 0);
	for (uint64_t i = 0; i < 12; ++i) { /* more often than skips can be noted */
		gantry_window window;

		ASSERT_EQ(log.ops->window(log.log, 8, &window), 0);
		ASSERT_LT(window.usable, window.left);
		memcpy(window.to, "pad pad ", 8);
		log.ops->advance(log.log, window.left);
		ASSERT_EQ(log.end(), (i + 1) * 64 * MIB);
	}
	ASSERT_EQ(log.write("text"), 0);
	EXPECT_EQ(log.text(12 * 64 * MIB, 4), "text");
	EXPECT_TRUE(log.text(11 * 64 * MIB, MIB) == "pad pad " + std::string(MIB - 8, 0));
	EXPECT_TRUE(log.text(30 * MIB, MIB) == std::string(MIB, 0));
	ASSERT_EQ(log.sync(), 0);
	EXPECT_EQ(log.bounds().durable, log.end());
}

TEST_P(Ring, WhatIsReadOutlivesAKillWithAllOfItsRecord)
{
	const std::string text = pattern(0, 10000);
	gantry_slice slice;
	Op op(world);
	char byte;

	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write(text.substr(0, 7000)), 0);
	ASSERT_EQ(log.ops->read(log.log, 0, 10, &slice, op.get()), GANTRY_PENDING);
	ASSERT_EQ(op.finish(GANTRY_PENDING), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 7000), text.substr(0, 7000)) << "read";
	ASSERT_EQ(log.write(text.substr(7000, 1000)), 0);
	ASSERT_EQ(log.ops->copy(log.log, 7000, &byte, 1), 1);
	EXPECT_EQ(head_of(folder / "commitlog", 8000), text.substr(0, 8000)) << "copy";
	ASSERT_EQ(log.write(text.substr(8000)), 0);
	ASSERT_EQ(log.ops->fetch(log.log, 8000, 1, &slice), 0);
	gantry_slice_release(&slice);
	EXPECT_EQ(head_of(folder / "commitlog", 10000), text) << "fetch";
}

TEST_P(Ring, ACutDropsWhatIsInMemory)
{
	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write(pattern(0, 20000)), 0);
	ASSERT_EQ(log.ops->cut(log.log, 7000), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 20000), pattern(0, 7000) + std::string(13000, 0));
	ASSERT_EQ(log.write("text"), 0);
	ASSERT_EQ(log.ops->reset(log.log, 100), 0);
	ASSERT_EQ(log.write("more"), 0);
	ASSERT_EQ(log.sync(), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 30000),
		  std::string(100, 0) + "more" + std::string(30000 - 104, 0));
}

/* Writes behind the first page of any file fail while it lives. */
class ShortFiles
{
      public:
	ShortFiles()
	{
		struct sigaction ignored = {};
		ignored.sa_handler = SIG_IGN;
		sigaction(SIGXFSZ, &ignored, &signals_);
		limit_.emplace(RLIMIT_FSIZE, 4096);
	}
	~ShortFiles()
	{
		limit_.reset();
		sigaction(SIGXFSZ, &signals_, nullptr);
	}

      private:
	struct sigaction signals_;
	std::optional<Limit> limit_;
};

TEST_P(Ring, WhatWasWrittenBeforeAFenceIsRead)
{
	gantry_slice slice;

	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write(pattern(0, 5000)), 0);
	ASSERT_EQ(log.text(0, 5000), pattern(0, 5000));
	ASSERT_EQ(log.write(pattern(5000, 3000)), 0);
	{
		ShortFiles none;

		EXPECT_EQ(log.text(0, 8000), pattern(0, 5000)) << "a reader who meets it";
	}
	EXPECT_EQ(log.sync(), -EIO);
	EXPECT_EQ(log.text(1000, 7000), pattern(1000, 4000)) << "one who comes behind it";
	ASSERT_EQ(log.ops->fetch(log.log, 2000, 6000, &slice), 0);
	EXPECT_EQ(slice.size, 3000u);
	gantry_slice_release(&slice);
	EXPECT_EQ(log.read(5000, 3000, &slice), -EIO);
	EXPECT_EQ(log.ops->fetch(log.log, 5000, 3000, &slice), -EIO);
}

/* ---- the files */

TEST(Files, AreTheSameFromEveryEngine)
{
	Folder folder;
	std::string first;

	for (const Engine &engine : file_engines) {
		World world(section(engine));
		Log log(world, engine);
		Shape shape = shape_in(folder, engine.name);

		shape.segment_bytes = MIB;
		ASSERT_EQ(log.open(shape), 0);
		for (uint64_t at = 0; at < 2 * MIB + 5000; at += 5000)
			ASSERT_EQ(log.write(pattern(at, 5000)), 0);
		ASSERT_EQ(log.ops->cut(log.log, 2 * MIB + 100), 0);
		log.close();
		std::string all;
		for (auto &name : names_in(shape.directories[0]))
			all += name + file_text(shape.directories[0] + "/" + name);
		if (first.empty())
			first = all;
		EXPECT_TRUE(all == first) << engine.name;
	}
}

TEST(Files, OfOneEngineAreReadAndGoneOnWithByTheOther)
{
	Folder folder;
	Shape shape = shape_in(folder);
	uint64_t end = 0;

	shape.segment_bytes = MIB;
	for (int turn = 0; turn < 4; ++turn) {
		const Engine &engine = turn % 2 ? MMAP : URING;
		World world(section(engine));
		Log log(world, engine);

		ASSERT_EQ(log.open(shape), 0);
		ASSERT_EQ(log.ops->cut(log.log, end), 0);
		ASSERT_TRUE(log.all(0) == pattern(0, end));
		ASSERT_EQ(log.write(pattern(end, 700000)), 0);
		ASSERT_EQ(log.sync(), 0);
		end = log.end();
	}
}

/* ---- io_uring itself */

TEST(Uring, IsUsedUnderSyncFlush)
{
	Folder folder;
	World world(section(URING));
	Log log(world, URING);

	EXPECT_FALSE(has_ring());
	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write("text"), 0);
	EXPECT_TRUE(has_ring());
	ASSERT_EQ(log.sync(), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 4), "text");
	log.close();
	EXPECT_TRUE(world.until([] { return !has_ring(); }));
}

TEST(Uring, WithoutSyncFlushAMessageOutlivesTheProcess)
{
	Folder folder;
	World world(std::string("[plugin storage-io-uring]\n") + NEVER);
	Log log(world, URING);

	ASSERT_EQ(log.open(shape_in(folder)), 0);
	ASSERT_EQ(log.write("text"), 0);
	EXPECT_EQ(head_of(folder / "commitlog", 4), "text");
}

/* As containers' seccomp filters do. */
static void refuse_io_uring()
{
	sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	sock_fprog program = {4, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(3);
}

TEST(Uring, RefusedByTheKernelTheFilesAreWrittenAllTheSame)
{
	testing::FLAGS_gtest_death_test_style = "threadsafe";
	auto live = [] {
		refuse_io_uring();
		setenv("CONTRACT_LOG", "1", 1);
		bool good;
		{
			Folder folder;
			World world(section(URING));
			Log log(world, URING);

			good = log.open(shape_in(folder)) == 0 && log.write(pattern(0, MIB)) == 0 &&
			       log.sync() == 0 && log.all(0) == pattern(0, MIB) && !has_ring() &&
			       head_of(folder / "commitlog", MIB) == pattern(0, MIB);
		}
		_exit(good ? 0 : 1);
	};
	EXPECT_EXIT(live(), testing::ExitedWithCode(0),
		    "refuses io_uring \\(Operation not permitted\\)");
}
