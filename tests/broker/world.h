/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel with one broker in a folder of the test's. The test's thread is the control thread. */
#ifndef BROKER_WORLD_H
#define BROKER_WORLD_H

#include <functional>
#include <string>

#include <gantry/role.h>

#include "../support/folder.h"

struct broker;
struct gk_kernel;
struct store;
struct topic;

class World
{
      public:
	/* keys: lines of role settings, beside small segments, a name, and patience with a machine
	 * that stands still. */
	explicit World(const std::string &root, const std::string &keys = "", unsigned loops = 2,
		       const std::string &replication = "replication-async");
	~World();
	World(const World &) = delete;

	broker *role();
	store *messages();
	gantry_inst *inst();
	gantry_inst *replication();
	const gantry_role_ops *ops();
	gantry_loop *loop(unsigned i);
	gantry_loop *control();

	/* Runs the control loop until met says so; fails the test after a minute. */
	bool until(const std::function<bool()> &met);
	/* Runs act on a loop's thread, and waits for it. */
	void on(gantry_loop *loop, const std::function<void()> &act);
	/* Runs act on a worker, where it may block. */
	void aside(const std::function<void()> &act);
	/* The record there, "" if there is none. */
	std::string message_at(uint64_t at);
	/* Everything in the log is dispatched. */
	void dispatched();

      private:
	gk_kernel *kernel_ = nullptr;
};

/* A topic with attributes, those as topics.json has them. */
topic *make_topic(World &world, const std::string &name, const char *attributes);

/* Runs act with a broker in a process of its own, which then dies without stopping anything. */
void in_a_process_that_dies(const std::string &root, const std::function<void(World &)> &act,
			    const std::string &keys = "");

/* An op whose end the test waits for. */
class Op
{
      public:
	Op(World &world, gantry_loop *loop);
	gantry_op *get()
	{
		return &op_;
	}
	bool done() const
	{
		return __atomic_load_n(&done_, __ATOMIC_ACQUIRE);
	}
	int32_t status() const
	{
		return op_.status;
	}
	bool wait()
	{
		return world_.until([this] { return done(); });
	}
	/* Called on the loop when the op is done, before the test hears of it. */
	std::function<void()> then;

      private:
	World &world_;
	gantry_op op_ = {};
	bool done_ = false;
};

#endif
