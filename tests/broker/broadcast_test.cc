/* SPDX-License-Identifier: Apache-2.0 */
/* How far the members of broadcasting groups are: noted, committed, forgotten. */
#include <gtest/gtest.h>

#include "broadcast/broadcast.h"
#include "broker.h"
#include "call/fields.h"
#include "table/name_set.h"
#include "offsets/offsets.h"
#include "session.h"

namespace
{

const char kForget[] = "broadcastOffsetExpireSecond=0\nbroadcastOffsetExpireMaxSecond=0\n";
enum { PROXY_FOR_BROADCAST = 1 };

void send_ten(World &world)
{
	Session session(world);

	for (int i = 0; i < 10; i++)
		ASSERT_EQ(GANTRY_SUCCESS, session.send(Sent()).code);
	world.dispatched();
}

class Member
{
      public:
	Member(World &world, const char *id, uint32_t model = GANTRY_BROADCASTING,
	       uint32_t type = GANTRY_CONSUME_PASSIVELY)
	    : world(world), session(world)
	{
		gantry_subscription_data subscription = {};
		gantry_consumer_data group = {};
		gantry_client client = {};

		subscription.topic = str_of("TopicTest");
		subscription.expression = str_of("*");
		subscription.expression_type = str_of("TAG");
		group.group = str_of("consumers");
		group.consume_type = type;
		group.message_model = model;
		group.subscriptions = &subscription;
		group.subscription_count = 1;
		client.session = session.get();
		client.id = str_of(id);
		client.consumers = &group;
		client.consumer_count = 1;
		world.on(session.loop(), [&] { world.ops()->join(world.inst(), &client); });
	}

	Pulled pull(int64_t offset, const std::string &proxy_client = "")
	{
		Pulled pull;

		pull.offset = offset;
		pull.flags = 0;
		if (!proxy_client.empty())
			pull.source = PROXY_FOR_BROADCAST;
		pull.proxy_client = proxy_client;
		return session.pull(pull);
	}

	World &world;
	Session session;
};

void round(World &world)
{
	world.on(world.control(), [&] { broadcast_round(world.role()); });
}

int64_t kept(World &world)
{
	return offsets_get(world.role()->offsets, str_of("consumers@broadcast"),
			   str_of("TopicTest"), 0);
}

TEST(Broadcast, TheSlowestMembersOffsetIsCommitted)
{
	Folder folder;
	{
		World world(folder.path());
		send_ten(world);
		Member first(world, "first"), second(world, "second");

		round(world);
		EXPECT_EQ(-1, kept(world));
		EXPECT_EQ(GANTRY_SUCCESS, first.pull(7).code);
		second.pull(4);
		second.pull(2); /* it only grows */
		round(world);
		EXPECT_EQ(4, kept(world));
		second.pull(9);
		round(world);
		EXPECT_EQ(7, kept(world));
	}
	World again(folder.path());
	name_set groups = {};

	EXPECT_EQ(7, kept(again));
	offsets_groups_of(again.role()->offsets, str_of("TopicTest"), &groups);
	EXPECT_EQ(0u, groups.table.count);
	name_set_clear(&groups);
}

TEST(Broadcast, OthersAreNotNoted)
{
	Folder folder;
	World world(folder.path());
	send_ten(world);
	{
		Member clustered(world, "one", GANTRY_CLUSTERING);

		EXPECT_EQ(GANTRY_SUCCESS, clustered.pull(3).code);
		EXPECT_EQ(GANTRY_SUCCESS, clustered.session.pull(Pulled()).code);
	}
	{
		Member active(world, "one", GANTRY_BROADCASTING, GANTRY_CONSUME_ACTIVELY);
		EXPECT_EQ(GANTRY_SUCCESS, active.pull(3).code);
	}
	Member member(world, "one");
	Session stranger(world);
	Pulled pull;
	pull.flags = 0;
	pull.offset = 5;
	EXPECT_EQ(GANTRY_SUCCESS, stranger.pull(pull).code);
	round(world);
	EXPECT_EQ(-1, kept(world));
	pull.flags = GANTRY_PULL_SUBSCRIPTION; /* with a subscription of its own */
	EXPECT_EQ(GANTRY_SUCCESS, member.session.pull(pull).code);
	round(world);
	EXPECT_EQ(5, kept(world));
}

TEST(Broadcast, WhoComesByAProxyGoesOnWhereItWas)
{
	Folder folder;
	World world(folder.path());
	send_ten(world);
	Member member(world, "one");

	EXPECT_EQ(GANTRY_SUCCESS, member.pull(6).code);
	Pulled got = member.pull(1, "one");
	EXPECT_EQ(GANTRY_PULL_OFFSET_MOVED, got.code);
	EXPECT_EQ("OFFSET_RESET", got.remark);
	EXPECT_EQ(6, got.next);
	EXPECT_EQ(GANTRY_SUCCESS, member.pull(8, "one").code);
	EXPECT_EQ(8, member.pull(-1, "one").next);
	EXPECT_EQ(8, member.pull(0).next); /* and back */
	EXPECT_EQ(GANTRY_SUCCESS, member.pull(9).code);
	round(world);
	EXPECT_EQ(9, kept(world));
	got = member.pull(-1, "another"); /* begins where the group is */
	EXPECT_EQ(GANTRY_PULL_OFFSET_MOVED, got.code);
	EXPECT_EQ(9, got.next);
}

TEST(Broadcast, APullThatIsHeldForAProxysClientIsNoted)
{
	Folder folder;
	World world(folder.path());
	send_ten(world);
	Member member(world, "one");
	Pulled pull;

	pull.flags = GANTRY_PULL_SUSPEND;
	pull.suspend_ms = 60000;
	pull.source = PROXY_FOR_BROADCAST;
	pull.proxy_client = "one";
	pull.offset = 10;
	auto held = member.session.begin(pull);
	send_ten(world);
	Pulled got = held->wait();
	EXPECT_EQ(GANTRY_SUCCESS, got.code);
	round(world);
	EXPECT_EQ(10, kept(world));
	EXPECT_EQ(10, member.pull(3).next); /* without the proxy */
}

TEST(Broadcast, WhoHasGoneIsForgotten)
{
	Folder folder;
	World world(folder.path(), kForget);
	send_ten(world);
	{
		Member member(world, "one");

		EXPECT_EQ(GANTRY_SUCCESS, member.pull(6).code);
		round(world); /* it is online: it counts once more */
		EXPECT_EQ(6, kept(world));
		EXPECT_EQ(GANTRY_SUCCESS, member.pull(8).code);
	}
	round(world);
	EXPECT_EQ(6, kept(world));
	Member again(world, "one");
	EXPECT_EQ(GANTRY_SUCCESS, again.pull(2, "one").code); /* nothing is known of it */
}

TEST(Broadcast, IsNotNotedWhenSwitchedOffOrFull)
{
	for (const char *keys : {"enableBroadcastOffsetStore=false\n", "maxOffsets=8\n"}) {
		Folder folder;
		World world(folder.path(), keys);
		send_ten(world);
		Member member(world, "one");

		EXPECT_EQ(GANTRY_SUCCESS, member.pull(6).code);
		round(world);
		EXPECT_EQ(-1, kept(world)) << keys;
	}
}

} // namespace
