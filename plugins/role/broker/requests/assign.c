/* SPDX-License-Identifier: Apache-2.0 */
/* QUERY_ASSIGNMENT and the message request modes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "balance/assign.h"
#include "requests/call.h"
#include "clients/clients.h"
#include "groups/groups.h"
#include "json/json.h"
#include "message/name.h"
#include "topics/topics.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

struct assign_ask { /* a QUERY_ASSIGNMENT; its texts are copies, since it may wait for a route */
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	char *topic, *group, *client, *strategy;
	bool broadcasting;
};

static void ask_free(struct assign_ask *ask)
{
	free(ask->topic);
	free(ask->group);
	free(ask->client);
	free(ask->strategy);
	free(ask);
}

/* {"messageQueueAssignments":[...]}; queues NULL and count 0 is an empty list. */
static int encode(const struct assign_ask *ask, const struct assigned_queue *queues, uint32_t count,
		  int32_t mode, char **ret, size_t *ret_size)
{
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "messageQueueAssignments");
	json_open_array(&writer);
	for (uint32_t i = 0; i < count; i++) {
		json_open_object(&writer);
		json_put_key(&writer, "messageQueue");
		json_open_object(&writer);
		json_member_string(&writer, "brokerName", queues[i].broker);
		json_member_int(&writer, "queueId", queues[i].queue);
		json_member_string(&writer, "topic", ask->topic);
		json_close_object(&writer);
		json_member_string(&writer, "mode", mode_name(mode));
		json_close_object(&writer);
	}
	json_close_array(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static int all_of(const struct route_queues *queues, struct assigned_queue **ret,
		  uint32_t *ret_count)
{
	struct assigned_queue *to = malloc((queues->count + 1) * sizeof(*to));

	if (!to)
		return -ENOMEM;
	for (uint32_t i = 0; i < queues->count; i++)
		to[i] = (struct assigned_queue){queues->at[i].broker, queues->at[i].queue};
	*ret = to;
	*ret_count = queues->count;
	return 0;
}

static int share_of(const struct assign_ask *ask, const struct route_queues *queues,
		    const struct message_mode *mode, struct assigned_queue **ret,
		    uint32_t *ret_count)
{
	struct gantry_inst *peer = NULL;
	struct assign_request request = {
		.topic = ask->topic,
		.group = ask->group,
		.self = ask->client,
		.queues = queues,
		.mode = *mode,
	};
	char **members;
	int err = clients_member_ids(ask->broker->clients, str_of(ask->group), &members,
				     &request.member_count);

	if (err)
		return err;
	request.members = (const char *const *)members;
	if (ask->strategy)
		request.strategy =
			gantry_find(ask->broker->inst, GANTRY_ALLOCATION, ask->strategy, &peer);
	if (request.strategy) {
		request.strategy_conf = gantry_conf(peer);
		err = assign_share(&request, ret, ret_count);
	} else {
		gantry_log(ask->broker->inst, WARNING,
			   "group %s asks for the allocation strategy %s, which is not loaded",
			   ask->group, ask->strategy ? ask->strategy : "null");
		err = -ENOENT;
	}
	free(members);
	return err;
}

/* The answer; what cannot be computed is an empty object, as RocketMQ's. */
static void answer(const struct assign_ask *ask, const struct route_queues *queues)
{
	struct assigned_queue *mine = NULL;
	struct message_mode mode;
	uint32_t count = 0;
	char *text = NULL;
	size_t size = 2;
	int err = queues ? 0 : -ENOENT;

	modes_served(ask->broker->modes, str_of(ask->topic), str_of(ask->group), &mode);
	if (!err && (ask->broadcasting || !ask->broker->conf->serverLoadBalancerEnable))
		err = all_of(queues, &mine, &count);
	else if (!err)
		err = share_of(ask, queues, &mode, &mine, &count);
	if (!err)
		err = encode(ask, mine, count, mode.mode, &text, &size);
	free(mine);
	call_reply_body(ask->call, err ? strdup("{}") : text, size);
}

static void route_came(struct gantry_op *op)
{
	struct assign_ask *ask = op->user;
	struct gantry_op *outer = ask->outer;
	struct route_queues *queues = NULL;

	if (route_cache_get(ask->broker, str_of(ask->topic), &queues, NULL))
		queues = NULL;
	answer(ask, queues);
	route_queues_release(queues);
	ask_free(ask);
	gantry_op_finish(outer, 0, 0);
}

/* NULL: it is answered. */
static struct assign_ask *read_ask(struct broker *broker, struct gantry_call *call)
{
	struct json_error error = {0};
	struct assign_ask *ask;
	struct json_value root;
	struct json_doc doc;
	bool known;
	int err = json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL, &doc, &error);

	if (err) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: %s at byte %u",
			  error.why ? error.why : strerror(-err), error.offset);
		return NULL;
	}
	ask = calloc(1, sizeof(*ask));
	if (!ask) {
		json_free(&doc);
		call_no_memory(call);
		return NULL;
	}
	root = json_root(&doc);
	ask->broker = broker;
	ask->call = call;
	ask->topic = json_strdup(json_get(root, "topic"));
	ask->group = json_strdup(json_get(root, "consumerGroup"));
	ask->client = json_strdup(json_get(root, "clientId"));
	ask->strategy = json_strdup(json_get(root, "strategyName"));
	ask->broadcasting = json_equals(json_get(root, "messageModel"), "BROADCASTING");
	known = ask->broadcasting || json_equals(json_get(root, "messageModel"), "CLUSTERING");
	json_free(&doc);
	if (ask->topic && ask->group && ask->client && known)
		return ask;
	call_fail(call, GANTRY_SYSTEM_ERROR,
		  known ? "topic, consumerGroup or clientId is null"
			: "messageModel is not BROADCASTING or CLUSTERING");
	ask_free(ask);
	return NULL;
}

/* As route_cache_get(). A light topic is in no route; members of a group share its one queue here.
 */
static int find_queues(struct assign_ask *ask, struct route_queues **ret)
{
	struct gantry_str topic = str_of(ask->topic);

	if (ask->broadcasting || !message_topic_is_light(topic))
		return route_cache_get(ask->broker, topic, ret, &ask->op);
	*ret = route_queues_own(ask->broker->name, 1);
	return *ret ? 0 : -ENOMEM;
}

static int query_assignment(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct assign_ask *ask = read_ask(broker, call);
	struct route_queues *queues = NULL;
	int result;

	if (!ask)
		return 0;
	ask->op = (struct gantry_op){.done = route_came, .loop = op->loop, .user = ask};
	ask->outer = op;
	result = find_queues(ask, &queues);
	if (result > 0) {
		gantry_op_take(op, NULL, NULL);
		return GANTRY_PENDING;
	}
	answer(ask, result ? NULL : queues);
	route_queues_release(queues);
	ask_free(ask);
	return 0;
}

/* ---- modes */

/* RocketMQ's default is PULL; negative: no mode. */
static int read_mode(struct json_value value, struct gantry_str *ret_name)
{
	if (!value.doc || json_is(value, JSON_NULL))
		return MODE_PULL;
	return json_raw(value, ret_name) ? mode_of(*ret_name) : -1;
}

/* As fastjson2: null and an empty text are 0. */
static bool read_share(struct json_value value, int32_t *ret)
{
	struct gantry_str text;
	int64_t number = 0;

	if (value.doc && !json_is(value, JSON_NULL) && !(json_raw(value, &text) && !text.size) &&
	    json_int64(value, &number))
		return false;
	if (number < INT32_MIN || number > INT32_MAX)
		return false;
	*ret = (int32_t)number;
	return true;
}

static int set_mode(struct broker *broker, struct gantry_call *call, struct json_value root)
{
	struct gantry_str topic, group, name = {NULL, 0};
	struct message_mode mode = {0};
	int which, err;

	if (!json_raw(json_get(root, "topic"), &topic) ||
	    !json_raw(json_get(root, "consumerGroup"), &group))
		return call_fail(call, GANTRY_SYSTEM_ERROR, "topic or consumerGroup is null");
	if (message_topic_is_retry(topic))
		return call_fail(call, GANTRY_NO_PERMISSION,
				 "retry topic is not allowed to set mode");
	if (!topics_find(broker->topics, topic))
		return call_fail(call, GANTRY_TOPIC_NOT_EXIST, "topic[%.*s] not exist",
				 STR_ARGS(topic));
	if (!groups_find(broker, group))
		return call_fail(call, GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST,
				 "subscription group does not exist");
	which = read_mode(json_get(root, "mode"), &name);
	if (which < 0)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "mode %.*s is not PULL or POP",
				 STR_ARGS(name));
	if (which == MODE_POP)
		return call_fail(call, GANTRY_SYSTEM_ERROR,
				 "mode POP is not served by this broker yet; PULL is");
	mode.mode = which;
	if (!read_share(json_get(root, "popShareQueueNum"), &mode.pop_share_queues))
		return call_fail(call, GANTRY_SYSTEM_ERROR,
				 "JSONException: popShareQueueNum is not a number");
	err = modes_set(broker->modes, topic, group, &mode);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s", strerror(-err));
	return call_ok(call);
}

static int set_message_request_mode(struct broker *broker, struct gantry_call *call,
				    struct gantry_op *op)
{
	struct json_error error = {0};
	struct json_doc doc;
	int err = json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL, &doc, &error);

	(void)op;
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: %s at byte %u",
				 error.why ? error.why : strerror(-err), error.offset);
	set_mode(broker, call, json_root(&doc));
	json_free(&doc);
	return 0;
}

static int get_all_modes(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	char *text = NULL;
	size_t size = 0;
	int err = modes_encode(broker->modes, 0, &text, &size);

	(void)op;
	return call_reply_made(call, err, text, size);
}

const struct call_row assign_calls[] = {
	{400, "QUERY_ASSIGNMENT", query_assignment},
	{401, "SET_MESSAGE_REQUEST_MODE", set_message_request_mode},
	{402, "GET_ALL_MESSAGE_REQUEST_MODE", get_all_modes},
	{0, NULL, NULL},
};
