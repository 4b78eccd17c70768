/* SPDX-License-Identifier: Apache-2.0 */
/* For the kernel's own tests: a kernel with running loops and bare instances, no configuration. */
#ifndef GK_KERNEL_TEST_H
#define GK_KERNEL_TEST_H

#include "kernel.h"
#include "log.h"

#include <atomic>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

class TestKernel
{
      public:
	explicit TestKernel(unsigned loops = 2, unsigned workers = 2)
	{
		gk_options options = {};
		kernel = gk_kernel_new(gk_conf_new(), &options);
		EXPECT_EQ(0, gk_loops_open(kernel, loops));
		gk_pool_open(&kernel->pool, workers);
		EXPECT_EQ(0, gk_loops_start(kernel));
	}

	~TestKernel()
	{
		for (guint i = kernel->order->len; i-- > 0;)
			gk_inst_take_back(static_cast<gantry_inst *>(kernel->order->pdata[i]));
		gk_pool_close(&kernel->pool);
		gk_loops_stop(kernel);
		left = gk_loops_sweep(kernel);
		EXPECT_EQ(left_expected, left);
		for (guint i = kernel->order->len; i-- > 0;)
			gk_inst_free(static_cast<gantry_inst *>(kernel->order->pdata[i]));
		g_ptr_array_set_size(kernel->order, 0);
		g_ptr_array_set_size(kernel->insts, 0);
		gk_loops_close(kernel);
		gk_kernel_free(kernel);
	}

	TestKernel(const TestKernel &) = delete;
	TestKernel &operator=(const TestKernel &) = delete;

	gantry_inst *add(const gantry_plugin *plugin, const char *name = "filter-test",
			 const char *role = "broker")
	{
		static const gk_module module = {const_cast<char *>("filter-test"),
						 const_cast<char *>("filter-test.so"), nullptr,
						 nullptr};
		gantry_inst *inst = gk_inst_new(kernel, &module, plugin, name, role, 0);
		EXPECT_EQ(0, gk_inst_make_memory(inst));
		g_ptr_array_add(kernel->insts, inst);
		g_ptr_array_add(kernel->order, inst);
		return inst;
	}

	gantry_inst *add(const char *name = "filter-test")
	{
		static const gantry_plugin plain = [] {
			gantry_plugin plugin = {};
			plugin.name = "filter-test";
			return plugin;
		}();
		return add(&plain, name);
	}

	gantry_loop *loop(unsigned i) const
	{
		return &kernel->loops[i];
	}
	gantry_loop *control() const
	{
		return &kernel->loops[kernel->loop_count];
	}

	/* Runs the control loop until met; whoever changes what it looks at calls wake(). */
	void until(std::function<bool()> met)
	{
		auto call = [](void *user) -> int {
			return (*static_cast<std::function<bool()> *>(user))();
		};
		ASSERT_EQ(0, gk_control_until(kernel, call, &met, gantry_clock_ms() + 60000));
	}
	void wake() const
	{
		gk_control_wake(kernel);
	}

	/* Runs act on a loop's thread and waits for it. */
	void on(gantry_loop *where, std::function<void()> act)
	{
		struct call {
			gantry_task task;
			std::function<void()> act;
			std::atomic<bool> done{false};
			TestKernel *test;
		} call;
		call.act = std::move(act);
		call.test = this;
		call.task.user = &call;
		call.task.run = [](gantry_task *task) {
			auto *at = static_cast<struct call *>(task->user);
			TestKernel *test = at->test;
			at->act();
			at->done = true;
			test->wake();
		};
		gantry_loop_post(where, &call.task);
		until([&] { return call.done.load(); });
	}

	gk_kernel *kernel;
	unsigned left = 0, left_expected = 0;
};

#endif
