/* SPDX-License-Identifier: Apache-2.0 */
/* Calls by code, as front-ends make them; modes; what is registered at name servers. */
#include "requests/call.h"

#include "../../../tests/support/broker_fixture.h"
#include "register/private.h"

namespace
{

using control::Broker;

class Calls : public Broker
{
      protected:
	explicit Calls(const std::string &keys = "") : Broker(keys)
	{
	}
	~Calls() override
	{
		free(call_.ret_body);
	}
	/* "code remark" of a call with these fields, "name=value". */
	std::string Call(int32_t code, const std::vector<std::string> &fields = {},
			 const std::string &body = "")
	{
		std::vector<struct gantry_field> list;

		for (auto &field : fields) {
			size_t cut = field.find('=');

			list.push_back({{field.data(), cut},
					{field.data() + cut + 1, field.size() - cut - 1}});
		}
		free(call_.ret_body);
		call_ = {};
		call_.code = code;
		call_.fields = list.data();
		call_.field_count = static_cast<uint32_t>(list.size());
		call_.body = {body.data(), body.size()};
		call_.ret_code = -1;
		int result = kernel_.Do([&](struct gantry_op *pending) {
			return call_run(broker_, &call_, pending);
		});
		EXPECT_EQ(result, 0);
		return std::to_string(call_.ret_code) + (call_.remark[0] ? " " : "") + call_.remark;
	}
	std::string Body() const
	{
		return std::string(call_.ret_body ? call_.ret_body : "", call_.ret_body_size);
	}
	std::string Field(const char *name) const
	{
		for (uint32_t i = 0; i < call_.ret_field_count; i++)
			if (str_is(call_.ret_fields[i].name, name))
				return std::string(call_.ret_fields[i].value.at,
						   call_.ret_fields[i].value.size);
		return "(none)";
	}

	const std::vector<std::string> create_ = {"topic=T",
						  "readQueueNums=2",
						  "writeQueueNums=3",
						  "perm=6",
						  "topicFilterType=SINGLE_TAG",
						  "order=false"};
	struct gantry_call call_ = {};
};

TEST_F(Calls, AnUnknownCodeIsAnsweredAsJavaAnswersIt)
{
	EXPECT_EQ(Call(105), "3  request type 105 not supported");
	EXPECT_EQ(Call(-1), "3  request type -1 not supported");
}

TEST_F(Calls, TopicsAreMadeShownChangedAndDeleted)
{
	EXPECT_EQ(Call(351, {"topic=T"}), "17 No topic in this broker. topic: T");
	EXPECT_EQ(Call(17, create_), "0");
	EXPECT_EQ(Call(351, {"topic=T"}), "0");
	EXPECT_EQ(Body(), R"({"attributes":{},"order":false,"perm":6,"readQueueNums":2,)"
			  R"("topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,)"
			  R"("writeQueueNums":3})");
	auto change = create_;
	change.push_back("attributes=+message.type=FIFO");
	EXPECT_EQ(Call(17, change), "0");
	Call(351, {"topic=T"});
	EXPECT_NE(Body().find(R"({"message.type":"FIFO"})"), std::string::npos);
	EXPECT_EQ(Call(21), "0");
	EXPECT_EQ(Field("totalTopicNum"), "16");
	EXPECT_NE(Body().find(R"("topicQueueMappingInfoMap":{})"), std::string::npos);
	EXPECT_EQ(Call(215, {"topic=T"}), "0");
	EXPECT_EQ(Call(351, {"topic=T"}), "17 No topic in this broker. topic: T");
}

TEST_F(Calls, BadTopicsAreRefusedInJavasWords)
{
	auto with = [&](size_t i, const char *field) {
		auto fields = create_;

		fields[i] = field;
		return Call(17, fields);
	};
	EXPECT_EQ(with(0, "topic="), "29 The specified topic is blank.");
	EXPECT_EQ(with(0, "topic=TBW102"), "29 The topic[TBW102] is conflict with system topic.");
	EXPECT_EQ(with(1, "x=1"),
		  "1 RemotingCommandException: the custom field <readQueueNums> is null");
	EXPECT_EQ(with(4, "topicFilterType=X"),
		  "1 RemotingCommandException: topicFilterType = [X] value invalid");
	EXPECT_EQ(with(5, "attributes=+message.type=MIXED"),
		  "29 MIXED message type is not supported.");
	EXPECT_EQ(with(5, "attributes=+x=y"), "1 unsupported key: x");
	EXPECT_EQ(with(5, "attributes=+cleanup.policy=COMPACTION"),
		  "1 topics with cleanup.policy=COMPACTION are served under "
		  "enableCompaction=false only");
	EXPECT_EQ(with(1, "readQueueNums=65537"),
		  "29 the number of queues must be between 0 and 65536");
	EXPECT_EQ(Call(215, {"topic=TBW102"}),
		  "29 The topic[TBW102] is conflict with system topic.");
	EXPECT_EQ(Call(215), "29 The specified topic is blank.");
}

TEST_F(Calls, OffsetsAreCommittedAndAsked)
{
	const std::vector<std::string> where = {"consumerGroup=g", "topic=T", "queueId=1"};
	auto commit = where;

	commit.push_back("commitOffset=7");
	EXPECT_EQ(Call(15, commit), "26 Group g not exist!");
	ASSERT_NE(groups_find(broker_, str_of("g")), nullptr);
	EXPECT_EQ(Call(15, commit), "17 Topic T not exist!");
	EXPECT_EQ(Call(17, create_), "0");
	EXPECT_EQ(Call(15, where), "29 Offset is null, topic is T");
	EXPECT_EQ(Call(15, commit), "0");
	EXPECT_EQ(Call(14, where), "0");
	EXPECT_EQ(Field("offset"), "7");
	EXPECT_EQ(Call(14, {"consumerGroup=h", "topic=T", "queueId=1", "setZeroIfNotFound=false"}),
		  "22 Not found, do not set to zero, maybe this group boot first");
	EXPECT_EQ(Call(43), "0");
	EXPECT_NE(Body().find(R"("offsetTable":{"T@g":{1:7}})"), std::string::npos);
}

TEST_F(Calls, GroupsAreMadeShownAndDeleted)
{
	EXPECT_EQ(Call(200, {}, R"({"groupName":"g","retryMaxTimes":2})"), "0");
	EXPECT_EQ(Call(352, {"group=g"}), "0");
	EXPECT_NE(Body().find(R"("retryMaxTimes":2)"), std::string::npos);
	EXPECT_EQ(Call(200, {}, "{").substr(0, 16), "1 JSONException:");
	EXPECT_EQ(Call(201), "0");
	EXPECT_EQ(Field("totalGroupNum"), "9");
	EXPECT_EQ(Call(207, {"groupName=g"}), "0");
	EXPECT_EQ(groups_look(broker_->groups, str_of("g")), nullptr);
}

TEST_F(Calls, QueuesAreLockedForOrderedConsumers)
{
	const std::string body =
		R"({"clientId":"x","consumerGroup":"g","mqSet":[{"brokerName":"b",)"
		R"("queueId":1,"topic":"T"},{"nonsense":1}]})";
	std::string other = body;

	other.replace(other.find("\"x\""), 3, "\"y\"");
	EXPECT_EQ(Call(41, {}, body), "0");
	EXPECT_EQ(Body(), R"({"lockOKMQSet":[{"brokerName":"b","queueId":1,"topic":"T"}]})");
	Call(41, {}, other);
	EXPECT_EQ(Body(), R"({"lockOKMQSet":[]})");
	EXPECT_EQ(Call(42, {}, body), "0");
	Call(41, {}, other);
	EXPECT_EQ(Body(), R"({"lockOKMQSet":[{"brokerName":"b","queueId":1,"topic":"T"}]})");
	EXPECT_EQ(Call(41, {}, "{}"), "1 consumerGroup or clientId is null");
}

TEST_F(Calls, ModesAreSetKeptAndListed)
{
	const std::string body =
		R"({"consumerGroup":"g","mode":"POP","popShareQueueNum":2,"topic":"T"})";

	ASSERT_EQ(modes_load(broker_->modes), 0);
	EXPECT_EQ(Call(401, {}, body), "17 topic[T] not exist");
	Call(17, create_);
	EXPECT_EQ(Call(401, {}, body), "1 mode POP is not served by this broker yet; PULL is");
	EXPECT_EQ(Call(401, {},
		       R"({"consumerGroup":"g","mode":"PULL","popShareQueueNum":2,"topic":"T"})"),
		  "0");
	EXPECT_EQ(Call(401, {}, R"({"consumerGroup":"g","topic":"%RETRY%g"})"),
		  "16 retry topic is not allowed to set mode");
	EXPECT_EQ(Call(402), "0");
	std::string list = Body();
	EXPECT_EQ(list, R"({"messageRequestModeMap":{"T":{"g":{"consumerGroup":"g","mode":"PULL",)"
			R"("popShareQueueNum":2,"topic":"T"}}}})");
	Close();
	Open();
	ASSERT_EQ(modes_load(broker_->modes), 0);
	Call(402);
	EXPECT_EQ(Body(), list);
}

TEST_F(Calls, WhatAnotherBrokerPopsIsKeptAndPulled)
{
	struct message_mode mode = {.mode = MODE_POP, .pop_share_queues = 2};

	ASSERT_EQ(modes_load(broker_->modes), 0);
	ASSERT_EQ(modes_set(broker_->modes, str_of("T"), str_of("g"), &mode), 0);
	Close();
	Open();
	ASSERT_EQ(modes_load(broker_->modes), 0);
	modes_get(broker_->modes, str_of("T"), str_of("g"), &mode);
	EXPECT_EQ(mode.mode, MODE_POP);
	modes_served(broker_->modes, str_of("T"), str_of("g"), &mode);
	EXPECT_EQ(mode.mode, MODE_PULL);
	EXPECT_EQ(mode.pop_share_queues, 0);
	modes_get(broker_->modes, str_of("T"), str_of("h"), &mode);
	EXPECT_EQ(mode.mode, MODE_PULL);
}

class Unbalanced : public Calls
{
      protected:
	Unbalanced() : Calls("serverLoadBalancerEnable=false\n")
	{
	}
};

TEST_F(Unbalanced, ALightTopicHasOneQueueOfThisBroker)
{
	std::string body = R"({"topic":"%LMQ%T","consumerGroup":"g","clientId":"c",)"
			   R"("messageModel":"CLUSTERING","strategyName":"AVG"})";

	EXPECT_EQ(Call(400, {}, body), "0");
	EXPECT_EQ(Body(), R"({"messageQueueAssignments":[{"messageQueue":{"brokerName":"broker-a",)"
			  R"("queueId":0,"topic":"%LMQ%T"},"mode":"PULL"}]})");
}

TEST_F(Calls, AssignmentsWithoutAnybodyOnlineAreEmptyObjects)
{
	Call(17, create_);
	const std::string body = R"({"topic":"T","consumerGroup":"g","clientId":"c",)"
				 R"("messageModel":"CLUSTERING","strategyName":"AVG"})";
	EXPECT_EQ(Call(400, {}, body), "0");
	EXPECT_EQ(Body(), "{}");
	std::string all = body;
	all.replace(all.find("CLUSTERING"), 10, "BROADCASTING");
	EXPECT_EQ(Call(400, {}, all), "0");
	EXPECT_EQ(Body(),
		  R"({"messageQueueAssignments":[{"messageQueue":{"brokerName":"broker-a",)"
		  R"("queueId":0,"topic":"T"},"mode":"PULL"},{"messageQueue":{"brokerName":)"
		  R"("broker-a","queueId":1,"topic":"T"},"mode":"PULL"}]})");
	EXPECT_EQ(Call(400).substr(0, 16), "1 JSONException:");
}

TEST_F(Calls, BodiesOfWrongTypesAreRefused)
{
	Call(17, create_);
	for (int code : {41, 42})
		EXPECT_EQ(Call(code, {}, R"({"clientId":"x","consumerGroup":"g","mqSet":7})"),
			  "1 JSONException: mqSet is no list");
	EXPECT_EQ(Call(400, {}, R"({"topic":"T","consumerGroup":"g","clientId":"c"})"),
		  "1 messageModel is not BROADCASTING or CLUSTERING");
	EXPECT_EQ(Call(401, {}, R"({"topic":"T","consumerGroup":"g","mode":[]})"),
		  "1 mode  is not PULL or POP");
	EXPECT_EQ(Call(401, {}, R"({"topic":"T","consumerGroup":"g","popShareQueueNum":"x"})"),
		  "1 JSONException: popShareQueueNum is not a number");
	EXPECT_EQ(Call(401, {}, R"({"topic":"T","consumerGroup":"g","popShareQueueNum":""})"), "0");
	EXPECT_EQ(Call(46, {}, R"({"subscriptionData":[]})").substr(0, 16), "1 JSONException:");
	EXPECT_EQ(Call(200, {}, R"({"groupName":"g","consumeEnable":[]})"),
		  "1 JSONException: consumeEnable is not true or false");
}

TEST_F(Calls, AReplysNumbersAreReadWhetherTheyAreNeededOrNot)
{
	for (const char *bad : {"d=x7", "e= ", "f=1.5", "g=9223372036854775808", "j=", "l=x7"})
		EXPECT_EQ(Call(325, {"a=p", "b=T", "h=0", bad}),
			  std::string("1 NumberFormatException: For input string: \"") + (bad + 2) +
				  "\"");
	EXPECT_EQ(Call(325, {"a=p", "b=T", "k=x7"}), "1 the custom field <c> is null");
}

TEST_F(Calls, WhoIsOnlineAndWhichFiltersThereAre)
{
	EXPECT_EQ(Call(38, {"consumerGroup=g"}), "1 no consumer for this group, g");
	EXPECT_EQ(Call(203, {"consumerGroup=g"}), "206 the consumer group[g] not online");
	EXPECT_EQ(Call(204, {"producerGroup=g"}), "1 the producer group[g] not exist");
	EXPECT_EQ(Call(46), "0");
	EXPECT_EQ(
		Call(46, {}, R"({"subscriptionData":{"expressionType":"TAG","subString":"bad"}})"),
		"0"); /* as in RocketMQ tags are not looked at */
	EXPECT_EQ(Call(46, {}, R"({"subscriptionData":{"expressionType":"SQL92"}})"),
		  "1 The broker does not support consumer to filter message by SQL92");
	conf_.enablePropertyFilter = true;
	EXPECT_EQ(Call(46, {},
		       R"({"subscriptionData":{"subString":"a = 1","expressionType":"SQL92"}})"),
		  "23 no filter of type SQL92 is loaded");
}

TEST_F(Calls, TheConfigurationIsShown)
{
	EXPECT_EQ(Call(26), "0");
	EXPECT_NE(Body().find("brokerName=broker-a\n"), std::string::npos);
	EXPECT_EQ(Field("version").substr(0, 13), R"({"counter":0,)");
}

TEST_F(Calls, TheRegistrationIsJavas)
{
	struct topic *topic;
	auto some = [&](char **text, size_t *size) {
		return register_body(broker_, &topic, 1, 0, text, size);
	};

	Call(17, create_);
	topic = topics_find(broker_->topics, str_of("T"));
	std::string one = Take(some);
	EXPECT_EQ(one.substr(0, 71),
		  R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"c)");
	EXPECT_NE(
		one.find(R"("topicConfigTable":{"T":{"attributes":{},"order":false,"perm":6,)"
			 R"("readQueueNums":2,"topicFilterType":"SINGLE_TAG","topicName":"T",)"
			 R"("topicSysFlag":0,"writeQueueNums":3}},"topicQueueMappingDetailMap":{},)"
			 R"("topicQueueMappingInfoMap":{}}})"),
		std::string::npos);
	std::string all = Take([&](char **text, size_t *size) {
		return register_body(broker_, nullptr, 0, 0, text, size);
	});
	EXPECT_NE(all.find("SCHEDULE_TOPIC_XXXX"), std::string::npos);
	conf_.brokerPermission = PERM_READ;
	EXPECT_EQ(broker_reload(broker_, &conf_), 0);
	one = Take(some);
	EXPECT_NE(one.find(R"("perm":4)"), std::string::npos);
	ASSERT_EQ(topics_delete(broker_->topics, str_of("T")), 0);
	one = Take(some);
	EXPECT_NE(one.find(R"("topicConfigTable":{},)"), std::string::npos);
}

TEST_F(Calls, TheNameServersOrderConfigurationMarksTopics)
{
	Call(17, create_);
	struct topic *topic = topics_find(broker_->topics, str_of("T"));
	register_order_topics(broker_, str_of(R"({"table":{"T":"broker-a:4","U":"x:1"}})"));
	EXPECT_TRUE(topic_order(topic));
	register_order_topics(broker_, str_of("nonsense"));
	register_order_topics(broker_, {nullptr, 0});
}

} // namespace
