/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: half messages, decisions, asking who did not decide, across restarts and kills. */
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "broker.h"
#include "call/fields.h"
#include "message/properties.h"
#include "message/record.h"
#include "offsets/offsets.h"
#include "session.h"
#include "store/store.h"
#include "transaction/private.h"

namespace
{

const char kHalf[] = "RMQ_SYS_TRANS_HALF_TOPIC";
const char kOp[] = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
const char kGivenUp[] = "TRANS_CHECK_MAX_TIME_TOPIC";
const char kQuick[] = "transactionTimeOut=50\ntransactionCheckInterval=20\n"
		      "transactionOpBatchInterval=10\ntransactionCheckMax=1000000\n"
		      "transactionMetricFlushInterval=20\nflushConsumerOffsetInterval=20\n";
/* nobody is asked, but rounds are made */
const char kPatient[] = "transactionTimeOut=3600000\ntransactionCheckInterval=20\n"
			"transactionOpBatchInterval=10\ntransactionMetricFlushInterval=20\n";
enum { COMMIT = 8, ROLLBACK = 12 };

using Fields = std::map<std::string, std::string>;

std::string text(gantry_str from)
{
	return from.size ? std::string(from.at, from.size) : "";
}

/* ---- a producer that writes down what it is asked */

struct Question {
	Fields fields;
	std::string body;
};

std::mutex asked_lock;
std::map<const gantry_session *, std::vector<Question>> asked; /* guarded by asked_lock */

int push(gantry_session *session, const gantry_push *push)
{
	Question question;

	if (push->code != 39)
		return -ENOTSUP;
	for (uint32_t i = 0; i < push->field_count; i++)
		question.fields[text(push->fields[i].name)] = text(push->fields[i].value);
	question.body = text(push->body);
	std::lock_guard<std::mutex> guard(asked_lock);
	asked[session].push_back(question);
	return 0;
}

class Producer
{
      public:
	Producer(World &world, const std::string &group = "producers")
	    : world(world), session(world), ops(*session.get()->ops)
	{
		gantry_str name = {group.data(), group.size()};
		gantry_client client = {};

		ops.push = push;
		session.get()->ops = &ops;
		client.session = session.get();
		client.id = str_of("client");
		client.producer_groups = &name;
		client.producer_count = 1;
		world.on(session.loop(), [&] { world.ops()->join(world.inst(), &client); });
	}

	~Producer()
	{
		session.close();
		std::lock_guard<std::mutex> guard(asked_lock);
		asked.erase(session.get());
	}

	std::vector<Question> questions()
	{
		std::lock_guard<std::mutex> guard(asked_lock);
		return asked[session.get()];
	}

	Question question(size_t i)
	{
		world.until([&] { return questions().size() > i; });
		return questions().at(i);
	}

	World &world;
	Session session;
	gantry_session_ops ops;
};

/* ---- requests */

struct Answer {
	int32_t code = -1;
	std::string remark;
	int32_t status = 0; /* of the op: not 0 means that nothing is answered */
};

Answer request(World &world, int32_t code, const Fields &fields)
{
	std::vector<gantry_field> list;
	gantry_call call = {};
	Op op(world, world.loop(0));
	Session session(world);
	Answer answer;
	int pending = 0;

	for (const auto &[name, value] : fields)
		list.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
	call.session = session.get();
	call.code = code;
	call.fields = list.data();
	call.field_count = (uint32_t)list.size();
	world.on(world.loop(0),
		 [&] { pending = world.ops()->call(world.inst(), &call, op.get()); });
	if (pending > 0)
		op.wait();
	answer.code = call.ret_code;
	answer.remark = call.remark;
	answer.status = pending > 0 ? op.status() : 0;
	free(call.ret_body);
	return answer;
}

Fields decision(const Sent &half, int state)
{
	return {{"producerGroup", "producers"},
		{"tranStateTableOffset", std::to_string(half.queue_offset)},
		{"commitLogOffset", std::to_string(half.offsets.at(0))},
		{"commitOrRollback", std::to_string(state)},
		{"msgId", half.transaction_id}};
}

Fields decision(const Question &question, int state)
{
	return {{"producerGroup", "producers"},
		{"tranStateTableOffset", question.fields.at("tranStateTableOffset")},
		{"commitLogOffset", question.fields.at("commitLogOffset")},
		{"commitOrRollback", std::to_string(state)},
		{"fromTransactionCheck", "true"},
		{"msgId", question.fields.at("msgId")}};
}

Answer decide(World &world, const Sent &half, int state)
{
	return request(world, 37, decision(half, state));
}

Sent half_of(const std::string &body, const std::string &more = "")
{
	Sent message;

	message.body = body;
	message.queue = 2;
	message.born_ms = broker_wall_ms();
	message.sys_flag = MESSAGE_PREPARED;
	message.properties = pairs({{"TRAN_MSG", "true"},
				    {"PGROUP", "producers"},
				    {"TAGS", "TagA"},
				    {"KEYS", "key-" + body},
				    {"UNIQ_KEY", "unique-" + body}}) +
			     more;
	return message;
}

Sent send_half(World &world, const std::string &body, const std::string &more = "")
{
	Session session(world);
	Sent sent = session.send(half_of(body, more));

	EXPECT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
	return sent;
}

/* ---- what is stored */

struct Stored {
	message_record record = {};
	std::string bytes;

	std::string property(const std::string &key) const
	{
		gantry_str value =
			message_property_find(record.properties, {key.data(), key.size()});

		return value.at ? text(value) : "(none)";
	}
};

/* Everything in a queue, in order. */
std::vector<std::unique_ptr<Stored>> messages(World &world, const std::string &topic,
					      int32_t id = 0)
{
	std::vector<std::unique_ptr<Stored>> found;
	std::vector<int64_t> places;

	world.dispatched();
	world.aside([&] {
		queue *queue =
			store_queue_named(world.messages(), {topic.data(), topic.size()}, id);
		queue_unit units[64];
		int64_t min, max;
		int count;

		queue_bounds(queue, &min, &max);
		while ((count = queue_read(queue, min, 64, units)) > 0 || count == -EAGAIN)
			for (int i = 0; i < count; i++, min++)
				places.push_back(units[i].physical_offset);
	});
	for (int64_t at : places) {
		auto one = std::make_unique<Stored>();

		one->bytes = world.message_at((uint64_t)at);
		EXPECT_EQ(MESSAGE_WHOLE,
			  message_record_read((const uint8_t *)one->bytes.data(), one->bytes.size(),
					      true, &one->record));
		found.push_back(std::move(one));
	}
	return found;
}

std::vector<std::string> bodies_in(World &world, const std::string &topic, int32_t id = 0)
{
	std::vector<std::string> found;

	for (const auto &one : messages(world, topic, id))
		found.push_back(text(one->record.body));
	return found;
}

/* How far the rounds are. */
int64_t checked(World &world, const char *topic)
{
	return offsets_get(world.role()->offsets, str_of("CID_RMQ_SYS_TRANS"), str_of(topic), 0);
}

int64_t open_ones(World &world, const char *topic = "TopicTest")
{
	return counts_get(transactions_of(world.role())->counts, str_of(topic));
}

using Bodies = std::vector<std::string>;

/* ---- half messages */

TEST(Transaction, AHalfMessageNamesWhereItIsFor)
{
	Folder folder;
	World world(folder.path(), kPatient);
	Sent sent = send_half(world, "b");
	auto halves = messages(world, kHalf);

	EXPECT_EQ(sent.ret_queue, 2);
	EXPECT_EQ(sent.queue_offset, 0);
	EXPECT_EQ(sent.transaction_id, "unique-b");
	ASSERT_EQ(halves.size(), 1u);
	EXPECT_EQ(halves[0]->record.physical_offset, (int64_t)sent.offsets.at(0));
	EXPECT_EQ(halves[0]->record.sys_flag & MESSAGE_TRANSACTION, 0);
	EXPECT_EQ(halves[0]->property("REAL_TOPIC"), "TopicTest");
	EXPECT_EQ(halves[0]->property("REAL_QID"), "2");
	EXPECT_EQ(halves[0]->property("__transactionId__"), "unique-b");
	EXPECT_EQ(halves[0]->property("TRAN_MSG"), "true");
	EXPECT_EQ(halves[0]->property("MSG_REGION"), "DefaultRegion");
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{});
	EXPECT_EQ(open_ones(world), 1);
}

TEST(Transaction, WhatTheProducerSaysOfTheRealTopicDoesNotCount)
{
	Folder folder;
	World world(folder.path(), kPatient);

	send_half(world, "b", pairs({{"REAL_TOPIC", "Other"}, {"REAL_QID", "9"}}));
	auto halves = messages(world, kHalf);
	EXPECT_EQ(halves.at(0)->property("REAL_TOPIC"), "TopicTest");
	EXPECT_EQ(halves.at(0)->property("REAL_QID"), "2");
}

TEST(Transaction, MayBeRefused)
{
	Folder folder;
	World world(folder.path(), "rejectTransactionMessage=true\n");
	Session session(world);
	Sent sent = session.send(half_of("b"));

	EXPECT_EQ(sent.code, GANTRY_NO_PERMISSION);
	EXPECT_EQ(sent.remark, "the broker[127.0.0.1] sending transaction message is forbidden");
}

/* ---- decisions */

TEST(Transaction, ACommitStoresTheMessageInItsQueue)
{
	Folder folder;
	World world(folder.path(), kPatient);
	Sent half = send_half(world, "b");
	Answer answer = decide(world, half, COMMIT);

	EXPECT_EQ(answer.code, GANTRY_SUCCESS);
	EXPECT_EQ(answer.remark, "");
	auto real = messages(world, "TopicTest", 2);
	ASSERT_EQ(real.size(), 1u);
	const message_record &record = real[0]->record;
	EXPECT_EQ(text(record.body), "b");
	EXPECT_EQ(record.sys_flag & MESSAGE_TRANSACTION, MESSAGE_COMMITTED);
	EXPECT_EQ(record.prepared_offset, (int64_t)half.offsets.at(0));
	EXPECT_EQ(record.flag, 7);
	EXPECT_EQ(record.born_host.port, 50000);
	EXPECT_EQ(real[0]->property("REAL_TOPIC"), "(none)");
	EXPECT_EQ(real[0]->property("REAL_QID"), "(none)");
	EXPECT_EQ(real[0]->property("TRAN_MSG"), "true");
	EXPECT_EQ(real[0]->property("TAGS"), "TagA");
	EXPECT_EQ(real[0]->property("KEYS"), "key-b");
	EXPECT_EQ(open_ones(world), 0);
}

TEST(Transaction, ACommitMayBeLate)
{
	Folder folder;
	World world(folder.path(), std::string(kPatient) + "messageDelayLevel=1s 1h\n");
	Sent half = send_half(world, "b", pairs({{"DELAY", "1"}}));

	EXPECT_EQ(messages(world, kHalf).size(), 1u);
	EXPECT_EQ(decide(world, half, COMMIT).code, GANTRY_SUCCESS);
	EXPECT_EQ(bodies_in(world, "SCHEDULE_TOPIC_XXXX", 0), Bodies{"b"});
	world.until([&] { return bodies_in(world, "TopicTest", 2) == Bodies{"b"}; });
}

TEST(Transaction, ARollbackStoresNothing)
{
	Folder folder;
	World world(folder.path(), kPatient);
	Answer answer = decide(world, send_half(world, "b"), ROLLBACK);

	EXPECT_EQ(answer.code, GANTRY_SUCCESS);
	EXPECT_EQ(answer.remark, "not set any response code");
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{});
	EXPECT_EQ(open_ones(world), 0);
}

TEST(Transaction, WhatIsSettledIsWrittenAndPassedOver)
{
	Folder folder;
	World world(folder.path(), kPatient);

	for (int i = 0; i < 10; i++)
		decide(world, send_half(world, std::to_string(i)), i % 2 ? COMMIT : ROLLBACK);
	world.until([&] { return checked(world, kHalf) == 10; });
	std::string listed;
	auto ops = messages(world, kOp);
	for (const auto &op : ops) {
		EXPECT_EQ(op->property("TAGS"), "d");
		listed += text(op->record.body);
	}
	EXPECT_EQ(listed, "0,1,2,3,4,5,6,7,8,9,");
	world.until([&] { return checked(world, kOp) == (int64_t)ops.size(); });
	EXPECT_EQ(messages(world, kHalf).size(), 10u);
}

TEST(Transaction, WrongRequestsAreAnsweredAsJavaDoes)
{
	Folder folder;
	World world(folder.path(), kPatient);
	Session session(world);
	Sent half = send_half(world, "b"), plain = session.send(Sent{});
	const struct {
		const char *field, *value, *remark;
	} cases[] = {
		{"producerGroup", "other", "The producer group wrong"},
		{"producerGroup", nullptr, "The producer group wrong"},
		{"tranStateTableOffset", "1", "The transaction state table offset wrong"},
		{"tranStateTableOffset", "-1", "The transaction state table offset wrong"},
		{"commitLogOffset", "-1", "Find prepared transaction message failed"},
		{"commitLogOffset", "1", "Find prepared transaction message failed"},
		{"commitLogOffset", "1099511627776", "Find prepared transaction message failed"},
		{"commitOrRollback", "7",
		 "org.apache.rocketmq.remoting.exception.RemotingCommandException: "
		 "commitOrRollback field wrong"},
	};

	for (const auto &one : cases) {
		Fields fields = decision(half, COMMIT);
		if (one.value)
			fields[one.field] = one.value;
		else
			fields.erase(one.field);
		Answer answer = request(world, 37, fields);
		EXPECT_EQ(answer.code, GANTRY_SYSTEM_ERROR) << one.field;
		EXPECT_EQ(answer.remark, one.remark) << one.field;
	}
	for (const char *field : {"tranStateTableOffset", "commitLogOffset", "commitOrRollback"})
		for (const char *value : {"x", "", "99999999999999999999"}) {
			Fields fields = decision(half, COMMIT);
			fields[field] = value;
			EXPECT_EQ(request(world, 37, fields).code, GANTRY_SYSTEM_ERROR)
				<< field << value;
		}
	Fields other = decision(half, COMMIT);
	other["commitLogOffset"] = std::to_string(plain.offsets.at(0)); /* no half message */
	EXPECT_EQ(request(world, 37, other).remark, "Find prepared transaction message failed");
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{});
	EXPECT_EQ(open_ones(world), 1);
	EXPECT_EQ(decide(world, half, COMMIT).code, GANTRY_SUCCESS);
}

TEST(Transaction, WhoDoesNotKnowYetGetsNoAnswer)
{
	Folder folder;
	World world(folder.path(), kPatient);

	EXPECT_EQ(decide(world, send_half(world, "b"), 0).status, -ECANCELED);
	EXPECT_EQ(open_ones(world), 1);
}

TEST(Transaction, ALateDecisionIsRefusedWhereThatWasAskedFor)
{
	Folder folder;
	World world(folder.path(), "transactionTimeOut=1\ntransactionCheckInterval=3600000\n");
	Sent early = send_half(world, "a", pairs({{"CHECK_IMMUNITY_TIME_IN_SECONDS", "3600"}}));
	Sent late = half_of("b", pairs({{"CHECK_IMMUNITY_TIME_IN_SECONDS", "60"}}));
	Session session(world);

	late.born_ms -= 61000;
	late = session.send(late);
	EXPECT_EQ(decide(world, early, COMMIT).code, GANTRY_SUCCESS);
	EXPECT_EQ(decide(world, late, COMMIT).code, 604);
	EXPECT_EQ(decide(world, late, ROLLBACK).code, 604);
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{"a"});
	Fields asked = decision(late, COMMIT);
	asked["fromTransactionCheck"] = "true";
	EXPECT_EQ(request(world, 37, asked).code, GANTRY_SUCCESS);
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), (Bodies{"a", "b"}));
}

TEST(Transaction, ManyDecisionsMakeFewOpMessages)
{
	Folder folder;
	World world(folder.path(),
		    "transactionTimeOut=3600000\ntransactionCheckInterval=20\n"
		    "transactionOpBatchInterval=600000\ntransactionOpMsgMaxSize=100\n");
	const int count = 300;

	for (int i = 0; i < count; i++)
		decide(world, send_half(world, std::to_string(i)), ROLLBACK);
	/* the rest is gathered still */
	world.until([&] { return checked(world, kHalf) > count - 60; });
	auto ops = messages(world, kOp);
	EXPECT_GE(ops.size(), 8u);
	EXPECT_LE(ops.size(), 12u);
	for (const auto &op : ops)
		EXPECT_LE(op->record.body.size, 110u);
}

/* ---- asking */

TEST(Transaction, WhoDidNotDecideIsAsked)
{
	Folder folder;
	World world(folder.path(), kQuick);
	Producer producer(world);
	Sent half = send_half(world, "b");
	Question question = producer.question(0);
	message_record record = {};

	EXPECT_EQ(question.fields["topic"], kHalf);
	EXPECT_EQ(question.fields["msgId"], "unique-b");
	EXPECT_EQ(question.fields["transactionId"], "unique-b");
	EXPECT_EQ(question.fields["bname"], "broker-a");
	EXPECT_EQ(question.fields["tranStateTableOffset"], "1");
	ASSERT_EQ(MESSAGE_WHOLE, message_record_read((const uint8_t *)question.body.data(),
						     question.body.size(), true, &record));
	EXPECT_EQ(text(record.topic), "TopicTest");
	EXPECT_EQ(record.queue, 2);
	EXPECT_EQ(record.queue_offset, 1);
	EXPECT_EQ(std::to_string(record.physical_offset), question.fields["commitLogOffset"]);
	EXPECT_EQ(text(record.body), "b");
	EXPECT_EQ(text(message_property_find(record.properties, str_of("TRANSACTION_CHECK_TIMES"))),
		  "1");
	EXPECT_EQ(text(message_property_find(record.properties, str_of("REAL_TOPIC"))),
		  "TopicTest");

	for (size_t i = 1; i < 5; i++) {
		Question next = producer.question(i);
		ASSERT_EQ(MESSAGE_WHOLE, message_record_read((const uint8_t *)next.body.data(),
							     next.body.size(), true, &record));
		EXPECT_EQ(text(message_property_find(record.properties,
						     str_of("TRANSACTION_CHECK_TIMES"))),
			  std::to_string(i + 1));
	}
	EXPECT_GE(checked(world, kHalf), 1);
	(void)half;
}

/* Answers the newest question until there are no more. */
void answer_all(Producer &producer, int state)
{
	World &world = producer.world;
	size_t answered = 0;

	producer.question(0);
	world.until([&] {
		auto questions = producer.questions();
		for (; answered < questions.size(); answered++)
			EXPECT_EQ(request(world, 37, decision(questions[answered], state)).code,
				  GANTRY_SUCCESS);
		return checked(world, kHalf) == (int64_t)messages(world, kHalf).size();
	});
}

TEST(Transaction, AnAnswerThatCommitsEndsTheAsking)
{
	Folder folder;
	World world(folder.path(), kQuick);
	Producer producer(world);

	send_half(world, "b");
	answer_all(producer, COMMIT);
	EXPECT_GE(bodies_in(world, "TopicTest", 2).size(), 1u);
}

TEST(Transaction, AnAnswerThatRollsBackEndsTheAsking)
{
	Folder folder;
	World world(folder.path(), kQuick);
	Producer producer(world);

	send_half(world, "b");
	answer_all(producer, ROLLBACK);
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{});
}

/* Settled in memory, with no op message yet, and due: its clock is ahead. */
TEST(Transaction, NobodyIsAskedOfWhatIsSettled)
{
	bool asked_before = true;

	while (asked_before) { /* a round may come before the decision: once more then */
		Folder folder;
		World world(folder.path(), "transactionCheckInterval=200\n"
					   "transactionOpBatchInterval=3600000\n");
		Producer producer(world);
		Session session(world);
		Sent half = half_of("b");

		half.born_ms += 36000000;
		half = session.send(half);
		ASSERT_EQ(decide(world, half, ROLLBACK).code, GANTRY_SUCCESS);
		asked_before = !producer.questions().empty();
		world.until([&] { return checked(world, kHalf) >= 1; });
		if (!asked_before) {
			EXPECT_TRUE(producer.questions().empty());
		}
		EXPECT_TRUE(messages(world, kOp).empty());
	}
}

TEST(Transaction, WhatNobodyDecidesIsGivenUp)
{
	Folder folder;
	World world(folder.path(), std::string(kQuick) + "transactionCheckMax=3\n");
	Producer producer(world);

	send_half(world, "b");
	world.until([&] { return !messages(world, kGivenUp).empty(); });
	auto given_up = messages(world, kGivenUp);
	ASSERT_EQ(given_up.size(), 1u);
	EXPECT_EQ(given_up[0]->property("TRANSACTION_CHECK_TIMES"), "3");
	EXPECT_EQ(given_up[0]->property("REAL_TOPIC"), "TopicTest");
	EXPECT_EQ(given_up[0]->property("REAL_QID"), "2");
	EXPECT_EQ(text(given_up[0]->record.body), "b");
	EXPECT_EQ(producer.questions().size(), 3u);
	world.until([&] { return checked(world, kHalf) == 4; });
	world.until([&] { return open_ones(world) == 0; });
	EXPECT_EQ(messages(world, kHalf).size(), 4u);
}

TEST(Transaction, WhatIsOlderThanItsFileIsGivenUp)
{
	Folder folder;
	World world(folder.path(), kQuick);
	Producer producer(world);
	Session session(world);
	Sent old = half_of("b");

	old.born_ms -= INT64_C(73) * 3600000; /* fileReservedTime is 72 */
	session.send(old);
	world.until([&] { return !messages(world, kGivenUp).empty(); });
	EXPECT_TRUE(producer.questions().empty());
	EXPECT_EQ(bodies_in(world, kGivenUp), Bodies{"b"});
}

TEST(Transaction, AnAdministratorLetsItBeAskedForAgain)
{
	Folder folder;
	World world(folder.path(), std::string(kQuick) + "transactionCheckMax=2\n");
	Producer producer(world);

	send_half(world, "b");
	world.until([&] { return !messages(world, kGivenUp).empty(); });
	auto given_up = messages(world, kGivenUp);
	char id[33];
	snprintf(id, sizeof(id), "7F00000100002A9F%016llX",
		 (unsigned long long)given_up[0]->record.physical_offset);
	EXPECT_EQ(request(world, 323, {{"msgId", id}}).code, GANTRY_SUCCESS);
	EXPECT_NE(producer.question(2).body, "");
	EXPECT_EQ(request(world, 323, {{"msgId", "x"}}).code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(request(world, 323, {}).remark,
		  "Exception was thrown when putting message back to RMQ_SYS_TRANS_HALF_TOPIC.");
	Session session(world);
	Sent plain = session.send(Sent{});
	snprintf(id, sizeof(id), "7F00000100002A9F%016llX",
		 (unsigned long long)plain.offsets.at(0));
	EXPECT_EQ(request(world, 323, {{"msgId", id}}).code, GANTRY_SYSTEM_ERROR);
}

TEST(Transaction, AProducerThatComesLaterIsAsked)
{
	Folder folder;
	World world(folder.path(), kQuick);

	send_half(world, "b");
	world.until([&] { return messages(world, kHalf).size() > 3; }); /* put back, in vain */
	{
		Producer other(world, "others");
		Producer producer(world);

		answer_all(producer, COMMIT);
		EXPECT_TRUE(other.questions().empty());
	}
	EXPECT_GE(bodies_in(world, "TopicTest", 2).size(), 1u);
}

TEST(Transaction, AnImmuneOneWaitsAtTheEndOfTheQueue)
{
	Folder folder;
	World world(folder.path(), kQuick);
	Producer producer(world);
	Sent half = send_half(world, "b", pairs({{"CHECK_IMMUNITY_TIME_IN_SECONDS", "3600"}}));

	world.until([&] { return checked(world, kHalf) >= 3; });
	EXPECT_TRUE(producer.questions().empty());
	EXPECT_EQ(messages(world, kHalf).back()->property("TRAN_PREPARED_QUEUE_OFFSET"), "0");
	(void)half;
}

/* ---- restarts */

TEST(Transaction, ACleanStopWritesWhatIsSettled)
{
	Folder folder;
	const std::string keys = "transactionTimeOut=1\ntransactionCheckInterval=3600000\n"
				 "transactionOpBatchInterval=3600000\n";
	{
		World world(folder.path(), keys);

		for (int i = 0; i < 5; i++)
			decide(world, send_half(world, std::to_string(i)), COMMIT);
		send_half(world, "open");
	}
	World world(folder.path(), kQuick);
	Producer producer(world);

	EXPECT_EQ(bodies_in(world, kOp), Bodies{"0,1,2,3,4,"});
	EXPECT_EQ(open_ones(world), 1);
	EXPECT_EQ(producer.question(0).fields.at("msgId"), "unique-open");
	EXPECT_EQ(bodies_in(world, "TopicTest", 2).size(), 5u);
	for (const auto &question : producer.questions())
		EXPECT_EQ(question.fields.at("msgId"), "unique-open");
}

TEST(Transaction, AKillLosesNoHalfMessage)
{
	Folder folder;
	const std::string keys = "transactionTimeOut=1\ntransactionCheckInterval=3600000\n"
				 "transactionOpBatchInterval=3600000\n";

	in_a_process_that_dies(
		folder.path(),
		[](World &world) {
			decide(world, send_half(world, "committed"), COMMIT); /* op pending */
			send_half(world, "open");
		},
		keys);
	World world(folder.path(), kQuick);
	Producer producer(world);

	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{"committed"});
	EXPECT_TRUE(messages(world, kOp).empty());
	/* who was committed is asked for again: its op is lost */
	world.until([&] {
		bool committed = false, open = false;
		for (const auto &question : producer.questions()) {
			committed |= question.fields.at("msgId") == "unique-committed";
			open |= question.fields.at("msgId") == "unique-open";
		}
		return committed && open;
	});
	answer_all(producer, ROLLBACK);
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{"committed"});
}

TEST(Transaction, AKillAfterTheOpAsksNobody)
{
	Folder folder;

	in_a_process_that_dies(
		folder.path(),
		[](World &world) {
			decide(world, send_half(world, "a"), COMMIT);
			decide(world, send_half(world, "b"), ROLLBACK);
			world.until([&] { return checked(world, kHalf) == 2; });
		},
		kPatient);
	World world(folder.path(), kQuick);
	Producer producer(world);

	world.until([&] { return checked(world, kHalf) == 2; });
	EXPECT_TRUE(producer.questions().empty());
	EXPECT_EQ(bodies_in(world, "TopicTest", 2), Bodies{"a"});
	EXPECT_EQ(messages(world, kHalf).size(), 2u);
}

TEST(Transaction, OffsetsBehindTheQueuesEndAreCorrected)
{
	Folder folder;
	{
		World world(folder.path(), kPatient);
		send_half(world, "b");
	}
	std::filesystem::create_directories(folder / "config");
	std::ofstream(folder / "config/consumerOffset.json")
		<< "{\"offsetTable\":{\"RMQ_SYS_TRANS_HALF_TOPIC@CID_RMQ_SYS_TRANS\":{0:77},"
		   "\"RMQ_SYS_TRANS_OP_HALF_TOPIC@CID_RMQ_SYS_TRANS\":{0:55}}}";
	World world(folder.path(), kQuick);
	Producer producer(world);

	world.until([&] { return checked(world, kHalf) == 1; });
	send_half(world, "c");
	EXPECT_EQ(producer.question(0).fields.at("msgId"), "unique-c");
}

TEST(Transaction, TheNumbersOfOpenOnesAreKept)
{
	Folder folder;
	{
		World world(folder.path(), kPatient);

		for (int i = 0; i < 3; i++)
			send_half(world, std::to_string(i));
	}
	std::stringstream file;
	file << std::ifstream(folder / "config/transactionMetrics").rdbuf();
	EXPECT_NE(file.str().find("\"transactionCount\":{\"TopicTest\":{\"count\":3,"),
		  std::string::npos)
		<< file.str();
	World world(folder.path(), kPatient);
	EXPECT_EQ(open_ones(world), 3);
}

/* Java's light queues have half messages as well; ours have what was committed. */
TEST(Transaction, LightQueuesGetWhatIsCommitted)
{
	Folder folder;
	World world(folder.path(),
		    std::string(kPatient) + "enableLmq=true\nenableMultiDispatch=true\n");
	const std::string light = "INNER_MULTI_DISPATCH\1%LMQ%a,%LMQ%b\2";
	Sent kept = send_half(world, "kept", light), dropped = send_half(world, "dropped", light);

	EXPECT_EQ(0u, messages(world, "%LMQ%a").size());
	EXPECT_EQ(GANTRY_SUCCESS, decide(world, dropped, ROLLBACK).code);
	EXPECT_EQ(GANTRY_SUCCESS, decide(world, kept, COMMIT).code);
	EXPECT_EQ(std::vector<std::string>{"kept"}, bodies_in(world, "TopicTest", 2));
	EXPECT_EQ(std::vector<std::string>{"kept"}, bodies_in(world, "%LMQ%a"));
	auto found = messages(world, "%LMQ%b");
	ASSERT_EQ(1u, found.size());
	EXPECT_EQ("0,0", found[0]->property(MESSAGE_MULTI_OFFSETS));
}

TEST(Transaction, ALightQueueThatCannotBeKeepsNoMessageFromItsTopic)
{
	Folder folder;
	World world(folder.path(),
		    std::string(kPatient) + "enableLmq=true\nmaxLmqConsumeQueueNum=0\n");
	Sent half = send_half(world, "one", "INNER_MULTI_DISPATCH\1%LMQ%a\2");

	EXPECT_EQ(GANTRY_SUCCESS, decide(world, half, COMMIT).code);
	EXPECT_EQ(std::vector<std::string>{"one"}, bodies_in(world, "TopicTest", 2));
}

} // namespace
