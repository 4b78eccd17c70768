/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <cstdlib>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "../support/running_kernel.h"
#include "broker.h"
#include "plugins.h"
#include "store/store.h"
#include "topics/topics.h"

World::World(const std::string &root, const std::string &keys, unsigned loops,
	     const std::string &replication)
{
	const char *engine = getenv("BROKER_ENGINE");
	std::ostringstream conf;

	conf << "[kernel]\neventLoopThreads = " << loops
	     << "\nworkerThreads = 3\nlogLevel = " << (getenv("BROKER_LOG") ? "debug" : "error")
	     << "\n[defaults broker]\n"
	     << "storePathRootDir = " << root << "\nbrokerName = broker-a\nbrokerIP1 = 127.0.0.1\n"
	     << "brokerIP2 = 127.0.0.1\nmappedFileSizeCommitLog = 1048576\n"
	     << "flushIntervalCommitLog = 10\n"
	     << "waitTimeMillsInSendQueue = 60000\nwaitTimeMillsInPullQueue = 60000\n"
	     << keys << "\n[plugin " << (engine ? engine : "storage-mmap") << "]\n[plugin "
	     << replication << "]\n"
	     << "serves = flushDiskType=SYNC_FLUSH\nserves = brokerRole=SLAVE\n"
	     << "haServeSlaves = false\n"
	     << "[plugin filter-tag]\n[plugin filter-sql92]\n[plugin role-broker]\n"
	     << "serves = enableConsumeQueueExt=true\n";
	kernel_ = kernel_start(conf.str(), broker_plugins);
}

World::~World()
{
	kernel_end(kernel_);
}

static gantry_inst *inst_of(gk_kernel *kernel, const std::string &plugin)
{
	for (guint i = 0; i < kernel->insts->len; i++) {
		auto *inst = static_cast<gantry_inst *>(kernel->insts->pdata[i]);

		if (std::string(gantry_inst_name(inst)).rfind(plugin, 0) == 0)
			return inst;
	}
	abort();
}

gantry_inst *World::inst()
{
	return inst_of(kernel_, "role-broker");
}

gantry_inst *World::replication()
{
	return inst_of(kernel_, "replication-");
}

const gantry_role_ops *World::ops()
{
	return static_cast<const gantry_role_ops *>(inst()->plugin->offers[0].ops);
}

broker *World::role()
{
	return broker_of(inst());
}

store *World::messages()
{
	return role()->store;
}

gantry_loop *World::loop(unsigned i)
{
	return gantry_loop_at(inst(), i);
}

gantry_loop *World::control()
{
	return gantry_loop_control(inst());
}

bool World::until(const std::function<bool()> &met)
{
	return kernel_until(kernel_, met);
}

void World::on(gantry_loop *loop, const std::function<void()> &act)
{
	struct Call {
		gantry_task task;
		const std::function<void()> *act;
		gk_kernel *kernel;
		bool done;
	} call = {};

	call.act = &act;
	call.kernel = kernel_;
	call.task.user = &call;
	call.task.run = [](gantry_task *task) {
		auto *call = static_cast<Call *>(task->user);
		gk_kernel *kernel = call->kernel;

		(*call->act)();
		__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
		gk_control_wake(kernel);
	};
	gantry_loop_post(loop, &call.task);
	until([&] { return __atomic_load_n(&call.done, __ATOMIC_ACQUIRE); });
}

void World::aside(const std::function<void()> &act)
{
	struct gantry_work work = {};
	Op op(*this, control());

	work.user = const_cast<std::function<void()> *>(&act);
	work.run = [](struct gantry_work *work) {
		(*static_cast<const std::function<void()> *>(work->user))();
		return 0;
	};
	gantry_work(inst(), &work, op.get());
	op.wait();
}

std::string World::message_at(uint64_t at)
{
	gantry_slice slice;
	std::string bytes;
	int status;

	do {
		Op op(*this, loop(0));
		on(loop(0), [&] { status = store_read_message(messages(), at, &slice, op.get()); });
		if (status > 0)
			op.wait();
	} while (status > 0);
	if (status == 0) {
		bytes.assign((const char *)slice.bytes, slice.size);
		gantry_slice_release(&slice);
	}
	return bytes;
}

void World::dispatched()
{
	uint64_t first, end;

	store_bounds(messages(), &first, &end);
	until([&] { return store_dispatched(messages()) >= end; });
}

topic *make_topic(World &world, const std::string &name, const char *attributes)
{
	topic_config config;
	topic *made = nullptr;

	topic_config_init(&config, {name.data(), name.size()});
	config.attributes = attributes;
	EXPECT_LE(0, topics_put(world.role()->topics, &config, &made));
	return made;
}

void in_a_process_that_dies(const std::string &root, const std::function<void(World &)> &act,
			    const std::string &keys)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		act(*new World(root, keys));
		_exit(testing::Test::HasFailure() ? 1 : 0);
	}
	ASSERT_GT(child, 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

Op::Op(World &world, gantry_loop *loop) : world_(world)
{
	op_.loop = loop;
	op_.user = this;
	op_.done = [](gantry_op *op) {
		auto *self = static_cast<Op *>(op->user);
		gk_kernel *kernel = op->loop->kernel;

		if (self->then)
			self->then();
		__atomic_store_n(&self->done_, true, __ATOMIC_RELEASE);
		gk_control_wake(kernel);
	};
}
