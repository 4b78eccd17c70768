/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: codes and texts in RocketMQ's order of checks, batches, and what is stored. */
#include <gtest/gtest.h>

#include "broker.h"
#include "message/properties.h"
#include "message/record.h"
#include "session.h"
#include "store/store.h"
#include "topics/topics.h"

namespace
{

const char kIllegal[] =
	"the message is illegal, maybe msg body or properties length not matched. msg "
	"body length limit 4194304B, msg properties length limit 32KB.";

class Send : public testing::Test
{
      protected:
	Send() : world(folder.path()), session(world)
	{
	}

	message_record stored(uint64_t at)
	{
		message_record record = {};

		bytes = world.message_at(at);
		EXPECT_EQ(message_record_read((const uint8_t *)bytes.data(), bytes.size(), true,
					      &record),
			  MESSAGE_WHOLE);
		return record;
	}

	std::string property(const message_record &record, const std::string &key)
	{
		gantry_str value =
			message_property_find(record.properties, {key.data(), key.size()});

		return value.at ? std::string(value.at, value.size) : "(none)";
	}

	Folder folder;
	World world;
	Session session;
	std::string bytes; /* of the record that stored() gave */
};

Sent with(const std::string &properties)
{
	Sent message;

	message.properties = properties;
	return message;
}

Sent to(const std::string &topic, int32_t queue = 0)
{
	Sent message;

	message.topic = topic;
	message.queue = queue;
	return message;
}

TEST_F(Send, MakesATopicAsRocketmqDoes)
{
	Sent sent = session.send(to("New-Topic_1", 3));
	topic *made;

	ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
	EXPECT_EQ(sent.ret_queue, 3);
	made = topics_find(world.role()->topics, {"New-Topic_1", 11});
	ASSERT_NE(made, nullptr);
	EXPECT_EQ(topic_write_queues(made), 4);
	EXPECT_EQ(topic_perm(made), 6);
}

TEST_F(Send, AnyQueueIsOneOfTheTopics)
{
	bool seen[4] = {};

	for (int i = 0; i < 200; i++) {
		Sent sent = session.send(to("T", -1));

		ASSERT_EQ(sent.code, GANTRY_SUCCESS);
		ASSERT_GE(sent.ret_queue, 0);
		ASSERT_LT(sent.ret_queue, 4);
		seen[sent.ret_queue] = true;
	}
	EXPECT_TRUE(seen[0] && seen[1] && seen[2] && seen[3]);
}

TEST_F(Send, RefusesTopicsWithTheirCodes)
{
	const struct {
		const char *topic, *default_topic;
		int32_t code;
		const char *remark;
	} cases[] = {
		{"", "TBW102", GANTRY_INVALID_PARAMETER, "The specified topic is blank."},
		{"a b", "TBW102", GANTRY_INVALID_PARAMETER,
		 "The specified topic: a b, contains illegal characters, allowing only "
		 "^[%|a-zA-Z0-9_-]+$"},
		{"SCHEDULE_TOPIC_XXXX", "TBW102", GANTRY_NO_PERMISSION,
		 "Sending message to topic[SCHEDULE_TOPIC_XXXX] is forbidden."},
		{"TRANS_CHECK_MAX_TIME_TOPIC", "TBW102", GANTRY_NO_PERMISSION,
		 "Sending message to topic[TRANS_CHECK_MAX_TIME_TOPIC] is forbidden."},
		{"Nowhere", "NoDefault", GANTRY_TOPIC_NOT_EXIST,
		 "topic[Nowhere] not exist, apply first please!\nSee "
		 "https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."},
	};

	for (const auto &one : cases) {
		Sent message = to(one.topic);

		message.default_topic = one.default_topic;
		message = session.send(message);
		EXPECT_EQ(message.code, one.code) << one.topic;
		EXPECT_EQ(message.remark, one.remark);
		EXPECT_TRUE(message.offsets.empty());
	}
}

TEST_F(Send, RefusesAQueueThatIsNone)
{
	Sent sent = session.send(to("T", 4));

	EXPECT_EQ(sent.code, GANTRY_INVALID_PARAMETER);
	EXPECT_EQ(sent.remark.rfind("request queueId[4] is illegal", 0), 0u) << sent.remark;
}

TEST_F(Send, RefusesBodiesAndPropertiesThatAreTooLong)
{
	Sent message;

	message.body = "";
	EXPECT_EQ(session.send(message).code, GANTRY_SYSTEM_ERROR);
	message.body = std::string(4194305, 'x');
	message = session.send(message);
	EXPECT_EQ(message.code, GANTRY_MESSAGE_ILLEGAL);
	EXPECT_EQ(message.remark, kIllegal);
	message = session.send(with("A\1" + std::string(32767, 'x') + "\2"));
	EXPECT_EQ(message.code, GANTRY_MESSAGE_ILLEGAL);
	EXPECT_EQ(message.remark, kIllegal);
	EXPECT_EQ(session.send(Sent{}).queue_offset, 0); /* nothing was stored */
}

TEST_F(Send, DoesNotTakeWhatItCannotKeep)
{
	Sent sent = session.send(with(pairs({{"DELAY", "x"}})));

	EXPECT_EQ(sent.code, GANTRY_SYSTEM_ERROR);
	EXPECT_NE(sent.remark.find("DELAY"), std::string::npos);
	for (const char *key : {"TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"}) {
		sent = session.send(with(pairs({{key, "10"}})));
		EXPECT_EQ(sent.code, GANTRY_SYSTEM_ERROR);
		EXPECT_EQ(sent.remark,
			  "accurate timer message is not enabled, timerWheelEnable is false");
	}
	EXPECT_EQ(session.send(with(pairs({{"INNER_NUM", "2"}}))).code, GANTRY_MESSAGE_ILLEGAL);
	EXPECT_EQ(session.send(with(pairs({{"DELAY", "0"}, {"TRAN_MSG", "no"}}))).code,
		  GANTRY_SUCCESS);
}

TEST_F(Send, MakesAKeyForAMessageWithoutOne)
{
	Sent one = session.send(Sent{}), two = session.send(Sent{});
	message_record record;

	ASSERT_EQ(one.code, GANTRY_SUCCESS) << one.remark;
	EXPECT_EQ(one.transaction_id.size(), 32u);
	EXPECT_NE(one.transaction_id, two.transaction_id);
	EXPECT_EQ(one.transaction_id.substr(0, 8), "7F000001");
	record = stored(one.offsets.at(0));
	EXPECT_EQ(property(record, "UNIQ_KEY"), one.transaction_id);
	EXPECT_EQ(property(record, "CLUSTER"), "DefaultCluster");
}

TEST_F(Send, ReplacesItsOwnPropertiesAndKeepsTheRest)
{
	Sent sent = session.send(with("a\1"
				      "1\2WAIT\1true\2b\1"
				      "2\2CLUSTER\1other\2TRACE_ON\1x\2"
				      "c\1"
				      "3\2MSG_REGION\1r\2POP_CK\1p\2UNIQ_KEY\1U\2d\1"
				      "4"));
	message_record record;

	ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
	record = stored(sent.offsets.at(0));
	EXPECT_EQ(std::string(record.properties.at, record.properties.size),
		  "a\1"
		  "1\2WAIT\1true\2b\1"
		  "2\2c\1"
		  "3\2UNIQ_KEY\1U\2d\1"
		  "4\2MSG_REGION\1DefaultRegion\2"
		  "TRACE_ON\1true\2CLUSTER\1DefaultCluster\2");
}

TEST_F(Send, StoresABatchAsItsMessages)
{
	Sent batch;
	message_record record;

	session.send(Sent{});
	batch.flags = GANTRY_SEND_BATCH;
	batch.body = batch_item("one", "A\1"
				       "1\2") +
		     batch_item("two", "") + batch_item("three", pairs({{"TAGS", "t"}}));
	batch = session.send(batch);
	ASSERT_EQ(batch.code, GANTRY_SUCCESS) << batch.remark;
	EXPECT_EQ(batch.queue_offset, 1);
	EXPECT_EQ(batch.transaction_id, "");
	ASSERT_EQ(batch.offsets.size(), 3u);
	record = stored(batch.offsets[1]);
	EXPECT_EQ(std::string(record.body.at, record.body.size), "two");
	EXPECT_EQ(record.queue_offset, 2);
	EXPECT_EQ(record.properties.size, 0u);
	record = stored(batch.offsets[2]);
	EXPECT_EQ(record.queue_offset, 3);
	EXPECT_EQ(property(record, "TAGS"), "t");
	EXPECT_EQ(session.send(Sent{}).queue_offset, 4);
}

TEST_F(Send, RefusesBatchesThatAreNone)
{
	Sent batch;

	batch.flags = GANTRY_SEND_BATCH;
	batch.body = batch_item("one") + "x";
	EXPECT_EQ(session.send(batch).code, GANTRY_MESSAGE_ILLEGAL);
	batch.body = batch_item("one");
	batch.topic = "%RETRY%g";
	batch = session.send(batch);
	EXPECT_EQ(batch.code, GANTRY_MESSAGE_ILLEGAL);
	EXPECT_EQ(batch.remark, "batch request does not support retry group %RETRY%g");
	batch.topic = "T";
	batch.properties = pairs({{"DELAY", "1"}});
	EXPECT_EQ(session.send(batch).code, GANTRY_MESSAGE_ILLEGAL);
	batch.properties = "";
	batch.sys_flag = MESSAGE_PREPARED;
	EXPECT_EQ(session.send(batch).code, GANTRY_MESSAGE_ILLEGAL);
}

TEST_F(Send, AnswersEachRequestOfACall)
{
	std::vector<Sent> call = {Sent{}, to("a b"), Sent{}, to("T", 99), Sent{}};

	call[4].flags = GANTRY_SEND_BATCH;
	call[4].body = batch_item("x") + batch_item("y");
	session.send(call);
	EXPECT_EQ(call[0].code, GANTRY_SUCCESS);
	EXPECT_EQ(call[1].code, GANTRY_INVALID_PARAMETER);
	EXPECT_EQ(call[2].code, GANTRY_SUCCESS);
	EXPECT_EQ(call[3].code, GANTRY_INVALID_PARAMETER);
	EXPECT_EQ(call[4].code, GANTRY_SUCCESS);
	EXPECT_EQ(call[0].queue_offset, 0);
	EXPECT_EQ(call[2].queue_offset, 1);
	EXPECT_EQ(call[4].queue_offset, 2);
	EXPECT_EQ(call[4].offsets.size(), 2u);
	EXPECT_LT(call[0].offsets.at(0), call[2].offsets.at(0));
}

/* Hundreds of requests in one call, some of them large: more than a pooled call keeps. */
TEST_F(Send, TakesLargeCalls)
{
	std::vector<Sent> call(1500);

	for (size_t i = 0; i < call.size(); i++) {
		call[i].queue = (int32_t)(i % 4);
		call[i].body = std::string(i % 100 ? 100 : 20000, 'b');
	}
	for (int round = 0; round < 2; round++) {
		session.send(call);
		for (const Sent &sent : call)
			ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
		EXPECT_EQ(call[1499].queue_offset, 375 * (round + 1) - 1);
	}
}

/* Topics are looked for before the requests are looked at, many together. */
TEST_F(Send, FindsTheTopicOfEachRequestOfALargeCall)
{
	std::vector<Sent> call(300);

	for (size_t i = 0; i < call.size(); i++) {
		call[i].topic = "Topic-" + std::to_string(i % 70);
		call[i].queue = (int32_t)(i % 70 % 4);
		call[i].body = call[i].topic;
	}
	call[70].topic = call[71].topic = "a b";
	call[80].topic = "Nowhere";
	call[80].default_topic = "NoDefault";
	call[90].queue = 1000000;
	call[91].queue = -1;
	for (int round = 0; round < 2; round++) {
		session.send(call);
		for (size_t i = 0; i < call.size(); i++) {
			bool refused = i == 70 || i == 71 || i == 80 || i == 90;

			ASSERT_EQ(call[i].code == GANTRY_SUCCESS, !refused) << call[i].remark;
			if (refused)
				continue;
			message_record record = stored(call[i].offsets.at(0));
			EXPECT_EQ(std::string(record.topic.at, record.topic.size), call[i].topic);
			EXPECT_EQ(record.body.size, call[i].body.size());
		}
		world.dispatched();
	}
	EXPECT_EQ(call[299].queue_offset, 9);
}

TEST_F(Send, MessagesCrossSegments)
{
	std::vector<uint64_t> at;
	Sent message;

	message.body = std::string(300000, 'x');
	for (int i = 0; i < 12; i++) { /* segments of 1 MiB */
		Sent sent = session.send(message);

		ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
		at.push_back(sent.offsets.at(0));
	}
	for (uint64_t offset : at)
		EXPECT_EQ(stored(offset).body.size, 300000u);
	EXPECT_GT(at.back(), 3000000u);
	world.dispatched();
}

TEST_F(Send, RetriesGoToTheirTopicAndDieAtLast)
{
	Sent message = to("%RETRY%group1");
	message_record record;
	Sent sent;

	message.reconsume = 3;
	message.properties = pairs({{"DELAY", "6"}});
	sent = session.send(message);
	ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
	record = stored(sent.offsets.at(0));
	EXPECT_EQ(std::string(record.topic.at, record.topic.size), "SCHEDULE_TOPIC_XXXX");
	EXPECT_EQ(record.queue, 5);
	EXPECT_EQ(property(record, "REAL_TOPIC"), "%RETRY%group1");
	EXPECT_EQ(record.reconsume_times, 3);

	message.max_reconsume = 2;
	sent = session.send(message);
	ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
	record = stored(sent.offsets.at(0));
	EXPECT_EQ(std::string(record.topic.at, record.topic.size), "%DLQ%group1");
	EXPECT_EQ(property(record, "DELAY"), "-1");
	EXPECT_EQ(sent.ret_queue, 0);
}

TEST(SendSync, WaitsForTheDisk)
{
	Folder folder;
	World world(folder.path(), "flushDiskType = SYNC_FLUSH");
	Session one(world, 0), two(world, 1);
	std::vector<Sent> call(50);

	for (int round = 0; round < 5; round++) {
		one.send(call);
		two.send(call);
		for (const Sent &sent : call)
			ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
	}
	EXPECT_EQ(call[49].queue_offset, 499);
	world.dispatched();
	call[0].properties = pairs({{"WAIT", "false"}});
	EXPECT_EQ(one.send(call[0]).code, GANTRY_SUCCESS);
}

TEST(SendSlave, IsRefused)
{
	Folder folder;
	World world(folder.path(), "brokerRole = SLAVE\nbrokerId = 1");
	Session session(world);
	Sent sent = session.send(Sent{});

	EXPECT_EQ(sent.code, GANTRY_SYSTEM_BUSY);
	EXPECT_EQ(sent.remark, "[REJECTREQUEST]system busy, start flow control for a while");
}

TEST(SendLater, IsRefusedBeforeItsTime)
{
	Folder folder;
	World world(folder.path(), "startAcceptSendRequestTimeStamp = 4102444800000");
	Session session(world);
	Sent sent = session.send(Sent{});

	EXPECT_EQ(sent.code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(sent.remark.rfind("broker unable to service, until ", 0), 0u) << sent.remark;
}

/* Under enableCompaction=false such a topic is as others, but for the key (SendMessageProcessor).
 */
TEST(SendToCompaction, WantsKeys)
{
	Folder folder;
	World world(folder.path(), "enableCompaction=false\n");
	Session session(world);
	Sent sent;

	make_topic(world, "TopicTest", "{\"cleanup.policy\":\"COMPACTION\"}");
	for (const char *keys : {"", " \t", "\x1c\x1f", "\u3000\u2028\u1680\u2006"}) {
		sent.properties = *keys ? pairs({{"KEYS", keys}}) : "";
		Sent refused = session.send(sent);
		EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, refused.code);
		EXPECT_EQ("Required message key is missing", refused.remark);
	}
	for (const char *keys : {"a", "\u2007", "\xe2\x80", "\u3000."}) {
		sent.properties = pairs({{"KEYS", keys}});
		EXPECT_EQ(GANTRY_SUCCESS, session.send(sent).code);
	}
	world.dispatched();
	EXPECT_EQ(4u, stored(world, "TopicTest", 0).size());
}

} // namespace
