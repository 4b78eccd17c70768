/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for too long, or beside too many others, is answered SYSTEM_BUSY, so that clients go
 * elsewhere. The engine is as slow as the test says. */
#include <cstdlib>

#include <gtest/gtest.h>

#include "plugins.h"
#include "session.h"

class Busy : public testing::Test
{
      protected:
	Folder folder;
	std::unique_ptr<World> world;
	std::unique_ptr<Session> session;

	void begin(const std::string &keys)
	{
		setenv("BROKER_ENGINE", "storage-lazy", 1);
		world = std::make_unique<World>(folder.path(), keys);
		session = std::make_unique<Session>(*world);
	}

	~Busy() override
	{
		lazy_engine_fill(false);
		lazy_engine_stick(false);
	}

	void expect_busy(int32_t code, const std::string &remark, const char *kind)
	{
		EXPECT_EQ(code, GANTRY_SYSTEM_BUSY);
		EXPECT_EQ(remark.rfind(kind, 0), 0u) << remark;
	}
};

TEST_F(Busy, ASendWaitsNoLongerThanItMay)
{
	begin("waitTimeMillsInSendQueue = 20\n");
	lazy_engine_fill(true);
	Sent sent = session->send(Sent{});
	expect_busy(sent.code, sent.remark, "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control");
	EXPECT_NE(sent.remark.find("ms, size of queue: 1"), std::string::npos) << sent.remark;
	lazy_engine_fill(false);
	EXPECT_EQ(session->send(Sent{}).queue_offset, 0);
}

TEST_F(Busy, OnlySoManySendsWait)
{
	begin("waitTimeMillsInSendQueue = 20\nsendThreadPoolQueueCapacity = 2\n");
	std::vector<Sent> three(3), two(2);

	lazy_engine_fill(true);
	session->send(three);
	for (const Sent &sent : three)
		expect_busy(sent.code, sent.remark, "[OVERLOAD]system busy, start flow control");
	session->send(two);
	for (const Sent &sent : two)
		expect_busy(sent.code, sent.remark, "[TIMEOUT_CLEAN_QUEUE]");
	lazy_engine_fill(false);
	session->send(three);
	for (const Sent &sent : three)
		EXPECT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
}

TEST_F(Busy, WithoutFastFailureASendWaitsForRoom)
{
	begin("waitTimeMillsInSendQueue = 0\nbrokerFastFailureEnable = false\n");
	for (int i = 0; i < 50; i++) /* now and then there is no room at once */
		EXPECT_EQ(session->send(Sent{}).code, GANTRY_SUCCESS);
}

TEST_F(Busy, APullWaitsNoLongerThanItMay)
{
	begin("waitTimeMillsInPullQueue = 20\n");
	EXPECT_EQ(session->send(Sent{}).code, GANTRY_SUCCESS);
	world->dispatched();
	lazy_engine_stick(true);
	Pulled pulled = session->pull(Pulled{});
	expect_busy(pulled.code, pulled.remark, "[TIMEOUT_CLEAN_QUEUE]broker busy");
	lazy_engine_stick(false);
	pulled = session->pull(Pulled{});
	EXPECT_EQ(pulled.code, GANTRY_SUCCESS) << pulled.remark;
}

TEST_F(Busy, OnlySoManyPullsWaitOfEachKind)
{
	begin("pullThreadPoolQueueCapacity = 1\nlitePullThreadPoolQueueCapacity = 1\n"
	      "waitTimeMillsInLitePullQueue = 20\n");
	Pulled lite;

	lite.flags |= GANTRY_PULL_LITE;
	EXPECT_EQ(session->send(Sent{}).code, GANTRY_SUCCESS);
	world->dispatched();
	lazy_engine_stick(true);
	auto first = session->begin(Pulled{});
	Pulled second = session->pull(Pulled{});
	expect_busy(second.code, second.remark, "[OVERLOAD]");
	Pulled late = session->pull(lite);
	expect_busy(late.code, late.remark, "[TIMEOUT_CLEAN_QUEUE]");
	late = session->pull(lite); /* its place is free again */
	expect_busy(late.code, late.remark, "[TIMEOUT_CLEAN_QUEUE]");
	lazy_engine_stick(false);
	EXPECT_EQ(first->wait().code, GANTRY_SUCCESS);
}
