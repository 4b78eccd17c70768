/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's rules of when files go; the numbers are those of DefaultMessageStore, store 5.5.0. */
#include "store/expire_rules.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "store/folders.h"

namespace
{

TEST(ExpireRules, HoursOfTheDay)
{
	EXPECT_TRUE(expire_is_hour("04", 4));
	EXPECT_FALSE(expire_is_hour("04", 5));
	EXPECT_TRUE(expire_is_hour("04;16", 16));
	EXPECT_FALSE(expire_is_hour("04;16", 0));
	EXPECT_TRUE(expire_is_hour("4; 0 ", 0));
	EXPECT_FALSE(expire_is_hour("14", 4));
	EXPECT_FALSE(expire_is_hour("", 0));
	EXPECT_FALSE(expire_is_hour(nullptr, 0));
	EXPECT_FALSE(expire_is_hour("25", 1)) << "RocketMQ takes it, too, and it never comes";
	for (const char *good : {"04", "04;16", "0;1;2", "", "4,5"})
		EXPECT_TRUE(expire_hours_are_good(good)) << good;
	for (const char *bad : {"four", "04:00", "-1", "4;x", "99999999999999999999x"})
		EXPECT_FALSE(expire_hours_are_good(bad)) << bad;
}

TEST(ExpireRules, PercentIsRoundedUp)
{
	EXPECT_EQ(expire_used_percent(100, 50, 50), 50);
	EXPECT_EQ(expire_used_percent(1000, 499, 499), 51);
	EXPECT_EQ(expire_used_percent(100, 20, 0), 100) << "what is kept for root is no room";
	EXPECT_EQ(expire_used_percent(100, 20, 10), 89);
	EXPECT_EQ(expire_used_percent(100, 100, 100), 0);
	EXPECT_EQ(expire_used_percent(0, 0, 0), -1);
	EXPECT_EQ(expire_used_percent(UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 2), 51);
}

const expire_limits kDefaults = {75, 85, 90};

struct Row {
	int log, queues;
	expire_full full;
	bool clean, at_once;
};

void expect_rows(const expire_limits &limits, const std::vector<Row> &rows)
{
	for (const Row &row : rows) {
		expire_verdict verdict = expire_judge(&limits, row.log, row.queues);

		EXPECT_EQ(verdict.full, row.full) << row.log << " " << row.queues;
		EXPECT_EQ(verdict.clean, row.clean) << row.log << " " << row.queues;
		EXPECT_EQ(verdict.at_once, row.at_once) << row.log << " " << row.queues;
	}
}

TEST(ExpireRules, TheDefaultRatios)
{
	expect_rows(kDefaults, {
				       {75, 75, EXPIRE_FULL_NO, false, false},
				       {76, 0, EXPIRE_FULL_NO, true, false},
				       {0, 76, EXPIRE_FULL_NO, true, false},
				       {85, 85, EXPIRE_FULL_NO, true, false},
				       {86, 0, EXPIRE_FULL_KEEP, true, true},
				       {90, 95, EXPIRE_FULL_KEEP, true, true},
				       {91, 0, EXPIRE_FULL_YES, true, true},
				       {0, 86, EXPIRE_FULL_NO, true, true},
				       {0, 91, EXPIRE_FULL_YES, true, true},
				       {-1, 0, EXPIRE_FULL_NO, true, false},
				       {0, -1, EXPIRE_FULL_NO, true, false},
			       });
}

TEST(ExpireRules, RatiosArePutIntoTheirRanges)
{
	expect_rows({200, 200, 200}, {
					     {95, 0, EXPIRE_FULL_YES, true, true},
					     {90, 0, EXPIRE_FULL_KEEP, true, true},
					     {85, 0, EXPIRE_FULL_NO, false, false},
				     });
	expect_rows({-5, -5, -5}, {
					  {36, 0, EXPIRE_FULL_YES, true, true},
					  {35, 0, EXPIRE_FULL_KEEP, true, true},
					  {30, 0, EXPIRE_FULL_NO, true, false},
					  {10, 10, EXPIRE_FULL_NO, false, false},
				  });
}

std::string list(const char *paths, const char *kept)
{
	struct folders folders;
	std::string text;
	int status = folders_read(paths, kept, "/store", &folders);

	if (status)
		return std::to_string(status);
	for (uint32_t i = 0; i < folders.count; i++)
		text += (i == folders.count - folders.kept ? "|" : " ") +
			std::string(folders.at[i]);
	folders_free(&folders);
	return text;
}

TEST(ExpireRules, FoldersOfTheLog)
{
	EXPECT_EQ(list(nullptr, nullptr), " /store/commitlog");
	EXPECT_EQ(list("/b,/a", nullptr), " /a /b");
	EXPECT_EQ(list(" /b , /a,,/b", ""), " /a /b");
	EXPECT_EQ(list("/b,/a,/c", "/a"), " /b /c|/a");
	EXPECT_EQ(list("/b", "/z,/a"), " /b|/a /z");
	EXPECT_EQ(list("/a", "/a"), std::to_string(-EINVAL));
	EXPECT_EQ(list(",", nullptr), std::to_string(-EINVAL));
	EXPECT_EQ(list("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", nullptr),
		  std::to_string(-E2BIG));
}

} // namespace
