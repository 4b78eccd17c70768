/* SPDX-License-Identifier: Apache-2.0 */
#include "balance/assign.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "call/fields.h"

namespace
{

/* Gives member i every queue whose index leaves i when divided by the number of members. */
int Circle(const void *, const struct gantry_alloc_request *request, uint32_t *ret,
	   uint32_t *ret_count)
{
	uint32_t self = 0, count = 0;

	while (strcmp(request->members[self], request->self) != 0)
		self++;
	for (uint32_t i = self; i < request->queue_count; i += request->member_count)
		ret[count++] = i;
	*ret_count = count;
	return 0;
}

int Refuse(const void *, const struct gantry_alloc_request *, uint32_t *, uint32_t *)
{
	return -EINVAL;
}

class Assign : public ::testing::Test
{
      protected:
	~Assign() override
	{
		route_queues_release(queues_);
	}
	void Route(const char *json)
	{
		route_queues_release(queues_);
		queues_ = route_queues_read(str_of(json));
	}
	/* "a0 a1 b-1" */
	std::string Of(const char *self, const std::vector<const char *> &members,
		       struct message_mode mode = {MODE_PULL, 0})
	{
		struct assign_request request = {};
		struct assigned_queue *mine = nullptr;
		std::string text;
		uint32_t count = 0;

		request.strategy = &ops_;
		request.self = self;
		request.members = members.data();
		request.member_count = static_cast<uint32_t>(members.size());
		request.queues = queues_;
		request.mode = mode;
		int err = assign_share(&request, &mine, &count);
		if (err)
			return strerror(-err);
		for (uint32_t i = 0; i < count; i++)
			text += std::string(i ? " " : "") + mine[i].broker +
				std::to_string(mine[i].queue);
		free(mine);
		return text;
	}

	const char *two_ = R"({"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":2},)"
			   R"({"brokerName":"a","perm":4,"readQueueNums":2},)"
			   R"({"brokerName":"w","perm":2,"readQueueNums":2}]})";
	struct gantry_allocation_ops ops_ = {sizeof(ops_), 0, Circle};
	struct route_queues *queues_ = nullptr;
};

TEST_F(Assign, ARouteIsReadSortedAndWithoutWhatMayNotBeRead)
{
	Route(two_);
	ASSERT_NE(queues_, nullptr);
	EXPECT_EQ(Of("x", {"x"}), "a0 a1 b0 b1");
	Route("{}");
	ASSERT_NE(queues_, nullptr);
	EXPECT_EQ(Of("x", {"x"}), "");
	EXPECT_EQ(route_queues_read(str_of("nonsense")), nullptr);
	EXPECT_EQ(route_queues_read(str_of("")), nullptr);
}

TEST_F(Assign, EachMemberGetsItsShare)
{
	Route(two_);
	EXPECT_EQ(Of("x", {"x", "y"}), "a0 b0");
	EXPECT_EQ(Of("y", {"x", "y"}), "a1 b1");
	EXPECT_EQ(Of("z", {"x", "y"}), "");
	ops_.assign = Refuse;
	EXPECT_EQ(Of("x", {"x", "y"}), strerror(EINVAL));
}

TEST_F(Assign, PoppersShareBrokersOrWithThoseBehindThem)
{
	Route(two_);
	EXPECT_EQ(Of("x", {"x", "y"}, {MODE_POP, 0}), "a-1 b-1");
	EXPECT_EQ(Of("x", {"x", "y", "z"}, {MODE_POP, 2}), "a-1 b-1");      /* >= members - 1 */
	EXPECT_EQ(Of("x", {"x", "y", "z"}, {MODE_POP, 1}), "a0 a1 b1");     /* x's and y's */
	EXPECT_EQ(Of("z", {"x", "y", "z"}, {MODE_POP, 1}), "a0 b0 b1");     /* z's and x's */
	EXPECT_EQ(Of("v", {"u", "v", "w", "x", "y"}, {MODE_POP, 1}), "a1"); /* more than queues */
}

TEST_F(Assign, OwnQueuesStandInForARoute)
{
	queues_ = route_queues_own("me", 3);
	EXPECT_EQ(Of("x", {"x"}), "me0 me1 me2");
}

} // namespace
