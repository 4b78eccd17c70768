/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel with one role in a directory of its own, for tests of storage and replication. The
 * test's thread is the control thread. */
#ifndef CONTRACT_WORLD_H
#define CONTRACT_WORLD_H

#include <functional>
#include <memory>
#include <string>

#include <gantry/plugin.h>
#include <gantry/replication.h>
#include <gantry/storage.h>

#include "../support/folder.h"

struct gk_kernel;

class World
{
      public:
	/* fragment: conf.d sections of the plugins wanted; loops: event loop threads. */
	explicit World(const std::string &fragment, unsigned loops = 2, unsigned workers = 4);
	~World();
	World(const World &) = delete;

	gantry_inst *inst(const std::string &name);
	gantry_loop *control();
	/* Runs the control loop until met says so; fails the test after a minute. */
	bool until(const std::function<bool()> &met);

	template <class Ops> const Ops *ops(uint32_t kind, const std::string &name)
	{
		return static_cast<const Ops *>(find(kind, name));
	}

      private:
	const void *find(uint32_t kind, const std::string &plugin);
	gk_kernel *kernel_ = nullptr;
	std::string conf_dir_;
};

/* An op that the test waits for. */
class Op
{
      public:
	explicit Op(World &world);
	gantry_op *get()
	{
		return &op_;
	}
	bool done() const
	{
		return done_;
	}
	/* What a call returned: if it is pending waits for the op. The status, or the call's own
	 * value if it was not taken. */
	int finish(int rc);
	uint64_t result() const
	{
		return op_.result;
	}
	int status() const
	{
		return op_.status;
	}

      private:
	World &world_;
	gantry_op op_ = {};
	bool done_ = false; /* the control thread's */
};

#endif
