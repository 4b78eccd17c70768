// SPDX-License-Identifier: Apache-2.0
// Consumers that select messages by their properties: subscriptions of pulls and of heartbeats,
// what is told of bad ones, retry topics.
#include <gtest/gtest.h>

#include <array>

#include "broker.h"
#include "pull/pull.h"
#include "session.h"

namespace
{

const char kNoFilter[] =
	"The broker's consumer filter data is not exist!Your expression may be wrong!";
const char kNotSupported[] = "The broker does not support consumer to filter message by SQL92";

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

class Sql : public testing::Test
{
      protected:
	explicit Sql(const std::string &keys = "enablePropertyFilter = true\n")
	    : world(folder.path(), keys), session(world)
	{
	}

	void send(int from, int to, const std::string &topic = "TopicTest",
		  const std::string &more = "")
	{
		std::vector<Sent> messages;

		for (int i = from; i < to; i++) {
			Sent message;
			message.topic = topic;
			message.body = std::to_string(i);
			message.properties = pairs({{"a", std::to_string(i)},
						    {"TAGS", i % 2 ? "odd" : "even"}}) +
					     more;
			messages.push_back(message);
		}
		session.send(messages);
		for (const Sent &message : messages)
			ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
		world.dispatched();
	}

	/* A heartbeat of the group "consumers". */
	void join(const std::vector<std::array<std::string, 3>> &topics, int64_t version = 1)
	{
		std::vector<gantry_subscription_data> list;
		gantry_consumer_data consumer = {};
		gantry_client client = {};

		for (const auto &[topic, expression, type] : topics)
			list.push_back({str(topic), str(expression), str(type), version, 0, 0});
		consumer.group = str(group);
		consumer.consume_type = GANTRY_CONSUME_PASSIVELY;
		consumer.message_model = GANTRY_CLUSTERING;
		consumer.subscriptions = list.data();
		consumer.subscription_count = (uint32_t)list.size();
		client.session = session.get();
		client.id = str(id);
		client.consumers = &consumer;
		client.consumer_count = 1;
		world.on(session.loop(), [&] { world.ops()->join(world.inst(), &client); });
		EXPECT_EQ(client.code, GANTRY_SUCCESS) << client.remark;
	}

	struct Answer {
		int32_t code;
		std::string remark;
	};

	/* CHECK_CLIENT_CONFIG */
	Answer check(const std::string &body)
	{
		gantry_call call = {};
		Op op(world, world.loop(0));
		int pending = 0;

		call.session = session.get();
		call.code = 46;
		call.body = str(body);
		world.on(world.loop(0),
			 [&] { pending = world.ops()->call(world.inst(), &call, op.get()); });
		if (pending > 0)
			op.wait();
		free(call.ret_body);
		return {call.ret_code, call.remark};
	}

	std::string group = "consumers", id = "client";
	Folder folder;
	World world;
	Session session;
};

Pulled by(const std::string &expression, const std::string &type = "SQL92")
{
	Pulled pull;

	pull.subscription = expression;
	pull.type = type;
	return pull;
}

/* As the group said. */
Pulled by_group(int64_t version = 1)
{
	Pulled pull;

	pull.flags = 0;
	pull.sub_version = version;
	return pull;
}

using Bodies = std::vector<std::string>;

TEST_F(Sql, APullBringsItsExpression)
{
	send(0, 20);
	Pulled got = session.pull(by("a > 4 AND a <= 9 AND TAGS = 'odd'"));
	ASSERT_EQ(got.code, GANTRY_SUCCESS) << got.remark;
	EXPECT_EQ(bodies(got.bytes), (Bodies{"5", "7", "9"}));
	EXPECT_EQ(got.next, 20);
	got = session.pull(by("a IS NULL"));
	EXPECT_EQ(got.code, GANTRY_PULL_RETRY_IMMEDIATELY);
	EXPECT_EQ(got.remark, "NO_MATCHED_MESSAGE");
	EXPECT_EQ(got.next, 20);
	got = session.pull(by("TAGS > 5")); /* throws at every message */
	EXPECT_EQ(got.code, GANTRY_PULL_RETRY_IMMEDIATELY);
	got = session.pull(by("NOT (TAGS > 5)"));
	EXPECT_EQ(got.code, GANTRY_PULL_RETRY_IMMEDIATELY);
}

TEST_F(Sql, APullsBadExpressionIsRefused)
{
	send(0, 1);
	for (const char *expression : {"a >", "", "5", "a = 0.0"}) {
		Pulled got = session.pull(by(expression));
		EXPECT_EQ(got.code, GANTRY_SUBSCRIPTION_PARSE_FAILED) << expression;
		EXPECT_EQ(got.remark, "parse the consumer's subscription failed");
	}
	Pulled got = session.pull(by("a > 1", "sql92"));
	EXPECT_EQ(got.code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(got.remark, "The broker does not support consumer to filter message by sql92");
	/* RocketMQ misses an expression before it looks at the type */
	EXPECT_EQ(session.pull(by("", "sql92")).code, GANTRY_SUBSCRIPTION_PARSE_FAILED);
	EXPECT_EQ(session.pull(by("a", std::string(300, 'L'))).code, GANTRY_SYSTEM_ERROR);
}

TEST_F(Sql, AGroupSaysItInItsHeartbeat)
{
	send(0, 10);
	join({{"TopicTest", "a BETWEEN 3 AND 4", "SQL92"}});
	Pulled got = session.pull(by_group());
	ASSERT_EQ(got.code, GANTRY_SUCCESS) << got.remark;
	EXPECT_EQ(bodies(got.bytes), (Bodies{"3", "4"}));
	join({{"TopicTest", "a BETWEEN 3 AND", "SQL92"}}, 2);
	got = session.pull(by_group(2));
	EXPECT_EQ(got.code, GANTRY_FILTER_DATA_NOT_EXIST);
	EXPECT_EQ(got.remark, kNoFilter);
	join({{"TopicTest", "a > 3", "FOO"}}, 3);
	EXPECT_EQ(session.pull(by_group(3)).code, GANTRY_FILTER_DATA_NOT_EXIST);
	join({{"TopicTest", "a = '9'", "SQL92"}}, 4);
	got = session.pull(by_group(4));
	EXPECT_EQ(bodies(got.bytes), (Bodies{"9"}));
}

TEST_F(Sql, AHeldPullWaitsForAMessageThatFits)
{
	Pulled pull = by("a = 30");

	send(0, 3);
	pull.offset = 3;
	pull.suspend_ms = 60000;
	pull.flags |= GANTRY_PULL_SUSPEND;
	auto waiting = session.begin(pull);
	send(3, 20);
	EXPECT_FALSE(waiting->done());
	send(30, 31);
	Pulled got = waiting->wait();
	EXPECT_EQ(got.code, GANTRY_SUCCESS);
	EXPECT_EQ(bodies(got.bytes), (Bodies{"30"}));
	EXPECT_EQ(got.next, 21);
}

TEST_F(Sql, ExpressionsAreCheckedBeforeAConsumerStarts)
{
	auto body = [](const std::string &expression, const std::string &type) {
		return "{\"clientId\":\"c\",\"group\":\"g\",\"subscriptionData\":{\"topic\":\"T\","
		       "\"subString\":\"" +
		       expression + "\",\"expressionType\":\"" + type + "\"}}";
	};

	EXPECT_EQ(check("").code, GANTRY_SUCCESS);
	EXPECT_EQ(check("{}").code, GANTRY_SUCCESS);
	EXPECT_EQ(check(body("||", "TAG")).code, GANTRY_SUCCESS);
	EXPECT_EQ(check(body("a >", "")).code, GANTRY_SUCCESS);
	EXPECT_EQ(check(body("a > 1", "SQL92")).code, GANTRY_SUCCESS);
	Answer answer = check(body("a > 'x'", "SQL92"));
	EXPECT_EQ(answer.code, GANTRY_SUBSCRIPTION_PARSE_FAILED);
	EXPECT_EQ(answer.remark, "java.lang.RuntimeException: Value ''x'' cannot be compared.");
	answer = check(body("a IS", "SQL92"));
	EXPECT_EQ(answer.remark, "org.apache.rocketmq.filter.parser.ParseException: Encountered "
				 "\"<EOF>\" at line 1, column 4.\nWas expecting one of:\n    "
				 "\"NOT\" ...\n    \"NULL\" ...\n    ");
	EXPECT_EQ(check(body("a > 1", "FOO")).code, GANTRY_SUBSCRIPTION_PARSE_FAILED);
	answer = check("{\"subscriptionData\":{\"expressionType\":\"SQL92\"}}");
	EXPECT_EQ(answer.code, GANTRY_SUBSCRIPTION_PARSE_FAILED);
	EXPECT_EQ(answer.remark, "");
	EXPECT_NE(check("{").code, GANTRY_SUCCESS);
}

class SqlOff : public Sql
{
      protected:
	SqlOff() : Sql("")
	{
	}
};

TEST_F(SqlOff, NothingIsFilteredByProperties)
{
	send(0, 1);
	for (const char *expression : {"a = 0", "a >"}) {
		Pulled got = session.pull(by(expression));
		EXPECT_EQ(got.code, GANTRY_SYSTEM_ERROR) << expression;
		EXPECT_EQ(got.remark, kNotSupported);
	}
	EXPECT_EQ(session.pull(by("")).code, GANTRY_SUBSCRIPTION_PARSE_FAILED);
	join({{"TopicTest", "a = 0", "SQL92"}});
	Pulled got = session.pull(by_group());
	EXPECT_EQ(got.code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(got.remark, kNotSupported);
	join({{"TopicTest", "a >", "SQL92"}}, 2);
	EXPECT_EQ(session.pull(by_group(2)).code, GANTRY_FILTER_DATA_NOT_EXIST);
	Answer answer = check("{\"subscriptionData\":{\"subString\":\"a >\","
			      "\"expressionType\":\"SQL92\"}}");
	EXPECT_EQ(answer.code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(answer.remark, kNotSupported);
	answer = check("{\"subscriptionData\":{\"subString\":\"a >\",\"expressionType\":\"\"}}");
	EXPECT_EQ(answer.code, GANTRY_SUCCESS);
}

class SqlRetry : public Sql
{
      protected:
	SqlRetry() : Sql("enablePropertyFilter = true\nfilterSupportRetry = true\n")
	{
	}
};

const char kRetry[] = "%RETRY%consumers";

Pulled of_retry()
{
	Pulled pull = by_group();

	pull.topic = kRetry;
	return pull;
}

TEST_F(SqlRetry, ARetryTopicsMessagesAreJudgedByTheirOrigin)
{
	join({{"TopicTest", "a = 1", "SQL92"},
	      {"Other", "a = 2 OR a = 3", "SQL92"},
	      {"Tagged", "odd", "TAG"},
	      {kRetry, "a = 0", "SQL92"}});
	send(0, 5, kRetry, pairs({{"RETRY_TOPIC", "TopicTest"}}));
	send(0, 5, kRetry, pairs({{"RETRY_TOPIC", "Other"}}));
	send(0, 2, kRetry, pairs({{"RETRY_TOPIC", "Tagged"}}));
	send(0, 2, kRetry, pairs({{"RETRY_TOPIC", "Unknown"}}));
	send(7, 8, kRetry);
	Pulled got = session.pull(of_retry());
	ASSERT_EQ(got.code, GANTRY_SUCCESS) << got.remark;
	EXPECT_EQ(bodies(got.bytes), (Bodies{"1", "2", "3", "0", "1", "0", "1", "7"}));
}

TEST_F(Sql, ARetryTopicsMessagesAreJudgedByItsOwnExpressionOtherwise)
{
	join({{"TopicTest", "a = 1", "SQL92"}, {kRetry, "a = 0", "SQL92"}});
	send(0, 5, kRetry, pairs({{"RETRY_TOPIC", "TopicTest"}}));
	EXPECT_EQ(bodies(session.pull(of_retry()).bytes), (Bodies{"0"}));
}

} // namespace
