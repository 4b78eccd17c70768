/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"

#include <condition_variable>
#include <set>

namespace
{

/* work that waits at a gate */
struct gate {
	std::mutex lock;
	std::condition_variable changed;
	int inside = 0, most = 0;
	bool open = false;
	std::set<std::thread::id> threads;

	void pass()
	{
		std::unique_lock<std::mutex> hold(lock);
		threads.insert(std::this_thread::get_id());
		most = std::max(most, ++inside);
		changed.notify_all();
		changed.wait(hold, [&] { return open; });
		inside--;
	}
	void wait_for(int count)
	{
		std::unique_lock<std::mutex> hold(lock);
		changed.wait(hold, [&] { return inside == count; });
	}
	void let_go()
	{
		std::lock_guard<std::mutex> hold(lock);
		open = true;
		changed.notify_all();
	}
};

struct job {
	struct gantry_work work = {};
	gantry_op op = {};
	std::function<int()> act;
	std::atomic<bool> done{false};
	TestKernel *test;

	void start(TestKernel &kernel, gantry_inst *inst, gantry_loop *loop)
	{
		test = &kernel;
		work.user = op.user = this;
		op.loop = loop;
		work.run = [](struct gantry_work *work) {
			EXPECT_EQ(nullptr, gantry_loop_here());
			return static_cast<job *>(work->user)->act();
		};
		op.done = [](gantry_op *op) {
			auto *at = static_cast<job *>(op->user);
			EXPECT_EQ(op->loop, gantry_loop_here());
			at->done = true;
			at->test->wake();
		};
		EXPECT_EQ(GANTRY_PENDING, gantry_work(inst, &work, &op));
	}
};

TEST(Work, ItsValueBecomesTheStatusOfItsOp)
{
	TestKernel test;
	gantry_inst *inst = test.add();
	job job;
	job.act = [] { return -ENOSPC; };
	job.start(test, inst, test.loop(1));
	test.until([&] { return job.done.load(); });
	EXPECT_EQ(-ENOSPC, job.op.status);
}

TEST(Work, ThreadsStartWhenThereIsWorkAndNoMoreThanAllowed)
{
	TestKernel test(1, 3);
	gantry_inst *inst = test.add();
	gate gate;
	std::vector<job> jobs(10);
	EXPECT_EQ(0u, test.kernel->pool.started);
	for (job &job : jobs) {
		job.act = [&] { return gate.pass(), 0; };
		job.start(test, inst, test.control());
	}
	gate.wait_for(3);
	gate.let_go();
	test.until([&] {
		return std::all_of(jobs.begin(), jobs.end(),
				   [](job &job) { return job.done.load(); });
	});
	EXPECT_LE(gate.most, 3);
	EXPECT_EQ(3u, gate.threads.size());
}

/* The subscription's end lets the work go: by then the instance is known to have some. */
TEST(Work, TakingBackWaitsForWorkAndReportsIt)
{
	testing::internal::CaptureStderr();
	std::atomic<bool> finished{false};
	{
		TestKernel test(1, 1);
		gantry_inst *inst = test.add("storage-busy");
		gate gate;
		job job;
		job.act = [&] {
			gate.pass();
			finished = true;
			return 0;
		};
		job.start(test, inst, test.control());
		gate.wait_for(1);
		gantry_subscription *subscription;
		gantry_subscribe_spec spec = {};
		spec.size = sizeof(spec);
		spec.event = [](const gantry_event *, void *) { return 0; };
		spec.end = [](void *user) { static_cast<struct gate *>(user)->let_go(); };
		spec.user = &gate;
		ASSERT_EQ(0, gantry_subscribe(inst, GANTRY_TOPIC_STAGE, 1, &spec, &subscription));
		EXPECT_EQ(2u, gk_inst_take_back(inst));
		EXPECT_TRUE(finished);
		test.until([&] { return job.done.load(); });
	}
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos,
		  log.find("storage-busy: stopped with 1 pieces of work under way"))
		<< log;
}

} // namespace
