/* SPDX-License-Identifier: Apache-2.0 */
/* What every storage engine owes: big logs. */
#include <cerrno>
#include <filesystem>

#include "log_fixture.h"

namespace fs = std::filesystem;

static constexpr uint64_t SEGMENT = 64 * 1024;

class LogContract : public testing::TestWithParam<Engine>
{
      protected:
	LogContract() : world(section(GetParam())), log(world, GetParam())
	{
		shape.directories = {folder / "commitlog"};
	}

	std::string file(uint64_t start)
	{
		return folder / "commitlog/" + name_of(start);
	}

	void reopen()
	{
		log.close();
		ASSERT_EQ(log.open(shape), 0);
	}

	Folder folder;
	World world;
	Log log;
	Shape shape;
};

OVER_ENGINES(LogContract, every_engine);

TEST_P(LogContract, AnEmptyLogBeginsAtItsStartRoundedDown)
{
	shape.start = 3 * SEGMENT + 17;
	ASSERT_EQ(log.open(shape), 0);
	auto bounds = log.bounds();
	EXPECT_EQ(bounds.first, 3 * SEGMENT);
	EXPECT_EQ(bounds.durable, 3 * SEGMENT);
	EXPECT_EQ(bounds.end, 3 * SEGMENT);
	EXPECT_EQ(bounds.segment_bytes, SEGMENT);
	gantry_slice slice;
	EXPECT_EQ(log.read(bounds.first, 1, &slice), -ERANGE);
}

TEST_P(LogContract, WhatWasWrittenIsReadOverSegments)
{
	std::string text = pattern(0, 3 * SEGMENT + 1000);

	ASSERT_EQ(log.open(shape), 0);
	for (size_t at = 0; at < text.size(); at += 777)
		ASSERT_EQ(log.write(text.substr(at, 777)), 0);
	EXPECT_EQ(log.end(), text.size());
	EXPECT_EQ(log.all(0), text);
	EXPECT_EQ(log.text(SEGMENT - 10, 100), text.substr(SEGMENT - 10, 10))
		<< "a slice ends with its segment";
	EXPECT_EQ(log.text(text.size() - 5, 100), text.substr(text.size() - 5));
	std::string copy(2 * SEGMENT, 0);
	EXPECT_EQ(log.ops->copy(log.log, 1000, copy.data(), copy.size()),
		  static_cast<int64_t>(copy.size()));
	EXPECT_EQ(copy, text.substr(1000, copy.size()));
	EXPECT_EQ(log.ops->copy(log.log, text.size() - 3, copy.data(), 100), 3);
	EXPECT_EQ(log.ops->copy(log.log, text.size() + 1, copy.data(), 1), -ERANGE);
}

TEST_P(LogContract, SegmentsMayHaveAnySize)
{
	for (uint64_t size : {999ul, 4097ul, 10007ul}) {
		std::string text = pattern(0, 10 * size + 5);

		shape.directories = {folder / std::to_string(size)};
		shape.segment_bytes = size;
		ASSERT_EQ(log.open(shape), 0);
		for (size_t at = 0; at < text.size(); at += 701)
			ASSERT_EQ(log.write(text.substr(at, 701)), 0);
		EXPECT_EQ(log.all(0), text);
		ASSERT_EQ(log.ops->cut(log.log, 5 * size + 3), 0);
		ASSERT_EQ(log.write(text.substr(5 * size + 3)), 0);
		EXPECT_EQ(log.all(0), text);
		log.close();
		EXPECT_EQ(names_in(folder / std::to_string(size)).size(), 11u);
		EXPECT_EQ(file_text(shape.directories[0] + "/" + name_of(size)),
			  text.substr(size, size));
	}
}

TEST_P(LogContract, FilesHaveTheirFullLengthAndTheBytesWritten)
{
	std::string text = pattern(0, SEGMENT + 100);

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(text), 0);
	ASSERT_EQ(log.sync(), 0);
	log.close();
	EXPECT_EQ(names_in(folder / "commitlog"),
		  (std::vector<std::string>{name_of(0), name_of(SEGMENT)}));
	EXPECT_EQ(file_text(file(0)), text.substr(0, SEGMENT));
	EXPECT_EQ(file_text(file(SEGMENT)), text.substr(SEGMENT) + std::string(SEGMENT - 100, 0));
}

TEST_P(LogContract, AWindowShowsZerosAndKnowsItsSegment)
{
	gantry_window window;

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.ops->window(log.log, 5000, &window), 0);
	EXPECT_EQ(window.at, 0u);
	EXPECT_EQ(window.left, SEGMENT);
	ASSERT_GE(window.usable, 5000u);
	EXPECT_LE(window.usable, window.left);
	EXPECT_EQ(std::string(reinterpret_cast<char *>(window.to), 5000), std::string(5000, 0));
	log.ops->advance(log.log, SEGMENT - 100);
	ASSERT_EQ(log.ops->window(log.log, 5000, &window), 0);
	EXPECT_EQ(window.at, SEGMENT - 100);
	EXPECT_EQ(window.left, 100u) << "as many as the segment has";
	EXPECT_EQ(window.usable, 100u);
}

TEST_P(LogContract, AnAdvanceOfAllThatIsLeftEndsTheSegment)
{
	gantry_window window;

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.ops->window(log.log, 8, &window), 0);
	memcpy(window.to, "pad pad ", 8);
	log.ops->advance(log.log, window.left);
	EXPECT_EQ(log.end(), SEGMENT);
	ASSERT_EQ(log.write("next"), 0);
	EXPECT_EQ(log.text(0, SEGMENT), "pad pad " + std::string(SEGMENT - 8, 0));
	EXPECT_EQ(log.text(SEGMENT, 10), "next");
}

TEST_P(LogContract, BytesBeyondTheEndAreTheWritersAlone)
{
	gantry_window window;
	gantry_slice slice;

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write("head"), 0);
	ASSERT_EQ(log.ops->window(log.log, 10, &window), 0);
	memcpy(window.to, "unpublished", 11);
	EXPECT_EQ(log.all(0), "head");
	EXPECT_EQ(log.read(4, 10, &slice), -ERANGE);
}

TEST_P(LogContract, ReopeningEndsWithTheLastFile)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, SEGMENT + 100)), 0);
	reopen();
	EXPECT_EQ(log.bounds().first, 0u);
	EXPECT_EQ(log.end(), 2 * SEGMENT);
	EXPECT_EQ(log.bounds().durable, 2 * SEGMENT);
	EXPECT_EQ(log.text(SEGMENT, 100), pattern(SEGMENT, 100));
	ASSERT_EQ(log.ops->cut(log.log, SEGMENT + 100), 0);
	ASSERT_EQ(log.write(pattern(SEGMENT + 100, 50)), 0);
	EXPECT_EQ(log.all(0), pattern(0, SEGMENT + 150));
}

TEST_P(LogContract, FilesThatExistKeepTheirSize)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 100)), 0);
	shape.segment_bytes = 2 * SEGMENT;
	reopen();
	EXPECT_EQ(log.bounds().segment_bytes, SEGMENT);
	EXPECT_EQ(log.end(), SEGMENT);
}

TEST_P(LogContract, AnEmptyLastFileIsRemoved)
{
	make_file(file(0), "text", SEGMENT);
	make_file(file(SEGMENT), "", 0);
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.end(), SEGMENT);
	EXPECT_FALSE(fs::exists(file(SEGMENT)));
}

TEST_P(LogContract, GapsAndWrongLengthsAreRefused)
{
	make_file(file(0), "", SEGMENT);
	make_file(file(2 * SEGMENT), "", SEGMENT);
	EXPECT_EQ(log.open(shape), -EUCLEAN) << "a gap";
	make_file(file(SEGMENT), "", SEGMENT - 1);
	EXPECT_EQ(log.open(shape), -EUCLEAN) << "a length";
	make_file(file(SEGMENT), "", SEGMENT);
	EXPECT_EQ(log.open(shape), 0);
}

TEST_P(LogContract, OtherNamesAreLeftAlone)
{
	make_file(folder / "commitlog/notes.txt", "mine", 4);
	make_file(folder / "commitlog/0000000000000000000x", "mine", 4);
	fs::create_directories(folder / "commitlog/00000000000000065536");
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.end(), 0u);
	log.close();
	EXPECT_EQ(file_text(folder / "commitlog/notes.txt"), "mine");
}

TEST_P(LogContract, SeveralDirectoriesShareTheSegments)
{
	shape.directories = {folder / "a", folder / "b"};
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 4 * SEGMENT)), 0);
	log.close();
	EXPECT_EQ(names_in(folder / "a"),
		  (std::vector<std::string>{name_of(0), name_of(2 * SEGMENT)}));
	EXPECT_EQ(names_in(folder / "b"),
		  (std::vector<std::string>{name_of(SEGMENT), name_of(3 * SEGMENT)}));
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.all(0), pattern(0, 4 * SEGMENT));
}

TEST_P(LogContract, ReadOnlyIsRead)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write("text"), 0);
	shape.flags = GANTRY_LOG_READ_ONLY;
	reopen();
	gantry_window window;
	EXPECT_EQ(log.text(0, 4), "text");
	EXPECT_EQ(log.ops->window(log.log, 1, &window), -EROFS);
	EXPECT_EQ(log.ops->cut(log.log, 0), -EROFS);
	EXPECT_EQ(log.ops->reset(log.log, 0), -EROFS);
	EXPECT_EQ(log.ops->expire(log.log, 0), -EROFS);
}

TEST_P(LogContract, KnownToBeEmptyIsNotListed)
{
	shape.flags = GANTRY_LOG_EMPTY;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write("text"), 0);
	EXPECT_EQ(log.all(0), "text");
}

/* ---- sync */

TEST_P(LogContract, SyncMovesDurable)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, SEGMENT + 10)), 0);
	EXPECT_EQ(log.bounds().durable, 0u);
	Op op(world);
	int rc = log.ops->sync(log.log, 10, op.get());
	EXPECT_EQ(rc, GANTRY_PENDING);
	EXPECT_FALSE(op.done()) << "never inside the call";
	EXPECT_EQ(op.finish(rc), 0);
	EXPECT_GE(op.result(), 10u);
	EXPECT_EQ(op.result(), log.bounds().durable);
	Op again(world);
	EXPECT_EQ(log.ops->sync(log.log, op.result(), again.get()), 0) << "it was already";
	EXPECT_EQ(log.ops->sync(log.log, log.end() + 1, again.get()), -ERANGE);
}

TEST_P(LogContract, ManySyncsEnd)
{
	std::vector<std::unique_ptr<Op>> ops;

	ASSERT_EQ(log.open(shape), 0);
	for (int i = 0; i < 200; ++i) {
		ASSERT_EQ(log.write(pattern(log.end(), 1000)), 0);
		auto op = std::make_unique<Op>(world);
		if (log.ops->sync(log.log, log.end(), op->get()) > 0)
			ops.push_back(std::move(op));
	}
	for (auto &op : ops) {
		EXPECT_EQ(op->finish(GANTRY_PENDING), 0);
	}
	EXPECT_EQ(log.bounds().durable, log.end());
}

/* ---- cut, reset, expire */

TEST_P(LogContract, ACutDropsWhatFollows)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 3 * SEGMENT)), 0);
	ASSERT_EQ(log.ops->cut(log.log, SEGMENT + 100), 0);
	EXPECT_EQ(log.end(), SEGMENT + 100);
	EXPECT_EQ(log.bounds().durable, SEGMENT + 100) << "what stays is durable";
	EXPECT_EQ(log.all(0), pattern(0, SEGMENT + 100));
	EXPECT_EQ(file_text(file(SEGMENT)), pattern(SEGMENT, 100) + std::string(SEGMENT - 100, 0));
	ASSERT_EQ(log.write("new text"), 0);
	EXPECT_EQ(log.text(SEGMENT + 100, 100), "new text");
	EXPECT_EQ(log.ops->cut(log.log, log.end() + 1), -ERANGE);
}

TEST_P(LogContract, ACutAtASegmentsStartDropsIt)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 2 * SEGMENT)), 0);
	for (uint64_t at : {SEGMENT, uint64_t(0)}) {
		ASSERT_EQ(log.ops->cut(log.log, at), 0);
		/* It may have been made anew already, for what comes next. */
		std::string left = file_text(file(at));
		EXPECT_EQ(left, std::string(left.size(), 0));
		EXPECT_EQ(log.all(0), pattern(0, at));
	}
	ASSERT_EQ(log.write("again"), 0);
	EXPECT_EQ(log.all(0), "again");
}

TEST_P(LogContract, CutsOfEveryAlignmentLeaveZeros)
{
	ASSERT_EQ(log.open(shape), 0);
	for (uint64_t at : {1ul, 4095ul, 4096ul, 4097ul, 8191ul, 65535ul}) {
		std::string text = pattern(0, SEGMENT);

		ASSERT_EQ(log.ops->cut(log.log, 0), 0);
		ASSERT_EQ(log.write(text), 0);
		ASSERT_EQ(log.ops->cut(log.log, at), 0);
		ASSERT_EQ(file_text(file(0)), text.substr(0, at) + std::string(SEGMENT - at, 0));
		ASSERT_EQ(log.write(text.substr(at)), 0);
		ASSERT_EQ(log.all(0), text) << "after a cut at " << at;
	}
}

TEST_P(LogContract, ASliceOutlivesExpiryAndReset)
{
	gantry_slice slice;

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 3 * SEGMENT)), 0);
	ASSERT_EQ(log.read(10, 100, &slice), 0);
	EXPECT_EQ(log.ops->expire(log.log, 2 * SEGMENT), 2);
	EXPECT_FALSE(fs::exists(file(0)));
	std::string text(reinterpret_cast<const char *>(slice.bytes), slice.size);
	EXPECT_EQ(text, pattern(10, 100));
	gantry_slice_release(&slice);
	ASSERT_EQ(log.read(2 * SEGMENT, 100, &slice), 0);
	EXPECT_EQ(log.ops->reset(log.log, 0), 0);
	ASSERT_EQ(log.write(std::string(200, 'x')), 0);
	text.assign(reinterpret_cast<const char *>(slice.bytes), slice.size);
	EXPECT_EQ(text, pattern(2 * SEGMENT, 100));
	gantry_slice_release(&slice);
}

TEST_P(LogContract, ExpiryKeepsTheLastSegment)
{
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.ops->expire(log.log, UINT64_MAX), 0);
	ASSERT_EQ(log.write(pattern(0, 3 * SEGMENT)), 0);
	EXPECT_EQ(log.ops->expire(log.log, SEGMENT - 1), 0);
	EXPECT_EQ(log.ops->expire(log.log, SEGMENT), 1);
	EXPECT_EQ(log.bounds().first, SEGMENT);
	gantry_slice slice;
	EXPECT_EQ(log.read(SEGMENT - 1, 1, &slice), -ERANGE);
	EXPECT_EQ(log.ops->expire(log.log, UINT64_MAX), 1);
	EXPECT_EQ(log.bounds().first, 2 * SEGMENT);
	EXPECT_EQ(log.all(2 * SEGMENT), pattern(2 * SEGMENT, SEGMENT));
	EXPECT_GE(log.bounds().durable, log.bounds().first);
}

TEST_P(LogContract, ResetBeginsAnywhere)
{
	uint64_t at = 7 * SEGMENT + 1234;

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, 2 * SEGMENT)), 0);
	ASSERT_EQ(log.ops->reset(log.log, at), 0);
	auto bounds = log.bounds();
	EXPECT_EQ(bounds.first, at);
	EXPECT_EQ(bounds.end, at);
	ASSERT_EQ(log.write(pattern(at, SEGMENT)), 0);
	EXPECT_EQ(log.all(at), pattern(at, SEGMENT));
	gantry_slice slice;
	EXPECT_EQ(log.read(at - 1, 1, &slice), -ERANGE);
	log.close();
	EXPECT_EQ(names_in(folder / "commitlog"),
		  (std::vector<std::string>{name_of(7 * SEGMENT), name_of(8 * SEGMENT)}));
	EXPECT_EQ(file_text(file(7 * SEGMENT)).substr(0, 1234), std::string(1234, 0));
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.bounds().first, 7 * SEGMENT);
}

TEST_P(LogContract, TheTimeOfWritingIsKnown)
{
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.ops->modified_ms(log.log, 0), -ERANGE);
	ASSERT_EQ(log.write("text"), 0);
	int64_t now = time(nullptr) * 1000;
	EXPECT_NEAR(static_cast<double>(log.ops->modified_ms(log.log, 0)), static_cast<double>(now),
		    60000.0);
}
