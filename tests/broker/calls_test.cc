/* SPDX-License-Identifier: Apache-2.0 */
/* Every call that the broker serves, with fields and bodies that are missing, empty, huge, negative
 * or of the wrong type, in any mixture: each gets an answer, and what others have stored stays. */
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "client.h"
#include "session.h"

namespace
{

const char kSafe[] = "SafeTopic"; /* nothing names it */
enum { LAST_CODE = 2100, SAFE_MESSAGES = 20, MOST_PENDING = 16 };

/* The names of fields that RocketMQ's requests have. */
const char *const kNames[] = {
	"topic",
	"consumerGroup",
	"producerGroup",
	"group",
	"groupName",
	"queueId",
	"queueOffset",
	"offset",
	"commitOffset",
	"maxNum",
	"maxMsgNums",
	"key",
	"timestamp",
	"beginTimestamp",
	"endTimestamp",
	"boundaryType",
	"committed",
	"clientID",
	"clientId",
	"clientAddr",
	"jstackEnable",
	"readQueueNums",
	"writeQueueNums",
	"perm",
	"order",
	"attributes",
	"topicFilterType",
	"topicSysFlag",
	"defaultTopic",
	"readable",
	"isForce",
	"srcGroup",
	"destGroup",
	"offline",
	"statsName",
	"statsKey",
	"isOrder",
	"index",
	"count",
	"msgId",
	"delayLevel",
	"originTopic",
	"originMsgId",
	"maxReconsumeTimes",
	"compareGroup",
	"filterGroups",
	"topicList",
	"setZeroIfNotFound",
	"cleanOffset",
	"commitLogOffset",
	"tranStateTableOffset",
	"commitOrRollback",
	"transactionId",
	"fromTransactionCheck",
	"brokerName",
	"configType",
	"sysFlag",
	"bornTimestamp",
	"flag",
	"properties",
	"a",
	"b",
	"e",
	"f",
	"g",
	"h",
	"i",
	"_UNIQUE_KEY_QUERY",
};

const std::string kValues[] = {
	"TopicTest",
	"TopicOther",
	"consumers",
	"producers",
	"0",
	"1",
	"3",
	"-1",
	"4",
	"8",
	"12",
	"32",
	"true",
	"false",
	"",
	" ",
	"x7",
	"1.5",
	"2147483647",
	"2147483648",
	"-2147483649",
	"9223372036854775807",
	"9223372036854775808",
	"-9223372036854775808",
	"TBW102",
	"%RETRY%consumers",
	"%DLQ%consumers",
	"SCHEDULE_TOPIC_XXXX",
	"RMQ_SYS_TRANS_HALF_TOPIC",
	"rmq_sys_x",
	"%LMQ%x",
	"../../etc",
	"a/b",
	"a\nb",
	std::string("a\0b", 3),
	"\xff\xfe\x80",
	"SINGLE_TAG",
	"UPPER",
	"+queue.type=BatchCQ",
	"-x,+y=",
	"TOPIC_PUT_NUMS",
	"7F00000100002A9F0000000000000000",
	std::string(300, 'L'),
	std::string(70000, 'M'),
};

const std::string kBodies[] = {
	"",
	"{}",
	"[]",
	"null",
	"\"text\"",
	"{",
	"{\"a\":",
	std::string("\0\1\2", 3),
	"7",
	R"({"groupName":"consumers","retryMaxTimes":-1,"brokerId":"x"})",
	R"({"groupName":null})",
	R"({"groupName":{}})",
	R"({"topicConfigList":[{"topicName":"TopicOther","readQueueNums":-1},null,7,"x"]})",
	R"({"groupConfigList":[{"groupName":""},null]})",
	R"({"consumerGroup":"consumers","clientId":"c","mqSet":[{"topic":"TopicTest",)"
	R"("queueId":-9,"brokerName":"b"},{},null]})",
	R"({"topic":"TopicTest","consumerGroup":"consumers","clientId":"c","messageModel":7})",
	R"({"topic":"TopicTest","consumerGroup":"consumers","mode":"POP","popShareQueueNum":-5})",
	R"({"clientId":"c","group":"consumers","subscriptionData":{"topic":"TopicTest",)"
	R"("subString":"a > ","expressionType":"SQL92"}})",
	"brokerPermission=99\nmaxMessageSize=-1\nno such line\n=x\n",
	std::string(5000, '['),
};

class Calls : public testing::Test
{
      protected:
	Folder folder;
	World world{folder.path()};
	std::mt19937 random{seed()};
	std::vector<int32_t> served;

	/* GANTRY_SEED makes the same calls again. */
	static unsigned seed()
	{
		const char *text = std::getenv("GANTRY_SEED");
		unsigned value =
			text ? unsigned(std::strtoul(text, nullptr, 10)) : std::random_device{}();

		testing::Test::RecordProperty("seed", std::to_string(value));
		printf("GANTRY_SEED=%u\n", value);
		return value;
	}

	template <class T, size_t N> const T &any(const T (&values)[N])
	{
		return values[random() % N];
	}

	void SetUp() override
	{
		Session sender(world);
		Client client(world);

		for (int i = 0; i < SAFE_MESSAGES; i++) {
			Sent message;

			message.topic = kSafe;
			ASSERT_EQ(sender.send(message).code, GANTRY_SUCCESS);
			message.topic = "TopicTest";
			ASSERT_EQ(sender.send(message).code, GANTRY_SUCCESS);
		}
		world.dispatched();
		for (int32_t code = 0; code <= LAST_CODE; code++)
			if (client.call(code, {}).code != GANTRY_REQUEST_CODE_NOT_SUPPORTED)
				served.push_back(code);
		ASSERT_GT(served.size(), 20u);
	}

	Fields fields()
	{
		Fields result;

		for (size_t count = random() % 24; count; count--)
			result[any(kNames)] = any(kValues);
		return result;
	}

	/* Calls without waiting for each answer, as a pipelining client does. */
	void call(size_t count)
	{
		Client client(world, random() % 2);
		std::vector<std::unique_ptr<Client::Pending>> pending;

		while (count--) {
			pending.push_back(client.begin(served[random() % served.size()], fields(),
						       any(kBodies)));
			if (pending.size() < MOST_PENDING)
				continue;
			for (auto &one : pending)
				EXPECT_GE(one->wait().code, 0);
			pending.clear();
		}
		for (auto &one : pending)
			EXPECT_GE(one->wait().code, 0);
	}

	void expect_safe()
	{
		Session session(world);
		Pulled pull;

		pull.topic = kSafe;
		pull.group = "reader";
		pull = session.pull(pull);
		EXPECT_EQ(pull.code, GANTRY_SUCCESS) << pull.remark;
		EXPECT_EQ(pull.count, uint32_t{SAFE_MESSAGES});
		EXPECT_EQ(pull.max, SAFE_MESSAGES);
	}
};

TEST_F(Calls, AreAnsweredWhateverTheySay)
{
	for (int round = 0; round < 30 && !HasFailure(); round++)
		call(100);
	world.dispatched();
	expect_safe();
}

TEST_F(Calls, PullsAndSendsOfAnyNumbersCostOnlyThemselves)
{
	static const int64_t numbers[] = {0,  1,   -1,        31,        32,        65535,    65536,
					  -7, 100, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
	Session session(world);

	for (int i = 0; i < 500; i++) {
		Pulled pull;
		Sent send;

		pull.topic = any(kValues).substr(0, 255);
		pull.group = any(kValues).substr(0, 255);
		pull.subscription = any(kValues);
		pull.type = i % 3 ? "TAG" : i % 2 ? "SQL92" : any(kValues);
		pull.offset = any(numbers);
		pull.commit_offset = any(numbers);
		pull.sub_version = any(numbers);
		pull.queue = int32_t(any(numbers));
		pull.max_messages = int32_t(any(numbers));
		pull.max_bytes = int32_t(any(numbers));
		pull.flags = (random() % 32) & ~uint32_t(GANTRY_PULL_SUSPEND);
		EXPECT_GE(session.pull(pull).code, 0);
		send.topic = pull.topic;
		send.group = pull.group;
		send.properties = pairs({{"KEYS", any(kValues).substr(0, 200)},
					 {"DELAY", any(kValues).substr(0, 30)},
					 {any(kNames), any(kValues).substr(0, 100)}});
		send.queue = int32_t(any(numbers));
		send.sys_flag = int32_t(any(numbers));
		send.reconsume = int32_t(any(numbers));
		send.default_queues = int32_t(any(numbers));
		send.flags = random() % 4;
		EXPECT_GE(session.send(send).code, 0);
	}
	world.dispatched();
	expect_safe();
}

} // namespace
