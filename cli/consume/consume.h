/* SPDX-License-Identifier: Apache-2.0 */
/* gantry consume: a member of a consumer group, as RocketMQ's push consumer is one. One thread;
 * everything belongs to struct consumer. */
#ifndef CLI_CONSUME_H
#define CLI_CONSUME_H

#include <message/record.h>
#include <stdbool.h>

#include "../ask.h"
#include "../route.h"

GANTRY_BEGIN

struct consume_conf {
	const char *namesrv, *topic, *group, *tags;
	bool from_first;
	int64_t max;        /* messages; 0: no limit */
	int64_t timeout_ms; /* 0: no limit */
};

struct broker { /* one that has, or had, queues of the topic */
	char *name, *address;
	struct link *link; /* NULL: to be opened again at retry_ms */
	uint64_t retry_ms;
	bool told; /* that it is not reached */
};

struct held {            /* a queue that the group gave to this member */
	uint32_t broker; /* index into consumer.brokers */
	int32_t queue;
	int64_t offset, committed; /* the next to read; what the broker knows */
	int32_t opaque;            /* of the pull that waits there */
	bool pulling;
	uint64_t retry_ms; /* not before */
};

struct consumer {
	const struct consume_conf *conf;
	struct ask_member member;
	struct route *route;
	struct broker *brokers;
	uint32_t broker_count;
	struct held *held;
	uint32_t held_count;
	uint64_t heartbeat_ms, rebalance_ms, commit_ms, route_ms; /* when they are due */
	int64_t printed;
	int refused; /* the code of an answer that ends everything */
};

/* ---- brokers.c: connections */

/* Takes the route's brokers over: new ones are added, changed addresses are connected anew. */
void brokers_follow(struct consumer *consumer);
/* Connects to those that are due. Fills in what listens to them. */
void brokers_connect(struct consumer *consumer, link_listener *listener);
void brokers_close(struct consumer *consumer);
/* The index of the broker of that name, or -1. */
int64_t brokers_find(const struct consumer *consumer, const char *name);
/* The link failed: says so once, and tries again in a second. */
void brokers_lost(struct consumer *consumer, uint32_t broker, const char *why);

/* ---- group.c: membership and the queues that follow from it */

/* Tells every connected broker that this member is there. */
void group_heartbeat(struct consumer *consumer);
/* Splits the topic's queues among the members as they are now, and takes or drops what changed. */
void group_rebalance(struct consumer *consumer);
/* Tells brokers the offsets that they do not know yet. */
void group_commit(struct consumer *consumer);
void group_leave(struct consumer *consumer);

/* RocketMQ's average split: how many of count queues, from which on, the member of that index
 * among members has. */
void group_share(uint32_t index, uint32_t members, uint32_t count, uint32_t *ret_first,
		 uint32_t *ret_count);

/* ---- pull.c */

/* Sends a pull for every held queue that has none. */
void pull_all(struct consumer *consumer);
/* Takes an answer to a pull that was sent on that broker's link. */
void pull_answered(struct consumer *consumer, uint32_t broker, const struct link_message *message);
/* Whether --max is reached. */
bool pull_full(const struct consumer *consumer);

GANTRY_END
#endif
