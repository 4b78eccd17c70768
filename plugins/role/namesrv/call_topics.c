/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about topics: routes and lists. */
#include <errno.h>
#include <stdlib.h>

#include <gantry/op.h>

#include "call/fields.h"
#include "call/reply.h"
#include "kv.h"
#include "routes.h"

enum { V4_9_4 = 401 }; /* clients from here on read standard JSON */

static bool is_ready(const struct namesrv *namesrv)
{
	return !ns_conf(namesrv)->needWaitForService ||
	       gantry_clock_ms() - namesrv->started_ms >=
		       (uint64_t)ns_conf(namesrv)->waitSecondsForService * 1000;
}

static int get_route(struct namesrv *namesrv, struct gantry_call *call)
{
	struct ns_route_query query = {.topic = call_text(call, "topic")};
	char *order = NULL, *text = NULL;
	size_t size = 0;
	int err;

	if (!is_ready(namesrv))
		return call_fail(call, GANTRY_SYSTEM_ERROR, "name server not ready");
	if (call->client_version >= V4_9_4 || call_bool(call, "acceptStandardJsonOnly", false))
		query.flags = NS_STRICT_JSON;
	if (call_bool(call, "__ZONE_MODE", false))
		query.zone = call_text(call, "__ZONE_NAME");
	if (ns_conf(namesrv)->orderMessageEnable)
		order = ns_kv_get(namesrv->kv, str_of(NS_ORDER_TOPIC_CONFIG), query.topic);
	query.order_conf = order;
	err = ns_routes_query(namesrv->routes, &query, &text, &size);
	free(order);
	if (err == -ENOENT)
		return call_fail(call, GANTRY_TOPIC_NOT_EXIST,
				 "No topic route info in name server for the topic: %.*s\nSee "
				 "https://rocketmq.apache.org/docs/bestPractice/06FAQ for further "
				 "details.",
				 query.topic.size > 64 ? 64 : (int)query.topic.size,
				 query.topic.at ? query.topic.at : "null");
	return call_reply_body(call, err ? NULL : text, size);
}

static int answer_list(struct namesrv *namesrv, struct gantry_call *call, bool enabled,
		       enum ns_topic_list which)
{
	char *text = NULL;
	size_t size = 0;
	int err;

	if (!enabled)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "disable");
	err = ns_routes_topic_list(namesrv->routes, which, call_text(call, "cluster"), &text,
				   &size);
	return call_reply_body(call, err ? NULL : text, size);
}

static int get_all_topics(struct namesrv *namesrv, struct gantry_call *call)
{
	return answer_list(namesrv, call, ns_conf(namesrv)->enableAllTopicList, NS_TOPICS_ALL);
}

static int get_cluster_topics(struct namesrv *namesrv, struct gantry_call *call)
{
	return answer_list(namesrv, call, ns_conf(namesrv)->enableTopicList, NS_TOPICS_CLUSTER);
}

static int get_system_topics(struct namesrv *namesrv, struct gantry_call *call)
{
	return answer_list(namesrv, call, true, NS_TOPICS_SYSTEM);
}

static int get_unit_topics(struct namesrv *namesrv, struct gantry_call *call)
{
	return answer_list(namesrv, call, ns_conf(namesrv)->enableTopicList, NS_TOPICS_UNIT);
}

static int get_unit_sub_topics(struct namesrv *namesrv, struct gantry_call *call)
{
	return answer_list(namesrv, call, ns_conf(namesrv)->enableTopicList, NS_TOPICS_UNIT_SUB);
}

static int get_unit_sub_only_topics(struct namesrv *namesrv, struct gantry_call *call)
{
	return answer_list(namesrv, call, ns_conf(namesrv)->enableTopicList,
			   NS_TOPICS_UNIT_SUB_ONLY);
}

static int delete_topic(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str topic;

	if (call_need_text(call, "topic", &topic))
		return 0;
	ns_routes_delete_topic(namesrv->routes, topic, call_text(call, "clusterName"));
	return call_ok(call);
}

static int register_topic(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str topic;
	struct json_doc doc;
	int err;

	if (call_need_text(call, "topic", &topic))
		return 0;
	if (!call->body.size)
		return call_ok(call);
	if (json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL, &doc, NULL))
		return call_fail(call, GANTRY_SYSTEM_ERROR, "the body is no TopicRouteData");
	err = ns_routes_register_topic(namesrv->routes, topic,
				       json_get(json_root(&doc), "queueDatas"));
	json_free(&doc);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "too many topics (maxTopics)");
	return call_ok(call);
}

const struct ns_call_row ns_topic_calls[] = {
	{105, "GET_ROUTEINFO_BY_TOPIC", get_route},
	{206, "GET_ALL_TOPIC_LIST_FROM_NAMESERVER", get_all_topics},
	{216, "DELETE_TOPIC_IN_NAMESRV", delete_topic},
	{217, "REGISTER_TOPIC_IN_NAMESRV", register_topic},
	{224, "GET_TOPICS_BY_CLUSTER", get_cluster_topics},
	{304, "GET_SYSTEM_TOPIC_LIST_FROM_NS", get_system_topics},
	{311, "GET_UNIT_TOPIC_LIST", get_unit_topics},
	{312, "GET_HAS_UNIT_SUB_TOPIC_LIST", get_unit_sub_topics},
	{313, "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST", get_unit_sub_only_topics},
	{0},
};
