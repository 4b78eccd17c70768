/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and overviews: topics, clusters, the members of a broker; and what tools do to topics. */
#include <errno.h>
#include <stdlib.h>

#include "call/fields.h"
#include "routes_private.h"

enum { TEXT_MAX = 256 * 1024 * 1024 };

static void write_addresses(struct json_writer *json, const struct ns_broker *broker)
{
	json_put_key(json, "brokerAddrs");
	json_open_object(json);
	for (uint32_t i = 0; broker && i < broker->address_count; i++) {
		json_put_key_int(json, broker->addresses[i].id);
		json_put_string(json, broker->addresses[i].text);
	}
	json_close_object(json);
}

static void write_brokers(const struct ns_routes *routes, struct json_writer *json)
{
	json_put_key(json, "brokerAddrTable");
	json_open_object(json);
	for (struct table_entry *entry = table_next(&routes->brokers, NULL); entry;
	     entry = table_next(&routes->brokers, entry)) {
		struct ns_broker *broker = TABLE_HOLDER(entry, struct ns_broker, entry);

		json_put_key(json, broker->name);
		json_open_object(json);
		write_addresses(json, broker);
		json_member_string(json, "brokerName", broker->name);
		json_member_string(json, "cluster", broker->cluster);
		json_member_bool(json, "enableActingMaster", broker->acting_master);
		if (broker->zone)
			json_member_string(json, "zoneName", broker->zone);
		json_close_object(json);
	}
	json_close_object(json);
}

static void write_names(struct json_writer *json, const struct ns_cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->broker_count; i++)
		json_put_string(json, cluster->brokers[i]);
}

static void write_clusters(const struct ns_routes *routes, struct json_writer *json)
{
	json_put_key(json, "clusterAddrTable");
	json_open_object(json);
	for (struct table_entry *entry = table_next(&routes->clusters, NULL); entry;
	     entry = table_next(&routes->clusters, entry)) {
		struct ns_cluster *cluster = TABLE_HOLDER(entry, struct ns_cluster, entry);

		json_put_key(json, cluster->name);
		json_open_array(json);
		write_names(json, cluster);
		json_close_array(json);
	}
	json_close_object(json);
}

int ns_routes_cluster_info(struct ns_routes *routes, char **ret, size_t *ret_size)
{
	struct json_writer json;

	json_writer_init(&json, TEXT_MAX, 0);
	json_open_object(&json);
	pthread_rwlock_rdlock(&routes->lock);
	write_brokers(routes, &json);
	write_clusters(routes, &json);
	pthread_rwlock_unlock(&routes->lock);
	json_close_object(&json);
	return json_writer_take(&json, ret, ret_size);
}

int ns_routes_member_group(struct ns_routes *routes, struct gantry_str cluster,
			   struct gantry_str broker, char **ret, size_t *ret_size)
{
	struct json_writer json;

	json_writer_init(&json, TEXT_MAX, 0);
	json_open_object(&json);
	json_put_key(&json, "brokerMemberGroup");
	json_open_object(&json);
	pthread_rwlock_rdlock(&routes->lock);
	write_addresses(&json, ns_find_broker(routes, broker));
	pthread_rwlock_unlock(&routes->lock);
	json_member_str(&json, "brokerName", broker);
	json_member_str(&json, "cluster", cluster);
	json_close_object(&json);
	json_close_object(&json);
	return json_writer_take(&json, ret, ret_size);
}

/* ---- lists of topics */

static bool in_cluster(const struct ns_topic *topic, const struct ns_cluster *cluster)
{
	for (uint32_t i = 0; cluster && i < cluster->broker_count; i++)
		if (ns_find_queue(topic, str_of(cluster->brokers[i])))
			return true;
	return false;
}

/* As in RocketMQ the first queue data's flags speak for the topic. */
static bool belongs(const struct ns_topic *topic, enum ns_topic_list which,
		    const struct ns_cluster *cluster)
{
	int32_t flag = topic->queue_count ? topic->queues[0].sys_flag : 0;

	switch (which) {
	case NS_TOPICS_ALL:
		return true;
	case NS_TOPICS_CLUSTER:
		return in_cluster(topic, cluster);
	case NS_TOPICS_UNIT:
		return flag & TOPIC_UNIT;
	case NS_TOPICS_UNIT_SUB:
		return flag & TOPIC_UNIT_SUB;
	case NS_TOPICS_UNIT_SUB_ONLY:
		return (flag & TOPIC_UNIT_SUB) && !(flag & TOPIC_UNIT);
	case NS_TOPICS_SYSTEM:
		break;
	}
	return false;
}

static void write_system(const struct ns_routes *routes, struct json_writer *json)
{
	for (struct table_entry *entry = table_next(&routes->clusters, NULL); entry;
	     entry = table_next(&routes->clusters, entry)) {
		struct ns_cluster *cluster = TABLE_HOLDER(entry, struct ns_cluster, entry);

		json_put_string(json, cluster->name);
		write_names(json, cluster);
	}
}

static const char *some_address(const struct ns_routes *routes)
{
	for (struct table_entry *entry = table_next(&routes->brokers, NULL); entry;
	     entry = table_next(&routes->brokers, entry)) {
		struct ns_broker *broker = TABLE_HOLDER(entry, struct ns_broker, entry);

		if (broker->address_count)
			return broker->addresses[0].text;
	}
	return NULL;
}

static void write_list(const struct ns_routes *routes, struct json_writer *json,
		       enum ns_topic_list which, struct gantry_str cluster_name)
{
	struct ns_cluster *cluster = ns_find_cluster(routes, cluster_name);
	const char *address = which == NS_TOPICS_SYSTEM ? some_address(routes) : NULL;

	if (address)
		json_member_string(json, "brokerAddr", address);
	json_put_key(json, "topicList");
	json_open_array(json);
	if (which == NS_TOPICS_SYSTEM)
		write_system(routes, json);
	for (struct table_entry *entry = table_next(&routes->topics, NULL); entry;
	     entry = table_next(&routes->topics, entry))
		if (belongs(TABLE_HOLDER(entry, struct ns_topic, entry), which, cluster))
			json_put_str(json, entry->key);
	json_close_array(json);
}

int ns_routes_topic_list(struct ns_routes *routes, enum ns_topic_list which,
			 struct gantry_str cluster, char **ret, size_t *ret_size)
{
	struct json_writer json;

	json_writer_init(&json, TEXT_MAX, 0);
	json_open_object(&json);
	pthread_rwlock_rdlock(&routes->lock);
	write_list(routes, &json, which, cluster);
	pthread_rwlock_unlock(&routes->lock);
	json_close_object(&json);
	return json_writer_take(&json, ret, ret_size);
}

/* ---- changing topics */

static int32_t number(struct json_value object, const char *name)
{
	int64_t value = json_int64_or(json_get(object, name), 0);

	return value < INT32_MIN || value > INT32_MAX ? 0 : (int32_t)value;
}

static int register_topic_locked(struct ns_routes *routes, struct gantry_str name,
				 struct json_value queue_datas)
{
	struct json_iter it = json_iter(queue_datas);
	struct ns_topic *topic;
	struct gantry_str broker;
	int result = 0;

	while (json_next(&it))
		if (!json_raw(json_get(it.value, "brokerName"), &broker) ||
		    !ns_find_broker(routes, broker))
			return 0;
	topic = ns_make_topic(routes, name);
	if (!topic)
		return -ENOSPC;
	it = json_iter(queue_datas);
	while (result >= 0 && json_next(&it)) {
		struct ns_queue values = {
			.read_queues = number(it.value, "readQueueNums"),
			.write_queues = number(it.value, "writeQueueNums"),
			.perm = number(it.value, "perm"),
			.sys_flag = number(it.value, "topicSysFlag"),
		};

		if (json_raw(json_get(it.value, "brokerName"), &broker))
			result = ns_topic_set_queue(topic, broker, &values);
	}
	if (!topic->queue_count)
		ns_drop_topic(routes, topic);
	return result < 0 ? result : 0;
}

int ns_routes_register_topic(struct ns_routes *routes, struct gantry_str topic,
			     struct json_value queue_datas)
{
	int err;

	if (!json_count(queue_datas))
		return 0;
	if (!topic.size || topic.size > NS_NAME_MAX)
		return -EINVAL;
	pthread_rwlock_wrlock(&routes->lock);
	err = register_topic_locked(routes, topic, queue_datas);
	pthread_rwlock_unlock(&routes->lock);
	return err;
}

void ns_routes_delete_topic(struct ns_routes *routes, struct gantry_str name,
			    struct gantry_str cluster_name)
{
	struct ns_cluster *cluster;
	struct ns_topic *topic;
	bool dropped = false;

	pthread_rwlock_wrlock(&routes->lock);
	topic = ns_find_topic(routes, name);
	cluster = ns_find_cluster(routes, cluster_name);
	if (topic && !cluster_name.size)
		ns_drop_topic(routes, topic);
	for (uint32_t i = 0;
	     topic && cluster_name.size && cluster && !dropped && i < cluster->broker_count; i++)
		dropped = ns_topic_drop_queue(routes, topic, str_of(cluster->brokers[i]));
	pthread_rwlock_unlock(&routes->lock);
}
