/* SPDX-License-Identifier: Apache-2.0 */
/* What was sent and consumed: by topic and group, as RocketMQ's BrokerStatsManager, and by the
 * broker as a whole, as its StoreStatsService. Each event loop counts in a table of its own, with
 * no lock and no read-modify-write; a timer on the control loop adds the tables up. */
#ifndef STATS_H
#define STATS_H

#include "groups/groups.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stats;

enum stats_kind {
	STATS_TOPIC_PUT,  /* messages stored in a topic */
	STATS_GROUP_GET,  /* messages given to a group from a topic */
	STATS_GROUP_BACK, /* messages that a group sent back for another try */
	STATS_BROKER_PUT, /* of all topics that are not the system's */
	STATS_BROKER_GET,
	STATS_KINDS,
};

enum { STATS_BUCKETS = 13 }; /* of putMessageDistributeTime */

/* Since the start. */
struct stats_totals {
	uint64_t put, put_bytes, put_failed; /* messages */
	uint64_t put_user, got_user;         /* without those of system topics */
	uint64_t got, found, missed;         /* messages given; pulls that found some, or none */
	uint64_t buckets[STATS_BUCKETS];     /* send calls by how long they took */
	uint64_t put_ms_max, got_ms_max;
};

/* What a window of time brought; RocketMQ's StatsSnapshot. */
struct stats_window {
	int64_t sum;
	double tps, avgpt;
};

int stats_new(struct broker *broker, struct stats **ret);
void stats_free(struct stats *stats);  /* NULL is fine */
int stats_serve(struct stats *stats);  /* starts the timer; control thread */
void stats_close(struct stats *stats); /* stops it; control thread */

/* ---- counting; on an event loop, cheap; elsewhere it takes a lock */

/* topic NULL: they count for the store alone. */
void stats_put(struct stats *stats, struct topic *topic, uint32_t messages, uint64_t bytes);
/* Messages of that topic will be put soon: asks for its place in memory. On an event loop. */
void stats_expect_put(const struct stats *stats, const struct topic *topic);
void stats_put_failed(struct stats *stats, uint32_t messages);
void stats_put_took(struct stats *stats, int64_t ms); /* one send call */
/* messages 0: a pull that found none. */
void stats_got(struct stats *stats, struct topic *topic, struct group *group, uint32_t messages,
	       uint64_t bytes);
void stats_sent_back(struct stats *stats, struct topic *topic, struct group *group);

/* ---- reading; any thread */

void stats_totals(struct stats *stats, struct stats_totals *ret);
/* Messages a second over the last minute; 0: nothing was counted. group: of STATS_GROUP_GET. */
double stats_tps(struct stats *stats, enum stats_kind kind, struct gantry_str topic,
		 struct gantry_str group);
/* The windows of a minute, an hour and a day of RocketMQ's statistics name (TOPIC_PUT_NUMS, ...)
 * and key (topic, topic@group, or the cluster). -ENOENT: nothing was counted under them. */
int stats_windows(struct stats *stats, struct gantry_str name, struct gantry_str key,
		  struct stats_window ret[3]);
/* A second's rate over the last 10, 60 and 600 seconds, or since the start. */
enum stats_rate { STATS_RATE_PUT, STATS_RATE_FOUND, STATS_RATE_MISSED, STATS_RATE_GOT };
void stats_rates(struct stats *stats, enum stats_rate rate, double ret[3]);
/* User messages put and got up to the last midnight and the one before; 0 before the first. */
struct stats_days {
	uint64_t put_today, put_yesterday, got_today, got_yesterday;
};
void stats_days(struct stats *stats, struct stats_days *ret);

/* For tests: what the timer does, at that time. Control thread. */
void stats_tick(struct stats *stats, int64_t wall_ms);

#ifdef __cplusplus
}
#endif
#endif
