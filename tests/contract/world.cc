/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>

#include "../support/running_kernel.h"
#include "plugins.h"

World::World(const std::string &fragment, unsigned loops, unsigned workers)
{
	std::ostringstream conf;

	conf << "[kernel]\neventLoopThreads = " << loops << "\nworkerThreads = " << workers
	     << "\nlogLevel = " << (getenv("CONTRACT_LOG") ? "debug" : "error") << "\n"
	     << fragment;
	kernel_ = kernel_start(conf.str(), contract_plugins);
}

World::~World()
{
	kernel_end(kernel_);
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
	return kernel_until(kernel_, met);
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
