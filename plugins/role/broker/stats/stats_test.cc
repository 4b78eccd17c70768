/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics: counting on a loop and off it, windows of time, rates, days. */
#include "stats/stats.h"

#include <gantry/loop.h>

#include "../../../tests/support/broker_fixture.h"

namespace
{

constexpr int64_t start = INT64_C(1700000000000);

class Stats : public control::Broker
{
      protected:
	struct topic *Topic(const std::string &name)
	{
		struct topic_config config;
		struct topic *topic = nullptr;

		topic_config_init(&config, str_of(name.c_str()));
		EXPECT_GE(topics_put(broker_->topics, &config, &topic), 0);
		return topic;
	}
	struct group *Group(const std::string &name)
	{
		return groups_find(broker_, str_of(name.c_str()));
	}
	/* On an event loop, as a send does it. */
	void OnLoop(unsigned loop, const std::function<void()> &act)
	{
		std::atomic<bool> done{false};
		std::function<void()> all = [&] {
			act();
			done = true;
		};
		struct gantry_task task = {};

		task.user = &all;
		task.run = [](struct gantry_task *posted) {
			(*static_cast<std::function<void()> *>(posted->user))();
		};
		gantry_loop_post(gantry_loop_at(control::instance, loop), &task);
		EXPECT_TRUE(kernel_.Until([&] { return done.load(); }));
	}
	int Windows(const char *name, const std::string &key)
	{
		return stats_windows(broker_->stats, str_of(name), str_of(key.c_str()), windows_);
	}
	struct stats_window windows_[3] = {};
};

TEST_F(Stats, NothingIsKnownOfWhatWasNotCounted)
{
	EXPECT_EQ(Windows("TOPIC_PUT_NUMS", "T"), -ENOENT);
	EXPECT_EQ(Windows("NO_SUCH_NAME", "T"), -ENOENT);
	EXPECT_EQ(Windows("TOPIC_PUT_NUMS", std::string(5000, 'x')), -ENOENT);
	EXPECT_EQ(Windows("TOPIC_PUT_NUMS", ""), -ENOENT);
	EXPECT_EQ(stats_tps(broker_->stats, STATS_TOPIC_PUT, str_of("T"), {nullptr, 0}), 0);
}

TEST_F(Stats, WindowsGrowSampleBySample)
{
	struct topic *topic = Topic("T");

	stats_put(broker_->stats, topic, 3, 300);
	EXPECT_EQ(Windows("TOPIC_PUT_NUMS", "T"), 0); /* before any sample, as in RocketMQ */
	EXPECT_EQ(windows_[0].sum, 0);
	int64_t now = broker_wall_ms() + 10000;
	stats_tick(broker_->stats, now);
	EXPECT_EQ(Windows("TOPIC_PUT_NUMS", "T"), 0);
	EXPECT_EQ(windows_[0].sum, 3);
	EXPECT_DOUBLE_EQ(windows_[0].tps, 0.3);
	EXPECT_DOUBLE_EQ(windows_[0].avgpt, 3);
	EXPECT_EQ(windows_[1].sum, 0); /* no ten minutes have passed */
	EXPECT_EQ(Windows("TOPIC_PUT_SIZE", "T"), 0);
	EXPECT_EQ(windows_[0].sum, 300);
	for (int i = 1; i <= 60; i++) /* ten minutes of silence */
		stats_tick(broker_->stats, now + i * 10000);
	EXPECT_EQ(Windows("TOPIC_PUT_NUMS", "T"), 0);
	EXPECT_EQ(windows_[0].sum, 0);
	EXPECT_EQ(windows_[1].sum, 3);
}

TEST_F(Stats, LoopsAndOtherThreadsAreAddedUp)
{
	struct topic *topic = Topic("T");
	struct group *group = Group("G");

	OnLoop(0, [&] { stats_got(broker_->stats, topic, group, 2, 20); });
	OnLoop(1, [&] { stats_got(broker_->stats, topic, group, 5, 50); });
	stats_got(broker_->stats, topic, group, 0, 0);
	stats_sent_back(broker_->stats, topic, group);
	struct stats_totals totals;
	stats_totals(broker_->stats, &totals);
	EXPECT_EQ(totals.got, 7u);
	EXPECT_EQ(totals.found, 2u);
	EXPECT_EQ(totals.missed, 1u);
	stats_tick(broker_->stats, broker_wall_ms() + 10000);
	EXPECT_EQ(Windows("GROUP_GET_NUMS", "T@G"), 0);
	EXPECT_EQ(windows_[0].sum, 7);
	EXPECT_EQ(Windows("GROUP_GET_SIZE", "T@G"), 0);
	EXPECT_EQ(windows_[0].sum, 70);
	EXPECT_EQ(Windows("SNDBCK_PUT_NUMS", "T@G"), 0);
	EXPECT_EQ(windows_[0].sum, 1);
	EXPECT_EQ(Windows("BROKER_GET_NUMS", "C"), 0);
	EXPECT_EQ(windows_[0].sum, 7);
	EXPECT_DOUBLE_EQ(stats_tps(broker_->stats, STATS_GROUP_GET, str_of("T"), str_of("G")), 0.7);
}

TEST_F(Stats, ManyTopicsGrowTheTablesAndLoseNothing)
{
	std::vector<struct topic *> topics;

	for (int i = 0; i < 1000; i++)
		topics.push_back(Topic("T" + std::to_string(i)));
	for (int round = 0; round < 3; round++)
		for (auto topic : topics)
			stats_put(broker_->stats, topic, 1, 10);
	stats_tick(broker_->stats, broker_wall_ms() + 10000);
	for (int i = 0; i < 1000; i++) {
		ASSERT_EQ(Windows("TOPIC_PUT_NUMS", "T" + std::to_string(i)), 0);
		ASSERT_EQ(windows_[0].sum, 3) << i;
	}
	ASSERT_EQ(topics_delete(broker_->topics, str_of("T7")), 0);
	EXPECT_EQ(Windows("TOPIC_PUT_NUMS", "T7"), -ENOENT);
}

TEST_F(Stats, RatesAreThoseOfTheirSeconds)
{
	struct topic *topic = Topic("T");
	double rates[3];

	stats_rates(broker_->stats, STATS_RATE_PUT, rates);
	EXPECT_EQ(rates[0], 0);
	for (int i = 0; i <= 100; i++) {
		stats_tick(broker_->stats, start + i * 1000);
		stats_put(broker_->stats, topic, i < 90 ? 10 : 20, 0);
	}
	stats_rates(broker_->stats, STATS_RATE_PUT, rates);
	EXPECT_DOUBLE_EQ(rates[0], 20);
	EXPECT_NEAR(rates[1], (50 * 10 + 10 * 20) / 60.0, 1e-9);
	EXPECT_NEAR(rates[2], (90 * 10 + 10 * 20) / 100.0, 1e-9);
}

TEST_F(Stats, DaysEndAtMidnight)
{
	struct topic *topic = Topic("T"), *system = Topic("rmq_sys_x");
	struct stats_days days;
	int64_t day = INT64_C(86400000);

	stats_put(broker_->stats, topic, 5, 0);
	stats_put(broker_->stats, system, 100, 0);
	stats_tick(broker_->stats, broker_wall_ms() + day);
	stats_put(broker_->stats, topic, 2, 0);
	stats_tick(broker_->stats, broker_wall_ms() + 2 * day);
	stats_days(broker_->stats, &days);
	EXPECT_EQ(days.put_yesterday, 5u);
	EXPECT_EQ(days.put_today, 7u);
}

TEST_F(Stats, SendsAreSortedByTheirTime)
{
	struct stats_totals totals;

	for (int64_t ms : {-1, 0, 1, 9, 10, 10000, 999999})
		stats_put_took(broker_->stats, ms);
	stats_put_failed(broker_->stats, 4);
	stats_totals(broker_->stats, &totals);
	EXPECT_EQ(totals.buckets[0], 2u);
	EXPECT_EQ(totals.buckets[1], 2u);
	EXPECT_EQ(totals.buckets[2], 1u);
	EXPECT_EQ(totals.buckets[STATS_BUCKETS - 1], 2u);
	EXPECT_EQ(totals.put_ms_max, 999999u);
	EXPECT_EQ(totals.put_failed, 4u);
}

} // namespace
