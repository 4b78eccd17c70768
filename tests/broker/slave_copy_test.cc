// SPDX-License-Identifier: Apache-2.0
// What a slave takes over from its master, from one that answers as it should and from others.
#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "broker.h"
#include "groups/groups.h"
#include "balance/modes.h"
#include "offsets/offsets.h"
#include "remoting/test_wire.h"
#include "session.h"
#include "slave/slave.h"
#include "store/delete.h"
#include "store/store.h"
#include "topics/topics.h"

static const char kSlave[] = "brokerRole=SLAVE\nbrokerId=1\nslaveReadEnable=true\n"
			     "slaveSyncInterval=20\nmaxTopics=50\n";
static const char kDouble[] = "replication-follower-double";

static gantry_str text(const std::string &from)
{
	return {from.data(), from.size()};
}

static std::string version(int counter)
{
	return "{\"counter\":" + std::to_string(counter) +
	       ",\"stateVersion\":0,\"timestamp\":1700000000000}";
}

static std::string topic_json(const std::string &name, int queues)
{
	std::string count = std::to_string(queues);

	return "\"" + name + "\":{\"topicName\":\"" + name + "\",\"readQueueNums\":" + count +
	       ",\"writeQueueNums\":" + count +
	       ",\"perm\":6,\"topicFilterType\":\"SINGLE_TAG\",\"topicSysFlag\":0,\"order\":false}";
}

// A master in a thread of its own: answers by code, and counts.
class Master
{
      public:
	Master()
	{
		bodies_[21] = topics(1, topic_json("Copied", 3) + "," + topic_json("Other", 1));
		bodies_[43] = "{\"dataVersion\":" + version(7) +
			      ",\"offsetTable\":{\"Copied@readers\":{0:5,1:9}}}";
		bodies_[45] = "{\"dataVersion\":" + version(2) + ",\"offsetTable\":{1:12,3:4}}";
		bodies_[201] = "{\"dataVersion\":" + version(3) +
			       ",\"forbiddenTable\":{},\"subscriptionGroupTable\":{\"readers\":{"
			       "\"groupName\":\"readers\",\"retryMaxTimes\":7}}}";
		bodies_[402] =
			"{\"messageRequestModeMap\":{\"Copied\":{\"readers\":{\"consumerGroup\":"
			"\"readers\",\"mode\":\"POP\",\"popShareQueueNum\":2,\"topic\":"
			"\"Copied\"}}}}";
		thread_ = std::thread([this] { Serve(); });
	}
	~Master()
	{
		shutdown(listener_.fd(), SHUT_RDWR);
		thread_.join();
	}
	static std::string topics(int counter, const std::string &table)
	{
		return "{\"dataVersion\":" + version(counter) + ",\"topicConfigTable\":{" + table +
		       "}}";
	}
	void Say(int code, const std::string &body)
	{
		std::lock_guard<std::mutex> lock(lock_);
		bodies_[code] = body;
	}
	int Asked(int code)
	{
		std::lock_guard<std::mutex> lock(lock_);
		return asked_[code];
	}
	std::map<std::string, std::string> Last(int code)
	{
		std::lock_guard<std::mutex> lock(lock_);
		return last_[code];
	}
	std::string address() const
	{
		return listener_.address();
	}
	std::atomic<int> pages{0}; // of topics; 0: all in one
	std::atomic<int> refuses{0};

      private:
	Message Answer(const Message &ask)
	{
		std::lock_guard<std::mutex> lock(lock_);
		Message reply;

		asked_[ask.code]++;
		last_[ask.code] = ask.fields;
		reply.opaque = ask.opaque;
		reply.flag = REMOTING_RESPONSE;
		reply.code = ask.code == refuses ? 1 : 0;
		reply.body = bodies_[ask.code];
		if (ask.code == 21 && pages)
			Page(ask, reply);
		return reply;
	}
	void Page(const Message &ask, Message &reply)
	{
		int from = std::stoi(ask.fields.at("topicSeq"));

		reply.fields["totalTopicNum"] = std::to_string(pages.load());
		reply.body =
			topics(from == 0 ? 4 : 4, topic_json("Page" + std::to_string(from), 2));
	}
	void Serve()
	{
		for (;;) {
			Wire wire = listener_.Accept();

			if (wire.fd() < 0)
				return;
			for (Message ask = wire.Read(); ask.whole; ask = wire.Read())
				wire.Send(Answer(ask));
		}
	}
	Listener listener_;
	std::mutex lock_;
	std::map<int, std::string> bodies_;
	std::map<int, int> asked_;
	std::map<int, std::map<std::string, std::string>> last_;
	std::thread thread_;
};

struct Pair {
	Folder folder;
	Master master;
	World world;

	explicit Pair(const std::string &more = "")
	    : world(folder.path(), std::string(kSlave) + more, 2, kDouble)
	{
		Tell(master.address());
	}
	void Tell(const std::string &address)
	{
		slave_told(world.role(), text(address), text(""));
	}
	topic *Topic(const std::string &name)
	{
		return topics_find(world.role()->topics, text(name));
	}
	int64_t Offset(int32_t queue)
	{
		return offsets_get(world.role()->offsets, text("readers"), text("Copied"), queue);
	}
	// So many more whole rounds have begun.
	void Rounds(int count)
	{
		int from = master.Asked(402);
		world.until([&] { return master.Asked(402) >= from + count; });
	}
};

TEST(SlaveCopy, TakesEverythingOver)
{
	Pair pair;
	message_mode mode;

	pair.Rounds(2);
	ASSERT_NE(pair.Topic("Copied"), nullptr);
	EXPECT_EQ(topic_read_queues(pair.Topic("Copied")), 3);
	EXPECT_EQ(pair.Topic("TBW102"), nullptr); // the master has none
	EXPECT_EQ(pair.Offset(0), 5);
	EXPECT_EQ(pair.Offset(1), 9);
	group *readers = groups_look(pair.world.role()->groups, text("readers"));
	ASSERT_NE(readers, nullptr);
	EXPECT_EQ(GROUP_READ(readers, retry_max_times), 7);
	modes_get(pair.world.role()->modes, text("Copied"), text("readers"), &mode);
	EXPECT_EQ(mode.pop_share_queues, 2);
	EXPECT_NE(ask(pair.world, 45, {}).body.find("{1:12,3:4}"), std::string::npos);
	EXPECT_NE(ask(pair.world, 21, {}).body.find("\"counter\":1,"), std::string::npos);
}

TEST(SlaveCopy, OffsetsOfLightGroupsAreTakenOver)
{
	Pair pair("enableLmq=true\n");
	struct offsets *offsets = pair.world.role()->offsets;
	const std::string light_group = "%LMQ%g", light_topic = "%LMQ%q";
	const gantry_str group = text(light_group), topic = text(light_topic);

	pair.master.Say(43, "{\"lmqOffsetTable\":{\"%LMQ%q@%LMQ%g\":7},"
			    "\"offsetTable\":{\"Copied@readers\":{0:6}}}");
	pair.Rounds(2);
	EXPECT_EQ(offsets_get(offsets, group, topic, 0), 7);
	EXPECT_EQ(pair.Offset(0), 6);
	pair.master.Say(43, "{\"lmqOffsetTable\":{\"%LMQ%q@%LMQ%g\":\"x\"},"
			    "\"offsetTable\":{\"Copied@readers\":{0:8}}}");
	pair.Rounds(2);
	EXPECT_EQ(offsets_get(offsets, group, topic, 0), 7);
}

TEST(SlaveCopy, FollowsChangesAndRemovals)
{
	Pair pair;

	pair.Rounds(2);
	topic *kept = pair.Topic("Copied");
	pair.master.Say(21, Master::topics(2, topic_json("Copied", 5)));
	pair.Rounds(2);
	EXPECT_EQ(pair.Topic("Copied"), kept); // changed, not made anew
	EXPECT_EQ(topic_read_queues(kept), 5);
	EXPECT_EQ(pair.Topic("Other"), nullptr);
}

TEST(SlaveCopy, ATableInPagesIsTakenWhenItIsWhole)
{
	Pair pair;

	pair.master.pages = 3;
	pair.Rounds(3);
	EXPECT_NE(pair.Topic("Page0"), nullptr);
	EXPECT_NE(pair.Topic("Page1"), nullptr);
	EXPECT_NE(pair.Topic("Page2"), nullptr);
	EXPECT_EQ(pair.Topic("Copied"), nullptr);
	EXPECT_EQ(pair.master.Last(21)["dataVersion"], version(4));
}

TEST(SlaveCopy, BadTablesChangeNothingAndCostOnlyThemselves)
{
	Pair pair;

	pair.Rounds(2);
	topic *kept = pair.Topic("Copied");
	for (const std::string &bad :
	     {std::string(), std::string("{"), std::string("[]"),
	      std::string("{\"topicConfigTable\":7}"),
	      Master::topics(3, "\"X\":{\"topicName\":\"X\",\"readQueueNums\":-1}"),
	      Master::topics(4, "\"X\":{\"topicName\":\"" + std::string(600, 'x') + "\"}"),
	      Master::topics(5, "\"X\":9"), std::string(100000, '[')}) {
		int groups = pair.master.Asked(201);

		for (int code : {21, 45, 402})
			pair.master.Say(code, bad);
		pair.world.until([&] { return pair.master.Asked(201) >= groups + 1; });
		EXPECT_EQ(pair.Topic("Copied"), kept) << bad.substr(0, 100);
		EXPECT_EQ(pair.Topic("X"), nullptr);
		EXPECT_EQ(pair.Offset(0), 5);
		slave_told(pair.world.role(), text("127.0.0.1:1"), text("")); // a round at once
		slave_told(pair.world.role(), text(pair.master.address()), text(""));
	}
}

TEST(SlaveCopy, ATableThatTheMasterDoesNotHaveCostsOnlyItself)
{
	Pair pair;

	pair.master.refuses = 45;
	pair.Rounds(2);
	pair.master.Say(21, Master::topics(2, topic_json("Later", 1)));
	pair.Rounds(2);
	EXPECT_NE(pair.Topic("Later"), nullptr);
	EXPECT_NE(ask(pair.world, 45, {}).body.find("\"offsetTable\":{}"), std::string::npos)
		<< ask(pair.world, 45, {}).body;
}

TEST(SlaveCopy, ALimitIsKept)
{
	Pair pair;
	std::string table = topic_json("T0", 1);

	pair.Rounds(1);
	for (int i = 1; i < 200; i++)
		table += "," + topic_json("T" + std::to_string(i), 1);
	pair.master.Say(21, Master::topics(9, table));
	pair.Rounds(1);
	EXPECT_LE(topics_count(pair.world.role()->topics), 50u);
}

TEST(SlaveCopy, WhatClientsCommitHereIsNotTakenBackAndReachesTheMaster)
{
	Pair pair;

	pair.Rounds(2);
	EXPECT_EQ(ask(pair.world, 15,
		      {{"consumerGroup", "readers"},
		       {"topic", "Copied"},
		       {"queueId", "0"},
		       {"commitOffset", "8"}})
			  .code,
		  0);
	EXPECT_EQ(ask(pair.world, 15,
		      {{"consumerGroup", "readers"},
		       {"topic", "Copied"},
		       {"queueId", "1"},
		       {"commitOffset", "2"}})
			  .code,
		  0);
	pair.world.until([&] { return pair.master.Asked(15) > 0; });
	auto fields = pair.master.Last(15);
	EXPECT_EQ(fields["consumerGroup"], "readers");
	EXPECT_EQ(fields["topic"], "Copied");
	EXPECT_EQ(fields["queueId"], "0");
	EXPECT_EQ(fields["commitOffset"], "8");
	EXPECT_EQ(pair.Offset(0), 8);
	pair.Rounds(1);
	EXPECT_EQ(pair.Offset(1), 9); // the master was further
	// the master has it now, and later is reset: that is followed
	pair.master.Say(43, "{\"offsetTable\":{\"Copied@readers\":{0:8,1:9}}}");
	pair.Rounds(2);
	pair.master.Say(43, "{\"offsetTable\":{\"Copied@readers\":{0:1,1:9}}}");
	pair.Rounds(2);
	EXPECT_EQ(pair.Offset(0), 1);
}

TEST(SlaveCopy, WhatClientsCommittedOutlivesARestart)
{
	Folder folder;
	{
		World world(folder.path(), kSlave, 2, kDouble);
		std::string name = "Copied";
		topic_config config;

		topic_config_init(&config, text(name));
		ASSERT_GE(topics_put(world.role()->topics, &config, nullptr), 0);
		ASSERT_NE(groups_find(world.role(), text("readers")), nullptr);
		EXPECT_EQ(ask(world, 15,
			      {{"consumerGroup", "readers"},
			       {"topic", "Copied"},
			       {"queueId", "0"},
			       {"commitOffset", "8"}})
				  .code,
			  0);
	}
	Master master; // knows of 5
	World world(folder.path(), kSlave, 2, kDouble);

	slave_told(world.role(), text(master.address()), text(""));
	world.until([&] { return master.Asked(15) > 0; });
	EXPECT_EQ(master.Last(15)["commitOffset"], "8");
	EXPECT_EQ(offsets_get(world.role()->offsets, text("readers"), text("Copied"), 0), 8);
}

TEST(SlaveCopy, ANewTopicInTheLogIsAReasonToAsk)
{
	Folder folder;
	Master master;
	World world(folder.path(), std::string(kSlave) + "slaveSyncInterval=1h\n", 2, kDouble);
	auto waits = [&] { return topics_find(world.role()->topics, text("Later")) == nullptr; };
	auto message = [&] { return store_queue_named(world.messages(), text("Later"), 0); };

	ASSERT_NE(message(), nullptr); /* of a topic that is deleted, and comes again */
	slave_told(world.role(), text(master.address()), text(""));
	world.until([&] { return master.Asked(402) > 0; });
	master.Say(21, Master::topics(2, topic_json("Later", 1)));
	EXPECT_TRUE(waits());
	world.aside([&] { EXPECT_EQ(store_delete_topic(world.messages(), text("Later")), 0); });
	ASSERT_NE(message(), nullptr);
	world.until([&] { return !waits() && master.Asked(402) == 2; });
}

TEST(SlaveCopy, AMasterThatGoesIsMissedAndAnotherIsFound)
{
	Pair pair;

	pair.Rounds(1);
	pair.Tell("127.0.0.1:1"); // nobody listens there
	pair.master.Say(21, Master::topics(2, topic_json("Later", 1)));
	pair.Tell(pair.master.address());
	pair.world.until([&] { return pair.Topic("Later") != nullptr; });
	EXPECT_EQ(pair.Topic("Copied"), nullptr);
}

TEST(SlaveCopy, ItIsNoMasterOfItself)
{
	Folder folder;
	Master master; // ends when its connections have
	World world(folder.path(), kSlave, 2, kDouble);

	slave_told(world.role(), text("127.0.0.1:10911"), text(""));
	slave_told(world.role(), text(master.address()), text(""));
	world.until([&] { return master.Asked(402) > 0; });
}
