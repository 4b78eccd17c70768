/* SPDX-License-Identifier: Apache-2.0 */
/* Ops, tasks, and the loops that run them. */
#include "kernel_test.h"

#include <sys/socket.h>
#include <unistd.h>

namespace
{

struct counted_op {
	gantry_op op = {};
	std::atomic<int> done{0};
	gantry_loop *ran_on = nullptr;
	TestKernel *test;

	counted_op(TestKernel &test, gantry_loop *loop) : test(&test)
	{
		op.loop = loop;
		op.user = this;
		op.done = [](gantry_op *op) {
			auto *at = static_cast<counted_op *>(op->user);
			at->ran_on = gantry_loop_here();
			at->done++;
			at->test->wake();
		};
	}
};

TEST(Op, FinishesOnItsOwnLoopFromAnotherThread)
{
	TestKernel test;
	counted_op op(test, test.loop(1));
	gantry_op_take(&op.op, nullptr, nullptr);
	std::thread([&] { gantry_op_finish(&op.op, -EIO, 42); }).join();
	test.until([&] { return op.done == 1; });
	EXPECT_EQ(test.loop(1), op.ran_on);
	EXPECT_EQ(-EIO, op.op.status);
	EXPECT_EQ(42u, op.op.result);
}

TEST(Op, IsNeverDoneInsideTheCallOnTheSameThread)
{
	TestKernel test;
	counted_op op(test, test.loop(0));
	test.on(test.loop(0), [&] {
		gantry_op_take(&op.op, nullptr, nullptr);
		gantry_op_finish(&op.op, 0, 0);
		EXPECT_EQ(0, op.done);
	});
	test.until([&] { return op.done == 1; });
	EXPECT_EQ(test.loop(0), op.ran_on);
}

/* Each libuv phase may finish an op; the poll that follows must not block. */
TEST(Op, IsDoneSoonFromEveryPhaseOfTheLoop)
{
	TestKernel test(1);
	gantry_loop *loop = test.loop(0);
	uv_loop_t *uv = gantry_loop_uv(loop);
	counted_op timer_op(test, loop), prepare_op(test, loop), check_op(test, loop),
		close_op(test, loop), poll_op(test, loop);
	uv_timer_t timer;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_poll_t poll;
	int pair[2];
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	static auto finish = [](void *user) {
		auto *at = static_cast<counted_op *>(user);
		gantry_op_take(&at->op, nullptr, nullptr);
		gantry_op_finish(&at->op, 0, 0);
	};
	test.on(loop, [&] {
		uv_timer_init(uv, &timer);
		timer.data = &timer_op;
		uv_timer_start(
			&timer, [](uv_timer_t *at) { finish(at->data); }, 1, 0);
	});
	test.until([&] { return timer_op.done == 1; });
	test.on(loop, [&] {
		uv_prepare_init(uv, &prepare);
		prepare.data = &prepare_op;
		uv_prepare_start(&prepare, [](uv_prepare_t *at) {
			finish(at->data);
			uv_prepare_stop(at);
		});
	});
	test.until([&] { return prepare_op.done == 1; });
	test.on(loop, [&] {
		uv_check_init(uv, &check);
		check.data = &check_op;
		uv_check_start(&check, [](uv_check_t *at) {
			finish(at->data);
			uv_check_stop(at);
		});
	});
	test.until([&] { return check_op.done == 1; });
	test.on(loop, [&] {
		uv_poll_init(uv, &poll, pair[0]);
		poll.data = &poll_op;
		uv_poll_start(&poll, UV_READABLE, [](uv_poll_t *at, int, int) {
			finish(at->data);
			uv_poll_stop(at);
		});
	});
	ASSERT_EQ(1, write(pair[1], "x", 1));
	test.until([&] { return poll_op.done == 1; });
	test.on(loop, [&] {
		timer.data = &close_op;
		uv_close(reinterpret_cast<uv_handle_t *>(&timer),
			 [](uv_handle_t *at) { finish(at->data); });
		uv_close(reinterpret_cast<uv_handle_t *>(&prepare), nullptr);
		uv_close(reinterpret_cast<uv_handle_t *>(&check), nullptr);
		uv_close(reinterpret_cast<uv_handle_t *>(&poll), nullptr);
	});
	test.until([&] { return close_op.done == 1; });
	close(pair[0]);
	close(pair[1]);
}

/* Ops that finish each other forever must not keep sockets from their turn. */
TEST(Op, AnEndlessChainLeavesOthersTheirTurn)
{
	TestKernel test(1);
	std::atomic<bool> stop{false};
	struct chain {
		gantry_task task;
		std::atomic<bool> *stop, ended{false};
		TestKernel *test;
	} chain;
	chain.stop = &stop;
	chain.test = &test;
	chain.task.user = &chain;
	chain.task.run = [](gantry_task *task) {
		auto *at = static_cast<struct chain *>(task->user);
		if (!*at->stop) {
			gantry_loop_post(gantry_loop_here(), task);
		} else {
			at->ended = true;
			at->test->wake();
		}
	};
	gantry_loop_post(test.loop(0), &chain.task);
	gantry_inst *inst = test.add();
	struct seen {
		std::atomic<bool> ticked{false};
		TestKernel *test;
	} seen;
	seen.test = &test;
	gantry_timer *timer;
	ASSERT_EQ(0, gantry_timer_start(
			     inst, test.loop(0), 5, 0,
			     [](gantry_timer *, void *user) {
				     auto *at = static_cast<struct seen *>(user);
				     at->ticked = true;
				     at->test->wake();
			     },
			     &seen, &timer));
	test.until([&] { return seen.ticked.load(); });
	stop = true;
	test.until([&] { return chain.ended.load(); });
	gantry_timer_stop(timer);
}

TEST(OpDeathTest, ASecondFinishAborts)
{
	testing::FLAGS_gtest_death_test_style = "threadsafe";
	EXPECT_DEATH(
		{
			TestKernel test(1);
			counted_op op(test, test.control());
			gantry_op_take(&op.op, nullptr, nullptr);
			gantry_op_finish(&op.op, 0, 0);
			gantry_op_finish(&op.op, 0, 0);
		},
		"an op was finished that had been finished already");
	EXPECT_DEATH(
		{
			TestKernel test(1);
			counted_op op(test, test.control());
			gantry_op_take(&op.op, nullptr, nullptr);
			gantry_op_finish(&op.op, 0, 0);
			test.until([&] { return op.done == 1; });
			gantry_op_finish(&op.op, 0, 0);
		},
		"an op was finished that nobody had taken, or whose done had run");
}

TEST(Op, CancelAsksTheCallee)
{
	TestKernel test;
	counted_op op(test, test.control());
	gantry_op_take(
		&op.op, [](gantry_op *at) { gantry_op_finish(at, -ECANCELED, 0); }, nullptr);
	EXPECT_EQ(0, gantry_op_cancel(&op.op));
	EXPECT_EQ(-EALREADY, gantry_op_cancel(&op.op));
	test.until([&] { return op.done == 1; });
	EXPECT_EQ(-ECANCELED, op.op.status);
	EXPECT_EQ(-EALREADY, gantry_op_cancel(&op.op));

	counted_op fixed(test, test.control());
	gantry_op_take(&fixed.op, nullptr, nullptr);
	EXPECT_EQ(-ENOTSUP, gantry_op_cancel(&fixed.op));
	gantry_op_finish(&fixed.op, 0, 0);
	test.until([&] { return fixed.done == 1; });
}

TEST(Op, MayBeTakenAgainByItsDone)
{
	TestKernel test(1);
	counted_op op(test, test.control());
	op.op.done = [](gantry_op *op) {
		auto *at = static_cast<counted_op *>(op->user);
		if (++at->done < 3) {
			gantry_op_take(op, nullptr, nullptr);
			gantry_op_finish(op, 0, 0);
		}
		at->test->wake();
	};
	gantry_op_take(&op.op, nullptr, nullptr);
	gantry_op_finish(&op.op, 0, 0);
	test.until([&] { return op.done == 3; });
}

TEST(Loop, TasksOfEachThreadRunInOrder)
{
	constexpr int per_thread = 2000, thread_count = 3;
	TestKernel test(1);
	struct job {
		gantry_task task;
		int thread, number;
		std::vector<int> *last;
		std::atomic<int> *ran;
		TestKernel *test;
	};
	std::vector<int> last(thread_count, -1);
	std::atomic<int> ran{0};
	std::vector<std::vector<job>> jobs(thread_count, std::vector<job>(per_thread));
	std::vector<std::thread> threads;
	for (int t = 0; t < thread_count; t++) {
		threads.emplace_back([&, t] {
			for (int i = 0; i < per_thread; i++) {
				job &job = jobs[static_cast<size_t>(t)][static_cast<size_t>(i)];
				job.thread = t;
				job.number = i;
				job.last = &last;
				job.ran = &ran;
				job.test = &test;
				job.task.user = &job;
				job.task.run = [](gantry_task *task) {
					auto *at = static_cast<struct job *>(task->user);
					int &last = (*at->last)[static_cast<size_t>(at->thread)];
					EXPECT_EQ(last + 1, at->number);
					last = at->number;
					++*at->ran;
					at->test->wake();
				};
				gantry_loop_post(test.loop(0), &job.task);
			}
		});
	}
	for (std::thread &thread : threads)
		thread.join();
	test.until([&] { return ran == per_thread * thread_count; });
}

TEST(Loop, KnowsWhereItIs)
{
	TestKernel test(3);
	gantry_inst *inst = test.add();
	EXPECT_EQ(3u, gantry_loop_count(inst));
	EXPECT_EQ(test.control(), gantry_loop_here());
	EXPECT_EQ(test.control(), gantry_loop_control(inst));
	EXPECT_EQ(3u, gantry_loop_index(test.control()));
	EXPECT_EQ(nullptr, gantry_loop_at(inst, 3));
	std::thread([] { EXPECT_EQ(nullptr, gantry_loop_here()); }).join();
	test.on(gantry_loop_at(inst, 2), [&] {
		EXPECT_EQ(test.loop(2), gantry_loop_here());
		EXPECT_EQ(2u, gantry_loop_index(gantry_loop_here()));
	});
}

TEST(Loop, AHandleLeftBehindIsReportedWithItsOwner)
{
	testing::internal::CaptureStderr();
	{
		TestKernel test(1);
		test.left_expected = 2;
		gantry_inst *inst = test.add("frontend-leaky");
		static uv_timer_t owned, unowned, closed;
		test.on(test.loop(0), [&] {
			uv_loop_t *uv = gantry_loop_uv(test.loop(0));
			uv_timer_init(uv, &owned);
			gantry_loop_own(inst, reinterpret_cast<uv_handle_t *>(&owned));
			uv_timer_init(uv, &unowned);
			uv_timer_init(uv, &closed);
			gantry_loop_own(inst, reinterpret_cast<uv_handle_t *>(&closed));
			uv_close(reinterpret_cast<uv_handle_t *>(&closed), nullptr);
		});
	}
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos,
		  log.find("broker/frontend-leaky: left a libuv timer handle open on loop 0"))
		<< log;
	EXPECT_NE(std::string::npos, log.find("(nobody owned it with gantry_loop_own)")) << log;
}

TEST(Loop, OwnersOfClosedHandlesAreForgotten)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	test.on(test.loop(0), [&] {
		for (int i = 0; i < 2000; i++) {
			auto *handle = new uv_timer_t;
			uv_timer_init(gantry_loop_uv(test.loop(0)), handle);
			gantry_loop_own(inst, reinterpret_cast<uv_handle_t *>(handle));
			uv_close(reinterpret_cast<uv_handle_t *>(handle), [](uv_handle_t *at) {
				delete reinterpret_cast<uv_timer_t *>(at);
			});
			if (i % 10 == 0)
				uv_run(gantry_loop_uv(test.loop(0)), UV_RUN_NOWAIT);
		}
	});
	test.on(test.loop(0), [&] { EXPECT_LT(g_hash_table_size(test.loop(0)->owners), 200u); });
}

} // namespace
