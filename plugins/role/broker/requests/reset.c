/* SPDX-License-Identifier: Apache-2.0 */
/* INVOKE_BROKER_TO_RESET_OFFSET, as RocketMQ 5.5.0. The broker keeps the new offsets and tells
 * each consumer with its next pull (AdminBrokerProcessor.resetOffsetInner); or, with
 * useServerSideResetOffset=false, it only tells those that are online, which then commit them
 * (Broker2Client.resetOffset). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "requests/work.h"
#include "clients/version.h"
#include "clients/find.h"
#include "groups/groups.h"
#include "json/json.h"
#include "offsets/offsets.h"
#include "pull/pull.h"
#include "store/store.h"
#include "topics/topics.h"

enum {
	RESET_CONSUMER_CLIENT_OFFSET = 220,
	LANGUAGE_CPP = 1,
	BODY_MAX = 16 * 1024 * 1024 - 64 * 1024,
	NOT_SET = -1,
};

struct reset {
	struct broker *broker;
	struct gantry_call *call;
	struct topic *topic;
	struct gantry_str group;
	int64_t time_ms, offset; /* offset NOT_SET: by time */
	int32_t queue;           /* NOT_SET: all */
	int32_t first, count;    /* queues that are reset */
	bool force, cpp;
	int64_t *offsets; /* of those queues */
	char text[];      /* the group's name */
};

/* ---- where to */

static struct queue *queue_of(const struct reset *reset, int32_t i)
{
	return store_queue_of(reset->broker->store, reset->topic, i);
}

static int64_t offset_by_time(const struct reset *reset, int32_t i)
{
	struct queue *queue = queue_of(reset, i);
	int64_t min = 0, max = 0;

	if (!queue)
		return 0;
	if (reset->time_ms >= 0)
		return queue_offset_by_time(reset->broker->store, queue, reset->time_ms, false);
	queue_bounds(queue, &min, &max);
	return max;
}

/* -ERANGE: answered. */
static int check_offset(const struct reset *reset)
{
	struct queue *queue = queue_of(reset, reset->queue);
	int64_t min = 0, max = 0;

	if (queue)
		queue_bounds(queue, &min, &max);
	if (reset->offset >= min && reset->offset <= max + 1)
		return 0;
	call_fail(reset->call, GANTRY_SYSTEM_ERROR,
		  "Target offset %lld not in consume queue range [%lld-%lld]",
		  (long long)reset->offset, (long long)min, (long long)max);
	return -ERANGE;
}

static int find_offsets(struct reset *reset)
{
	if (reset->offset != NOT_SET && check_offset(reset))
		return -ERANGE;
	for (int32_t i = 0; i < reset->count; i++) {
		int32_t queue = reset->first + i;

		if (reset->offset != NOT_SET)
			reset->offsets[i] = reset->offset;
		else
			reset->offsets[i] = offset_by_time(reset, queue);
	}
	return 0;
}

/* ---- the answer */

static void write_queue(struct json_writer *writer, const struct reset *reset, int32_t i)
{
	json_member_string(writer, "brokerName", reset->broker->name);
	if (reset->cpp)
		json_member_int(writer, "offset", reset->offsets[i]);
	json_member_int(writer, "queueId", reset->first + i);
	json_member_str(writer, "topic", reset->topic->name);
}

/* ResetOffsetBody: the queue is the key; for clients in C++ (ResetOffsetBodyForC) a list. */
static int make_body(const struct reset *reset, bool cpp, char **ret, size_t *ret_size)
{
	struct json_writer writer;

	json_writer_init(&writer, BODY_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "offsetTable");
	if (cpp)
		json_open_array(&writer);
	else
		json_open_object(&writer);
	for (int32_t i = 0; i < reset->count; i++) {
		json_open_object(&writer);
		write_queue(&writer, reset, i);
		json_close_object(&writer);
		if (!cpp)
			json_put_int(&writer, reset->offsets[i]);
	}
	if (cpp)
		json_close_array(&writer);
	else
		json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static void answer_offsets(const struct reset *reset)
{
	char *text = NULL;
	size_t size = 0;
	int err = make_body(reset, false, &text, &size);

	call_reply_made(reset->call, err, text, size);
}

/* ---- kept by the broker */

static void keep_offsets(struct reset *reset)
{
	struct broker *broker = reset->broker;
	int err = 0;

	for (int32_t i = 0; !err && i < reset->count; i++) {
		int32_t queue = reset->first + i;

		err = offsets_reset(broker->offsets, reset->group, reset->topic->name, queue,
				    reset->offsets[i]);
		if (queue_of(reset, queue))
			puller_wake(broker->puller, queue_of(reset, queue));
	}
	if (err)
		call_fail(reset->call, GANTRY_SYSTEM_ERROR, "offset not kept: %s", strerror(-err));
	else
		answer_offsets(reset);
}

static void reset_at_broker(void *user)
{
	struct reset *reset = user;

	if (!find_offsets(reset))
		keep_offsets(reset);
	free(reset->offsets);
}

/* ---- told to clients */

/* -ENOENT: answered. */
static int find_by_time(struct reset *reset)
{
	for (int32_t i = 0; i < reset->count; i++) {
		int64_t now =
			offsets_get(reset->broker->offsets, reset->group, reset->topic->name, i);
		int64_t wanted;

		if (now == -1) {
			call_fail(reset->call, GANTRY_SYSTEM_ERROR,
				  "THe consumer group <%.*s> not exist", STR_ARGS(reset->group));
			return -ENOENT;
		}
		wanted = offset_by_time(reset, i);
		if (wanted < 0)
			wanted = 0;
		reset->offsets[i] = reset->force || wanted < now ? wanted : now;
	}
	return 0;
}

static void tell(const struct reset *reset, const struct client_found *clients, uint32_t count)
{
	char time[24], *body = NULL;
	size_t size = 0;
	int digits = snprintf(time, sizeof(time), "%lld", (long long)reset->time_ms);
	struct gantry_field fields[] = {
		{str_of("topic"), reset->topic->name},
		{str_of("group"), reset->group},
		{str_of("queueId"), str_of("-1")},
		{str_of("timestamp"), {time, (size_t)digits}},
		{str_of("isForce"), str_of("false")}, /* as Java, which never passes it on */
	};
	struct gantry_push push = {
		.code = RESET_CONSUMER_CLIENT_OFFSET, .field_count = 5, .fields = fields};

	if (make_body(reset, reset->cpp, &body, &size)) {
		call_no_memory(reset->call);
		return;
	}
	push.body = (struct gantry_str){body, size};
	for (uint32_t i = 0; i < count; i++)
		clients[i].session->ops->push(clients[i].session, &push);
	free(body);
	answer_offsets(reset);
}

static bool refuse_old(const struct reset *reset, const struct client_found *clients,
		       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (clients[i].version >= CLIENT_V3_0_7_SNAPSHOT)
			continue;
		call_fail(reset->call, GANTRY_SYSTEM_ERROR,
			  "the client does not support this feature. version=%s",
			  client_version_name(clients[i].version));
		return true;
	}
	return false;
}

static void reset_at_clients(void *user)
{
	struct reset *reset = user;
	struct client_found *clients = NULL;
	uint32_t count = 0;
	int status = find_by_time(reset);

	if (!status) {
		status = clients_find_members(reset->broker->clients, reset->group, &clients,
					      &count);
		if (status)
			call_fail(reset->call, GANTRY_CONSUMER_NOT_ONLINE,
				  "Consumer not online, so can not reset offset, Group: %.*s "
				  "Topic: %.*s Timestamp: %lld",
				  STR_ARGS(reset->group), STR_ARGS(reset->topic->name),
				  (long long)reset->time_ms);
	}
	if (!status && !refuse_old(reset, clients, count))
		tell(reset, clients, count);
	client_found_free(clients, count);
	free(reset->offsets);
}

/* ---- the request */

struct request {
	struct gantry_str topic, group;
	int64_t time_ms, offset;
	int32_t queue;
	bool force;
};

/* Only the topic has to be there: what is missing, or no number, RocketMQ 5.5.0 takes for 0. */
static int read_request(struct gantry_call *call, struct request *ret)
{
	if (call_need_text(call, "topic", &ret->topic))
		return -EINVAL;
	ret->group = call_text(call, "group");
	if (!ret->group.at)
		ret->group = str_of("null");
	ret->time_ms = call_int64(call, "timestamp", 0);
	ret->force = call_bool(call, "isForce", false);
	ret->queue = call_int32(call, "queueId", NOT_SET);
	ret->offset = ret->queue >= 0 ? call_int64(call, "offset", NOT_SET) : NOT_SET;
	return 0;
}

static int refuse_topic(struct gantry_call *call, const struct request *request, bool server_side)
{
	if (server_side)
		return call_fail(call, GANTRY_TOPIC_NOT_EXIST, "Topic %.*s does not exist",
				 STR_ARGS(request->topic));
	return call_fail(call, GANTRY_TOPIC_NOT_EXIST,
			 "[reset-offset] reset offset failed, no topic in this broker. topic=%.*s",
			 STR_ARGS(request->topic));
}

static struct reset *make_reset(struct broker *broker, struct gantry_call *call,
				const struct request *request, struct topic *topic)
{
	bool server_side = broker->conf->useServerSideResetOffset;
	struct reset *reset = malloc(sizeof(*reset) + request->group.size);

	if (!reset)
		return NULL;
	*reset = (struct reset){.broker = broker, .call = call, .topic = topic};
	memcpy(reset->text, request->group.at, request->group.size);
	reset->group = (struct gantry_str){reset->text, request->group.size};
	reset->time_ms = request->time_ms;
	reset->offset = request->offset;
	reset->queue = server_side && request->queue >= 0 ? request->queue : NOT_SET;
	reset->force = request->force;
	reset->cpp = call->language == LANGUAGE_CPP;
	reset->count = server_side ? topic_read_queues(topic) : topic_write_queues(topic);
	if (reset->queue != NOT_SET) {
		reset->first = reset->queue;
		reset->count = 1;
	}
	reset->offsets = calloc((size_t)reset->count + 1, sizeof(*reset->offsets));
	if (reset->offsets)
		return reset;
	free(reset);
	return NULL;
}

static int reset_offset(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	bool server_side = broker->conf->useServerSideResetOffset;
	struct request request;
	struct topic *topic;
	struct reset *reset;

	if (read_request(call, &request))
		return 0;
	if (server_side && broker_is_slave(broker))
		return call_fail(call, GANTRY_SYSTEM_ERROR, "Can not reset offset in slave broker");
	topic = topics_find(broker->topics, request.topic);
	if (!topic)
		return refuse_topic(call, &request, server_side);
	if (server_side && !groups_look(broker->groups, request.group))
		return call_fail(call, GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST,
				 "Group %.*s does not exist", STR_ARGS(request.group));
	reset = make_reset(broker, call, &request, topic);
	if (reset && call_on_worker(broker, op, server_side ? reset_at_broker : reset_at_clients,
				    reset) == GANTRY_PENDING)
		return GANTRY_PENDING;
	if (reset)
		free(reset->offsets);
	free(reset);
	return call_no_memory(call);
}

const struct call_row reset_calls[] = {
	{222, "INVOKE_BROKER_TO_RESET_OFFSET", reset_offset},
	{0, NULL, NULL},
};
