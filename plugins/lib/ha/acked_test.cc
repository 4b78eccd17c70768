// SPDX-License-Identifier: Apache-2.0
#include "acked.h"

#include <gtest/gtest.h>
#include <vector>

namespace
{

struct Case {
	const char *what;
	std::vector<ha_standing> all;
	unsigned count;
	bool enough;
	uint64_t end, sure;
};

const Case cases[] = {
	{"nobody", {}, 1, false, 0, 0},
	{"one", {{50, 1, false}}, 1, true, 50, 50},
	{"too few", {{50, 1, false}}, 2, false, 0, 0},
	{"the second of three hosts",
	 {{50, 1, false}, {70, 2, false}, {60, 3, false}},
	 2,
	 true,
	 60,
	 60},
	{"two of one host, both certain", {{50, 1, false}, {70, 1, false}}, 2, true, 50, 50},
	{"perhaps the same", {{50, 1, true}, {70, 1, false}}, 2, true, 50, 0},
	{"perhaps the same, and another",
	 {{50, 1, true}, {70, 1, false}, {30, 2, false}},
	 2,
	 true,
	 50,
	 30},
	{"the doubted one has more: one of the two has it",
	 {{90, 1, true}, {10, 1, false}, {80, 2, false}},
	 2,
	 true,
	 80,
	 80},
	{"one is enough, whosoever it is", {{90, 1, true}, {10, 1, false}}, 1, true, 90, 90},
	{"two doubted ones are one", {{90, 1, true}, {80, 1, true}}, 2, true, 80, 0},
	{"two doubted ones, alone on their host",
	 {{80, 1, true}, {90, 1, true}, {85, 2, false}},
	 2,
	 true,
	 85,
	 85},
	{"a doubted one may be any that is newer",
	 {{90, 1, true}, {20, 1, false}, {70, 1, false}},
	 2,
	 true,
	 70,
	 20},
};

TEST(Acked, CountsSlavesNotConnections)
{
	for (const Case &one : cases) {
		std::vector<ha_standing> all = one.all;
		ha_held held;

		ha_count(all.data(), all.size(), one.count, &held);
		EXPECT_EQ(held.enough, one.enough) << one.what;
		EXPECT_EQ(held.end, one.end) << one.what;
		EXPECT_EQ(held.sure, one.sure) << one.what;
	}
}

} // namespace
