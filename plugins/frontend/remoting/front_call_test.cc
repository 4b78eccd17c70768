// SPDX-License-Identifier: Apache-2.0
// Everything but sends through the front-end: pulls, calls, heartbeats, sessions.
#include <atomic>
#include "../../../tests/support/kernel_fixture.h"
#include "front_fixture.h"

#include <thread>

namespace
{

using FrontPull = FrontTest;
using FrontCall = FrontTest;
using FrontSession = FrontTest;

TEST_F(FrontPull, Found)
{
	Start();
	role.slice_count = 3;
	role.slice_size = 1000;
	Wire wire = Connect();
	wire.Send(Pull(9));
	Message answer = wire.Read();

	EXPECT_EQ(answer.code, 0);
	EXPECT_EQ(answer.opaque, 9);
	EXPECT_EQ(answer.remark, "FOUND");
	EXPECT_EQ(answer.body, std::string(3000, 'm'));
	EXPECT_EQ(answer.fields, (std::map<std::string, std::string>{{"suggestWhichBrokerId", "0"},
								     {"nextBeginOffset", "15"},
								     {"minOffset", "1"},
								     {"maxOffset", "1000"}}));
	ASSERT_EQ(role.pulls.size(), 1u);
	const Pulled &pull = role.pulls[0];
	EXPECT_EQ(pull.group, "CG");
	EXPECT_EQ(pull.topic, "TopicTest");
	EXPECT_EQ(pull.queue, 2);
	EXPECT_EQ(pull.offset, 12);
	EXPECT_EQ(pull.max_messages, 32);
	EXPECT_EQ(pull.flags, unsigned(GANTRY_PULL_COMMIT | GANTRY_PULL_SUSPEND));
	EXPECT_EQ(pull.commit_offset, 11);
	EXPECT_EQ(pull.suspend_ms, 15000);
	EXPECT_EQ(pull.subscription, "*");
	EXPECT_EQ(pull.sub_version, 1700000000000);
	EXPECT_EQ(pull.expression_type, "TAG");
	EXPECT_EQ(pull.max_bytes, -1);
	EXPECT_EQ(pull.request_source, -1);
	EXPECT_TRUE(role.Wait([&] { return role.leases == 0; }));
}

TEST_F(FrontPull, HeldUntilThereIsSomething)
{
	Start();
	role.hold_pulls = true;
	role.slice_count = 200;
	role.slice_size = 10;
	Wire wire = Connect(), leaves = Connect();

	wire.Send(Pull(1));
	leaves.Send(Pull(2));
	ASSERT_TRUE(role.Wait([&] { return role.pulls.size() == 2; }));
	leaves.Close();
	ASSERT_TRUE(role.Wait([&] { return role.gone == 1; }));
	EXPECT_TRUE(wire.Silent(0));
	role.FinishPulls(0);
	EXPECT_EQ(wire.Read().body.size(), 2000u);
	wire.Send(Pull(3));
	ASSERT_TRUE(role.Wait([&] { return role.pulls.size() == 3; }));
	role.FinishPulls(GANTRY_PULL_NOT_FOUND);
	Message answer = wire.Read();
	EXPECT_EQ(answer.code, 19);
	EXPECT_EQ(answer.fields["nextBeginOffset"], "212");
	EXPECT_TRUE(role.Wait([&] { return role.leases == 0; }));
}

TEST_F(FrontPull, ErrorsHaveNoOffsets)
{
	Start();
	role.pull_code = GANTRY_TOPIC_NOT_EXIST;
	Wire wire = Connect();

	wire.Send(Pull(1));
	Message answer = wire.Read();
	EXPECT_EQ(answer.code, 17);
	EXPECT_EQ(answer.remark, "other");
	EXPECT_TRUE(answer.fields.empty());
	Message pull = Pull(2);
	pull.fields.erase("queueOffset");
	wire.Send(pull);
	answer = wire.Read();
	EXPECT_EQ(answer.code, 1);
	EXPECT_EQ(answer.remark, "the custom field <queueOffset> is null");
}

TEST_F(FrontPull, LiteIsMarked)
{
	Start();
	Wire wire = Connect();
	Message pull = Pull(1);

	pull.code = 361;
	wire.Send(pull);
	EXPECT_EQ(wire.Read().code, 0);
	EXPECT_TRUE(role.pulls[0].flags & GANTRY_PULL_LITE);
}

TEST_F(FrontPull, RefusedOnASecondPort)
{
	Start("refusedRequests=11;361,200050\n");
	Wire wire = Connect();

	wire.Send(Pull(1));
	Message answer = wire.Read();
	EXPECT_EQ(answer.code, 3);
	EXPECT_EQ(answer.remark, " request type 11 not supported");
	wire.Send(Call(200050, 2));
	EXPECT_EQ(wire.Read().remark, " request type 200050 not supported");
	wire.Send(Send(3));
	EXPECT_EQ(wire.Read().code, 0);
	EXPECT_TRUE(role.pulls.empty());
	EXPECT_TRUE(role.calls.empty());
}

// A client that asks and does not read: its requests are left unread, its answers queued up to the
// mark, and everything comes when it reads.
TEST_F(FrontPull, ClientThatDoesNotRead)
{
	Start("writeBufferHighWaterMark=256k\n");
	role.slice_count = 8;
	role.slice_size = 16384;
	Wire wire = Connect(65536), other = Connect();
	const int count = 400;
	std::thread writer([&] {
		for (int i = 0; i < count; i++)
			wire.Send(Pull(i));
	});

	ASSERT_TRUE(role.Wait([&] { return role.leases > 0; }));
	other.Send(Call(1, 1)); // while one is stuck, another is served
	EXPECT_EQ(other.Read().code, 0);
	{
		std::lock_guard<std::mutex> held(role.lock);
		EXPECT_LT(role.pulls.size(), 100u);
		EXPECT_LE(role.leases, 32 * 8);
	}
	for (int i = 0; i < count; i++) {
		Message answer = wire.Read();

		ASSERT_EQ(answer.opaque, i);
		ASSERT_EQ(answer.body.size(), 8 * 16384u);
	}
	writer.join();
	EXPECT_TRUE(role.Wait([&] { return role.leases == 0; }));
}

// A client that goes on asking and takes no answer holds the log's bytes for so long, and no
// longer.
TEST_F(FrontPull, ClientThatAsksAndNeverReads)
{
	Start("serverChannelMaxIdleTimeSeconds=1\nwriteBufferHighWaterMark=64m\n");
	role.slice_count = 8;
	role.slice_size = 65536;
	Wire wire = Connect(65536);
	std::atomic<bool> closed{false};

	for (int i = 0; i < 32; i++)
		wire.Send(Pull(i));
	ASSERT_TRUE(role.Wait([&] { return role.pulls.size() == 32 && role.leases > 0; }));
	std::thread writer([&] {
		while (!closed) {
			wire.Send(Call(1, 1));
			std::this_thread::sleep_for(std::chrono::milliseconds(50));
		}
	});
	EXPECT_TRUE(role.Wait([&] { return role.leases == 0 && role.gone == 1; }));
	closed = true;
	writer.join();
}

// Held pulls that all find something at once do not pile up before a client that does not read.
TEST_F(FrontPull, ManyFindAtOnce)
{
	Start("writeBufferHighWaterMark=256k\n");
	role.hold_pulls = true;
	role.slice_count = 8;
	role.slice_size = 65536;
	Wire wire = Connect(4096);
	const int count = 200;

	for (int i = 0; i < count; i++)
		wire.Send(Pull(i));
	ASSERT_TRUE(role.Wait([&] { return role.pulls.size() == size_t(count); }));
	role.FinishPulls(0);
	EXPECT_TRUE(role.Wait([&] { return role.leases < 20 * 8; }));
	int again = 0;
	for (int i = 0; i < count; i++) {
		Message answer = wire.Read();

		ASSERT_TRUE(answer.whole);
		if (answer.code == GANTRY_PULL_RETRY_IMMEDIATELY) {
			EXPECT_EQ(answer.fields["nextBeginOffset"], "12");
			EXPECT_EQ(answer.body, "");
			again++;
		}
	}
	EXPECT_GT(again, count / 2);
	EXPECT_LT(again, count);
}

TEST_F(FrontCall, FieldsAndBodies)
{
	Start();
	Wire wire = Connect();
	Message call = Call(105, 4, "body");

	call.fields = {{"topic", "T"}, {"x", "\xc3\xa9"}};
	for (uint32_t serialization : {REMOTING_JSON, REMOTING_BINARY}) {
		call.serialization = serialization;
		wire.Send(call);
		Message answer = wire.Read();
		EXPECT_EQ(answer.opaque, 4);
		EXPECT_EQ(answer.serialization, serialization);
		EXPECT_EQ(answer.fields["code"], "105");
		EXPECT_EQ(answer.body, "body");
		EXPECT_EQ(role.calls.back().fields, call.fields);
	}
	wire.Send(Call(9, 5));
	Message answer = wire.Read();
	EXPECT_EQ(answer.code, 3);
	EXPECT_EQ(answer.remark, " request type 9 not supported");
	EXPECT_EQ(answer.body, "");
}

TEST_F(FrontCall, LargeBodies)
{
	Start();
	role.call_body.assign(3 << 20, 'c');
	Wire wire = Connect();

	wire.Send(Call(1, 1).Bytes() + Call(1, 2).Bytes());
	for (int opaque : {1, 2}) {
		Message answer = wire.Read();

		EXPECT_EQ(answer.opaque, opaque);
		EXPECT_EQ(answer.body.size(), role.call_body.size());
	}
}

TEST_F(FrontCall, LateAndOneWay)
{
	Start();
	role.hold_calls = true;
	Wire wire = Connect(), leaves = Connect();
	Message one_way = Call(1, 2);

	one_way.flag = REMOTING_ONE_WAY;
	wire.Send(Call(1, 1));
	wire.Send(one_way);
	leaves.Send(Call(1, 3, "x"));
	ASSERT_TRUE(role.Wait([&] { return role.calls.size() == 3; }));
	EXPECT_EQ(role.calls[1].one_way + role.calls[0].one_way + role.calls[2].one_way, 1u);
	leaves.Close();
	ASSERT_TRUE(role.Wait([&] { return role.gone == 1; }));
	role.FinishCalls();
	EXPECT_EQ(wire.Read().opaque, 1);
	EXPECT_TRUE(wire.Silent(20));
}

TEST_F(FrontCall, Heartbeats)
{
	Start();
	Wire wire = Connect();
	Message beat = Call(34, 1,
			    R"({"clientID":"c@1","consumerDataSet":[{"consumeFromWhere":)"
			    R"("CONSUME_FROM_FIRST_OFFSET","consumeType":"CONSUME_ACTIVELY",)"
			    R"("groupName":"G","messageModel":"BROADCASTING",)"
			    R"("subscriptionDataSet":[{"classFilterMode":false,"codeSet":[],)"
			    R"("expressionType":"TAG","subString":"A||B","subVersion":5,)"
			    R"("tagsSet":["A"],"topic":"T\u0041"}],"unitMode":true}],)"
			    R"("heartbeatFingerprint":0,"producerDataSet":[{"groupName":"P1"},)"
			    R"({"groupName":"P2"}],"withoutSub":false})");

	wire.Send(beat);
	Message answer = wire.Read();
	EXPECT_EQ(answer.code, 0);
	EXPECT_EQ(answer.fields,
		  (std::map<std::string, std::string>{{"IS_SUPPORT_HEART_BEAT_V2", "true"},
						      {"IS_SUB_CHANGE", "true"}}));
	EXPECT_EQ(role.heartbeats.back(), "c@1 0 P:P1:P2 C:G,0011,TA/A||B/TAG/5/0");
	beat.body = R"({"clientID":"c","heartbeatFingerprint":-7,"withoutSub":true})";
	wire.Send(beat);
	EXPECT_EQ(wire.Read().fields["IS_SUB_CHANGE"], "false");
	EXPECT_EQ(role.heartbeats.back(), "c -7 short P");
	for (const char *bad : {"", "{", "[]", "{\"clientID\":null}", "not json",
				"{\"clientID\":\"c\",\"producerDataSet\":7}",
				"{\"clientID\":\"c\",\"consumerDataSet\":{}}"}) {
		beat.body = bad;
		wire.Send(beat);
		answer = wire.Read();
		EXPECT_EQ(answer.code, 1) << bad;
		EXPECT_EQ(answer.remark.substr(0, 9), "heartbeat");
	}
	Message leave = Call(35, 2);
	leave.fields = {{"clientID", "c@1"}, {"consumerGroup", "G"}};
	wire.Send(leave);
	EXPECT_EQ(wire.Read().code, 0);
	EXPECT_EQ(role.leaves.back(), "c@1//G");
	leave.fields.erase("clientID");
	wire.Send(leave);
	EXPECT_EQ(wire.Read().code, 1);
}

// A session that the test holds, as the role gave it.
gantry_session *FirstSession(Recorder &role)
{
	std::lock_guard<std::mutex> held(role.lock);

	return role.sessions.begin()->second;
}

TEST_F(FrontSession, Pushes)
{
	Start();
	Wire wire = Connect();
	gantry_field field = {{"consumerGroup", 13}, {"G", 1}};
	gantry_push push = {40, 1, &field, {"b", 1}};

	wire.Send(Call(1, 1));
	EXPECT_EQ(wire.Read().code, 0);
	gantry_session *session = FirstSession(role);
	EXPECT_EQ(session->peer.ip_size, 4);
	EXPECT_EQ(session->local.port, port);
	EXPECT_EQ(session->ops->push(session, &push), 0);
	Message pushed = wire.Read();
	EXPECT_EQ(pushed.code, 40);
	EXPECT_EQ(pushed.flag, REMOTING_ONE_WAY);
	EXPECT_EQ(pushed.fields["consumerGroup"], "G");
	EXPECT_EQ(pushed.body, "b");
	wire.Close();
	ASSERT_TRUE(role.Wait([&] { return role.gone == 1; }));
	EXPECT_EQ(session->ops->push(session, &push), -EPIPE);
}

TEST_F(FrontSession, Asks)
{
	Start();
	Wire wire = Connect();
	gantry_push push = {307, 0, nullptr, {}};
	gantry_answer answer = {};
	gantry_session *session;

	wire.Send(Call(1, 1));
	EXPECT_EQ(wire.Read().code, 0);
	session = FirstSession(role);
	auto ask = [&](gantry_op *op, uint64_t wait_ms) {
		op->deadline_ms = gantry_clock_ms() + wait_ms;
		return session->ops->ask(session, &push, &answer, op);
	};
	std::thread client([&] {
		Message asked = wire.Read();

		EXPECT_EQ(asked.code, 307);
		EXPECT_EQ(asked.flag, 0);
		asked.flag = REMOTING_RESPONSE;
		asked.code = 0;
		asked.body = "running";
		asked.opaque += 100;
		wire.Send(asked); // nobody asked that
		asked.opaque -= 100;
		wire.Send(asked);
	});
	EXPECT_EQ(kernel->Do([&](gantry_op *op) { return ask(op, 5000); }), 0);
	client.join();
	EXPECT_EQ(answer.code, 0);
	EXPECT_EQ(std::string(answer.body, answer.body_size), "running");
	free(answer.body);
	EXPECT_EQ(kernel->Do([&](gantry_op *op) { return ask(op, 30); }), -ETIMEDOUT);
	EXPECT_EQ(wire.Read().code, 307);
	EXPECT_EQ(kernel->Do([&](gantry_op *op) {
		int code = ask(op, 60000);

		wire.Close();
		return code;
	}),
		  -EPIPE);
	EXPECT_EQ(kernel->Do([&](gantry_op *op) { return ask(op, 5000); }), -EPIPE);
}

TEST_F(FrontSession, ClosedByTheRole)
{
	Start();
	Wire wire = Connect();

	wire.Send(Call(1, 1));
	EXPECT_EQ(wire.Read().code, 0);
	EXPECT_EQ(ops->sessions(front), 1u);
	gantry_session *session = FirstSession(role);
	session->ops->close(session);
	session->ops->close(session);
	EXPECT_TRUE(wire.Ends());
	EXPECT_TRUE(role.Wait([&] { return role.gone == 1; }));
	EXPECT_EQ(ops->sessions(front), 0u);
	session->ops->close(session);
}

// Holding a session longer than the front-end lives.
TEST_F(FrontSession, OutlivesItsFrontEnd)
{
	Start();
	Wire wire = Connect();
	gantry_push push = {40, 0, nullptr, {}};

	wire.Send(Call(1, 1));
	EXPECT_EQ(wire.Read().code, 0);
	gantry_session *session = FirstSession(role);
	kernel->Down();
	EXPECT_TRUE(wire.Ends());
	EXPECT_EQ(session->ops->push(session, &push), -EPIPE);
}

} // namespace
