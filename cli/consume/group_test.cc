/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's average split. */
#include "consume.h"

#include <gtest/gtest.h>
#include <vector>

TEST(Share, GivesEveryQueueToExactlyOneMember)
{
	for (uint32_t members = 1; members < 9; members++)
		for (uint32_t count = 0; count < 20; count++) {
			uint32_t next = 0;
			for (uint32_t i = 0; i < members; i++) {
				uint32_t first, size;
				group_share(i, members, count, &first, &size);
				EXPECT_EQ(first, next) << i << " of " << members;
				EXPECT_LE(size, count / members + 1);
				EXPECT_GE(size, count / members);
				next = first + size;
			}
			EXPECT_EQ(next, count);
		}
}

TEST(Share, GivesTheFirstMembersOneMore)
{
	const std::vector<std::pair<uint32_t, uint32_t>> expected = {{0, 3}, {3, 3}, {6, 2}};
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t first, size;
		group_share(i, 3, 8, &first, &size);
		EXPECT_EQ(first, expected[i].first);
		EXPECT_EQ(size, expected[i].second);
	}
}
