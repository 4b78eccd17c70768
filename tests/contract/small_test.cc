/* SPDX-License-Identifier: Apache-2.0 */
/* What every storage engine owes: small logs. */
#include <cerrno>
#include <filesystem>

#include "log_fixture.h"

namespace fs = std::filesystem;

static constexpr uint64_t SEGMENT = 6000; /* no multiple of a page, as a ConsumeQueue's */

class SmallContract : public testing::TestWithParam<Engine>
{
      protected:
	SmallContract() : world(section(GetParam())), log(world, GetParam())
	{
		shape.directories = {folder / "topic/0"};
		shape.segment_bytes = SEGMENT;
		shape.flags = GANTRY_LOG_SMALL;
	}

	std::string file(uint64_t start)
	{
		return folder / "topic/0/" + name_of(start);
	}
	int append(const std::string &text)
	{
		return log.ops->append(log.log, text.data(), text.size());
	}
	std::string copy(uint64_t at, size_t size)
	{
		std::string text(size, 0);
		int64_t got = log.ops->copy(log.log, at, text.data(), size);

		text.resize(got < 0 ? 0 : static_cast<size_t>(got));
		return text;
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

OVER_ENGINES(SmallContract, every_engine);

TEST_P(SmallContract, AppendsAreCopiedBackOverSegments)
{
	std::string text = pattern(0, 5 * SEGMENT + 20);

	ASSERT_EQ(log.open(shape), 0);
	for (size_t at = 0; at < text.size(); at += 1700)
		ASSERT_EQ(append(text.substr(at, 1700)), 0);
	EXPECT_EQ(log.end(), text.size());
	EXPECT_EQ(copy(0, text.size()), text);
	EXPECT_EQ(copy(SEGMENT - 7, 14), text.substr(SEGMENT - 7, 14));
	EXPECT_EQ(copy(text.size() - 5, 100), text.substr(text.size() - 5));
	EXPECT_EQ(log.ops->copy(log.log, text.size() + 1, nullptr, 1), -ERANGE);
	log.close();
	EXPECT_EQ(names_in(folder / "topic/0").size(), 6u);
	EXPECT_EQ(file_text(file(5 * SEGMENT)).size(), SEGMENT);
}

TEST_P(SmallContract, ThereIsNoWindowAndNoSlice)
{
	gantry_window window;
	gantry_slice slice;

	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.ops->window(log.log, 1, &window), -ENOTSUP);
	ASSERT_EQ(append("text"), 0);
	EXPECT_EQ(log.ops->read(log.log, 0, 1, &slice, nullptr), -ENOTSUP);
	log.close();
	shape.flags = 0;
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.ops->append(log.log, "text", 4), -ENOTSUP) << "and a big log has no append";
}

TEST_P(SmallContract, NothingIsMadeBeforeTheFirstByte)
{
	shape.flags |= GANTRY_LOG_EMPTY;
	shape.start = 2 * SEGMENT + 40;
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.bounds().first, 2 * SEGMENT);
	EXPECT_FALSE(fs::exists(folder / "topic"));
	ASSERT_EQ(append("text"), 0);
	EXPECT_TRUE(fs::exists(file(2 * SEGMENT)));
	EXPECT_EQ(copy(2 * SEGMENT, 10), "text");
}

TEST_P(SmallContract, ReopeningEndsWithTheLastFile)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(append(pattern(0, SEGMENT + 100)), 0);
	reopen();
	EXPECT_EQ(log.end(), 2 * SEGMENT);
	EXPECT_EQ(copy(SEGMENT, 101), pattern(SEGMENT, 100) + std::string(1, 0));
	ASSERT_EQ(log.ops->cut(log.log, SEGMENT + 100), 0);
	ASSERT_EQ(append(pattern(SEGMENT + 100, 50)), 0);
	EXPECT_EQ(copy(0, 3 * SEGMENT), pattern(0, SEGMENT + 150));
}

TEST_P(SmallContract, OneFileTellsItsSizeAndSeveralTheirDistance)
{
	make_file(file(0), "text", SEGMENT);
	shape.segment_bytes = 2 * SEGMENT;
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.bounds().segment_bytes, SEGMENT);
	make_file(file(SEGMENT), "", SEGMENT);
	reopen();
	EXPECT_EQ(log.bounds().segment_bytes, SEGMENT);
	make_file(file(3 * SEGMENT), "", SEGMENT);
	log.close();
	EXPECT_EQ(log.open(shape), -EUCLEAN) << "a gap";
}

TEST_P(SmallContract, CutsOfEveryAlignmentLeaveZeros)
{
	ASSERT_EQ(log.open(shape), 0);
	for (uint64_t at : {1ul, 20ul, 4095ul, 4096ul, 4097ul, 5999ul, 6000ul, 6020ul}) {
		std::string text = pattern(0, 2 * SEGMENT), left;

		ASSERT_EQ(log.ops->cut(log.log, 0), 0);
		ASSERT_EQ(append(text), 0);
		ASSERT_EQ(log.ops->cut(log.log, at), 0);
		EXPECT_EQ(log.end(), at);
		for (auto &name : names_in(folder / "topic/0"))
			left += file_text(folder / ("topic/0/" + name));
		text.resize(at);
		left.resize(2 * SEGMENT);
		ASSERT_EQ(left, text + std::string(2 * SEGMENT - at, 0)) << "a cut at " << at;
		ASSERT_EQ(append("more"), 0);
		ASSERT_EQ(copy(0, 3 * SEGMENT), text + "more");
	}
	EXPECT_EQ(log.ops->cut(log.log, log.end() + 1), -ERANGE);
}

TEST_P(SmallContract, ResetBeginsAnywhere)
{
	uint64_t at = 7 * SEGMENT + 1220;

	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(append(pattern(0, 2 * SEGMENT)), 0);
	ASSERT_EQ(log.ops->reset(log.log, at), 0);
	EXPECT_EQ(log.bounds().first, at);
	EXPECT_EQ(log.end(), at);
	ASSERT_EQ(append(pattern(at, SEGMENT)), 0);
	EXPECT_EQ(copy(at, 2 * SEGMENT), pattern(at, SEGMENT));
	EXPECT_EQ(log.ops->copy(log.log, at - 1, nullptr, 1), -ERANGE);
	EXPECT_EQ(names_in(folder / "topic/0"),
		  (std::vector<std::string>{name_of(7 * SEGMENT), name_of(8 * SEGMENT)}));
	EXPECT_EQ(file_text(file(7 * SEGMENT)).substr(0, 1220), std::string(1220, 0));
}

TEST_P(SmallContract, ExpiryKeepsTheLastSegment)
{
	ASSERT_EQ(log.open(shape), 0);
	EXPECT_EQ(log.ops->expire(log.log, UINT64_MAX), 0);
	ASSERT_EQ(append(pattern(0, 3 * SEGMENT)), 0);
	EXPECT_EQ(log.ops->expire(log.log, SEGMENT - 1), 0);
	EXPECT_EQ(log.ops->expire(log.log, SEGMENT), 1);
	EXPECT_EQ(log.bounds().first, SEGMENT);
	EXPECT_EQ(log.ops->copy(log.log, 0, nullptr, 1), -ERANGE);
	EXPECT_EQ(log.ops->expire(log.log, UINT64_MAX), 1);
	EXPECT_EQ(copy(2 * SEGMENT, SEGMENT), pattern(2 * SEGMENT, SEGMENT));
	EXPECT_EQ(names_in(folder / "topic/0").size(), 1u);
}

TEST_P(SmallContract, SyncMovesDurable)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(append(pattern(0, 2 * SEGMENT)), 0);
	EXPECT_EQ(log.bounds().durable, 0u);
	Op op(world);
	int rc = log.ops->sync(log.log, log.end(), op.get());
	EXPECT_EQ(rc, GANTRY_PENDING);
	EXPECT_EQ(op.finish(rc), 0);
	EXPECT_EQ(op.result(), 2 * SEGMENT);
	EXPECT_EQ(log.bounds().durable, 2 * SEGMENT);
	EXPECT_EQ(log.ops->sync(log.log, log.end(), op.get()), 0);
	EXPECT_EQ(log.ops->sync(log.log, log.end() + 1, op.get()), -ERANGE);
}

TEST_P(SmallContract, ManyLogsSyncAtOnce)
{
	constexpr int COUNT = 50;
	std::vector<std::unique_ptr<Log>> logs;
	std::vector<std::unique_ptr<Op>> ops;

	for (int i = 0; i < COUNT; ++i) {
		logs.push_back(std::make_unique<Log>(world, GetParam()));
		shape.directories = {folder / ("topic/" + std::to_string(i))};
		ASSERT_EQ(logs[i]->open(shape), 0);
		ASSERT_EQ(logs[i]->ops->append(logs[i]->log, "some text", 9), 0);
	}
	for (auto &one : logs) {
		ops.push_back(std::make_unique<Op>(world));
		ASSERT_EQ(one->ops->sync(one->log, 9, ops.back()->get()), GANTRY_PENDING);
	}
	for (auto &op : ops)
		EXPECT_EQ(op->finish(GANTRY_PENDING), 0);
	for (auto &one : logs)
		EXPECT_EQ(one->bounds().durable, 9u);
}

TEST_P(SmallContract, AHotCopyNeverWaits)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(append(pattern(0, 100)), 0);
	std::string text(100, 0);
	int64_t got = log.ops->copy_hot(log.log, 0, text.data(), 100);
	if (got == -EAGAIN) { /* then a copy fetches it */
		EXPECT_EQ(copy(0, 100), pattern(0, 100));
		got = log.ops->copy_hot(log.log, 0, text.data(), 100);
	}
	EXPECT_EQ(got, 100);
	EXPECT_EQ(text, pattern(0, 100));
}

TEST_P(SmallContract, ReadOnlyIsRead)
{
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(append("text"), 0);
	shape.flags |= GANTRY_LOG_READ_ONLY;
	reopen();
	EXPECT_EQ(copy(0, 4), "text");
	EXPECT_EQ(append("x"), -EROFS);
	EXPECT_EQ(log.ops->cut(log.log, 0), -EROFS);
	EXPECT_EQ(log.ops->reset(log.log, 0), -EROFS);
	EXPECT_EQ(log.ops->expire(log.log, 0), -EROFS);
}
