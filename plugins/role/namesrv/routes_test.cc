/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a registration (reference 2.5), one test each, and the answers that follow. */
#include "routes.h"

#include <gantry/op.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "call/fields.h"

namespace
{

struct Node {
	std::string cluster = "C", broker = "a", address = "1:1", ha = "1:2", zone;
	int64_t id = 0;
	std::vector<std::string> topics = {"T", "U"};
	int32_t queues = 4, perm = 6, sys_flag = 0;
	int64_t counter = 1, state_version = 0, timeout_ms = 0;
	int acting = 0;
};

/* A connection that only counts how often it is held. */
struct Session {
	static void Hold(struct gantry_session *session)
	{
		reinterpret_cast<Session *>(session)->held++;
	}
	static void Release(struct gantry_session *session)
	{
		reinterpret_cast<Session *>(session)->held--;
	}
	static void Close(struct gantry_session *session)
	{
		reinterpret_cast<Session *>(session)->closed++;
	}
	Session()
	{
		ops.size = sizeof(ops);
		ops.hold = Hold;
		ops.release = Release;
		ops.close = Close;
		base.ops = &ops;
	}
	struct gantry_session base = {};
	struct gantry_session_ops ops = {};
	int held = 0, closed = 0;
};

/* Tables without a kernel: nothing here needs one. */
class Tables : public ::testing::Test
{
      protected:
	Tables()
	{
		conf_.maxTopics = 1000;
		conf_.maxBrokers = 100;
		conf_.brokerChannelExpiredTime = 120000;
		namesrv_.conf = &conf_;
		EXPECT_EQ(ns_routes_new(&namesrv_, &routes_), 0);
	}
	~Tables() override
	{
		ns_routes_free(routes_);
		EXPECT_EQ(session_.held, 0);
	}
	int Register(const Node &node, Session *session = nullptr)
	{
		struct ns_registration registration = {};
		struct ns_register_result result;
		std::vector<struct topic_config> topics;

		for (auto &name : node.topics) {
			struct topic_config config;

			topic_config_init(&config, str_of(name.c_str()));
			config.read_queues = config.write_queues = node.queues;
			config.perm = node.perm;
			config.sys_flag = node.sys_flag;
			topics.push_back(config);
		}
		registration.cluster = str_of(node.cluster.c_str());
		registration.broker = str_of(node.broker.c_str());
		registration.address = str_of(node.address.c_str());
		registration.ha_address = str_of(node.ha.c_str());
		registration.zone = str_of(node.zone.c_str());
		registration.id = node.id;
		registration.timeout_ms = node.timeout_ms;
		registration.acting_master = node.acting;
		registration.version.counter = node.counter;
		registration.version.state_version = node.state_version;
		registration.topics = topics.data();
		registration.topic_count = static_cast<uint32_t>(topics.size());
		registration.filter_servers_given = true;
		registration.filter_servers = filter_servers_;
		int err = ns_routes_register(routes_, &registration,
					     session ? &session->base : nullptr, &result);
		master_ = result.master_address ? result.master_address : "";
		ha_ = result.ha_address ? result.ha_address : "";
		free(result.master_address);
		free(result.ha_address);
		return err;
	}
	void Unregister(const Node &node)
	{
		ns_routes_unregister(routes_, str_of(node.cluster.c_str()),
				     str_of(node.broker.c_str()), str_of(node.address.c_str()),
				     node.id);
	}
	struct namesrv_conf conf_ = {};
	struct namesrv namesrv_ = {};
	struct ns_routes *routes_ = nullptr;
	Session session_;
	char *filter_servers_ = nullptr;
	std::string master_, ha_;
};

class Routes : public Tables
{
      protected:
	std::string Route(const char *topic, unsigned flags = NS_STRICT_JSON, const char *zone = "")
	{
		struct ns_route_query query = {};

		query.topic = str_of(topic);
		query.zone = str_of(zone);
		query.flags = flags;
		return Take(ns_routes_query(routes_, &query, &text_, &size_));
	}
	std::string Cluster()
	{
		return Take(ns_routes_cluster_info(routes_, &text_, &size_));
	}
	std::string List(enum ns_topic_list which, const char *cluster = "")
	{
		return Take(ns_routes_topic_list(routes_, which, str_of(cluster), &text_, &size_));
	}
	std::string Take(int err)
	{
		if (err)
			return strerror(-err);
		std::string text(text_, size_);

		free(text_);
		return text;
	}

	const std::string none_ = strerror(ENOENT);
	char *text_ = nullptr;
	size_t size_ = 0;
};

TEST_F(Routes, ARouteLooksLikeJavas)
{
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_EQ(Route("T"),
		  R"({"brokerDatas":[{"brokerAddrs":{"0":"1:1"},"brokerName":"a","cluster":"C",)"
		  R"("enableActingMaster":false}],"filterServerTable":{},)"
		  R"("queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,)"
		  R"("topicSysFlag":0,"writeQueueNums":4}]})");
	EXPECT_EQ(Route("T", 0).substr(0, 41), R"({"brokerDatas":[{"brokerAddrs":{0:"1:1"},)");
	EXPECT_EQ(Route("V"), none_);
}

TEST_F(Routes, ARepeatedQueryIsAnsweredTheSame)
{
	ASSERT_EQ(Register(Node()), 0);
	std::string first = Route("T");

	EXPECT_EQ(Route("T"), first);
	ASSERT_EQ(Register(Node()), 0); /* repeats what is known */
	EXPECT_EQ(Route("T"), first);
}

TEST_F(Routes, Rule3ActingMasterAndZoneAreOverwrittenByEachRegistration)
{
	Node node;

	node.acting = 1;
	node.zone = "z1";
	ASSERT_EQ(Register(node), 0);
	EXPECT_NE(Route("T").find(R"("enableActingMaster":true,"zoneName":"z1")"),
		  std::string::npos);
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_NE(Route("T").find(R"("enableActingMaster":false})"), std::string::npos);
}

TEST_F(Routes, Rule4TheSameAddressHasOneId)
{
	Node slave, master;

	slave.id = 1;
	ASSERT_EQ(Register(master), 0);
	ASSERT_EQ(Register(slave), 0);
	EXPECT_NE(Route("T").find(R"({"1":"1:1"})"), std::string::npos);
	ASSERT_EQ(Register(master), 0);
	EXPECT_NE(Route("T").find(R"({"0":"1:1"})"), std::string::npos);
}

TEST_F(Routes, Rule5AnOlderStateVersionIsIgnoredWithoutAnError)
{
	Node old, fresh;

	fresh.address = "2:2";
	fresh.state_version = 5;
	old.state_version = 4;
	ASSERT_EQ(Register(fresh), 0);
	ASSERT_EQ(Register(old), 0);
	EXPECT_NE(Route("T").find(R"({"0":"2:2"})"), std::string::npos);
	old.state_version = 5; /* not older: it takes over */
	ASSERT_EQ(Register(old), 0);
	EXPECT_NE(Route("T").find(R"({"0":"1:1"})"), std::string::npos);
}

TEST_F(Routes, Rule6AFirstRegistrationOfOneTopicIsRefused)
{
	Node node;

	node.topics = {"T"};
	EXPECT_EQ(Register(node), -EPERM);
	EXPECT_EQ(Cluster(), R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
	ASSERT_EQ(Register(Node()), 0);
	node.topics = {"V"};
	EXPECT_EQ(Register(node), 0);
	EXPECT_NE(Route("V"), none_);
	node.broker = "b";
	node.topics = {};
	EXPECT_EQ(Register(node), 0);
}

TEST_F(Routes, Rule7ASlavesTopicsDoNotCount)
{
	Node slave;

	slave.id = 1;
	slave.acting = -1;
	ASSERT_EQ(Register(slave), 0);
	EXPECT_EQ(Route("T"), none_);
}

TEST_F(Routes, Rule7ThePrimeSlavesTopicsCountReadOnlyIfItActs)
{
	Node slave, second;

	slave.id = 1;
	slave.acting = 1;
	ASSERT_EQ(Register(slave), 0);
	EXPECT_NE(Route("T").find(R"("perm":4)"), std::string::npos);
	second = slave;
	second.id = 2;
	second.address = "2:2";
	second.topics = {"V", "W"};
	ASSERT_EQ(Register(second), 0);
	EXPECT_EQ(Route("V"), none_);
	slave.acting = 0; /* it may, but does not act */
	slave.counter = 2;
	ASSERT_EQ(Register(slave), 0);
	EXPECT_NE(Route("T").find(R"("perm":6)"), std::string::npos);
}

TEST_F(Routes, Rule8TopicsThatAreNoLongerNamedGoOnlyIfConfigured)
{
	Node node;

	ASSERT_EQ(Register(node), 0);
	node.topics = {"T", "V"};
	node.counter = 2;
	ASSERT_EQ(Register(node), 0);
	EXPECT_NE(Route("U"), none_);
	conf_.deleteTopicWithBrokerRegistration = true;
	node.counter = 3;
	ASSERT_EQ(Register(node), 0);
	EXPECT_EQ(Route("U"), none_);
	EXPECT_NE(Route("V"), none_);
}

TEST_F(Routes, Rule9TheSameVersionChangesNothingButUnknownTopics)
{
	Node node;

	ASSERT_EQ(Register(node), 0);
	node.queues = 8;
	node.topics = {"T", "V"};
	ASSERT_EQ(Register(node), 0);
	EXPECT_NE(Route("T").find(R"("readQueueNums":4)"), std::string::npos);
	EXPECT_NE(Route("V").find(R"("readQueueNums":8)"), std::string::npos);
	node.counter = 2;
	ASSERT_EQ(Register(node), 0);
	EXPECT_NE(Route("T").find(R"("readQueueNums":8)"), std::string::npos);
}

TEST_F(Routes, Rule10SilentBrokersExpire)
{
	Node node, patient;
	uint64_t now = gantry_clock_ms();

	patient.broker = "b";
	patient.address = "2:2";
	patient.timeout_ms = 500000;
	ASSERT_EQ(Register(node, &session_), 0);
	ASSERT_EQ(Register(patient), 0);
	ns_routes_expire(routes_, now + 119000);
	EXPECT_NE(Route("T").find("1:1"), std::string::npos);
	ns_routes_expire(routes_, now + 125000);
	EXPECT_EQ(Route("T").find("1:1"), std::string::npos);
	EXPECT_NE(Route("T").find("2:2"), std::string::npos);
	EXPECT_EQ(session_.closed, 1);
	ns_routes_expire(routes_, now + 600000);
	EXPECT_EQ(Route("T"), none_);
}

TEST_F(Routes, Rule11FilterServersAreShownByAddress)
{
	char list[] = R"(["9:9"])";

	filter_servers_ = list;
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_NE(Route("T").find(R"("filterServerTable":{"1:1":["9:9"]})"), std::string::npos);
	filter_servers_ = nullptr;
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_NE(Route("T").find(R"("filterServerTable":{})"), std::string::npos);
}

TEST_F(Routes, Rule12ASlaveIsToldItsMaster)
{
	Node slave;

	slave.id = 1;
	slave.address = "2:2";
	ASSERT_EQ(Register(slave), 0);
	EXPECT_EQ(master_, "");
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_EQ(master_, "");
	ASSERT_EQ(Register(slave), 0);
	EXPECT_EQ(master_, "1:1");
	EXPECT_EQ(ha_, "1:2");
}

TEST_F(Routes, TheLastNodeTakesTheBrokersTopicsAlong)
{
	Node slave, other;

	slave.id = 1;
	slave.address = "2:2";
	other.broker = "b";
	other.address = "3:3";
	ASSERT_EQ(Register(Node()), 0);
	ASSERT_EQ(Register(slave), 0);
	ASSERT_EQ(Register(other), 0);
	Unregister(Node());
	EXPECT_NE(Route("T").find(R"({"1":"2:2"})"), std::string::npos);
	Unregister(slave);
	EXPECT_EQ(Route("T").find("2:2"), std::string::npos);
	EXPECT_NE(Route("T").find(R"({"0":"3:3"})"), std::string::npos);
	EXPECT_EQ(Cluster().find(R"("a")"), std::string::npos);
	Unregister(other);
	EXPECT_EQ(Route("T"), none_);
	EXPECT_EQ(Cluster(), R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
}

TEST_F(Routes, WhenAnActingBrokerLosesItsMasterNothingMayBeWritten)
{
	Node master, slave;

	master.acting = slave.acting = 1;
	slave.id = 1;
	slave.address = "2:2";
	ASSERT_EQ(Register(master), 0);
	ASSERT_EQ(Register(slave), 0);
	Unregister(master);
	EXPECT_NE(Route("T").find(R"({"1":"2:2"})"), std::string::npos);
	EXPECT_NE(Route("T").find(R"("perm":4)"), std::string::npos);
	conf_.supportActingMaster = true;
	master.counter = 2; /* any change: the cached route is of the time before */
	ASSERT_EQ(Register(master), 0);
	Unregister(master);
	EXPECT_NE(Route("T").find(R"({"0":"2:2"})"), std::string::npos);
}

TEST_F(Routes, AClosedConnectionTakesItsBrokersAlong)
{
	Session other;
	Node second;

	second.broker = "b";
	second.address = "2:2";
	ASSERT_EQ(Register(Node(), &session_), 0);
	ASSERT_EQ(Register(second, &session_), 0);
	EXPECT_EQ(session_.held, 2);
	ASSERT_EQ(Register(second, &other), 0); /* it came back on another connection */
	EXPECT_EQ(session_.held, 1);
	ns_routes_gone(routes_, &session_.base);
	EXPECT_EQ(Route("T").find("1:1"), std::string::npos);
	EXPECT_NE(Route("T").find("2:2"), std::string::npos);
	ns_routes_gone(routes_, &other.base);
	EXPECT_EQ(other.held, 0);
	EXPECT_EQ(Route("T"), none_);
}

TEST_F(Routes, WritePermissionsAreTakenAndGivenBack)
{
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_EQ(ns_routes_set_writable(routes_, str_of("a"), false), 2u);
	EXPECT_NE(Route("T").find(R"("perm":4)"), std::string::npos);
	EXPECT_EQ(ns_routes_set_writable(routes_, str_of("a"), true), 2u);
	EXPECT_NE(Route("T").find(R"("perm":6)"), std::string::npos);
	EXPECT_EQ(ns_routes_set_writable(routes_, str_of("b"), true), 0u);
}

TEST_F(Routes, ZonesHideOtherZonesMasters)
{
	Node here, there;

	here.zone = "here";
	there.zone = "there";
	there.broker = "b";
	there.address = "2:2";
	ASSERT_EQ(Register(here), 0);
	ASSERT_EQ(Register(there), 0);
	std::string route = Route("T", NS_STRICT_JSON, "HERE");
	EXPECT_NE(route.find("1:1"), std::string::npos);
	EXPECT_EQ(route.find("2:2"), std::string::npos);
	EXPECT_EQ(route.find(R"("brokerName":"b")"), std::string::npos);
}

TEST_F(Routes, ListsOfTopics)
{
	Node unit;

	unit.cluster = "D";
	unit.broker = "b";
	unit.address = "2:2";
	unit.topics = {"V", "W"};
	unit.sys_flag = TOPIC_UNIT | TOPIC_UNIT_SUB;
	ASSERT_EQ(Register(Node()), 0);
	ASSERT_EQ(Register(unit), 0);
	EXPECT_EQ(List(NS_TOPICS_CLUSTER, "nowhere"), R"({"topicList":[]})");
	for (const char *name : {"T", "U", "V", "W"}) {
		std::string quoted = std::string("\"") + name + "\"";
		bool in_unit = name[0] > 'U';

		EXPECT_NE(List(NS_TOPICS_ALL).find(quoted), std::string::npos);
		EXPECT_EQ(List(NS_TOPICS_UNIT).find(quoted) != std::string::npos, in_unit);
		EXPECT_EQ(List(NS_TOPICS_UNIT_SUB).find(quoted) != std::string::npos, in_unit);
		EXPECT_EQ(List(NS_TOPICS_UNIT_SUB_ONLY).find(quoted), std::string::npos);
		EXPECT_EQ(List(NS_TOPICS_CLUSTER, "D").find(quoted) != std::string::npos, in_unit);
	}
	EXPECT_NE(List(NS_TOPICS_SYSTEM).find("\"brokerAddr\":"), std::string::npos);
	EXPECT_NE(List(NS_TOPICS_SYSTEM).find("\"D\",\"b\""), std::string::npos);
}

TEST_F(Routes, TopicsAreRegisteredAndDeletedByTools)
{
	const char *text = R"([{"brokerName":"a","perm":6,"readQueueNums":2,"writeQueueNums":3}])";
	struct json_doc doc;

	ASSERT_EQ(json_parse(text, strlen(text), 0, nullptr, &doc, nullptr), 0);
	EXPECT_EQ(ns_routes_register_topic(routes_, str_of("V"), json_root(&doc)), 0);
	EXPECT_EQ(Route("V"), none_); /* no such broker */
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_EQ(ns_routes_register_topic(routes_, str_of("V"), json_root(&doc)), 0);
	EXPECT_NE(Route("V").find(R"("writeQueueNums":3)"), std::string::npos);
	json_free(&doc);
	ns_routes_delete_topic(routes_, str_of("V"), str_of("D"));
	EXPECT_NE(Route("V"), none_);
	ns_routes_delete_topic(routes_, str_of("V"), str_of("C"));
	EXPECT_EQ(Route("V"), none_);
	ns_routes_delete_topic(routes_, str_of("T"), str_of(""));
	EXPECT_EQ(Route("T"), none_);
}

TEST_F(Routes, LimitsAreErrorsAndTheBrokerStaysAlive)
{
	Node node, other;

	conf_.maxTopics = 1;
	EXPECT_EQ(Register(node), -ENOSPC);
	EXPECT_NE(Route("T"), none_);
	conf_.maxTopics = 2;
	EXPECT_EQ(Register(node), 0);
	EXPECT_NE(Route("U"), none_);
	conf_.maxBrokers = 1;
	other.broker = "b";
	other.address = "2:2";
	EXPECT_EQ(Register(other), -ENOSPC);
	EXPECT_EQ(Route("T").find("2:2"), std::string::npos);
	EXPECT_EQ(Cluster().find(R"("b")"), std::string::npos);
}

TEST_F(Routes, VersionsAreKnownByAddress)
{
	struct data_version version = {};

	EXPECT_FALSE(ns_routes_version(routes_, str_of("C"), str_of("1:1"), &version));
	ASSERT_EQ(Register(Node()), 0);
	EXPECT_TRUE(ns_routes_version(routes_, str_of("C"), str_of("1:1"), &version));
	EXPECT_EQ(version.counter, 1);
	EXPECT_FALSE(ns_routes_version(routes_, str_of("D"), str_of("1:1"), &version));
}

TEST_F(Routes, ATakenIdIsRefusedOnlyIfThatIsWanted)
{
	Node other;
	Session mine, theirs;

	other.address = "2:2";
	EXPECT_EQ(Register(Node(), &mine), 0);
	conf_.refuseTakenBrokerIds = true;
	EXPECT_EQ(Register(other, &theirs), -EEXIST);
	EXPECT_NE(Route("T").find("1:1"), std::string::npos);
	EXPECT_EQ(Register(other, &mine), 0) << "the same connection may move";
	conf_.refuseTakenBrokerIds = false;
	EXPECT_EQ(Register(Node(), &theirs), 0);
	EXPECT_NE(Route("T").find("1:1"), std::string::npos);
	ns_routes_gone(routes_, &mine.base);
	ns_routes_gone(routes_, &theirs.base);
	EXPECT_EQ(mine.held + theirs.held, 0);
}

TEST_F(Routes, StandardJsonEscapesNoMoreThanItMust)
{
	Node node;

	node.broker = "\xe4\xb8\xad/\"";
	Register(node);
	EXPECT_NE(Route("T").find("\"brokerName\":\"\xe4\xb8\xad/\\\"\""), std::string::npos);
}

TEST_F(Routes, AChangedKeyMakesEncodedRoutesStale)
{
	Node master, slave;

	master.acting = slave.acting = 1;
	slave.id = 1;
	slave.address = "2:2";
	Register(master);
	Register(slave);
	Unregister(master);
	EXPECT_NE(Route("T").find("\"1\":\"2:2\""), std::string::npos);
	conf_.supportActingMaster = true;
	ns_routes_forget_texts(routes_);
	EXPECT_NE(Route("T").find("\"0\":\"2:2\""), std::string::npos);
}

} // namespace
