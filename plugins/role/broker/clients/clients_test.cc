/* SPDX-License-Identifier: Apache-2.0 */
#include "clients/clients.h"

#include <thread>

#include "../../../tests/support/broker_fixture.h"
#include "clients/private.h"

namespace
{

using control::Broker;
using control::Session;

struct Sub {
	std::string topic, expression = "*", type = "TAG";
	int64_t version = 1;
};

struct Heartbeat {
	std::string id = "client", group = "g";
	std::vector<Sub> subs = {{"T"}};
	uint32_t model = GANTRY_CLUSTERING, type = GANTRY_CONSUME_PASSIVELY;
	std::vector<std::string> producers;
	int32_t fingerprint = 0;
	bool without_subs = false;
};

const std::vector<std::string> kNotice = {"40 consumerGroup=g"};
const std::vector<std::string> kNothing;

class Clients : public Broker
{
      protected:
	explicit Clients(const std::string &keys = "") : Broker(keys)
	{
	}
	int Join(Session &session, const Heartbeat &beat, bool *ret_changed = nullptr)
	{
		std::vector<struct gantry_subscription_data> subs;
		struct gantry_consumer_data consumer = {};
		std::vector<struct gantry_str> producers;
		struct gantry_client client = {};

		for (auto &sub : beat.subs) {
			struct gantry_subscription_data data = {};

			data.topic = str_of(sub.topic.c_str());
			data.expression = str_of(sub.expression.c_str());
			data.expression_type = str_of(sub.type.c_str());
			data.version = sub.version;
			subs.push_back(data);
		}
		for (auto &name : beat.producers)
			producers.push_back(str_of(name.c_str()));
		consumer.group = str_of(beat.group.c_str());
		consumer.consume_type = beat.type;
		consumer.message_model = beat.model;
		consumer.subscriptions = subs.data();
		consumer.subscription_count = static_cast<uint32_t>(subs.size());
		client.session = &session.base;
		client.id = str_of(beat.id.c_str());
		client.version = 513;
		client.consumers = &consumer;
		client.consumer_count = beat.group.empty() ? 0 : 1;
		client.producer_groups = producers.data();
		client.producer_count = static_cast<uint32_t>(producers.size());
		client.fingerprint = beat.fingerprint;
		client.without_subscriptions = beat.without_subs;
		int err = clients_join(broker_, &client);
		if (ret_changed)
			*ret_changed = client.subscriptions_changed;
		EXPECT_EQ(err != 0, client.code != GANTRY_SUCCESS);
		return err;
	}
	void Gone(Session &session)
	{
		clients_gone(broker_, &session.base);
		free(session.base.role_data);
		session.base.role_data = nullptr;
		EXPECT_EQ(session.held, 0);
	}
	std::string Members(const char *group = "g")
	{
		std::string list;
		uint32_t count;
		char **ids;

		if (clients_member_ids(broker_->clients, str_of(group), &ids, &count))
			return "(none)";
		for (uint32_t i = 0; i < count; i++)
			list += std::string(i ? "," : "") + ids[i];
		free(ids);
		return list;
	}
	struct subscription_info Look(const char *topic = "T", const char *group = "g")
	{
		struct subscription_info info;

		clients_subscription(broker_->clients, str_of(group), str_of(topic), &info);
		return info;
	}
	std::string Expression(const char *topic = "T")
	{
		struct subscription_info info = Look(topic);
		std::string text = info.topic_known ? info.subscription->expression.at : "(none)";

		if (info.topic_known)
			subscription_release(info.subscription);
		return text;
	}

	Session a_, b_, c_;
};

TEST_F(Clients, AMemberIsKnownUntilItsConnectionCloses)
{
	EXPECT_EQ(Members(), "(none)");
	EXPECT_EQ(Join(a_, {}), 0);
	EXPECT_EQ(Members(), "client");
	EXPECT_TRUE(Look("U").group_known);
	EXPECT_FALSE(Look("U").topic_known);
	EXPECT_EQ(Expression(), "*");
	EXPECT_TRUE(clients_is_member(broker_->clients, str_of("g"), &a_.base));
	Gone(a_);
	EXPECT_EQ(Members(), "(none)");
	EXPECT_FALSE(Look().group_known);
}

TEST_F(Clients, AGroupWhoseMembersSubscribeDifferentlyIsCounted)
{
	auto *clients = broker_->clients;
	auto now = [&] { return __atomic_load_n(&clients->disagreeing, __ATOMIC_RELAXED); };
	auto ever = [&] { return __atomic_load_n(&clients->disagreements, __ATOMIC_RELAXED); };
	Heartbeat beat = {.id = "a"}, other = {.id = "b"};
	Session one, two, three;

	beat.subs = {{"T"}, {"U"}};
	Join(one, beat);
	other.subs = {{"U", "*", "TAG", 9}, {"T"}}; /* another order, another version */
	Join(two, other);
	EXPECT_EQ(now(), 0);
	other.subs = {{"T", "TagA"}, {"U"}};
	Join(two, other);
	EXPECT_EQ(now(), 1);
	Join(two, other);
	EXPECT_EQ(ever(), 1);
	Gone(one); /* who is left agrees with itself */
	EXPECT_EQ(now(), 0);
	beat.subs = other.subs;
	beat.model = GANTRY_BROADCASTING;
	Join(three, beat);
	EXPECT_EQ(now(), 1);
	EXPECT_EQ(ever(), 2);
	beat.without_subs = true; /* says nothing new */
	Join(three, beat);
	EXPECT_EQ(now(), 1);
	Gone(three);
	EXPECT_EQ(now(), 0);
	Gone(two);
	EXPECT_EQ(now(), 0);
}

TEST_F(Clients, JoiningMakesTheRetryTopic)
{
	EXPECT_EQ(Join(a_, {}), 0);
	struct topic *topic = topics_find(broker_->topics, str_of("%RETRY%g"));
	ASSERT_NE(topic, nullptr);
	EXPECT_EQ(topic_read_queues(topic), 1);
	EXPECT_EQ(topic_perm(topic), 6);
	EXPECT_FALSE(topic_order(topic));
	Gone(a_);
}

TEST_F(Clients, ARetryTopicIsOrderedWhenASubscribedTopicIs)
{
	struct topic_config config;

	topic_config_init(&config, str_of("T"));
	config.order = 1;
	ASSERT_EQ(topics_put(broker_->topics, &config, nullptr), 1);
	EXPECT_EQ(Join(a_, {}), 0);
	EXPECT_TRUE(topic_order(topics_find(broker_->topics, str_of("%RETRY%g"))));
	Gone(a_);
}

TEST_F(Clients, OthersAreToldAtOnceWhenAMemberComesOrGoes)
{
	Heartbeat first, second;

	second.id = "other";
	Join(a_, first);
	EXPECT_EQ(a_.Taken(), kNotice); /* as in RocketMQ the new one is told, too */
	Join(b_, second);
	EXPECT_EQ(a_.Taken(), kNotice);
	EXPECT_EQ(b_.Taken(), kNotice);
	Join(a_, first); /* nothing new */
	EXPECT_EQ(a_.Taken(), kNothing);
	EXPECT_EQ(b_.Taken(), kNothing);
	EXPECT_EQ(Members(), "client,other");
	clients_leave(broker_, &b_.base, str_of("other"), str_of(""), str_of("g"));
	EXPECT_EQ(a_.Taken(), kNotice);
	EXPECT_EQ(b_.Taken(), kNothing);
	Join(b_, second);
	a_.Taken();
	Gone(b_);
	EXPECT_EQ(a_.Taken(), kNotice);
	Gone(a_);
}

/* Each would be told 300 times if each change were told. */
TEST_F(Clients, ALargeGroupIsToldOfManyChangesTogether)
{
	std::vector<Session> sessions(300);
	Heartbeat beat;
	size_t told = 0;

	ASSERT_EQ(clients_serve(broker_->clients), 0);
	for (size_t i = 0; i < sessions.size(); i++) {
		beat.id = std::to_string(i);
		Join(sessions[i], beat);
		if (i < 64) {
			EXPECT_EQ(sessions[0].Taken(), kNotice) << i;
		}
	}
	/* the last one is told of itself, and so is everybody else */
	EXPECT_TRUE(kernel_.Until([&] { return (told += sessions.back().Taken().size()) > 0; }));
	EXPECT_TRUE(kernel_.Until([&] { return (told += sessions[0].Taken().size()) > 0; }));
	EXPECT_LT(told, 150u);
	for (Session &session : sessions)
		session.Taken();
	Gone(sessions.back());
	told = 0;
	EXPECT_TRUE(kernel_.Until([&] { return (told += sessions[0].Taken().size()) > 0; }));
	clients_close(broker_->clients);
	for (size_t i = 0; i + 1 < sessions.size(); i++)
		Gone(sessions[i]);
	EXPECT_EQ(Members(), "(none)");
}

/* A group that becomes small while its members are still to be told. */
TEST_F(Clients, ALargeGroupThatShrinksIsTold)
{
	std::vector<Session> sessions(66);
	Heartbeat beat;

	ASSERT_EQ(clients_serve(broker_->clients), 0);
	for (size_t i = 0; i < sessions.size(); i++) {
		beat.id = std::to_string(i);
		Join(sessions[i], beat);
	}
	for (size_t i = 3; i < sessions.size(); i++)
		Gone(sessions[i]);
	EXPECT_EQ(sessions[0].Taken().back(), kNotice[0]);
	Gone(sessions[2]);
	EXPECT_EQ(sessions[0].Taken(), kNotice);
	clients_close(broker_->clients);
	Gone(sessions[1]);
	Gone(sessions[0]);
}

TEST_F(Clients, ANewTopicOrOneLessIsAChangeButANewerExpressionIsNot)
{
	Heartbeat beat;

	Join(a_, beat);
	a_.Taken();
	beat.subs = {{"T"}, {"U"}};
	Join(a_, beat);
	EXPECT_EQ(a_.Taken(), kNotice);
	beat.subs = {{"U"}};
	Join(a_, beat);
	EXPECT_EQ(a_.Taken(), kNotice);
	EXPECT_EQ(Expression("T"), "(none)");
	beat.subs = {{"U", "x", "TAG", 2}};
	Join(a_, beat);
	EXPECT_EQ(a_.Taken(), kNothing);
	EXPECT_EQ(Expression("U"), "x");
	beat.subs = {{"U", "y", "TAG", 2}}; /* not newer: the old one stays */
	Join(a_, beat);
	EXPECT_EQ(Expression("U"), "x");
	Gone(a_);
}

TEST_F(Clients, NobodyIsToldOfBroadcastersOrAgainstTheConfiguration)
{
	Heartbeat beat;
	struct group *group = groups_find(broker_, str_of("g"));

	beat.model = GANTRY_BROADCASTING;
	Join(a_, beat);
	EXPECT_EQ(a_.Taken(), kNothing);
	Gone(a_);
	__atomic_store_n(&group->notify_consumer_ids_changed_enable, 0, __ATOMIC_RELAXED);
	Join(a_, {});
	EXPECT_EQ(a_.Taken(), kNothing);
	Gone(a_);
}

TEST_F(Clients, FiltersAreCompiledOnceAndFreed)
{
	Heartbeat beat;

	beat.subs = {{"T", "a || b"}, {"U", "*"}, {"V", ""}};
	Join(a_, beat);
	EXPECT_EQ(control::filters, 1);
	Join(a_, beat);
	EXPECT_EQ(control::filters, 1);
	struct subscription_info info = Look();
	ASSERT_TRUE(info.topic_known);
	EXPECT_NE(info.subscription->filter, nullptr);
	Gone(a_);
	EXPECT_EQ(control::filters, 1); /* whoever holds it may go on */
	subscription_release(info.subscription);
	EXPECT_EQ(control::filters, 0);
}

TEST_F(Clients, AnExpressionThatCannotBeCompiledIsMarked)
{
	Heartbeat beat;

	beat.subs = {{"T", "bad"}, {"U", "a > 1", "SQL92"}};
	EXPECT_EQ(Join(a_, beat), 0);
	for (const char *topic : {"T", "U"}) {
		struct subscription_info info = Look(topic);

		ASSERT_TRUE(info.topic_known);
		EXPECT_TRUE(info.subscription->broken);
		EXPECT_EQ(info.subscription->filter, nullptr);
		subscription_release(info.subscription);
	}
	Gone(a_);
}

TEST_F(Clients, FingerprintsSayWhetherSubscriptionsAreWanted)
{
	Heartbeat beat;
	bool changed;

	Join(a_, beat, &changed);
	EXPECT_TRUE(changed); /* v1 */
	beat.fingerprint = 5;
	Join(a_, beat, &changed);
	EXPECT_FALSE(changed);
	beat.without_subs = true;
	beat.subs.clear();
	Join(a_, beat, &changed);
	EXPECT_FALSE(changed);
	EXPECT_EQ(Expression(), "*"); /* kept */
	beat.fingerprint = 6;
	Join(a_, beat, &changed);
	EXPECT_TRUE(changed);
	Gone(a_);
	Join(b_, beat, &changed); /* this broker has forgotten the group */
	EXPECT_TRUE(changed);
	Gone(b_);
}

TEST_F(Clients, ProducersAreListed)
{
	Heartbeat beat;
	auto list = [&](char **text, size_t *size) {
		return clients_producers_json(broker_->clients, str_of("p"), text, size);
	};

	beat.group = "";
	beat.producers = {"p"};
	EXPECT_EQ(Take(list), strerror(ENOENT));
	EXPECT_EQ(Join(a_, beat), 0);
	EXPECT_EQ(Take(list),
		  R"({"connectionSet":[{"clientAddr":"10.0.0.0:4711","clientId":"client",)"
		  R"("language":"JAVA","version":513}]})");
	clients_leave(broker_, &a_.base, str_of("client"), str_of("p"), str_of(""));
	EXPECT_EQ(Take(list), strerror(ENOENT));
	Gone(a_);
}

TEST_F(Clients, ConsumersAreListedWithTheirSubscriptions)
{
	Heartbeat beat;

	beat.subs = {{"T", "a || b", "TAG", 9}};
	Join(a_, beat);
	EXPECT_EQ(Take([&](char **text, size_t *size) {
			  return clients_consumers_json(broker_->clients, str_of("g"), text, size);
		  }),
		  R"({"connectionSet":[{"clientAddr":"10.0.0.0:4711","clientId":"client",)"
		  R"("language":"JAVA","version":513}],)"
		  R"("consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",)"
		  R"("consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING",)"
		  R"("subscriptionTable":{"T":{"classFilterMode":false,"codeSet":[97,98],)"
		  R"("expressionType":"TAG","subString":"a || b","subVersion":9,)"
		  R"("tagsSet":["a","b"],"topic":"T"}}})");
	Gone(a_);
}

TEST_F(Clients, APullsOwnSubscriptionIsCompiledOnce)
{
	struct gantry_pull pull = {};
	struct subscription *first = nullptr, *second = nullptr;
	char why[100] = "";

	pull.group = str_of("g");
	pull.topic = str_of("T");
	pull.subscription = str_of("a");
	ASSERT_EQ(clients_subscription_of_pull(broker_, &pull, &first, why, sizeof(why)), 0);
	ASSERT_EQ(clients_subscription_of_pull(broker_, &pull, &second, why, sizeof(why)), 0);
	EXPECT_EQ(first, second);
	subscription_release(second);
	pull.subscription = str_of("b");
	ASSERT_EQ(clients_subscription_of_pull(broker_, &pull, &second, why, sizeof(why)), 0);
	EXPECT_NE(first, second);
	pull.subscription = str_of("bad");
	subscription_release(first);
	subscription_release(second);
	EXPECT_EQ(clients_subscription_of_pull(broker_, &pull, &first, why, sizeof(why)), -EINVAL);
	EXPECT_STREQ(why, "it is bad");
	EXPECT_FALSE(Look().group_known); /* a pull is no heartbeat */
}

TEST_F(Clients, LeavingAGroupMakesItAsInRocketMQ)
{
	Join(a_, {});
	EXPECT_EQ(groups_look(broker_->groups, str_of("other")), nullptr);
	EXPECT_EQ(clients_leave(broker_, &a_.base, str_of("client"), str_of(""), str_of("other")),
		  0);
	EXPECT_NE(groups_look(broker_->groups, str_of("other")), nullptr);
	Gone(a_);
}

TEST_F(Clients, AnAdministratorSeesWhatPullsBroughtAlong)
{
	struct gantry_pull pull = {};
	struct subscription *brought = nullptr;
	struct subscription_info info;
	char why[100];

	pull.group = str_of("g");
	pull.topic = str_of("T");
	pull.subscription = str_of("a");
	ASSERT_EQ(clients_subscription_of_pull(broker_, &pull, &brought, why, sizeof(why)), 0);
	EXPECT_FALSE(Look().topic_known);
	clients_subscription_any(broker_->clients, str_of("g"), str_of("T"), &info);
	ASSERT_TRUE(info.topic_known);
	EXPECT_FALSE(info.group_known);
	EXPECT_EQ(info.subscription, brought);
	subscription_release(info.subscription);
	subscription_release(brought);
	clients_subscription_any(broker_->clients, str_of("g"), str_of("other"), &info);
	EXPECT_FALSE(info.topic_known);
}

class Limited : public Clients
{
      protected:
	Limited() : Clients("maxGroupClients=1\nmaxGroupSubscriptions=1\nmaxGroups=9")
	{
	}
};

TEST_F(Limited, TooMuchIsRefusedAndTheRestGoesOn)
{
	Heartbeat beat, other;

	EXPECT_EQ(Join(a_, beat), 0);
	EXPECT_NE(Join(b_, beat), 0);
	EXPECT_EQ(Members(), "client");
	beat.subs = {{"T"}, {"U"}};
	EXPECT_EQ(Join(a_, beat), 0);
	EXPECT_FALSE(Look("U").topic_known);
	other.group = "";
	for (int i = 0; i < 9; i++)
		other.producers.push_back("p" + std::to_string(i));
	EXPECT_EQ(Join(a_, other), 0);
	other.producers = {"one more"};
	EXPECT_NE(Join(a_, other), 0);
	Gone(a_);
	Gone(b_);
}

class Silent : public Clients
{
      protected:
	Silent() : Clients("channelExpiredTimeout=30\nsubscriptionExpiredTimeout=30")
	{
	}
};

TEST_F(Silent, ASilentClientIsClosed)
{
	Join(a_, {});
	ASSERT_EQ(clients_serve(broker_->clients), 0);
	EXPECT_TRUE(kernel_.Until([&] { return a_.closed > 0; }));
	clients_close(broker_->clients);
	Gone(a_);
	EXPECT_EQ(Members(), "(none)");
}

TEST_F(Silent, SubscriptionsThatOnlyPullsBringAreForgotten)
{
	struct gantry_pull pull = {};
	struct subscription *subscription = nullptr;
	char why[100];

	pull.group = str_of("g");
	pull.topic = str_of("T");
	pull.subscription = str_of("a");
	ASSERT_EQ(clients_subscription_of_pull(broker_, &pull, &subscription, why, sizeof(why)), 0);
	subscription_release(subscription);
	EXPECT_EQ(control::filters, 1);
	ASSERT_EQ(clients_serve(broker_->clients), 0);
	EXPECT_TRUE(kernel_.Until([&] { return control::filters == 0; }));
	clients_close(broker_->clients);
}

TEST_F(Clients, ManyThreadsComeLookAndGo)
{
	std::vector<std::thread> threads;
	std::vector<Session> sessions(8);

	for (size_t t = 0; t < sessions.size(); t++)
		threads.emplace_back([&, t] {
			Heartbeat beat;

			beat.id = "client-" + std::to_string(t);
			beat.subs = {{"T", "a || b"}};
			for (int i = 0; i < 200; i++) {
				EXPECT_EQ(Join(sessions[t], beat), 0);
				struct subscription_info info = Look();
				if (info.topic_known)
					subscription_release(info.subscription);
				Members();
				clients_gone(broker_, &sessions[t].base);
			}
		});
	for (auto &thread : threads)
		thread.join();
	EXPECT_EQ(Members(), "(none)");
	for (auto &session : sessions)
		Gone(session);
}

} // namespace
