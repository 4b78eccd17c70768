/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"

namespace
{

TEST(Counter, AddsUpLoopsAndOtherThreads)
{
	TestKernel test(2);
	gantry_inst *inst = test.add();
	gantry_counter *counter = nullptr;
	ASSERT_EQ(0, gantry_counter_define(inst, "in.bytes", "bytes received", &counter));
	std::vector<std::thread> threads;
	for (int t = 0; t < 3; t++)
		threads.emplace_back([&] {
			for (int i = 0; i < 1000; i++)
				gantry_counter_add(counter, 2);
		});
	for (unsigned i = 0; i < 2; i++)
		test.on(test.loop(i), [&] { gantry_counter_add(counter, 10); });
	gantry_counter_add(counter, 5);
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(6025u, gantry_counter_read(counter));
}

TEST(Counter, EachShowsAllInOrderOfDefinitionGaugesToo)
{
	TestKernel test(1);
	gantry_inst *first = test.add("storage-a"), *second = test.add("storage-b");
	gantry_counter *counter = nullptr;
	static int64_t level = -7;
	ASSERT_EQ(0, gantry_counter_define(second, "written", "bytes", &counter));
	ASSERT_EQ(0, gantry_gauge_define(
			     first, "level", "a level",
			     [](void *user) { return *static_cast<int64_t *>(user); }, &level));
	ASSERT_EQ(0, gantry_counter_define(first, "written", "bytes", &counter));
	gantry_counter_add(counter, 3);
	std::string text;
	auto each = [](const char *instance, const char *name, const char *help, int64_t value,
		       void *user) {
		*static_cast<std::string *>(user) += std::string(instance) + " " + name + " " +
						     help + " " + std::to_string(value) + "\n";
	};
	gantry_counter_each(first, each, &text);
	EXPECT_EQ("storage-b written bytes 0\nstorage-a level a level -7\nstorage-a written bytes "
		  "3\n",
		  text);
	EXPECT_EQ(2u, gk_counters_free(&test.kernel->counters, first));
	text.clear();
	gantry_counter_each(second, each, &text);
	EXPECT_EQ("storage-b written bytes 0\n", text);
}

TEST(Counter, RefusesBadAndTakenNames)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	gantry_counter *counter = nullptr;
	EXPECT_EQ(-EINVAL, gantry_counter_define(inst, "", "", &counter));
	EXPECT_EQ(-EINVAL, gantry_counter_define(inst, "In", "", &counter));
	EXPECT_EQ(-EINVAL, gantry_counter_define(inst, "in bytes", "", &counter));
	EXPECT_EQ(-EINVAL, gantry_gauge_define(inst, "level", "", nullptr, nullptr));
	EXPECT_EQ(nullptr, counter);
	EXPECT_EQ(0, gantry_counter_define(inst, "in_2.bytes", nullptr, &counter));
	EXPECT_EQ(-EEXIST, gantry_counter_define(inst, "in_2.bytes", "", &counter));
}

/* A loop of one kernel is any other thread to a counter of another. */
TEST(Counter, KernelsDoNotMixUp)
{
	TestKernel first(1);
	gantry_counter *counter = nullptr;
	ASSERT_EQ(0, gantry_counter_define(first.add(), "n", "", &counter));
	std::thread([&] {
		TestKernel second(3);
		second.on(second.loop(2), [&] { gantry_counter_add(counter, 1); });
		gantry_counter_add(counter, 1);
	}).join();
	EXPECT_EQ(2u, gantry_counter_read(counter));
}

} // namespace
