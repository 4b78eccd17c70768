/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel with one broker role, whose plugins are part of the program. The test's thread is its
 * control thread. */
#ifndef SUPPORT_RUNNING_KERNEL_H
#define SUPPORT_RUNNING_KERNEL_H

#include <cstdio>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>

#include "../../kernel/kernel.h"
#include "folder.h"

/* From the text of a conf.d file; ends the program if it does not start. */
inline gk_kernel *kernel_start(const std::string &text, decltype(gk_options::builtins) plugins)
{
	gk_conf *conf = gk_conf_new();
	gk_options options = {};
	gk_error error = {};
	const char *role;
	Folder folder;
	gk_kernel *kernel;

	std::ofstream(folder / "10-test.conf") << text;
	gk_conf_add_role(conf, "broker", &role);
	if (gk_conf_read_directory(conf, folder.path().c_str(), &error) < 0 ||
	    gk_conf_choose(conf, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	options.builtins = plugins;
	kernel = gk_kernel_new(conf, &options);
	if (gk_kernel_prepare(kernel) != GK_EXIT_CLEAN || gk_kernel_up(kernel) != GK_EXIT_CLEAN)
		abort();
	return kernel;
}

inline void kernel_end(gk_kernel *kernel)
{
	EXPECT_EQ(gk_kernel_down(kernel), GK_EXIT_CLEAN);
	EXPECT_EQ(kernel->left, 0u);
	gk_kernel_free(kernel);
}

/* Runs the control loop until met says so; fails the test after a minute. */
inline bool kernel_until(gk_kernel *kernel, const std::function<bool()> &met)
{
	auto call = [](void *user) -> int {
		return (*static_cast<const std::function<bool()> *>(user))();
	};
	void *user = const_cast<std::function<bool()> *>(&met);
	uint64_t give_up = gantry_clock_ms() + 60000;

	/* Not everything that is waited for wakes the loop. */
	while (gantry_clock_ms() < give_up) {
		if (gk_control_until(kernel, call, user, gantry_clock_ms() + 5) == 0)
			return true;
	}
	ADD_FAILURE() << "what was waited for did not come";
	return false;
}

#endif
