/* SPDX-License-Identifier: Apache-2.0 */
/* Compares with the arithmetic of RocketMQ's AllocateMessageQueueAveragely, as reference 3.14
 * states it: mod = m % n; size = m <= n ? 1 : (i < mod ? m/n + 1 : m/n);
 * start = mod > 0 && i < mod ? i*size : i*size + mod; min(size, m - start) queues. */
#include "average.h"

#include <gantry/allocation.h>
#include <gantry/plugin.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <vector>

extern "C" const struct gantry_plugin *GANTRY_ENTRY(allocation_average)(void);

namespace
{

std::vector<uint32_t> Java(int m, int n, int i)
{
	std::vector<uint32_t> result;
	int mod = m % n;
	int size = m <= n ? 1 : (mod > 0 && i < mod ? m / n + 1 : m / n);
	int start = (mod > 0 && i < mod) ? i * size : i * size + mod;
	int range = std::min(size, m - start);

	for (int k = 0; k < range; k++)
		result.push_back(static_cast<uint32_t>((start + k) % m));
	return result;
}

const struct gantry_allocation_ops *Ops()
{
	return static_cast<const struct gantry_allocation_ops *>(
		GANTRY_ENTRY(allocation_average)()->offers[0].ops);
}

TEST(Average, GivesWhatJavaGivesForEverySizeUpTo40)
{
	for (int m = 0; m <= 40; m++) {
		for (int n = 1; n <= 40; n++) {
			for (int i = 0; i < n; i++) {
				uint32_t first, count;

				average_share(static_cast<uint32_t>(m), static_cast<uint32_t>(n),
					      static_cast<uint32_t>(i), &first, &count);
				auto java = Java(m, n, i);
				ASSERT_EQ(count, java.size()) << m << " " << n << " " << i;
				if (count) {
					ASSERT_EQ(first, java[0]) << m << " " << n << " " << i;
				}
			}
		}
	}
}

TEST(Average, EveryQueueGoesToExactlyOneMember)
{
	for (uint32_t m : {1u, 7u, 1000u, 65536u}) {
		for (uint32_t n : {1u, 3u, 999u, 70000u}) {
			uint32_t next = 0;

			for (uint32_t i = 0; i < n; i++) {
				uint32_t first, count;

				average_share(m, n, i, &first, &count);
				if (count) {
					ASSERT_EQ(first, next);
				}
				next += count;
			}
			EXPECT_EQ(next, m);
		}
	}
}

TEST(Average, TheServiceFindsItselfAmongTheMembers)
{
	const char *members[] = {"a", "b", "c"};
	struct gantry_alloc_queue queues[7] = {};
	struct gantry_alloc_request request = {};
	uint32_t result[7], count = 0;

	request.size = sizeof(request);
	request.member_count = 3;
	request.members = members;
	request.queues = queues;
	request.queue_count = 7;
	request.self = "b";
	EXPECT_EQ(Ops()->assign(nullptr, &request, result, &count), 0);
	ASSERT_EQ(count, 2u);
	EXPECT_EQ(result[0], 3u);
	EXPECT_EQ(result[1], 4u);
	request.self = "d";
	EXPECT_EQ(Ops()->assign(nullptr, &request, result, &count), -EINVAL);
	EXPECT_EQ(count, 2u);
}

TEST(Average, IsOfferedUnderRocketMqsName)
{
	EXPECT_STREQ(GANTRY_ENTRY(allocation_average)()->offers[0].name, "AVG");
	EXPECT_STREQ(GANTRY_ENTRY(allocation_average)()->name, "allocation-average");
}

} // namespace
