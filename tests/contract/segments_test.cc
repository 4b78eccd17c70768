/* SPDX-License-Identifier: Apache-2.0 */
/* What the engines over lib/segments promise beyond the contract: preparing, cold reads, leases,
 * descriptors, areas, and that its parts stand each other when they run at the same time. */
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <fcntl.h>
#include <filesystem>
#include <gantry/counter.h>
#include <gantry/guard.h>
#include <gantry/loop.h>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "../support/limit.h"
#include "log_fixture.h"

namespace fs = std::filesystem;

static constexpr uint64_t MIB = 1024 * 1024;

class Segments : public testing::TestWithParam<Engine>
{
      protected:
	explicit Segments(const std::string &keys = "", unsigned workers = 4)
	    : world(section(GetParam()) + keys, 2, workers), log(world, GetParam())
	{
		shape.directories = {folder / "commitlog"};
		shape.segment_bytes = 256 * MIB;
	}

	std::string file(uint64_t start)
	{
		return folder / "commitlog/" + name_of(start);
	}
	/* Bytes on the disk, of all files. */
	uint64_t allocated()
	{
		uint64_t bytes = 0;
		struct stat st;

		for (auto &name : names_in(folder / "commitlog")) {
			if (stat((folder / ("commitlog/" + name)).c_str(), &st) == 0)
				bytes += static_cast<uint64_t>(st.st_blocks) * 512;
		}
		return bytes;
	}
	/* So many, in folders that are named by their numbers, with 100 bytes each. */
	std::vector<std::unique_ptr<Log>> small_logs(unsigned count)
	{
		std::vector<std::unique_ptr<Log>> logs;

		shape.flags = GANTRY_LOG_SMALL | GANTRY_LOG_EMPTY;
		shape.segment_bytes = 6000;
		for (unsigned i = 0; i < count; ++i) {
			std::string text = pattern(i, 100);

			logs.push_back(std::make_unique<Log>(world, GetParam()));
			shape.directories = {folder / std::to_string(i)};
			EXPECT_EQ(logs[i]->open(shape), 0);
			EXPECT_EQ(logs[i]->ops->append(logs[i]->log, text.data(), 100), 0);
		}
		return logs;
	}

	Folder folder;
	World world;
	Log log;
	Shape shape;
};
OVER_ENGINES(Segments, file_engines);

/* Work for a worker, and whether it has ended. */
struct Work {
	Work(World &world, gantry_inst *inst, std::function<int()> what)
	    : op(world), what(std::move(what))
	{
		work.run = [](struct gantry_work *work) {
			return static_cast<Work *>(work->user)->what();
		};
		work.user = this;
		gantry_work(inst, &work, op.get());
	}
	Op op;
	std::function<int()> what;
	struct gantry_work work = {};
};

/* ---- preparing */

TEST_P(Segments, StartingWritesOneMebibyte)
{
	gantry_window window;

	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(allocated(), 0u);
	ASSERT_EQ(log.ops->window(log.log, 100, &window), 0);
	EXPECT_TRUE(world.until([&] { return allocated() >= MIB; }));
	/* Closing waits for the worker: nothing more comes. */
	ASSERT_EQ(log.write("text"), 0);
	log.close();
	EXPECT_LE(allocated(), MIB + 64 * 1024);
	EXPECT_EQ(fs::file_size(file(0)), 256 * MIB);
}

TEST_P(Segments, RoomIsReadyAheadOfTheWriter)
{
	ASSERT_EQ(log.open(shape), 0);
	for (int i = 0; i < 40; ++i)
		ASSERT_EQ(log.write(pattern(log.end(), MIB)), 0);
	EXPECT_TRUE(world.until([&] {
		gantry_window window;
		return log.ops->window(log.log, 1, &window) == 0 && window.usable >= MIB / 2;
	}));
	EXPECT_TRUE(log.all(39 * MIB) == pattern(39 * MIB, MIB));
	log.close();
	EXPECT_GE(allocated(), 40 * MIB + MIB / 2);
	EXPECT_LE(allocated(), 40 * MIB + 65 * MIB) << "preparedBytes at most";
}

TEST_P(Segments, TheNextSegmentIsPreparedAhead)
{
	shape.segment_bytes = 2 * MIB;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, MIB + MIB / 2)), 0);
	EXPECT_TRUE(world.until([&] {
		gantry_window window;
		return log.ops->window(log.log, 1, &window) == 0 && fs::exists(file(2 * MIB));
	}));
	EXPECT_EQ(log.end(), MIB + MIB / 2) << "what was prepared is not the log's";
	log.close();
	EXPECT_EQ(names_in(folder / "commitlog"), (std::vector<std::string>{name_of(0)}))
		<< "and goes when it was not needed";
}

/* Where each write is synced, no sync may have to wait for zeros in its own file. */
TEST_P(Segments, WhereSyncsFollowEachOtherTheNextSegmentIsReadyWhole)
{
	const uint64_t size = 16 * MIB, most = 20 * size;
	bool whole = false;

	shape.segment_bytes = size;
	ASSERT_EQ(log.open(shape), 0);
	while (!whole && log.end() < most) {
		struct stat st = {};

		ASSERT_EQ(log.write(pattern(log.end(), 128 * 1024)), 0);
		ASSERT_EQ(log.sync(), 0);
		stat(file((log.end() / size + 1) * size).c_str(), &st);
		whole = static_cast<uint64_t>(st.st_blocks) * 512 >= size;
	}
	EXPECT_TRUE(whole);
	EXPECT_TRUE(log.all(0) == pattern(0, log.end()));
}

class SegmentsOneWorker : public Segments
{
      protected:
	SegmentsOneWorker() : Segments("", 1)
	{
	}
};
OVER_ENGINES(SegmentsOneWorker, file_engines);

TEST_P(SegmentsOneWorker, AWorkerThatIsLateStopsNobody)
{
	std::mutex lock;
	std::condition_variable go;
	bool gone = false;

	ASSERT_EQ(log.open(shape), 0);
	Work block(world, log.inst, [&] {
		std::unique_lock<std::mutex> hold(lock);
		go.wait(hold, [&] { return gone; });
		return 0;
	});
	for (int i = 0; i < 10; ++i)
		ASSERT_EQ(log.write(pattern(log.end(), MIB)), 0);
	EXPECT_LE(allocated(), 11 * MIB) << "in small steps";
	{
		std::lock_guard<std::mutex> hold(lock);
		gone = true;
	}
	go.notify_one();
	EXPECT_EQ(block.op.finish(1), 0);
	EXPECT_TRUE(log.all(0) == pattern(0, 10 * MIB));
}

TEST_P(Segments, AnOldFileIsZeroedAheadOfTheWriter)
{
	/* A segment that another process filled and that recovery found to end early. */
	shape.segment_bytes = 4 * MIB;
	make_file(file(0), pattern(0, 4 * MIB), 4 * MIB);
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.ops->cut(log.log, 5000), 0);
	EXPECT_TRUE(file_text(file(0)) == pattern(0, 5000) + std::string(4 * MIB - 5000, 0));
	EXPECT_LE(allocated(), 64 * 1024u) << "its blocks are given back";
	ASSERT_EQ(log.write(pattern(5000, 3 * MIB)), 0);
	EXPECT_TRUE(log.all(0) == pattern(0, 5000 + 3 * MIB));
}

/* ---- reading */

class SegmentsCold : public Segments
{
      protected:
	SegmentsCold()
	{
		shape.segment_bytes = MIB;
		EXPECT_EQ(log.open(shape), 0);
		EXPECT_EQ(log.write(pattern(0, 6 * MIB)), 0);
		log.close();
		forget();
		EXPECT_EQ(log.open(shape), 0);
	}
	/* Makes the kernel drop what it has of the files in memory, where it can. */
	void forget()
	{
		for (auto &name : names_in(folder / "commitlog")) {
			int fd = open((folder / ("commitlog/" + name)).c_str(), O_RDONLY);

			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			::close(fd);
		}
	}
};
OVER_ENGINES(SegmentsCold, file_engines);

TEST_P(SegmentsCold, AColdReadIsPendingAndThenHot)
{
	gantry_slice slice;
	Op op(world);

	EXPECT_EQ(log.ops->read(log.log, MIB + 10, 1000, &slice, nullptr), -EAGAIN);
	int rc = log.ops->read(log.log, MIB + 10, 1000, &slice, op.get());
	ASSERT_EQ(rc, GANTRY_PENDING);
	ASSERT_EQ(op.finish(rc), 0);
	ASSERT_EQ(log.ops->read(log.log, MIB + 10, 1000, &slice, nullptr), 0);
	gantry_slice_release(&slice);
	/* The run that was read is longer than what was asked for. */
	EXPECT_EQ(log.ops->read(log.log, MIB + 100 * 1024, 1000, &slice, nullptr), 0);
	gantry_slice_release(&slice);
	EXPECT_TRUE(log.all(0) == pattern(0, 6 * MIB));
}

TEST_P(SegmentsCold, AFetchWaitsForTheDisk)
{
	gantry_slice slice;

	ASSERT_EQ(log.ops->read(log.log, MIB + 10, 1000, &slice, nullptr), -EAGAIN);
	ASSERT_EQ(log.ops->fetch(log.log, MIB + 10, 1000, &slice), 0);
	EXPECT_EQ(std::string((const char *)slice.bytes, slice.size), pattern(MIB + 10, 1000));
	gantry_slice_release(&slice);
	EXPECT_EQ(log.ops->fetch(log.log, 6 * MIB, 1, &slice), -ERANGE);
	ASSERT_EQ(truncate(file(2 * MIB).c_str(), 4096), 0);
	EXPECT_EQ(log.ops->fetch(log.log, 2 * MIB + 8192, 1000, &slice), -EIO);
}

TEST_P(SegmentsCold, ASegmentThatCannotBeReadIsAlone)
{
	gantry_slice slice;

	ASSERT_EQ(truncate(file(2 * MIB).c_str(), 4096), 0);
	EXPECT_EQ(log.read(2 * MIB + 8192, 1000, &slice), -EIO);
	EXPECT_TRUE(log.text(2 * MIB, 4096) == pattern(2 * MIB, 4096));
	EXPECT_TRUE(log.text(3 * MIB, MIB) == pattern(3 * MIB, MIB));
	fs::remove(file(MIB));
	EXPECT_EQ(log.read(MIB, 1000, &slice), -EIO);
	EXPECT_TRUE(log.text(3 * MIB, MIB) == pattern(3 * MIB, MIB));
	ASSERT_EQ(log.ops->cut(log.log, 5 * MIB + 10), 0);
	EXPECT_EQ(log.write("text"), 0) << "writing goes on";
}

TEST_P(SegmentsCold, AHotCopySaysWhenItWouldWait)
{
	char text[100];

	EXPECT_EQ(log.ops->copy_hot(log.log, MIB, text, 100), -EAGAIN);
	EXPECT_EQ(log.ops->copy(log.log, MIB, text, 100), 100);
	EXPECT_EQ(log.ops->copy_hot(log.log, MIB, text, 100), 100);
	EXPECT_EQ(std::string(text, 100), pattern(MIB, 100));
}

TEST_P(Segments, ACutWaitsForTheSlicesOfWhatItDrops)
{
	gantry_slice below, above;

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 20000)), 0);
	ASSERT_EQ(log.read(0, 10000, &below), 0);
	EXPECT_EQ(log.ops->cut(log.log, 15000), 0) << "nobody reads that";
	ASSERT_EQ(log.read(9000, 6000, &above), 0);
	Work cut(world, log.inst, [&] { return log.ops->cut(log.log, 10000); });
	EXPECT_TRUE(world.until([&] { return log.end() == 10000; }));
	EXPECT_FALSE(cut.op.done());
	EXPECT_EQ(std::string(reinterpret_cast<const char *>(above.bytes), above.size),
		  pattern(9000, 6000));
	gantry_slice_release(&below);
	gantry_slice_release(&above);
	EXPECT_EQ(cut.op.finish(1), 0);
	EXPECT_TRUE(log.all(0) == pattern(0, 10000));
}

/* ---- files that fail */

TEST_P(Segments, HotBytesThatAreGoneCostThemselvesAlone)
{
	gantry_slice slice;

	shape.segment_bytes = MIB;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 3 * MIB)), 0);
	ASSERT_EQ(log.sync(), 0); /* of a staged log: only then it is in the file */
	ASSERT_EQ(truncate(file(MIB).c_str(), 8192), 0);
	/* This process wrote it a moment ago: it is taken to be there. */
	ASSERT_EQ(log.ops->read(log.log, MIB + 4096, 20000, &slice, nullptr), 0);
	EXPECT_TRUE(gantry_guard_touch(slice.bytes, slice.size));
	gantry_slice_release(&slice);
	/* Now it is known. */
	EXPECT_EQ(log.read(MIB + 8192, 1000, &slice), -EIO);
	ASSERT_EQ(log.read(MIB + 4096, 20000, &slice), 0);
	EXPECT_EQ(slice.size, 4096u) << "as far as it can be read";
	EXPECT_FALSE(gantry_guard_failed(slice.bytes, slice.size));
	gantry_slice_release(&slice);
	EXPECT_TRUE(log.text(MIB, 8192) == pattern(MIB, 8192));
	EXPECT_TRUE(log.text(2 * MIB, MIB) == pattern(2 * MIB, MIB));
	EXPECT_TRUE(log.text(0, MIB) == pattern(0, MIB));
	EXPECT_EQ(log.write("text"), 0) << "writing goes on";
}

/* Whose window is the mapping. */
class SegmentsMapped : public Segments
{
};
OVER_ENGINES(SegmentsMapped, std::vector<Engine>{file_engines.front()});

TEST_P(SegmentsMapped, WhatCannotBeStoredIsNotPromised)
{
	shape.segment_bytes = MIB;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write("begun"), 0);
	ASSERT_TRUE(world.until([&] { return allocated() >= MIB; }));
	ASSERT_EQ(log.sync(), 0);
	ASSERT_EQ(truncate(file(0).c_str(), 4096), 0);
	ASSERT_EQ(log.write(pattern(5, 100000)), 0);
	EXPECT_EQ(log.sync(), -EIO);
	EXPECT_EQ(log.write("more"), -EIO) << "nothing more is written to it";
}

TEST_P(SegmentsCold, WhoReadsInOrderIsReadAhead)
{
	gantry_slice slice;

	log.close();
	fs::remove_all(folder / "commitlog");
	shape.segment_bytes = 16 * MIB;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 16 * MIB)), 0);
	log.close();
	forget();
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_TRUE(log.text(0, 1000) == pattern(0, 1000));
	EXPECT_EQ(log.ops->read(log.log, MIB, 1000, &slice, nullptr), -EAGAIN) << "not after one";
	ASSERT_TRUE(log.text(128 * 1024, 1000) == pattern(128 * 1024, 1000));
	EXPECT_TRUE(world.until([&] {
		int rc = log.ops->read(log.log, 3 * MIB, 1000, &slice, nullptr);

		if (rc == 0)
			gantry_slice_release(&slice);
		return rc == 0;
	}));
	EXPECT_TRUE(log.all(0) == pattern(0, 16 * MIB));
}

/* 48 MiB in segments of 12, none of it in memory. */
class SegmentsAhead : public Segments
{
      protected:
	explicit SegmentsAhead(const std::string &keys = "") : Segments(keys)
	{
		shape.segment_bytes = 12 * MIB;
		EXPECT_EQ(log.open(shape), 0);
		EXPECT_EQ(log.write(std::string(SIZE, 'x')), 0);
		log.close();
		for (auto &name : names_in(folder / "commitlog")) {
			int fd = open((folder / ("commitlog/" + name)).c_str(), O_RDONLY);

			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			::close(fd);
		}
		EXPECT_EQ(log.open(shape), 0);
	}
	/* A file system in memory keeps them. */
	bool begins_cold()
	{
		return log.text(0, 1) == "x" && counter("cold_reads") == 1;
	}
	/* Reads [from, to) as a consumer does. */
	void pass(uint64_t from, uint64_t to)
	{
		for (; from < to; from += STEP) {
			gantry_slice slice;

			ASSERT_EQ(log.read(from, STEP, &slice), 0);
			gantry_slice_release(&slice);
		}
	}
	uint64_t counter(const char *name)
	{
		struct Search {
			const char *name;
			uint64_t value;
		} search = {name, 0};

		gantry_counter_each(
			log.inst,
			[](const char *, const char *name, const char *, int64_t value,
			   void *user) {
				auto search = static_cast<Search *>(user);
				if (std::string(name) == search->name)
					search->value = static_cast<uint64_t>(value);
			},
			&search);
		return search.value;
	}

	static constexpr uint64_t SIZE = 48 * MIB, STEP = 128 * 1024;
};
OVER_ENGINES(SegmentsAhead, file_engines);

TEST_P(SegmentsAhead, EveryByteIsAskedForOnce)
{
	if (!begins_cold())
		GTEST_SKIP() << "this file system keeps its pages";
	pass(0, SIZE);
	EXPECT_TRUE(world.until([&] { return counter("bytes_ahead") >= SIZE - MIB; }));
	EXPECT_LE(counter("bytes_ahead"), SIZE) << "over segments' ends, none of it twice";
	EXPECT_LE(counter("cold_reads"), SIZE / STEP / 4 + 2) << "who waits waits for a longer run";
}

TEST_P(SegmentsAhead, EachPlaceHasAStream)
{
	if (!begins_cold())
		GTEST_SKIP() << "this file system keeps its pages";
	for (uint64_t at = 0; at < SIZE / 4; at += STEP) {
		for (uint64_t place = 0; place < 4; place += 2)
			pass(place * SIZE / 4 + at, place * SIZE / 4 + at + STEP);
	}
	EXPECT_TRUE(world.until([&] { return counter("bytes_ahead") >= SIZE / 2 - 2 * MIB; }));
	EXPECT_LE(counter("bytes_ahead"), SIZE / 2 + 2 * 16 * MIB) << "no farther ahead";
	EXPECT_LE(counter("cold_reads"), SIZE / STEP / 8 + 4);
}

class SegmentsNotAhead : public SegmentsAhead
{
      protected:
	SegmentsNotAhead() : SegmentsAhead("readAheadBytes = 0\n")
	{
	}
};
OVER_ENGINES(SegmentsNotAhead, file_engines);

TEST_P(SegmentsNotAhead, NothingIsReadThatNobodyAskedFor)
{
	pass(0, SIZE);
	EXPECT_EQ(counter("bytes_ahead"), 0u);
}

/* All at once, far apart: a worker asks the disk for all of them together. */
TEST_P(SegmentsAhead, ManyWaitTogether)
{
	std::vector<std::unique_ptr<Op>> ops;
	std::vector<int> codes;
	gantry_slice slice;

	for (uint64_t at = 0; at < SIZE; at += MIB) {
		ops.push_back(std::make_unique<Op>(world));
		codes.push_back(log.ops->read(log.log, at, 1000, &slice, ops.back()->get()));
		if (codes.back() == 0)
			gantry_slice_release(&slice);
	}
	for (size_t i = 0; i < ops.size(); ++i)
		EXPECT_EQ(ops[i]->finish(codes[i]), 0);
	EXPECT_EQ(log.text(47 * MIB, 10), "xxxxxxxxxx");
}

/* ---- everything at once */

TEST_P(Segments, WriterReadersSyncsAndExpiryTogether)
{
	constexpr uint64_t TOTAL = 24 * MIB;
	std::atomic<bool> stop{false};
	std::atomic<uint64_t> reads{0};

	shape.segment_bytes = MIB;
	ASSERT_EQ(log.open(shape), 0);
	auto reader = [&](unsigned seed) {
		while (!stop) {
			auto bounds = log.bounds();
			uint64_t size = bounds.end - bounds.first;
			gantry_slice slice;

			seed = seed * 1103515245 + 12345;
			uint64_t at = size ? bounds.first + seed % size : 0;
			if (!size || log.ops->read(log.log, at, 3000, &slice, nullptr) != 0)
				continue;
			std::string text(reinterpret_cast<const char *>(slice.bytes), slice.size);
			if (text != pattern(at, text.size()))
				ADD_FAILURE() << "wrong bytes at " << at;
			gantry_slice_release(&slice);
			++reads;
		}
	};
	std::thread one(reader, 1), two(reader, 2);
	std::thread expirer([&] {
		while (!stop) {
			uint64_t end = log.end();

			if (end > 4 * MIB)
				log.ops->expire(log.log, end - 4 * MIB);
			std::this_thread::yield();
		}
	});
	std::vector<std::unique_ptr<Op>> ops;
	for (uint64_t at = 0; at < TOTAL; at += 5000) {
		ASSERT_EQ(log.write(pattern(at, std::min<uint64_t>(5000, TOTAL - at))), 0);
		if (at % 100000 == 0) {
			ops.push_back(std::make_unique<Op>(world));
			if (log.ops->sync(log.log, log.end(), ops.back()->get()) <= 0)
				ops.pop_back();
		}
	}
	for (auto &op : ops)
		EXPECT_EQ(op->finish(1), 0);
	EXPECT_TRUE(world.until([&] { return reads > 100; }));
	stop = true;
	one.join();
	two.join();
	expirer.join();
	EXPECT_EQ(log.end(), TOTAL);
}

/* ---- small logs */

class SegmentsFewDescriptors : public Segments
{
      protected:
	SegmentsFewDescriptors() : Segments("smallFileDescriptors = 16\n")
	{
	}
};
OVER_ENGINES(SegmentsFewDescriptors, file_engines);

static size_t open_files()
{
	return names_in("/proc/self/fd").size();
}

TEST_P(SegmentsFewDescriptors, ManyLogsShareThem)
{
	constexpr unsigned COUNT = 200;
	size_t before = open_files();
	auto logs = small_logs(COUNT);

	EXPECT_LE(open_files(), before + 16);
	std::vector<std::thread> readers;
	for (unsigned t = 0; t < 3; ++t) {
		readers.emplace_back([&, t] {
			for (unsigned i = 0; i < 5 * COUNT; ++i) {
				Log &one = *logs[(i * (t + 1)) % COUNT];
				char text[100];

				EXPECT_EQ(one.ops->copy(one.log, 0, text, 100), 100);
				EXPECT_EQ(std::string(text, 100),
					  pattern((i * (t + 1)) % COUNT, 100));
			}
		});
	}
	for (auto &reader : readers)
		reader.join();
	EXPECT_LE(open_files(), before + 16);
	logs.clear();
	EXPECT_LE(open_files(), before);
}

/* Of a process that may have few open. */
class FewFiles
{
      protected:
	Limit few{RLIMIT_NOFILE, 400};
};

class SegmentsFewFiles : FewFiles, public Segments
{
};
OVER_ENGINES(SegmentsFewFiles, file_engines);

TEST_P(SegmentsFewFiles, SmallLogsLeaveMostOfThemToOthers)
{
	size_t before = open_files();
	auto logs = small_logs(100);

	EXPECT_LE(open_files(), before + 400 / 8);
}

TEST_P(Segments, OpeningASmallLogLooksAtNoFile)
{
	/* Names that lead nowhere: whoever looked at the files would notice. */
	shape.flags = GANTRY_LOG_SMALL;
	shape.segment_bytes = 1;
	fs::create_directories(folder / "commitlog");
	for (uint64_t start : {0, 6000, 12000})
		fs::create_symlink("/nowhere", file(start));
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.bounds().segment_bytes, 6000u);
	EXPECT_EQ(log.end(), 18000u);
	char byte;
	EXPECT_EQ(log.ops->copy(log.log, 0, &byte, 1), -ENOENT);
}

TEST_P(Segments, ASmallFileOfTheWrongLengthIsRefusedWhenMet)
{
	shape.flags = GANTRY_LOG_SMALL;
	make_file(file(0), "", 6000);
	make_file(file(6000), "", 5999);
	make_file(file(12000), "", 0);
	ASSERT_EQ(log.open(shape), 0);
	char byte = 1;
	EXPECT_EQ(log.ops->copy(log.log, 6000, &byte, 1), -EUCLEAN);
	EXPECT_EQ(log.ops->copy(log.log, 12000, &byte, 1), 1) << "one that was being made";
	EXPECT_EQ(byte, 0);
	log.close();
	EXPECT_EQ(fs::file_size(file(12000)), 6000u);
}

/* ---- areas */

TEST_P(Segments, AnAreaIsAFixedFile)
{
	auto *area_ops = world.ops<gantry_storage_ops>(GANTRY_STORAGE, GetParam().plugin)->area;
	std::string path = folder / "config/checkpoint";
	gantry_area *area;
	char text[8] = {};
	int made = 0;

	ASSERT_EQ(area_ops->open(log.inst, path.c_str(), 4096, &area, &made), 0);
	EXPECT_EQ(made, 1);
	EXPECT_EQ(area_ops->read(area, 4088, text, 8), 0);
	EXPECT_EQ(std::string(text, 8), std::string(8, 0));
	EXPECT_EQ(area_ops->write(area, 100, "text", 4), 0);
	EXPECT_EQ(area_ops->write(area, 4093, "text", 4), -ERANGE);
	EXPECT_EQ(area_ops->read(area, UINT64_MAX, text, 4), -ERANGE);
	Op op(world);
	int rc = area_ops->sync(area, op.get());
	ASSERT_EQ(rc, GANTRY_PENDING);
	EXPECT_EQ(op.finish(rc), 0);
	area_ops->close(area);
	EXPECT_EQ(file_text(path).substr(100, 4), "text");
	EXPECT_EQ(area_ops->open(log.inst, path.c_str(), 8192, &area, &made), -EUCLEAN);
	ASSERT_EQ(area_ops->open(log.inst, path.c_str(), 4096, &area, &made), 0);
	EXPECT_EQ(made, 0);
	EXPECT_EQ(area_ops->read(area, 100, text, 4), 0);
	EXPECT_EQ(std::string(text, 4), "text");
	area_ops->close(area);
	area_ops->close(nullptr);
}
