// SPDX-License-Identifier: Apache-2.0
// Sends through the front-end: what the role sees, what the client gets, batches, late answers.
#include "../../../tests/support/kernel_fixture.h"
#include "front_fixture.h"

#include <thread>

namespace
{

using FrontSend = FrontTest;

TEST_F(FrontSend, SecondVersion)
{
	Start();
	Wire wire = Connect();
	wire.Send(Send(77));
	Message answer = wire.Read();

	EXPECT_EQ(answer.code, 0);
	EXPECT_EQ(answer.opaque, 77);
	EXPECT_EQ(answer.flag, REMOTING_RESPONSE);
	EXPECT_EQ(answer.version, REMOTING_VERSION);
	EXPECT_EQ(answer.fields,
		  (std::map<std::string, std::string>{{"MSG_REGION", "DefaultRegion"},
						      {"TRACE_ON", "true"},
						      {"msgId", "7F00000100002A9F0000000000000000"},
						      {"queueId", "3"},
						      {"queueOffset", "100"},
						      {"transactionId", "uniq"}}));
	ASSERT_EQ(role.sends.size(), 1u);
	const Sent &sent = role.sends[0];
	EXPECT_EQ(sent.topic, "TopicTest");
	EXPECT_EQ(sent.group, "PG");
	EXPECT_EQ(sent.default_topic, "TBW102");
	EXPECT_EQ(sent.properties, "KEYS\1k\2");
	EXPECT_EQ(sent.body, "hello");
	EXPECT_EQ(sent.born_ms, 1700000000000);
	EXPECT_EQ(sent.default_queues, 4);
	EXPECT_EQ(sent.queue, 3);
	EXPECT_EQ(sent.max_reconsume_times, 16);
	EXPECT_EQ(sent.version, 513);
	EXPECT_EQ(sent.flags, 0u);
}

TEST_F(FrontSend, FirstVersionAndBinary)
{
	Start("regionId=west\ntraceOn=false\n");
	Wire wire = Connect();
	Message send;

	send.code = 10;
	send.fields = {{"producerGroup", "PG"},        {"topic", "T"},       {"defaultTopic", "D"},
		       {"defaultTopicQueueNums", "8"}, {"queueId", "-1"},    {"sysFlag", "1"},
		       {"bornTimestamp", "5"},         {"flag", "-7"},       {"properties", "p"},
		       {"reconsumeTimes", "2"},        {"unitMode", "true"}, {"batch", "TRUE"}};
	for (uint32_t serialization : {REMOTING_JSON, REMOTING_BINARY}) {
		send.serialization = serialization;
		wire.Send(send);
		Message answer = wire.Read();
		EXPECT_EQ(answer.serialization, serialization);
		EXPECT_EQ(answer.fields["MSG_REGION"], "west");
		EXPECT_EQ(answer.fields["TRACE_ON"], "false");
		EXPECT_EQ(answer.fields["queueId"], "-1");
		const Sent &sent = role.sends.back();
		EXPECT_EQ(sent.topic, "T");
		EXPECT_EQ(sent.default_queues, 8);
		EXPECT_EQ(sent.sys_flag, 1);
		EXPECT_EQ(sent.flag, -7);
		EXPECT_EQ(sent.reconsume_times, 2);
		EXPECT_EQ(sent.max_reconsume_times, -1) << "not given";
		EXPECT_EQ(sent.flags, unsigned(GANTRY_SEND_UNIT | GANTRY_SEND_BATCH));
	}
}

TEST_F(FrontSend, BatchesAreMarkedByTheirField)
{
	Start();
	Wire wire = Connect();
	Message send = Send(1);

	send.code = 320;
	wire.Send(send);
	EXPECT_EQ(wire.Read().code, 0);
	EXPECT_EQ(role.sends[0].flags, 0u);
	role.ids = 3;
	send.fields["m"] = "true";
	wire.Send(send);
	EXPECT_EQ(wire.Read().fields["msgId"],
		  "7F00000100002A9F0000000000000000,7F00000100002A9F0000000000000001,"
		  "7F00000100002A9F0000000000000002");
	EXPECT_EQ(role.sends[1].flags, unsigned(GANTRY_SEND_BATCH));
}

TEST_F(FrontSend, SaysWhatIsWrongWithARequest)
{
	Start();
	Wire wire = Connect();
	Message send = Send(5);

	send.fields.erase("b");
	wire.Send(send);
	Message answer = wire.Read();
	EXPECT_EQ(answer.code, 1);
	EXPECT_EQ(answer.opaque, 5);
	EXPECT_EQ(answer.remark, "the custom field <b> is null");
	send = Send(6);
	send.fields["e"] = "three";
	wire.Send(send);
	EXPECT_EQ(wire.Read().remark, "For input string: \"three\"");
	send.code = 10;
	wire.Send(send);
	EXPECT_EQ(wire.Read().remark, "the custom field <topic> is null");
	role.send_code = 17;
	wire.Send(Send(7));
	answer = wire.Read();
	EXPECT_EQ(answer.code, 17);
	EXPECT_EQ(answer.remark, "no");
	EXPECT_EQ(answer.fields.count("msgId"), 0u);
	EXPECT_EQ(answer.fields.count("MSG_REGION"), 1u);
	EXPECT_EQ(role.sends.size(), 1u);
}

TEST_F(FrontSend, OneWayIsNotAnswered)
{
	Start();
	Wire wire = Connect();
	Message send = Send(1);

	send.flag = REMOTING_ONE_WAY;
	wire.Send(send);
	wire.Send(Send(2));
	EXPECT_EQ(wire.Read().opaque, 2);
	EXPECT_EQ(role.sends.size(), 2u);
	EXPECT_EQ(role.sends[0].flags, unsigned(GANTRY_SEND_ONE_WAY));
}

TEST_F(FrontSend, TenThousandInATurn)
{
	Start();
	Wire wire = Connect();
	std::string all;
	const int count = 10000;

	for (int i = 0; i < count; i++)
		all += Send(i).Bytes();
	std::thread writer([&] { wire.Send(all); });
	for (int i = 0; i < count; i++)
		ASSERT_EQ(wire.Read().opaque, i);
	writer.join();
	EXPECT_EQ(role.sends.size(), size_t(count));
	uint32_t largest = 0;
	for (uint32_t batch : role.batches)
		largest = std::max(largest, batch);
	EXPECT_GT(largest, 16u);
	EXPECT_LE(largest, 256u);
}

TEST_F(FrontSend, ByteByByte)
{
	Start();
	Wire wire = Connect();
	std::string bytes = Send(1).Bytes() + Send(2).Bytes();

	for (size_t at = 0; at < bytes.size(); at++)
		wire.Send(bytes.substr(at, 1));
	EXPECT_EQ(wire.Read().opaque, 1);
	EXPECT_EQ(wire.Read().opaque, 2);
	EXPECT_EQ(role.sends[1].body, "hello");
}

TEST_F(FrontSend, LargeFrames)
{
	Start();
	Wire wire = Connect();

	for (size_t size : {20000u, 250000u, 262144u, 300000u, 5000000u, 16000000u}) {
		std::string body(size, char('a' + size % 26));

		// One in front and one behind, in the same write.
		wire.Send(Send(1).Bytes() + Send(2, body).Bytes() + Send(3).Bytes());
		for (int opaque : {1, 2, 3})
			ASSERT_EQ(wire.Read().opaque, opaque);
		ASSERT_EQ(role.sends[role.sends.size() - 2].body, body);
		ASSERT_EQ(role.sends.back().body, "hello");
	}
}

TEST_F(FrontSend, LateAnswers)
{
	Start();
	role.hold_sends = true;
	Wire one = Connect(), other = Connect(), leaves = Connect();

	for (int i = 0; i < 300; i++)
		one.Send(Send(i));
	other.Send(Send(1000));
	leaves.Send(Send(2000));
	ASSERT_TRUE(role.Wait([&] { return role.sends.size() == 302; }));
	EXPECT_TRUE(one.Silent(0));
	leaves.Close();
	ASSERT_TRUE(role.Wait([&] { return role.gone == 1; }));
	role.FinishSends();
	for (int i = 0; i < 300; i++)
		ASSERT_EQ(one.Read().opaque, i);
	EXPECT_EQ(other.Read().opaque, 1000);
}

TEST_F(FrontSend, BusyWhenTooManyWait)
{
	Start("maxParkedRequests=1\n");
	role.hold_sends = true;
	Wire wire = Connect();

	wire.Send(Send(1));
	ASSERT_TRUE(role.Wait([&] { return role.sends.size() == 1; }));
	wire.Send(Send(2));
	Message answer = wire.Read();
	EXPECT_EQ(answer.opaque, 2);
	EXPECT_EQ(answer.code, GANTRY_SYSTEM_BUSY);
	EXPECT_EQ(answer.remark, "[OVERLOAD]system busy, start flow control for a while");
	EXPECT_EQ(Counter("busy"), 1u);
	role.FinishSends();
	EXPECT_EQ(wire.Read().opaque, 1);
	role.hold_sends = false;
	wire.Send(Send(3));
	EXPECT_EQ(wire.Read().code, 0);
}

// Answers of a turn that are larger than its buffer, and one that is larger alone.
TEST_F(FrontSend, LargeAnswers)
{
	Start();
	role.ids = 100;
	Wire wire = Connect();
	std::string all;

	for (int i = 0; i < 200; i++)
		all += Send(i).Bytes();
	wire.Send(all);
	for (int i = 0; i < 200; i++) {
		Message answer = wire.Read();

		ASSERT_EQ(answer.opaque, i);
		ASSERT_EQ(answer.fields["msgId"].size(), 100 * 33u - 1);
	}
	{
		std::lock_guard<std::mutex> held(role.lock);
		role.ids = 4096;
	}
	wire.Send(Send(1).Bytes() + Send(2).Bytes());
	for (int opaque : {1, 2}) {
		Message answer = wire.Read();

		EXPECT_EQ(answer.opaque, opaque);
		EXPECT_EQ(answer.fields["msgId"].size(), 4096 * 33u - 1);
	}
}

// A drain answers new requests with GO_AWAY and waits for the sends under way.
TEST_F(FrontSend, Drains)
{
	Start();
	role.hold_sends = true;
	Wire wire = Connect();
	std::thread client([&] {
		wire.Send(Send(1));
		EXPECT_TRUE(role.Wait([&] { return role.sends.size() == 1; }));
		Message answer;
		int opaque = 2;
		// Until the drain has begun these are parked too.
		do
			wire.Send(Send(opaque++));
		while (wire.Silent(5));
		answer = wire.Read();
		EXPECT_EQ(answer.code, 1500);
		EXPECT_EQ(answer.remark, "please go away");
		Message old = Send(7000);
		old.version = 401;
		wire.Send(old);
		EXPECT_TRUE(role.Wait([&] { return role.sends.back().version == 401; }));
		role.FinishSends();
		for (answer = wire.Read(); answer.opaque != 7000; answer = wire.Read())
			ASSERT_TRUE(answer.whole);
		EXPECT_EQ(answer.code, 0);
		EXPECT_TRUE(wire.Ends());
	});
	EXPECT_TRUE(role.Wait([&] { return !role.sends.empty(); }));
	kernel->Down();
	client.join();
}

} // namespace
