/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"

#include <string>

namespace
{

struct payload {
	uint64_t number;
	char text[16];
};

gantry_topic topic_of(const char *name, uint32_t flags = 0)
{
	return {sizeof(gantry_topic), 2, flags, sizeof(payload), name};
}

const gantry_topic plain = topic_of("test.plain");
const gantry_topic veto = topic_of("test.veto", GANTRY_TOPIC_VETO);

/* a subscriber that notes what it hears */
struct ear {
	std::function<int(const gantry_event *)> hear;
	std::atomic<int> events{0}, ends{0};
	TestKernel *test = nullptr;
	gantry_subscription *subscription = nullptr;

	gantry_subscribe_spec spec(int32_t priority = 0, gantry_loop *loop = nullptr,
				   uint32_t queue_max = 0)
	{
		gantry_subscribe_spec spec = {};
		spec.size = sizeof(spec);
		spec.priority = priority;
		spec.loop = loop;
		spec.queue_max = queue_max;
		spec.user = this;
		spec.event = [](const gantry_event *event, void *user) {
			auto *at = static_cast<ear *>(user);
			int answer = at->hear ? at->hear(event) : 0;
			at->events++;
			if (at->test)
				at->test->wake();
			return answer;
		};
		spec.end = [](void *user) {
			auto *at = static_cast<ear *>(user);
			TestKernel *test = at->test;
			at->ends++; /* who waits for it may take the ear away now */
			if (test)
				test->wake();
		};
		return spec;
	}
};

class Bus : public testing::Test
{
      protected:
	Bus() : inst(test.add())
	{
		EXPECT_EQ(0, gantry_topic_define(inst, &plain));
		EXPECT_EQ(0, gantry_topic_define(inst, &veto));
	}

	void subscribe(ear &ear, const gantry_topic &topic, int32_t priority = 0,
		       gantry_loop *loop = nullptr, uint32_t queue_max = 0)
	{
		gantry_subscribe_spec spec = ear.spec(priority, loop, queue_max);
		ear.test = &test;
		ASSERT_EQ(0, gantry_subscribe(inst, topic.name, 1, &spec, &ear.subscription));
	}

	int publish(const gantry_topic &topic, uint64_t number = 0, const void *live = nullptr)
	{
		payload payload = {number, "text"};
		return gantry_publish(inst, &topic, &payload, live);
	}

	TestKernel test;
	gantry_inst *inst;
};

TEST_F(Bus, DeliversByPriorityThenInOrderOfSubscribing)
{
	std::string heard;
	ear late, first, second, early;
	late.hear = [&](const gantry_event *) { return heard += 'l', 0; };
	first.hear = [&](const gantry_event *) { return heard += '1', 0; };
	second.hear = [&](const gantry_event *) { return heard += '2', 0; };
	early.hear = [&](const gantry_event *) { return heard += 'e', 0; };
	subscribe(late, plain, GANTRY_LATE);
	subscribe(first, plain);
	subscribe(second, plain);
	subscribe(early, plain, GANTRY_EARLY);
	EXPECT_EQ(0, publish(plain));
	EXPECT_EQ("e12l", heard);
	for (ear *each : {&late, &first, &second, &early})
		gantry_unsubscribe(each->subscription);
}

TEST_F(Bus, GivesPayloadLiveObjectAndSequence)
{
	int live = 0;
	uint64_t expected = 0;
	ear ear;
	ear.hear = [&](const gantry_event *event) {
		EXPECT_EQ(&plain, event->topic);
		EXPECT_EQ(++expected, event->sequence);
		EXPECT_EQ(&live, event->live);
		EXPECT_EQ(expected * 10, static_cast<const payload *>(event->payload)->number);
		return 0;
	};
	subscribe(ear, plain);
	publish(plain, 10, &live);
	publish(plain, 20, &live);
	EXPECT_EQ(2, ear.events);
	gantry_unsubscribe(ear.subscription);
	EXPECT_EQ(1, ear.ends);
}

TEST_F(Bus, AVetoStopsTheEventAndReachesThePublisher)
{
	ear before, objector, after, later;
	objector.hear = [](const gantry_event *) { return -EBUSY; };
	subscribe(before, veto, -1);
	subscribe(objector, veto, 0);
	subscribe(after, veto, 1);
	subscribe(later, veto, 0, test.loop(0), 4);
	EXPECT_EQ(-EBUSY, publish(veto));
	EXPECT_EQ(1, before.events);
	EXPECT_EQ(0, after.events);
	gantry_unsubscribe(objector.subscription);
	EXPECT_EQ(0, publish(veto));
	EXPECT_EQ(1, after.events);
	test.until([&] { return later.events == 1; });
	for (ear *each : {&before, &after, &later})
		gantry_unsubscribe(each->subscription);
	test.until([&] { return later.ends == 1; });
}

TEST_F(Bus, WhatIsReturnedCountsOnVetoTopicsOnly)
{
	ear objector, after;
	objector.hear = [](const gantry_event *) { return -EBUSY; };
	subscribe(objector, plain);
	subscribe(after, plain);
	EXPECT_EQ(0, publish(plain));
	EXPECT_EQ(1, after.events);
	gantry_unsubscribe(objector.subscription);
	gantry_unsubscribe(after.subscription);
}

TEST_F(Bus, AsynchronousDeliveryRunsOnItsLoopWithACopy)
{
	ear ear;
	std::atomic<bool> right{true};
	ear.hear = [&](const gantry_event *event) {
		auto *got = static_cast<const payload *>(event->payload);
		right = right && gantry_loop_here() == test.loop(1) && !event->live &&
			got->number == event->sequence && event->lost == 0 &&
			std::string(got->text) == "text";
		return 0;
	};
	subscribe(ear, plain, 0, test.loop(1), 100);
	for (uint64_t i = 1; i <= 50; i++)
		publish(plain, i, this);
	test.until([&] { return ear.events == 50; });
	EXPECT_TRUE(right);
	gantry_unsubscribe(ear.subscription);
	test.until([&] { return ear.ends == 1; });
}

TEST_F(Bus, AFullQueueLosesTheOldestAndSaysHowMany)
{
	ear ear;
	std::vector<uint64_t> sequences;
	uint32_t lost = 0;
	ear.hear = [&](const gantry_event *event) {
		sequences.push_back(event->sequence);
		lost += event->lost;
		return 0;
	};
	subscribe(ear, plain, 0, test.loop(0), 3);
	test.on(test.loop(0), [&] { /* the loop is busy: nothing is delivered meanwhile */
				    for (int i = 0; i < 10; i++)
					    publish(plain);
	});
	test.until([&] { return ear.events == 3; });
	test.on(test.loop(0), [&] {
		EXPECT_EQ((std::vector<uint64_t>{8, 9, 10}), sequences);
		EXPECT_EQ(7u, lost);
	});
	gantry_unsubscribe(ear.subscription);
	test.until([&] { return ear.ends == 1; });
}

TEST_F(Bus, UnsubscribingInsideTheDeliveryEndsAfterIt)
{
	ear ear;
	ear.hear = [&](const gantry_event *) {
		gantry_unsubscribe(ear.subscription);
		EXPECT_EQ(0, ear.ends);
		return 0;
	};
	subscribe(ear, plain);
	publish(plain);
	EXPECT_EQ(1, ear.ends);
	publish(plain);
	EXPECT_EQ(1, ear.events);
}

TEST_F(Bus, UnsubscribingAnotherInsideTheDeliverySkipsIt)
{
	ear first, second;
	first.hear = [&](const gantry_event *) {
		gantry_unsubscribe(second.subscription);
		return 0;
	};
	subscribe(first, plain);
	subscribe(second, plain);
	publish(plain);
	EXPECT_EQ(0, second.events);
	EXPECT_EQ(1, second.ends);
	gantry_unsubscribe(first.subscription);
}

TEST_F(Bus, AsynchronousUnsubscribeOnItsOwnLoopEnds)
{
	ear ear;
	ear.hear = [&](const gantry_event *) {
		gantry_unsubscribe(ear.subscription);
		return 0;
	};
	subscribe(ear, plain, 0, test.loop(0), 8);
	test.on(test.loop(0), [&] {
		publish(plain);
		publish(plain);
	});
	test.until([&] { return ear.ends == 1; });
	EXPECT_EQ(1, ear.events);
}

TEST_F(Bus, TakingBackEndsWhatTheInstanceLeft)
{
	gantry_inst *other = test.add("filter-other");
	ear sync, async;
	gantry_subscribe_spec spec = sync.spec();
	ASSERT_EQ(0, gantry_subscribe(other, plain.name, 1, &spec, &sync.subscription));
	spec = async.spec(0, test.loop(1), 4);
	ASSERT_EQ(0, gantry_subscribe(other, plain.name, 1, &spec, &async.subscription));
	publish(plain);
	EXPECT_EQ(2u, gk_inst_take_back(other));
	EXPECT_EQ(1, sync.ends);
	EXPECT_EQ(1, async.ends);
	publish(plain);
	EXPECT_EQ(1, sync.events);
}

TEST_F(Bus, ATopicThatGoesEndsItsSubscriptions)
{
	static const gantry_topic shortlived = topic_of("test.shortlived");
	gantry_inst *owner = test.add("filter-owner");
	ASSERT_EQ(0, gantry_topic_define(owner, &shortlived));
	ear sync, async;
	subscribe(sync, shortlived);
	subscribe(async, shortlived, 0, test.loop(0), 4);
	gk_bus_undefine_all(&test.kernel->bus, owner);
	EXPECT_EQ(1, sync.ends);
	test.until([&] { return async.ends == 1; });
	EXPECT_EQ(-ENOENT, publish(shortlived));
}

TEST_F(Bus, RefusesWhatIsWrong)
{
	ear ear;
	gantry_subscription *subscription = nullptr;
	gantry_subscribe_spec spec = ear.spec();
	EXPECT_EQ(-ENOENT, gantry_subscribe(inst, "test.none", 1, &spec, &subscription));
	EXPECT_EQ(-EPROTO, gantry_subscribe(inst, plain.name, 3, &spec, &subscription));
	spec.loop = test.loop(0);
	EXPECT_EQ(-EINVAL, gantry_subscribe(inst, plain.name, 1, &spec, &subscription));
	spec.queue_max = 65537;
	EXPECT_EQ(-EINVAL, gantry_subscribe(inst, plain.name, 1, &spec, &subscription));
	EXPECT_EQ(nullptr, subscription);
	EXPECT_EQ(-EEXIST, gantry_topic_define(inst, &plain));
	gantry_topic big = topic_of("test.big");
	big.payload_size = GANTRY_PAYLOAD_MAX + 1;
	EXPECT_EQ(-EINVAL, gantry_topic_define(inst, &big));
	gantry_unsubscribe(nullptr);
}

TEST_F(Bus, ManyThreadsPublishSubscribeAndUnsubscribe)
{
	constexpr int rounds = 300;
	std::atomic<int> ends{0};
	std::vector<std::thread> threads;
	ear steady;
	subscribe(steady, plain, 0, test.loop(1), 65536);
	for (int t = 0; t < 3; t++) {
		threads.emplace_back([&, t] {
			for (int i = 0; i < rounds; i++) {
				ear mine;
				gantry_subscription *subscription = nullptr;
				gantry_subscribe_spec spec = mine.spec();
				ASSERT_EQ(0, gantry_subscribe(inst, plain.name, 1, &spec,
							      &subscription));
				publish(plain, static_cast<uint64_t>(t));
				EXPECT_GE(mine.events, 1);
				gantry_unsubscribe(subscription);
				while (!mine.ends) /* another thread may be in its call */
					std::this_thread::yield();
				ends += mine.ends;
			}
		});
	}
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(3 * rounds, ends);
	test.until([&] { return steady.events == 3 * rounds; });
	gantry_unsubscribe(steady.subscription);
	test.until([&] { return steady.ends == 1; });
}

} // namespace
