/* SPDX-License-Identifier: Apache-2.0 */
/* What brokers registered: topics, brokers, clusters, and who lives. Any thread. */
#ifndef ROUTES_H
#define ROUTES_H

#include "namesrv.h"
#include "registration.h"

#ifdef __cplusplus
extern "C" {
#endif

int ns_routes_new(struct namesrv *namesrv, struct ns_routes **ret);
void ns_routes_free(struct ns_routes *routes); /* NULL is fine */

/* ---- brokers */

struct ns_register_result { /* of a slave whose master lives; from malloc, NULL if not */
	char *ha_address, *master_address;
};

/* Applies RocketMQ's rules in their order. session: the broker's connection, held from now on; NULL
 * in tests. -EPERM: refused, "register broker failed"; -EEXIST: another node has the id
 * (refuseTakenBrokerIds); -ENOSPC: too many; -ENOMEM. */
int ns_routes_register(struct ns_routes *routes, const struct ns_registration *registration,
		       struct gantry_session *session, struct ns_register_result *ret);
void ns_routes_unregister(struct ns_routes *routes, struct gantry_str cluster,
			  struct gantry_str broker, struct gantry_str address, int64_t id);
/* The broker at that address lives. */
void ns_routes_touch(struct ns_routes *routes, struct gantry_str cluster,
		     struct gantry_str address);
/* What the broker at that address last registered; false: unknown. */
bool ns_routes_version(struct ns_routes *routes, struct gantry_str cluster,
		       struct gantry_str address, struct data_version *ret);
/* The connection is closed: its brokers are unregistered. */
void ns_routes_gone(struct ns_routes *routes, struct gantry_session *session);
/* Unregisters who was silent for too long, and closes their connections. */
void ns_routes_expire(struct ns_routes *routes, uint64_t now_ms);
/* 205: takes the permission to write from every queue of a broker; 327: gives it back (perm 6).
 * Returns how many topics that were. */
uint32_t ns_routes_set_writable(struct ns_routes *routes, struct gantry_str broker, bool writable);

/* ---- topics */

/* REGISTER_TOPIC_IN_NAMESRV: queue_datas is the array of a TopicRouteData. Nothing happens if it
 * names an unknown broker. */
int ns_routes_register_topic(struct ns_routes *routes, struct gantry_str topic,
			     struct json_value queue_datas);
/* cluster empty: everywhere. */
void ns_routes_delete_topic(struct ns_routes *routes, struct gantry_str topic,
			    struct gantry_str cluster);

/* A key that routes depend on has changed: encoded ones count no more. */
void ns_routes_forget_texts(struct ns_routes *routes);

/* ---- answers: JSON from malloc, a negative errno if that fails */

enum { NS_STRICT_JSON = 1 }; /* integer keys quoted; else bare, as fastjson has them */

struct ns_route_query {
	struct gantry_str topic;
	struct gantry_str zone; /* size 0: all brokers */
	const char *order_conf; /* NULL: none */
	unsigned flags;
};
/* -ENOENT: the topic is unknown. */
int ns_routes_query(struct ns_routes *routes, const struct ns_route_query *query, char **ret,
		    size_t *ret_size);
int ns_routes_cluster_info(struct ns_routes *routes, char **ret, size_t *ret_size);
int ns_routes_member_group(struct ns_routes *routes, struct gantry_str cluster,
			   struct gantry_str broker, char **ret, size_t *ret_size);

enum ns_topic_list {
	NS_TOPICS_ALL,
	NS_TOPICS_CLUSTER, /* of a cluster's brokers */
	NS_TOPICS_SYSTEM,  /* names of clusters and brokers, and some broker's address */
	NS_TOPICS_UNIT,
	NS_TOPICS_UNIT_SUB,
	NS_TOPICS_UNIT_SUB_ONLY, /* unit-sub and not unit */
};
int ns_routes_topic_list(struct ns_routes *routes, enum ns_topic_list which,
			 struct gantry_str cluster, char **ret, size_t *ret_size);

#ifdef __cplusplus
}
#endif
#endif
