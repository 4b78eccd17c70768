/* SPDX-License-Identifier: Apache-2.0 */
/* Which brokers hold a topic's queues: asked of the name servers, in the order given, until one
 * answers, as RocketMQ's clients do. */
#ifndef CLI_ROUTE_H
#define CLI_ROUTE_H

#include <gantry/base.h>
#include <stdbool.h>

GANTRY_BEGIN

#define ROUTE_NAMESRV_HELP                                                                         \
	"Name servers, HOST:PORT[;HOST:PORT...] (default: $NAMESRV_ADDR, else 127.0.0.1:9876)"

struct route_broker {
	char *name;
	char *master; /* its address; NULL when there is none */
	char *reader; /* the master's, or else that of the slave with the lowest id */
};

struct route_queue {
	uint32_t broker; /* index into route.brokers */
	int32_t queue;
};

struct route {
	uint32_t broker_count, write_count, read_count;
	struct route_broker *brokers; /* sorted by name */
	struct route_queue *writes;   /* queues that may be written, on brokers with a master */
	struct route_queue *reads;    /* queues that may be read; both sorted by broker, queue */
	bool created_by_send;         /* the topic is not there yet: TBW102's route */
};

enum { ROUTE_NEW_QUEUES = 4 }; /* of a topic that a send creates, as in RocketMQ's clients */

/* namesrvs: as on the command line; NULL for the default. for_send: a topic that nobody knows gets
 * the route of TBW102. Returns 0, or an exit code after saying which name server was asked and
 * what it knows. */
int route_find(const char *namesrvs, const char *topic, bool for_send, struct route **ret);
void route_free(struct route *route); /* NULL is fine */

/* A route of one broker without asking anybody: queues 0 to queue_count - 1. */
struct route *route_direct(const char *broker, int32_t queue_count);

/* Reads the body of a name server's answer to 105. new_queues: 0, or how many queues at most a
 * topic gets that a send creates. -EINVAL. */
int route_read(struct gantry_str body, int32_t new_queues, struct route **ret);

GANTRY_END
#endif
