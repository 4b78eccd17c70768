/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of brokers and about them: register, unregister, heartbeat, versions, overviews. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "call/reply.h"
#include "kv.h"
#include "routes.h"

static void answer_registered(struct namesrv *namesrv, struct gantry_call *call,
			      const struct ns_register_result *result)
{
	char *order = NULL;
	size_t size = 0;

	call_ok(call);
	if (ns_conf(namesrv)->returnOrderTopicConfigToBroker &&
	    ns_kv_list(namesrv->kv, str_of(NS_ORDER_TOPIC_CONFIG), &order, &size) == 0)
		call_reply_body(call, order, size);
	if (result->ha_address)
		call_reply_text(call, "haServerAddr", str_of(result->ha_address));
	if (result->master_address)
		call_reply_text(call, "masterAddr", str_of(result->master_address));
}

static void say_refused(struct namesrv *namesrv, const struct gantry_call *call,
			const struct ns_registration *registration)
{
	const struct gantry_address *peer = call->session ? &call->session->peer : NULL;
	char ip[INET6_ADDRSTRLEN] = "?";

	if (peer && peer->ip_size)
		inet_ntop(peer->ip_size == 16 ? AF_INET6 : AF_INET, peer->ip, ip, sizeof(ip));
	gantry_log_limited(namesrv->inst, &namesrv->refused_limit, WARNING,
			   "a registration from %s as %.*s at %.*s: %s", ip,
			   STR_ARGS(registration->broker), STR_ARGS(registration->address),
			   call->remark);
}

static int register_broker(struct namesrv *namesrv, struct gantry_call *call)
{
	struct ns_register_result result = {NULL, NULL};
	struct ns_registration registration;
	int err = ns_registration_read(call, &registration);

	if (err) {
		say_refused(namesrv, call, &registration);
		ns_registration_free(&registration);
		return 0;
	}
	err = ns_routes_register(namesrv->routes, &registration, call->session, &result);
	if (!err)
		answer_registered(namesrv, call, &result);
	else if (err == -EPERM)
		call_fail(call, GANTRY_SYSTEM_ERROR, "register broker failed");
	else
		call_fail(call, GANTRY_SYSTEM_ERROR, "register broker failed: %s",
			  err == -ENOSPC   ? "too many topics or brokers (maxTopics, maxBrokers)"
			  : err == -EEXIST ? "another living node has its id (refuseTakenBrokerIds)"
					   : strerror(-err));
	if (err && err != -EPERM)
		say_refused(namesrv, call, &registration);
	free(result.ha_address);
	free(result.master_address);
	ns_registration_free(&registration);
	return 0;
}

static int unregister_broker(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str cluster, broker, address;
	int64_t id;

	if (call_need_text(call, "brokerName", &broker) ||
	    call_need_text(call, "brokerAddr", &address) ||
	    call_need_text(call, "clusterName", &cluster) || call_need_int64(call, "brokerId", &id))
		return 0;
	ns_routes_unregister(namesrv->routes, cluster, broker, address, id);
	gantry_log(namesrv->inst, NOTICE, "broker %.*s at %.*s has unregistered", STR_ARGS(broker),
		   STR_ARGS(address));
	return call_ok(call);
}

static int query_data_version(struct namesrv *namesrv, struct gantry_call *call)
{
	struct data_version asked, known;
	struct gantry_str cluster, address;
	struct json_writer json;
	struct json_doc doc;
	char *text = NULL;
	size_t size = 0;
	bool changed = true;
	int err;

	if (call_need_text(call, "clusterName", &cluster) ||
	    call_need_text(call, "brokerAddr", &address))
		return 0;
	if (call->body.size) {
		if (json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL, &doc, NULL))
			return call_fail(call, GANTRY_SYSTEM_ERROR, "the body is no DataVersion");
		asked = data_version_read(json_root(&doc));
		json_free(&doc);
	}
	call_ok(call);
	if (ns_routes_version(namesrv->routes, cluster, address, &known)) {
		changed = !call->body.size || !data_version_equal(&asked, &known);
		json_writer_init(&json, 1024, 0);
		data_version_write(&json, &known);
		err = json_writer_take(&json, &text, &size);
		call_reply_body(call, err ? NULL : text, size);
	}
	ns_routes_touch(namesrv->routes, cluster, address);
	call_reply_static(call, "changed", changed ? "true" : "false");
	return 0;
}

static int broker_heartbeat(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str cluster, address;

	if (call_need_text(call, "clusterName", &cluster) ||
	    call_need_text(call, "brokerAddr", &address))
		return 0;
	ns_routes_touch(namesrv->routes, cluster, address);
	return call_ok(call);
}

static int get_member_group(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str cluster, broker;
	char *text = NULL;
	size_t size = 0;
	int err;

	if (call_need_text(call, "clusterName", &cluster) ||
	    call_need_text(call, "brokerName", &broker))
		return 0;
	err = ns_routes_member_group(namesrv->routes, cluster, broker, &text, &size);
	return call_reply_body(call, err ? NULL : text, size);
}

static int get_cluster_info(struct namesrv *namesrv, struct gantry_call *call)
{
	char *text = NULL;
	size_t size = 0;
	int err = ns_routes_cluster_info(namesrv->routes, &text, &size);

	return call_reply_body(call, err ? NULL : text, size);
}

static int set_writable(struct namesrv *namesrv, struct gantry_call *call, bool writable,
			const char *field)
{
	struct gantry_str broker;
	uint32_t count;

	if (call_need_text(call, "brokerName", &broker))
		return 0;
	count = ns_routes_set_writable(namesrv->routes, broker, writable);
	gantry_log(namesrv->inst, NOTICE, "broker %.*s: %u topics may %s be written",
		   STR_ARGS(broker), count, writable ? "now" : "no longer");
	call_ok(call);
	call_reply_int(call, field, count);
	return 0;
}

static int wipe_write_perm(struct namesrv *namesrv, struct gantry_call *call)
{
	return set_writable(namesrv, call, false, "wipeTopicCount");
}

static int add_write_perm(struct namesrv *namesrv, struct gantry_call *call)
{
	return set_writable(namesrv, call, true, "addTopicCount");
}

const struct ns_call_row ns_broker_calls[] = {
	{103, "REGISTER_BROKER", register_broker},
	{104, "UNREGISTER_BROKER", unregister_broker},
	{106, "GET_BROKER_CLUSTER_INFO", get_cluster_info},
	{205, "WIPE_WRITE_PERM_OF_BROKER", wipe_write_perm},
	{322, "QUERY_DATA_VERSION", query_data_version},
	{327, "ADD_WRITE_PERM_OF_BROKER", add_write_perm},
	{901, "GET_BROKER_MEMBER_GROUP", get_member_group},
	{904, "BROKER_HEARTBEAT", broker_heartbeat},
	{0},
};
