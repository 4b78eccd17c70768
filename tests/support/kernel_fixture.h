/* SPDX-License-Identifier: Apache-2.0 */
/* A real kernel for unit tests of plugin code: it runs one instance of a plugin that the test
 * describes, in a folder of its own, and the test's thread is the control thread. */
#ifndef TESTS_SUPPORT_KERNEL_FIXTURE_H
#define TESTS_SUPPORT_KERNEL_FIXTURE_H

#include <gantry/plugin.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "../../kernel/kernel.h"
#include "folder.h"

/* Its files, as text. */
class TempFolder : public Folder
{
      public:
	std::string Read(const std::string &name) const
	{
		std::ifstream in(*this / name);
		std::stringstream text;

		text << in.rdbuf();
		return text.str();
	}
	void Write(const std::string &name, const std::string &text) const
	{
		std::ofstream(*this / name) << text;
	}
	bool Has(const std::string &name) const
	{
		return access((*this / name).c_str(), F_OK) == 0;
	}
};

/* Runs plugins that are part of the test program. names: those to run, one instance each, in the
 * role "broker"; keys: lines of the role's property file. */
class TestKernel
{
      public:
	TestKernel(const std::vector<struct gk_static_plugin> &plugins, const std::string &keys)
	    : builtins_(plugins)
	{
		std::string fragment = "[kernel]\neventLoopThreads = 2\nworkerThreads = 2\n";
		struct gk_options options = {};
		struct gk_error error = {};
		const char *role;

		for (auto &plugin : plugins)
			fragment += std::string("[plugin ") + plugin.name + "]\n";
		builtins_.push_back({nullptr, nullptr});
		files_.Write("test.conf", fragment);
		files_.Write("broker.properties", keys);
		struct gk_conf *conf = gk_conf_new();
		EXPECT_EQ(gk_conf_add_role(conf, "broker", &role), 0);
		EXPECT_EQ(gk_conf_read_properties(conf, role,
						  (files_.path() + "/broker.properties").c_str(),
						  &error),
			  0)
			<< error.text;
		EXPECT_EQ(gk_conf_read_directory(conf, files_.path().c_str(), &error), 0)
			<< error.text;
		EXPECT_EQ(gk_conf_choose(conf, &error), 0) << error.text;
		options.builtins = builtins_.data();
		kernel_ = gk_kernel_new(conf, &options);
		EXPECT_EQ(gk_kernel_prepare(kernel_), GK_EXIT_CLEAN);
		EXPECT_EQ(gk_kernel_up(kernel_), GK_EXIT_CLEAN);
		up_ = true;
	}
	~TestKernel()
	{
		Down();
		gk_kernel_free(kernel_);
	}
	void Down()
	{
		if (up_) {
			EXPECT_EQ(gk_kernel_down(kernel_), GK_EXIT_CLEAN);
		}
		up_ = false;
	}
	/* Runs the control loop until met; a test fails after a minute. */
	bool Until(const std::function<bool()> &met)
	{
		int result = -ETIMEDOUT;

		for (uint64_t end = gantry_clock_ms() + 60000;
		     result == -ETIMEDOUT && gantry_clock_ms() < end;)
			result =
				gk_control_until(kernel_, Ask, (void *)&met, gantry_clock_ms() + 5);
		return result == 0;
	}
	/* Hands act an op and runs the control loop until that is done; its status, or what act
	 * returned at once. */
	int Do(const std::function<int(struct gantry_op *)> &act)
	{
		struct gantry_op op = {};
		bool done = false;

		op.loop = &kernel_->loops[kernel_->loop_count];
		op.user = &done;
		op.done = [](struct gantry_op *finished) {
			*static_cast<bool *>(finished->user) = true;
		};
		int result = act(&op);
		if (result <= 0)
			return result;
		EXPECT_TRUE(Until([&] { return done; }));
		return op.status;
	}
	const TempFolder &files() const
	{
		return files_;
	}
	struct gk_kernel *get()
	{
		return kernel_;
	}

      private:
	static int Ask(void *user)
	{
		return (*static_cast<const std::function<bool()> *>(user))();
	}
	TempFolder files_;
	std::vector<struct gk_static_plugin> builtins_;
	struct gk_kernel *kernel_;
	bool up_ = false;
};

#endif
