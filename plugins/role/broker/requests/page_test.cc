// SPDX-License-Identifier: Apache-2.0
#include "requests/page.h"

#include <utility>

#include <gtest/gtest.h>

static const data_version kNow = {3, 0, 1700000000000}, kBefore = {2, 0, 1700000000000};

static std::pair<size_t, size_t> cut(const page *asked, size_t count)
{
	size_t begin = 99, end = 99;

	page_cut(asked, &kNow, count, &begin, &end);
	return {begin, end};
}

static page asked(uint64_t from, uint64_t max, data_version version = kNow)
{
	page page = {};

	page.from = from;
	page.max = max;
	page.version = version;
	return page;
}

using Part = std::pair<size_t, size_t>;

TEST(Page, AllWhenNoneIsAskedFor)
{
	page whole = asked(5, 2);

	whole.whole = true;
	EXPECT_EQ(cut(nullptr, 10), Part(0, 10));
	EXPECT_EQ(cut(&whole, 10), Part(0, 10));
}

TEST(Page, SoManyFromThere)
{
	page first = asked(0, 4), second = asked(4, 4), last = asked(8, 4), behind = asked(50, 4);

	EXPECT_EQ(cut(&first, 10), Part(0, 4));
	EXPECT_EQ(cut(&second, 10), Part(4, 8));
	EXPECT_EQ(cut(&last, 10), Part(8, 10));
	EXPECT_EQ(cut(&behind, 10), Part(10, 10));
	EXPECT_EQ(cut(&first, 0), Part(0, 0));
}

TEST(Page, APlaceOfAnotherVersionIsTheBeginning)
{
	page old = asked(4, 4, kBefore);

	EXPECT_EQ(cut(&old, 10), Part(0, 4));
}

TEST(Page, NeverLeavesOneBehind)
{
	page first = asked(0, 4);

	EXPECT_EQ(cut(&first, 5), Part(0, 5));
	EXPECT_EQ(cut(&first, 6), Part(0, 4));
}
