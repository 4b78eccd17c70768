/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: making, finding and dropping what stands in them. */
#include "routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "routes_private.h"

enum { BROKER_NODES_MAX = 256 }; /* addresses of one broker name */

int ns_routes_new(struct namesrv *namesrv, struct ns_routes **ret)
{
	struct ns_routes *routes = calloc(1, sizeof(*routes));

	if (!routes)
		return -ENOMEM;
	routes->namesrv = namesrv;
	pthread_rwlock_init(&routes->lock, NULL);
	*ret = routes;
	return 0;
}

void ns_routes_free(struct ns_routes *routes)
{
	struct table_entry *entry;

	if (!routes)
		return;
	while ((entry = table_next(&routes->topics, NULL)))
		ns_drop_topic(routes, TABLE_HOLDER(entry, struct ns_topic, entry));
	while ((entry = table_next(&routes->brokers, NULL)))
		ns_drop_broker(routes, TABLE_HOLDER(entry, struct ns_broker, entry));
	while ((entry = table_next(&routes->clusters, NULL)))
		ns_drop_cluster(routes, TABLE_HOLDER(entry, struct ns_cluster, entry));
	while ((entry = table_next(&routes->live, NULL)))
		ns_release_session(
			ns_drop_live(routes, TABLE_HOLDER(entry, struct ns_live, entry)));
	table_clear(&routes->topics);
	table_clear(&routes->brokers);
	table_clear(&routes->clusters);
	table_clear(&routes->live);
	pthread_rwlock_destroy(&routes->lock);
	free(routes);
}

/* ---- finding */

struct ns_topic *ns_find_topic(const struct ns_routes *routes, struct gantry_str name)
{
	struct table_entry *entry = table_find(&routes->topics, name);

	return entry ? TABLE_HOLDER(entry, struct ns_topic, entry) : NULL;
}

struct ns_broker *ns_find_broker(const struct ns_routes *routes, struct gantry_str name)
{
	struct table_entry *entry = table_find(&routes->brokers, name);

	return entry ? TABLE_HOLDER(entry, struct ns_broker, entry) : NULL;
}

struct ns_cluster *ns_find_cluster(const struct ns_routes *routes, struct gantry_str name)
{
	struct table_entry *entry = table_find(&routes->clusters, name);

	return entry ? TABLE_HOLDER(entry, struct ns_cluster, entry) : NULL;
}

static struct gantry_str live_key(char *room, struct gantry_str cluster, struct gantry_str address)
{
	int size = snprintf(room, NS_LIVE_KEY_ROOM, "%.*s\n%.*s", STR_ARGS(cluster),
			    STR_ARGS(address));

	return (struct gantry_str){room, size < 0 || size >= NS_LIVE_KEY_ROOM ? 0 : (size_t)size};
}

struct ns_live *ns_find_live(const struct ns_routes *routes, struct gantry_str cluster,
			     struct gantry_str address)
{
	char room[NS_LIVE_KEY_ROOM];
	struct table_entry *entry = table_find(&routes->live, live_key(room, cluster, address));

	return entry ? TABLE_HOLDER(entry, struct ns_live, entry) : NULL;
}

struct ns_queue *ns_find_queue(const struct ns_topic *topic, struct gantry_str broker)
{
	for (uint32_t i = 0; i < topic->queue_count; i++)
		if (str_is(broker, topic->queues[i].broker))
			return &topic->queues[i];
	return NULL;
}

const char *ns_find_address(const struct ns_broker *broker, int64_t id)
{
	for (uint32_t i = 0; i < broker->address_count; i++)
		if (broker->addresses[i].id == id)
			return broker->addresses[i].text;
	return NULL;
}

/* ---- making */

struct ns_topic *ns_make_topic(struct ns_routes *routes, struct gantry_str name)
{
	struct ns_topic *topic = ns_find_topic(routes, name);

	if (topic)
		return topic;
	if ((int64_t)routes->topics.count >= ns_conf(routes->namesrv)->maxTopics)
		return NULL;
	topic = calloc(1, sizeof(*topic) + name.size + 1);
	if (!topic)
		return NULL;
	memcpy(topic->name, name.at, name.size);
	if (table_insert(&routes->topics, (struct gantry_str){topic->name, name.size},
			 &topic->entry)) {
		free(topic);
		return NULL;
	}
	return topic;
}

struct ns_broker *ns_make_broker(struct ns_routes *routes, struct gantry_str name,
				 struct gantry_str cluster)
{
	struct ns_broker *broker;

	if ((int64_t)routes->brokers.count >= ns_conf(routes->namesrv)->maxBrokers)
		return NULL;
	broker = calloc(1, sizeof(*broker) + name.size + 1);
	if (!broker)
		return NULL;
	memcpy(broker->name, name.at, name.size);
	broker->cluster = strndup(cluster.at, cluster.size);
	if (!broker->cluster ||
	    table_insert(&routes->brokers, (struct gantry_str){broker->name, name.size},
			 &broker->entry)) {
		free(broker->cluster);
		free(broker);
		return NULL;
	}
	return broker;
}

struct ns_cluster *ns_make_cluster(struct ns_routes *routes, struct gantry_str name)
{
	struct ns_cluster *cluster = ns_find_cluster(routes, name);

	if (cluster)
		return cluster;
	if ((int64_t)routes->clusters.count >= ns_conf(routes->namesrv)->maxBrokers)
		return NULL;
	cluster = calloc(1, sizeof(*cluster) + name.size + 1);
	if (!cluster)
		return NULL;
	memcpy(cluster->name, name.at, name.size);
	if (table_insert(&routes->clusters, (struct gantry_str){cluster->name, name.size},
			 &cluster->entry)) {
		free(cluster);
		return NULL;
	}
	return cluster;
}

struct ns_live *ns_make_live(struct ns_routes *routes, struct gantry_str cluster,
			     struct gantry_str address)
{
	struct ns_live *live = ns_find_live(routes, cluster, address);
	char room[NS_LIVE_KEY_ROOM];
	struct gantry_str key = live_key(room, cluster, address);

	if (live)
		return live;
	if ((int64_t)routes->live.count >= ns_conf(routes->namesrv)->maxBrokers)
		return NULL;
	live = calloc(1, sizeof(*live) + key.size);
	if (!live)
		return NULL;
	memcpy(live->key, key.at, key.size);
	live->cluster_size = cluster.size;
	if (table_insert(&routes->live, (struct gantry_str){live->key, key.size}, &live->entry)) {
		free(live);
		return NULL;
	}
	return live;
}

int ns_cluster_add(struct ns_cluster *cluster, struct gantry_str broker)
{
	char **brokers;

	for (uint32_t i = 0; i < cluster->broker_count; i++)
		if (str_is(broker, cluster->brokers[i]))
			return 0;
	brokers = realloc(cluster->brokers, (cluster->broker_count + 1) * sizeof(char *));
	if (!brokers)
		return -ENOMEM;
	cluster->brokers = brokers;
	brokers[cluster->broker_count] = strndup(broker.at, broker.size);
	if (!brokers[cluster->broker_count])
		return -ENOMEM;
	cluster->broker_count++;
	return 0;
}

void ns_leave_cluster(struct ns_routes *routes, struct gantry_str name, struct gantry_str broker)
{
	struct ns_cluster *cluster = ns_find_cluster(routes, name);
	uint32_t i = 0;

	while (cluster && i < cluster->broker_count && !str_is(broker, cluster->brokers[i]))
		i++;
	if (!cluster || i == cluster->broker_count)
		return;
	free(cluster->brokers[i]);
	memmove(&cluster->brokers[i], &cluster->brokers[i + 1],
		(--cluster->broker_count - i) * sizeof(char *));
	if (!cluster->broker_count)
		ns_drop_cluster(routes, cluster);
}

int ns_broker_set_address(struct ns_broker *broker, int64_t id, struct gantry_str address)
{
	char *copy = strndup(address.at, address.size);
	struct ns_address *addresses;
	uint32_t i = 0;

	if (!copy)
		return -ENOMEM;
	while (i < broker->address_count && broker->addresses[i].id < id)
		i++;
	if (i < broker->address_count && broker->addresses[i].id == id) {
		free(broker->addresses[i].text);
		broker->addresses[i].text = copy;
		return 0;
	}
	addresses = broker->address_count < BROKER_NODES_MAX
			    ? realloc(broker->addresses,
				      (broker->address_count + 1) * sizeof(struct ns_address))
			    : NULL;
	if (!addresses) {
		free(copy);
		return -ENOMEM;
	}
	memmove(&addresses[i + 1], &addresses[i],
		(broker->address_count++ - i) * sizeof(struct ns_address));
	addresses[i] = (struct ns_address){id, copy};
	broker->addresses = addresses;
	return 0;
}

bool ns_broker_drop_address(struct ns_broker *broker, struct gantry_str address, int64_t keep)
{
	uint32_t left = 0, count = broker->address_count;

	for (uint32_t i = 0; i < count; i++) {
		struct ns_address at = broker->addresses[i];

		if (str_is(address, at.text) && at.id != keep)
			free(at.text);
		else
			broker->addresses[left++] = at;
	}
	broker->address_count = left;
	return left != count;
}

/* ---- dropping */

void ns_drop_broker(struct ns_routes *routes, struct ns_broker *broker)
{
	table_remove(&routes->brokers, &broker->entry);
	for (uint32_t i = 0; i < broker->address_count; i++)
		free(broker->addresses[i].text);
	free(broker->addresses);
	free(broker->cluster);
	free(broker->zone);
	free(broker);
}

void ns_drop_cluster(struct ns_routes *routes, struct ns_cluster *cluster)
{
	table_remove(&routes->clusters, &cluster->entry);
	for (uint32_t i = 0; i < cluster->broker_count; i++)
		free(cluster->brokers[i]);
	free(cluster->brokers);
	free(cluster);
}

struct gantry_session *ns_drop_live(struct ns_routes *routes, struct ns_live *live)
{
	struct gantry_session *session = live->session;

	table_remove(&routes->live, &live->entry);
	if (live->filter_servers) {
		routes->filter_server_count--;
		routes->generation++;
	}
	free(live->filter_servers);
	free(live->ha_address);
	free(live);
	return session;
}

void ns_release_session(struct gantry_session *session)
{
	if (session)
		session->ops->release(session);
}
