/* SPDX-License-Identifier: Apache-2.0 */
#include "balance/locks.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "call/fields.h"

namespace
{

class Locks : public ::testing::Test
{
      protected:
	Locks()
	{
		conf_.maxOffsets = 2;
		broker_.conf = &conf_;
		EXPECT_EQ(locks_new(&broker_, &locks_), 0);
	}
	~Locks() override
	{
		locks_free(locks_);
	}
	int Try(const char *client, uint64_t now, int32_t queue = 0, const char *group = "g")
	{
		struct locked_queue locked = {str_of("T"), str_of("b"), queue};

		return locks_try(locks_, str_of(group), &locked, str_of(client), now);
	}
	void Release(const char *client)
	{
		struct locked_queue locked = {str_of("T"), str_of("b"), 0};

		locks_release(locks_, str_of("g"), &locked, str_of(client));
	}

	struct broker_conf conf_ = {};
	struct broker broker_ = {};
	struct locks *locks_ = nullptr;
};

TEST_F(Locks, OneClientOfAGroupHoldsAQueue)
{
	EXPECT_EQ(Try("x", 0), 1);
	EXPECT_EQ(Try("y", 1), 0);
	EXPECT_EQ(Try("x", 2), 1);
	EXPECT_EQ(Try("y", 3, 0, "h"), 1); /* another group has nothing to do with it */
}

TEST_F(Locks, TellsWhetherAGroupHoldsAny)
{
	EXPECT_FALSE(locks_held(locks_, str_of("g"), 0));
	EXPECT_EQ(Try("x", 0, 0, "group"), 1);
	EXPECT_FALSE(locks_held(locks_, str_of("g"), 1));
	EXPECT_TRUE(locks_held(locks_, str_of("group"), LOCKS_LIVE_MS));
	EXPECT_FALSE(locks_held(locks_, str_of("group"), LOCKS_LIVE_MS + 1));
}

TEST_F(Locks, OnlyTheHolderReleases)
{
	EXPECT_EQ(Try("x", 0), 1);
	Release("y");
	EXPECT_EQ(Try("y", 1), 0);
	Release("x");
	EXPECT_EQ(Try("y", 2), 1);
}

TEST_F(Locks, ALockThatIsNotRenewedIsFreeAfterAMinute)
{
	EXPECT_EQ(Try("x", 0), 1);
	EXPECT_EQ(Try("x", 50000), 1);
	EXPECT_EQ(Try("y", 110000), 0);
	EXPECT_EQ(Try("y", 110001), 1);
	EXPECT_EQ(Try("x", 110002), 0);
}

TEST_F(Locks, ThereIsALimitAndForgottenLocksMakeRoom)
{
	EXPECT_EQ(Try("x", 0, 0), 1);
	EXPECT_EQ(Try("x", 0, 1), 1);
	EXPECT_EQ(Try("x", 0, 2), -ENOSPC);
	EXPECT_EQ(Try("x", 200000, 2), 1);
	EXPECT_EQ(Try("", 200000, 0), -EINVAL);
}

} // namespace
