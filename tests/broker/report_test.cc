/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are made on workers: few at a time, some wait, more are refused. */
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "broker.h"
#include "requests/report.h"
#include "session.h"

namespace
{

std::mutex lock;
std::condition_variable opened;
bool gate;               /* guarded by lock */
int running, most, made; /* so, too */

int make(struct report *report, struct json_writer *writer)
{
	std::unique_lock<std::mutex> held(lock);

	most = std::max(most, ++running);
	opened.wait(held, [] { return gate; });
	running--;
	made++;
	json_put_str(writer, report->topic);
	return 0;
}

struct Asked {
	explicit Asked(World &world) : op(world, world.loop(0))
	{
	}
	gantry_call call = {};
	Op op;
	bool pending = false;
};

std::unique_ptr<Asked> ask(World &world, unsigned loop)
{
	auto asked = std::make_unique<Asked>(world);

	world.on(world.loop(loop), [&] {
		std::string name = "topic";
		struct report wanted = {};

		wanted.broker = world.role();
		wanted.topic = {name.data(), name.size()};
		asked->op.get()->loop = world.loop(loop);
		asked->pending = report_run(&wanted, &asked->call, asked->op.get(), make) > 0;
	});
	return asked;
}

void open_gate(bool open)
{
	std::lock_guard<std::mutex> guard(lock);
	gate = open;
	opened.notify_all();
}

TEST(Report, FewAreMadeAtATimeAndNotTooManyWait)
{
	Folder folder;
	World world(folder.path());
	std::vector<std::unique_ptr<Asked>> all;

	for (int i = 0; i < REPORTS_RUNNING + REPORTS_WAITING; i++) {
		all.push_back(ask(world, i % 2));
		EXPECT_TRUE(all.back()->pending) << i;
	}
	auto refused = ask(world, 0);
	EXPECT_FALSE(refused->pending);
	EXPECT_EQ(GANTRY_SYSTEM_BUSY, refused->call.ret_code);
	open_gate(true);
	for (auto &asked : all) {
		ASSERT_TRUE(asked->op.wait());
		EXPECT_EQ(GANTRY_SUCCESS, asked->call.ret_code);
		EXPECT_EQ("\"topic\"",
			  std::string(asked->call.ret_body, asked->call.ret_body_size));
		free(asked->call.ret_body);
	}
	EXPECT_EQ(REPORTS_RUNNING, most);
	EXPECT_EQ(REPORTS_RUNNING + REPORTS_WAITING, made);
	auto again = ask(world, 1); /* all turns were given back */
	ASSERT_TRUE(again->op.wait());
	EXPECT_EQ(GANTRY_SUCCESS, again->call.ret_code);
	free(again->call.ret_body);
}

} // namespace
