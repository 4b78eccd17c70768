/* SPDX-License-Identifier: Apache-2.0 */
/* What op messages settle, and which of them are done. */
#include "transaction/settled.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace
{

class Settled : public testing::Test
{
      protected:
	~Settled() override
	{
		settled_end(&settled);
	}

	int add(int64_t op, const std::vector<int64_t> &halves)
	{
		int status = settled_open_op(&settled, op);

		return status ? status
			      : settled_add(&settled, halves.data(), (uint32_t)halves.size());
	}

	struct settled settled = {};
};

TEST_F(Settled, KnowsWhatOpsList)
{
	settled_begin(&settled, 100, 7);
	EXPECT_EQ(add(7, {100, 103}), 0);
	EXPECT_EQ(add(8, {101}), 0);
	EXPECT_TRUE(settled_has(&settled, 100));
	EXPECT_TRUE(settled_has(&settled, 101));
	EXPECT_FALSE(settled_has(&settled, 102));
	EXPECT_TRUE(settled_has(&settled, 103));
	EXPECT_FALSE(settled_has(&settled, 104));
}

TEST_F(Settled, AnOpIsDoneBehindItsLastHalf)
{
	settled_begin(&settled, 100, 7);
	add(7, {100, 103});
	add(8, {101});
	EXPECT_EQ(settled_ops_done(&settled, 100), 7);
	EXPECT_EQ(settled_ops_done(&settled, 103), 7); /* 8 is done, but 7 comes before it */
	EXPECT_EQ(settled_ops_done(&settled, 104), 9);
}

TEST_F(Settled, OpsOfWhatIsLongDoneAreDone)
{
	settled_begin(&settled, 2000000, 7);
	add(7, {1, 2, -1});
	add(8, {1999999});
	add(9, {});
	EXPECT_EQ(settled_ops_done(&settled, 2000000), 10);
	EXPECT_FALSE(settled_has(&settled, 1));
	EXPECT_FALSE(settled_has(&settled, -1));
	EXPECT_TRUE(settled_has(&settled, 1999999)); /* a half that was put back may name it */
}

TEST_F(Settled, HolesInTheOpQueueAreDone)
{
	settled_begin(&settled, 0, 7);
	add(9, {5});
	EXPECT_EQ(settled_ops_done(&settled, 0), 9);
	add(12, {4});
	EXPECT_EQ(settled_ops_done(&settled, 5), 9);
	EXPECT_EQ(settled_ops_done(&settled, 6), 13);
}

TEST_F(Settled, WhatIsTooFarAwayIsKeptInTheOpQueue)
{
	const int64_t far = INT64_C(1) << 40;

	settled_begin(&settled, 0, 0);
	EXPECT_EQ(add(0, {far, INT64_MAX}), 0);
	EXPECT_FALSE(settled_has(&settled, far));
	EXPECT_FALSE(settled_has(&settled, INT64_MAX));
	EXPECT_EQ(settled_ops_done(&settled, 1000), 0);
}

TEST_F(Settled, ManyOpsTakeTheirTurn)
{
	settled_begin(&settled, 0, 0);
	for (int64_t i = 0; i < 1000; i++)
		ASSERT_EQ(add(i, {i}), 0);
	EXPECT_EQ(settled_ops_done(&settled, 500), 500);
	for (int64_t i = 1000; i < 3000; i++)
		ASSERT_EQ(add(i, {i}), 0);
	EXPECT_EQ(settled_ops_done(&settled, 2999), 2999);
	EXPECT_EQ(settled_ops_done(&settled, 3000), 3000);
}

TEST_F(Settled, TooManyOpsAreRefused)
{
	int64_t op = 0;
	int status;

	settled_begin(&settled, 0, 0);
	while (!(status = add(op, {op})))
		op++;
	EXPECT_EQ(status, -ENOSPC);
	EXPECT_EQ(op, SETTLED_OPS_MAX);
}

} // namespace
