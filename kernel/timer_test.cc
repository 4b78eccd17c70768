/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"
#include "timer.h"

namespace
{

struct ticks {
	std::atomic<int> count{0};
	std::atomic<gantry_loop *> on{nullptr};
	int stop_at = 0;
	TestKernel *test;
	gantry_timer *timer = nullptr;

	explicit ticks(TestKernel &test) : test(&test)
	{
	}
	void start(gantry_inst *inst, gantry_loop *loop, uint64_t first_ms, uint64_t period_ms)
	{
		ASSERT_EQ(0, gantry_timer_start(
				     inst, loop, first_ms, period_ms,
				     [](gantry_timer *timer, void *user) {
					     auto *at = static_cast<ticks *>(user);
					     at->on = gantry_loop_here();
					     if (++at->count == at->stop_at)
						     gantry_timer_stop(timer);
					     at->test->wake();
				     },
				     this, &timer));
	}
};

TEST(Timer, TicksOnItsLoopUntilStopped)
{
	TestKernel test;
	gantry_inst *inst = test.add();
	ticks ticks(test);
	ticks.start(inst, test.loop(1), 1, 1);
	test.until([&] { return ticks.count >= 3; });
	EXPECT_EQ(test.loop(1), ticks.on);
	gantry_timer_stop(ticks.timer);
	test.on(test.loop(1), [] {}); /* the one that had begun has ended */
	int count = ticks.count;
	class ticks other(test);
	other.start(inst, test.loop(1), 5, 0);
	test.until([&] { return other.count == 1; });
	EXPECT_EQ(count, ticks.count);
	gantry_timer_stop(other.timer);
}

TEST(Timer, WithoutAPeriodItTicksOnce)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	ticks once(test), periodic(test);
	once.start(inst, test.loop(0), 0, 0);
	periodic.start(inst, test.loop(0), 1, 1);
	test.until([&] { return periodic.count >= 5; });
	EXPECT_EQ(1, once.count);
	gantry_timer_stop(once.timer);
	gantry_timer_stop(periodic.timer);
}

TEST(Timer, MayBeStoppedByItsOwnTick)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	ticks ticks(test);
	ticks.stop_at = 2;
	ticks.start(inst, test.loop(0), 1, 1);
	test.until([&] { return ticks.count == 2; });
}

TEST(Timer, MayBeStoppedBeforeItsLoopHeardOfIt)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	ticks remote(test), local(test);
	for (int i = 0; i < 100; i++) {
		remote.start(inst, test.loop(0), 0, 1);
		gantry_timer_stop(remote.timer);
	}
	test.on(test.loop(0), [&] {
		std::thread([&] { local.start(inst, test.loop(0), 0, 1); }).join();
		gantry_timer_stop(local.timer); /* its start waits in the loop's inbox */
	});
	test.on(test.loop(0), [] {});
	EXPECT_EQ(0, local.count);
	gantry_timer_stop(nullptr);
}

TEST(Timer, TakingBackStopsWhatTheInstanceLeft)
{
	TestKernel test;
	gantry_inst *inst = test.add();
	ticks here(test), there(test);
	here.start(inst, test.control(), 1, 1);
	there.start(inst, test.loop(0), 1, 1);
	test.until([&] { return here.count > 0 && there.count > 0; });
	EXPECT_EQ(2u, gk_inst_take_back(inst));
	int before = here.count + there.count;
	EXPECT_EQ(0u, gk_timers_stop(inst));
	test.on(test.loop(0), [] {});
	EXPECT_EQ(before, here.count + there.count);
}

} // namespace
