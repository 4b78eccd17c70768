/* SPDX-License-Identifier: Apache-2.0 */
/* testdata/topics.json was written by a Java broker 5.5.0 that had been given the topic Orders. */
#include "topics/topics.h"

#include <set>

#include "../../../tests/support/broker_fixture.h"
#include "topics/private.h"

namespace
{

using control::Broker;

class Topics : public Broker
{
      protected:
	explicit Topics(const std::string &keys = "") : Broker(keys)
	{
	}
	struct topic *Find(const char *name)
	{
		return topics_find(broker_->topics, str_of(name));
	}
	int Send(const char *name, const char *from, int32_t queues, uint32_t flags = 0)
	{
		struct gantry_send send = {};
		struct topic *topic = nullptr;

		send.topic = str_of(name);
		send.default_topic = str_of(from);
		send.default_queues = queues;
		send.flags = flags;
		int err = topics_create_on_send(broker_, &send, &topic);
		EXPECT_EQ(err == 0, topic != nullptr);
		return err;
	}
	static void Collect(struct topic *topic, void *user)
	{
		static_cast<std::set<std::string> *>(user)->insert(topic->name.at);
	}
	std::set<std::string> Names()
	{
		std::set<std::string> names;

		topics_each(broker_->topics, Collect, &names);
		return names;
	}
	std::string Alter(const char *current, bool create, const char *change)
	{
		char why[200] = "", *text = nullptr;

		if (topics_alter_attributes(current, create, str_of(change), &text, why,
					    sizeof(why)))
			return why;
		std::string result = text ? text : "(none)";
		free(text);
		return result;
	}
};

TEST_F(Topics, BuiltInOnesAreJavas)
{
	std::set<std::string> expected = {
		"BenchmarkTest",
		"C",
		"C_REPLY_TOPIC",
		"OFFSET_MOVED_EVENT",
		"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
		"RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
		"RMQ_SYS_TRANS_HALF_TOPIC",
		"RMQ_SYS_TRANS_OP_HALF_TOPIC",
		"SCHEDULE_TOPIC_XXXX",
		"SELF_TEST_TOPIC",
		"TBW102",
		"broker-a",
		"rmq_sys_REVIVE_LOG_C",
		"rmq_sys_SYNC_BROKER_MEMBER_broker-a",
		"rmq_sys_wheel_timer",
	};

	EXPECT_EQ(Names(), expected);
	EXPECT_EQ(topic_perm(Find("TBW102")), 7);
	EXPECT_EQ(topic_write_queues(Find("TBW102")), 8);
	EXPECT_EQ(topic_write_queues(Find("BenchmarkTest")), 1024);
	EXPECT_EQ(topic_write_queues(Find("C")), 16);
	EXPECT_EQ(topic_perm(Find("rmq_sys_SYNC_BROKER_MEMBER_broker-a")), 1);
	for (auto &name : expected)
		EXPECT_TRUE(topics_is_system(broker_->topics, str_of(name.c_str()))) << name;
	EXPECT_FALSE(topics_is_system(broker_->topics, str_of("Orders")));
}

TEST_F(Topics, AJavaBrokersFileComesBackTheSame)
{
	std::string java = Sample("topics.json");

	conf_.brokerClusterName = "DefaultCluster";
	Close();
	Open();
	WriteConfig("topics.json", java);
	ASSERT_EQ(topics_load(broker_->topics), 0);
	struct topic *orders = Find("Orders");
	ASSERT_NE(orders, nullptr);
	EXPECT_EQ(topic_read_queues(orders), 4);
	EXPECT_EQ(topic_write_queues(orders), 6);
	EXPECT_STREQ(orders->attributes, R"({"message.type":"FIFO"})");
	std::string ours = Take([&](char **text, size_t *size) {
		return topics_encode(broker_->topics, JSON_PRETTY, nullptr, text, size);
	});
	/* Java writes its table in the order of hashes, we by name: compare the lines. */
	auto lines = [](const std::string &whole) {
		std::multiset<std::string> result;
		std::stringstream in(whole);

		for (std::string line; std::getline(in, line);)
			result.insert(line.substr(0, line.find_last_not_of(',') + 1));
		return result;
	};
	EXPECT_EQ(lines(ours), lines(java));
}

TEST_F(Topics, AStoreWithATopicOfAnotherKindIsLeftAlone)
{
	std::string java = Sample("topics.json"), mark = R"("message.type":"FIFO")";

	ASSERT_EQ(topics_load(broker_->topics), 0);
	EXPECT_EQ(topics_check_all_served(broker_->topics), 0);
	java.replace(java.find(mark), mark.size(), R"("cleanup.policy":"COMPACTION")");
	Close();
	Open();
	WriteConfig("topics.json", java);
	ASSERT_EQ(topics_load(broker_->topics), 0);
	EXPECT_EQ(topics_check_all_served(broker_->topics), -ENOTSUP);
	conf_.enableCompaction = false;
	EXPECT_EQ(topics_check_all_served(broker_->topics), 0);
}

TEST_F(Topics, FilesAreWrittenAndReadBack)
{
	ASSERT_EQ(topics_load(broker_->topics), 0);
	ASSERT_EQ(Send("T", "TBW102", 4), 0);
	Close();
	EXPECT_NE(ReadConfig("topics.json").find("\"T\":{"), std::string::npos);
	Open();
	ASSERT_EQ(topics_load(broker_->topics), 0);
	ASSERT_NE(Find("T"), nullptr);
	EXPECT_EQ(topic_write_queues(Find("T")), 4);
}

TEST_F(Topics, ABrokenFileStopsTheStartUnlessThereIsABackup)
{
	WriteConfig("topics.json", "{\"topicConfigTable\":{\"T\":{}}}");
	EXPECT_EQ(topics_load(broker_->topics), -EUCLEAN);
	Close();
	Open();
	WriteConfig("topics.json.bak", "{topicConfigTable:{T:{topicName:'T'}}}");
	EXPECT_EQ(topics_load(broker_->topics), 0);
	EXPECT_NE(Find("T"), nullptr);
}

TEST_F(Topics, ASendMakesATopicFromItsTemplate)
{
	EXPECT_EQ(Send("T", "TBW102", 4), 0);
	EXPECT_EQ(topic_read_queues(Find("T")), 4);
	EXPECT_EQ(topic_perm(Find("T")), 6);
	EXPECT_EQ(Send("Many", "TBW102", 100), 0);
	EXPECT_EQ(topic_write_queues(Find("Many")), 8);
	EXPECT_EQ(Send("Few", "TBW102", -3), 0);
	EXPECT_EQ(topic_write_queues(Find("Few")), 0);
	EXPECT_EQ(Send("Cluster", "C", 100), 0);
	EXPECT_EQ(topic_write_queues(Find("Cluster")), 16);
	EXPECT_EQ(Send("T", "no-such-topic", 1), 0); /* it is there already */
}

TEST_F(Topics, ATemplateMustExistAndBequeath)
{
	EXPECT_EQ(Send("T", "no-such-topic", 4), -ENOENT);
	EXPECT_EQ(Send("T", "BenchmarkTest", 4), -ENOENT);
	EXPECT_EQ(Find("T"), nullptr);
}

TEST_F(Topics, ARetryTopicIsMadeInAnyCaseWithOneQueue)
{
	EXPECT_EQ(Send("%RETRY%g", "no-such-topic", 4), 0);
	EXPECT_EQ(topic_write_queues(Find("%RETRY%g")), 1);
	EXPECT_EQ(topic_perm(Find("%RETRY%g")), 6);
	EXPECT_EQ(Send("%RETRY%h", "no-such-topic", 4, GANTRY_SEND_UNIT), 0);
	EXPECT_EQ(topic_sys_flag(Find("%RETRY%h")), TOPIC_UNIT_SUB);
	EXPECT_EQ(Send("U", "TBW102", 4, GANTRY_SEND_UNIT), 0);
	EXPECT_EQ(topic_sys_flag(Find("U")), TOPIC_UNIT);
}

TEST_F(Topics, ThereIsALimit)
{
	conf_.maxTopics = static_cast<int64_t>(Names().size()) + 1;
	EXPECT_EQ(Send("T", "TBW102", 4), 0);
	EXPECT_EQ(Send("U", "TBW102", 4), -ENOSPC);
	EXPECT_EQ(Send("T", "TBW102", 4), 0);
}

TEST_F(Topics, ADeletedTopicIsRetiredAndMadeAnew)
{
	ASSERT_EQ(Send("T", "TBW102", 4), 0);
	struct topic *old = Find("T");

	EXPECT_EQ(topics_delete(broker_->topics, str_of("T")), 0);
	EXPECT_EQ(topics_delete(broker_->topics, str_of("T")), -ENOENT);
	EXPECT_TRUE(topic_retired(old));
	EXPECT_EQ(Find("T"), nullptr);
	ASSERT_EQ(Send("T", "TBW102", 2), 0);
	EXPECT_NE(Find("T"), old);
	EXPECT_EQ(topic_write_queues(old), 4); /* whoever held it may still look */
}

TEST_F(Topics, EachChangeIsAnotherVersion)
{
	struct data_version first, second;
	struct topic_config config;

	topics_version(broker_->topics, &first);
	topic_config_init(&config, str_of("T"));
	EXPECT_EQ(topics_put(broker_->topics, &config, nullptr), 1);
	topics_version(broker_->topics, &second);
	EXPECT_EQ(second.counter, first.counter + 1);
	EXPECT_EQ(topics_put(broker_->topics, &config, nullptr), 0); /* nothing new */
	topics_version(broker_->topics, &first);
	EXPECT_EQ(second.counter, first.counter);
	config.perm = 4;
	EXPECT_EQ(topics_put(broker_->topics, &config, nullptr), 1);
	EXPECT_EQ(topic_perm(Find("T")), 4);
}

TEST_F(Topics, NamesAreJudgedInJavasWords)
{
	char room[512];

	EXPECT_EQ(topics_name_problem(str_of("%RETRY%a-b_c|9"), room, sizeof(room)), nullptr);
	EXPECT_STREQ(topics_name_problem(str_of(" "), room, sizeof(room)),
		     "The specified topic is blank.");
	EXPECT_STREQ(topics_name_problem(str_of("a+b"), room, sizeof(room)),
		     "The specified topic: a+b, contains illegal characters, allowing only "
		     "^[%|a-zA-Z0-9_-]+$");
	EXPECT_STREQ(topics_name_problem(str_of(std::string(128, 'a').c_str()), room, sizeof(room)),
		     ("The specified topic: " + std::string(128, 'a') +
		      ", is longer than topic max length: 127")
			     .c_str());
}

TEST_F(Topics, AttributesChangeAsInJava)
{
	EXPECT_EQ(Alter(nullptr, true, "+message.type=FIFO,+cleanup.policy=COMPACTION"),
		  R"({"message.type":"FIFO","cleanup.policy":"COMPACTION"})");
	EXPECT_EQ(Alter(R"({"message.type":"FIFO"})", false, "+message.type=DELAY"),
		  R"({"message.type":"DELAY"})");
	EXPECT_EQ(Alter(R"({"message.type":"FIFO"})", false, "-message.type"), "(none)");
	EXPECT_EQ(Alter(R"({"message.type":"FIFO"})", false, ""), R"({"message.type":"FIFO"})");
	EXPECT_EQ(Alter(nullptr, true, "+lite.topic.expiration=30"),
		  R"({"lite.topic.expiration":"30"})");
}

TEST_F(Topics, BadAttributesAreRefusedInJavasWords)
{
	EXPECT_EQ(Alter(nullptr, true, "+message.type=BLAH"),
		  "value is not in set: [UNSPECIFIED, MIXED, TRANSACTION, PRIORITY, FIFO, DELAY, "
		  "LITE, NORMAL]");
	EXPECT_EQ(Alter(nullptr, true, "+foo=BLAH"), "unsupported key: foo");
	EXPECT_EQ(Alter(nullptr, true, "-message.type"),
		  "only add attribute is supported while creating topic. key: message.type");
	EXPECT_EQ(Alter(nullptr, false, "+queue.type=BatchCQ"),
		  "attempt to update an unchangeable attribute. key: queue.type");
	EXPECT_EQ(Alter(nullptr, false, "-message.type"),
		  "attempt to delete a nonexistent key: message.type");
	EXPECT_EQ(Alter(nullptr, true, "message.type=FIFO"),
		  "add/alter attribute format is wrong: message.type");
	EXPECT_EQ(Alter(nullptr, true, "+message.type"),
		  "delete attribute format is wrong: +message.type");
	EXPECT_EQ(Alter(nullptr, true, "+message.type=FIFO,+message.type=DELAY"),
		  "alter duplication key. key: message.type");
	EXPECT_EQ(Alter(nullptr, true, "+lite.topic.expiration=31"),
		  "value is not in range(-1, 30)");
}

class NoAutoCreate : public Topics
{
      protected:
	NoAutoCreate() : Topics("autoCreateTopicEnable=false")
	{
	}
};

TEST_F(NoAutoCreate, ThereIsNoTemplate)
{
	EXPECT_EQ(Find("TBW102"), nullptr);
	EXPECT_EQ(Send("T", "TBW102", 4), -ENOENT);
	EXPECT_EQ(Send("T", "C", 4),
		  0); /* as in RocketMQ the cluster's own topic still bequeaths */
}

TEST_F(NoAutoCreate, ATemplateFromOlderTimesLosesItsRight)
{
	WriteConfig("topics.json",
		    R"({"topicConfigTable":{"TBW102":{"topicName":"TBW102","perm":7}}})");
	ASSERT_EQ(topics_load(broker_->topics), 0);
	EXPECT_EQ(topic_perm(Find("TBW102")), 7);
	EXPECT_EQ(Send("T", "TBW102", 4), -ENOENT);
	EXPECT_EQ(topic_perm(Find("TBW102")), 6);
}

} // namespace
