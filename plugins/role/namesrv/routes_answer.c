/* SPDX-License-Identifier: Apache-2.0 */
/* Route queries, and how their answers are kept encoded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "call/fields.h"
#include "routes_private.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

/* ---- encoding; with the lock held */

struct encoder {
	struct json_writer json;
	const struct ns_routes *routes;
	const struct ns_topic *topic;
	const struct ns_route_query *query;
};

static void put_id(struct json_writer *json, int64_t id, unsigned flags)
{
	char text[24];

	if (flags & NS_STRICT_JSON) {
		snprintf(text, sizeof(text), "%lld", (long long)id);
		json_put_key(json, text);
	} else {
		json_put_key_int(json, id);
	}
}

/* A slave is shown as master if its broker allows that and its queue of this topic may not be
 * written (supportActingMaster). */
static bool shows_acting_master(const struct encoder *encoder, const struct ns_broker *broker)
{
	struct ns_queue *queue = ns_find_queue(encoder->topic, str_of(broker->name));

	return ns_conf(encoder->routes->namesrv)->supportActingMaster && broker->acting_master &&
	       broker->address_count && broker->addresses[0].id != 0 && queue &&
	       !(queue->perm & PERM_WRITE) &&
	       !str_starts(str_of(encoder->topic->name), "rmq_sys_SYNC_BROKER_MEMBER_");
}

static void write_broker(struct encoder *encoder, const struct ns_broker *broker)
{
	bool acting = shows_acting_master(encoder, broker);
	struct json_writer *json = &encoder->json;

	json_open_object(json);
	json_put_key(json, "brokerAddrs");
	json_open_object(json);
	for (uint32_t i = 0; i < broker->address_count; i++) {
		put_id(json, acting && i == 0 ? 0 : broker->addresses[i].id, encoder->query->flags);
		json_put_string(json, broker->addresses[i].text);
	}
	json_close_object(json);
	json_member_string(json, "brokerName", broker->name);
	json_member_string(json, "cluster", broker->cluster);
	json_member_bool(json, "enableActingMaster", broker->acting_master);
	if (broker->zone)
		json_member_string(json, "zoneName", broker->zone);
	json_close_object(json);
}

/* A broker without a master is in every zone. */
static bool in_zone(const struct encoder *encoder, const struct ns_broker *broker)
{
	struct gantry_str zone = encoder->query->zone;

	if (!zone.size || !ns_find_address(broker, 0))
		return true;
	return broker->zone && strlen(broker->zone) == zone.size &&
	       strncasecmp(broker->zone, zone.at, zone.size) == 0;
}

/* The i-th queue's broker, if it is known and in the zone that was asked for. */
static const struct ns_broker *broker_at(const struct encoder *encoder, uint32_t i)
{
	const struct ns_broker *broker =
		ns_find_broker(encoder->routes, str_of(encoder->topic->queues[i].broker));

	return broker && in_zone(encoder, broker) ? broker : NULL;
}

static uint32_t write_brokers(struct encoder *encoder)
{
	uint32_t count = 0;

	json_put_key(&encoder->json, "brokerDatas");
	json_open_array(&encoder->json);
	for (uint32_t i = 0; i < encoder->topic->queue_count; i++) {
		const struct ns_broker *broker = broker_at(encoder, i);

		if (!broker)
			continue;
		write_broker(encoder, broker);
		count++;
	}
	json_close_array(&encoder->json);
	return count;
}

static void write_filter_servers(struct encoder *encoder)
{
	json_put_key(&encoder->json, "filterServerTable");
	json_open_object(&encoder->json);
	for (uint32_t i = 0; i < encoder->topic->queue_count; i++) {
		const struct ns_broker *broker = broker_at(encoder, i);

		for (uint32_t k = 0;
		     encoder->routes->filter_server_count && broker && k < broker->address_count;
		     k++) {
			struct ns_live *live =
				ns_find_live(encoder->routes, str_of(broker->cluster),
					     str_of(broker->addresses[k].text));

			if (!live || !live->filter_servers)
				continue;
			json_put_key(&encoder->json, broker->addresses[k].text);
			json_put_literal(&encoder->json, str_of(live->filter_servers));
		}
	}
	json_close_object(&encoder->json);
}

static void write_queues(struct encoder *encoder)
{
	struct json_writer *json = &encoder->json;

	json_put_key(json, "queueDatas");
	json_open_array(json);
	for (uint32_t i = 0; i < encoder->topic->queue_count; i++) {
		const struct ns_queue *queue = &encoder->topic->queues[i];

		if (encoder->query->zone.size && !broker_at(encoder, i))
			continue;
		json_open_object(json);
		json_member_string(json, "brokerName", queue->broker);
		json_member_int(json, "perm", queue->perm);
		json_member_int(json, "readQueueNums", queue->read_queues);
		json_member_int(json, "topicSysFlag", queue->sys_flag);
		json_member_int(json, "writeQueueNums", queue->write_queues);
		json_close_object(json);
	}
	json_close_array(json);
}

static void write_mappings(struct encoder *encoder)
{
	if (!encoder->topic->mapping_count)
		return;
	json_put_key(&encoder->json, "topicQueueMappingByBroker");
	json_open_object(&encoder->json);
	for (uint32_t i = 0; i < encoder->topic->mapping_count; i++) {
		json_put_key(&encoder->json, encoder->topic->mappings[i].broker);
		json_put_literal(&encoder->json, str_of(encoder->topic->mappings[i].json));
	}
	json_close_object(&encoder->json);
}

static int encode(const struct ns_routes *routes, const struct ns_topic *topic,
		  const struct ns_route_query *query, char **ret, size_t *ret_size)
{
	struct encoder encoder = {.routes = routes, .topic = topic, .query = query};
	uint32_t brokers;

	json_writer_init(&encoder.json, TEXT_MAX, 0);
	json_open_object(&encoder.json);
	brokers = write_brokers(&encoder);
	write_filter_servers(&encoder);
	if (query->order_conf)
		json_member_string(&encoder.json, "orderTopicConf", query->order_conf);
	write_queues(&encoder);
	write_mappings(&encoder);
	json_close_object(&encoder.json);
	if (brokers || query->zone.size)
		return json_writer_take(&encoder.json, ret, ret_size);
	json_writer_free(&encoder.json);
	return -ENOENT;
}

/* ---- the cache */

static int copy_text(const struct ns_text *text, char **ret, size_t *ret_size)
{
	char *copy = malloc(text->size);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text->text, text->size);
	*ret = copy;
	*ret_size = text->size;
	return 0;
}

/* Puts a text where there is none, unless another reader was faster. Nobody frees what is in place
 * while the lock is held shared. */
static void put_in_place(const struct ns_routes *routes, struct ns_topic *topic, unsigned which,
			 const char *from, size_t size)
{
	struct ns_text *fresh, *none = NULL;

	fresh = malloc(sizeof(*fresh) + size);
	if (!fresh)
		return;
	fresh->generation = routes->generation;
	fresh->size = size;
	memcpy(fresh->text, from, size);
	if (!__atomic_compare_exchange_n(&topic->cached[which], &none, fresh, false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		free(fresh);
}

/* Without the lock: drops a stale text, so that the next reader may put a fresh one in place. */
static void drop_stale(struct ns_routes *routes, struct gantry_str name, unsigned which)
{
	struct ns_topic *topic;

	pthread_rwlock_wrlock(&routes->lock);
	topic = ns_find_topic(routes, name);
	if (topic && topic->cached[which] &&
	    topic->cached[which]->generation != routes->generation) {
		free(topic->cached[which]);
		topic->cached[which] = NULL;
	}
	pthread_rwlock_unlock(&routes->lock);
}

int ns_routes_query(struct ns_routes *routes, const struct ns_route_query *query, char **ret,
		    size_t *ret_size)
{
	bool plain = !query->zone.size && !query->order_conf, stale = false;
	unsigned which = query->flags & NS_STRICT_JSON;
	struct ns_text *text = NULL;
	struct ns_topic *topic;
	int err;

	pthread_rwlock_rdlock(&routes->lock);
	topic = ns_find_topic(routes, query->topic);
	if (topic && plain)
		text = __atomic_load_n(&topic->cached[which], __ATOMIC_ACQUIRE);
	stale = text && text->generation != routes->generation;
	if (!topic) {
		err = -ENOENT;
	} else if (text && !stale) {
		err = copy_text(text, ret, ret_size);
	} else {
		err = encode(routes, topic, query, ret, ret_size);
		if (!err && plain && !stale)
			put_in_place(routes, topic, which, *ret, *ret_size);
	}
	pthread_rwlock_unlock(&routes->lock);
	if (stale)
		drop_stale(routes, query->topic, which);
	return err;
}

void ns_routes_forget_texts(struct ns_routes *routes)
{
	pthread_rwlock_wrlock(&routes->lock);
	routes->generation++;
	pthread_rwlock_unlock(&routes->lock);
}
