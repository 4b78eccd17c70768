/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind routes.h. All of it is guarded by ns_routes.lock, except for a topic's cached
 * texts, which readers put in place with one compare-and-swap while they hold the lock shared. */
#ifndef ROUTES_PRIVATE_H
#define ROUTES_PRIVATE_H

#include <pthread.h>

#include "routes.h"
#include "table/table.h"

struct ns_address { /* one node of a broker */
	int64_t id; /* 0: the master */
	char *text;
};

struct ns_broker {
	struct table_entry entry;     /* key: name */
	char *cluster, *zone;         /* zone NULL: none */
	struct ns_address *addresses; /* ascending ids */
	uint32_t address_count;
	bool acting_master;
	char name[]; /* NUL-terminated */
};

struct ns_cluster {
	struct table_entry entry; /* key: name */
	char **brokers;           /* names, in order of registration */
	uint32_t broker_count;
	char name[];
};

struct ns_queue { /* RocketMQ's QueueData */
	char *broker;
	int32_t read_queues, write_queues, perm, sys_flag;
};

struct ns_topic_mapping {
	char *broker, *json;
};

struct ns_text {             /* an encoded route */
	uint64_t generation; /* of the tables when it was encoded */
	size_t size;
	char text[];
};

struct ns_topic {
	struct table_entry entry; /* key: name */
	struct ns_queue *queues;
	struct ns_topic_mapping *mappings;
	uint32_t queue_count, mapping_count;
	struct ns_text *cached[2]; /* atomic; by NS_STRICT_JSON */
	char name[];
};

struct ns_live {
	struct table_entry entry; /* key: cluster, a line end, address */
	uint64_t seen_ms;         /* atomic; gantry_clock_ms() */
	uint64_t timeout_ms;
	struct data_version version;
	struct gantry_session *session; /* held; NULL in tests */
	char *ha_address;
	char *filter_servers; /* a JSON array; NULL: none */
	size_t cluster_size;
	char key[];
};

struct ns_routes {
	struct namesrv *namesrv;
	pthread_rwlock_t lock;
	struct table topics, brokers, clusters, live;
	uint32_t filter_server_count; /* live entries that have some */
	uint64_t generation; /* moves on when a change concerns the routes of many topics */
};

enum { NS_LIVE_KEY_ROOM = 2 * NS_NAME_MAX + 2 };

/* Look-ups, with the lock held; NULL: there is none. */
struct ns_topic *ns_find_topic(const struct ns_routes *routes, struct gantry_str name);
struct ns_broker *ns_find_broker(const struct ns_routes *routes, struct gantry_str name);
struct ns_cluster *ns_find_cluster(const struct ns_routes *routes, struct gantry_str name);
struct ns_live *ns_find_live(const struct ns_routes *routes, struct gantry_str cluster,
			     struct gantry_str address);
struct ns_queue *ns_find_queue(const struct ns_topic *topic, struct gantry_str broker);
const char *ns_find_address(const struct ns_broker *broker, int64_t id);

/* Making, with the lock held for writing; NULL: no room or no memory. */
struct ns_topic *ns_make_topic(struct ns_routes *routes, struct gantry_str name);
struct ns_broker *ns_make_broker(struct ns_routes *routes, struct gantry_str name,
				 struct gantry_str cluster);
struct ns_cluster *ns_make_cluster(struct ns_routes *routes, struct gantry_str name);
struct ns_live *ns_make_live(struct ns_routes *routes, struct gantry_str cluster,
			     struct gantry_str address);
int ns_cluster_add(struct ns_cluster *cluster, struct gantry_str broker);
/* A cluster without brokers goes. */
void ns_leave_cluster(struct ns_routes *routes, struct gantry_str cluster,
		      struct gantry_str broker);
int ns_broker_set_address(struct ns_broker *broker, int64_t id, struct gantry_str address);
/* Removes every entry of that address whose id is not keep (INT64_MIN: whatever it is). */
bool ns_broker_drop_address(struct ns_broker *broker, struct gantry_str address, int64_t keep);
/* Sets a topic's queue data of one broker. 1: they changed; -ENOMEM. */
int ns_topic_set_queue(struct ns_topic *topic, struct gantry_str broker,
		       const struct ns_queue *values);
int ns_topic_set_mapping(struct ns_topic *topic, const struct ns_mapping *mapping);
bool ns_topic_has_mapping(const struct ns_topic *topic, struct gantry_str broker);
/* Removes them; a topic without queues goes with them, and true is returned. */
bool ns_topic_drop_queue(struct ns_routes *routes, struct ns_topic *topic,
			 struct gantry_str broker);

/* Dropping. */
void ns_topic_changed(struct ns_topic *topic); /* forgets its cached texts */
void ns_drop_topic(struct ns_routes *routes, struct ns_topic *topic);
void ns_drop_broker(struct ns_routes *routes, struct ns_broker *broker);
void ns_drop_cluster(struct ns_routes *routes, struct ns_cluster *cluster);
/* Its session is still held and is handed to the caller, who releases it without the lock. */
struct gantry_session *ns_drop_live(struct ns_routes *routes, struct ns_live *live);
void ns_release_session(struct gantry_session *session); /* NULL is fine */

enum { NS_NO_ID = INT32_MIN }; /* nobody's broker id */
/* Unregisters one node; if id was the broker's lowest, the others hear of it. The session as
 * ns_drop_live() gives it; releasing one under the lock is allowed too, since it calls nothing of
 * ours. */
struct gantry_session *ns_unregister_locked(struct ns_routes *routes, struct gantry_str cluster,
					    struct gantry_str broker, struct gantry_str address,
					    int64_t id);

#endif
