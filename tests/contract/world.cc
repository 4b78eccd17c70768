/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "../../kernel/kernel.h"
#include "plugins.h"

Folder::Folder()
{
	const char *base = getenv("TMPDIR");
	std::string name = std::string(base ? base : "/tmp") + "/gantry-contract-XXXXXX";

	if (!mkdtemp(name.data()))
		abort();
	path_ = name;
}

Folder::~Folder()
{
	std::error_code ignored;
	std::filesystem::remove_all(path_, ignored);
}

static void fail(const char *what, const gk_error &error)
{
	fprintf(stderr, "%s: %s\n", what, error.text);
	abort();
}

World::World(const std::string &fragment, unsigned loops, unsigned workers)
{
	Folder conf_dir;
	gk_error error = {};
	const char *role;
	gk_conf *conf = gk_conf_new();

	std::ofstream(conf_dir / "10-test.conf")
		<< "[kernel]\neventLoopThreads = " << loops << "\nworkerThreads = " << workers
		<< "\nlogLevel = " << (getenv("CONTRACT_LOG") ? "debug" : "error") << "\n"
		<< fragment;
	gk_conf_add_role(conf, "broker", &role);
	if (gk_conf_read_directory(conf, conf_dir.path().c_str(), &error) < 0)
		fail("conf.d", error);
	if (gk_conf_choose(conf, &error) < 0)
		fail("choose", error);
	gk_options options = {};
	options.builtins = contract_plugins;
	kernel_ = gk_kernel_new(conf, &options);
	if (gk_kernel_prepare(kernel_) != GK_EXIT_CLEAN || gk_kernel_up(kernel_) != GK_EXIT_CLEAN)
		abort();
}

World::~World()
{
	EXPECT_EQ(gk_kernel_down(kernel_), GK_EXIT_CLEAN);
	EXPECT_EQ(kernel_->left, 0u);
	gk_kernel_free(kernel_);
}

gantry_inst *World::inst(const std::string &name)
{
	for (guint i = 0; i < kernel_->insts->len; i++) {
		auto *inst = static_cast<gantry_inst *>(kernel_->insts->pdata[i]);

		if (name == gantry_inst_name(inst))
			return inst;
	}
	return nullptr;
}

const void *World::find(uint32_t kind, const std::string &plugin)
{
	gantry_inst *peer;

	return gantry_find(inst(plugin), kind, nullptr, &peer);
}

gantry_loop *World::control()
{
	return &kernel_->loops[kernel_->loop_count];
}

bool World::until(const std::function<bool()> &met)
{
	auto call = [](void *user) -> int {
		return (*static_cast<const std::function<bool()> *>(user))();
	};
	void *user = const_cast<std::function<bool()> *>(&met);
	uint64_t give_up = gantry_clock_ms() + 60000;

	/* Not everything that is waited for wakes the loop. */
	while (gantry_clock_ms() < give_up) {
		if (gk_control_until(kernel_, call, user, gantry_clock_ms() + 5) == 0)
			return true;
	}
	ADD_FAILURE() << "what was waited for did not come";
	return false;
}

Op::Op(World &world) : world_(world)
{
	op_.loop = world.control();
	op_.user = this;
	op_.done = [](gantry_op *op) {
		static_cast<Op *>(op->user)->done_ = true;
		gk_control_wake(op->loop->kernel);
	};
}

int Op::finish(int rc)
{
	if (rc <= 0)
		return rc;
	world_.until([this] { return done_; });
	return op_.status;
}
