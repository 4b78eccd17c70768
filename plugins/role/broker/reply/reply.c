/* SPDX-License-Identifier: Apache-2.0 */
/* SEND_REPLY_MESSAGE: the answer to a request that went through a topic. It is pushed to the client
 * that asked, whose id the message carries, and stored, whatever came of that; then the replier is
 * told. As RocketMQ's ReplyMessageProcessor, 5.5.0. */
#include "reply/reply.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/find.h"
#include "message/id.h"
#include "message/properties.h"
#include "send/put.h"
#include "send/send.h"

enum {
	PUSH_REPLY_MESSAGE_TO_CLIENT = 326,
	ANSWER_MS = 10000,
	TIME_ROOM = sizeof("PUSH_REPLY_TIME") + 24,
	HOST_ROOM = INET6_ADDRSTRLEN + 8,
	PUSH_FIELDS = REPLY_FIELDS + 3,
};

struct reply {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	struct gantry_answer answer;
	struct client_found client; /* held while it is asked */
	int32_t queue;
	bool pushed; /* the client took it */
	struct gantry_str to;
	struct put_one one;
	char texts[]; /* properties, the time of the push behind them, to, body */
};

/* What is said of hosts: address and port. */
static void write_host(const struct gantry_address *host, char *to)
{
	char ip[INET6_ADDRSTRLEN] = "";

	inet_ntop(host->ip_size == 16 ? AF_INET6 : AF_INET, host->ip, ip, sizeof(ip));
	snprintf(to, HOST_ROOM, "%s:%u", ip, host->port);
}

/* ---- the answer */

static void reply_free(struct reply *reply)
{
	if (reply->client.session)
		client_found_release(&reply->client);
	free(reply);
}

/* What every answer has once the request could be read. */
static void add_suffix(const struct broker *broker, struct gantry_call *call)
{
	call_reply_text(call, "MSG_REGION", str_of(broker->conf->regionId));
	call_reply_static(call, "TRACE_ON", broker->conf->traceOn ? "true" : "false");
}

static void add_place(struct gantry_call *call, struct gantry_str id, int32_t queue, int64_t offset)
{
	call_reply_text(call, "msgId", id);
	call_reply_int(call, "queueId", queue);
	call_reply_int(call, "queueOffset", offset);
}

/* The push's result is the answer's code; where the message stands, if it is stored, only adds to
 * it. */
static void tell(struct reply *reply, bool stored)
{
	const struct put_one *one = &reply->one;
	char id[MESSAGE_ID_MAX];
	uint32_t size;

	if (stored) {
		size = message_offset_id(&one->message.draft.store_host, one->record.at, id);
		add_place(reply->call, (struct gantry_str){id, size}, reply->queue,
			  one->message.queue_offset);
	} else if (reply->pushed) {
		add_place(reply->call, str_of("0"), reply->queue, 0);
	}
	reply_free(reply);
}

/* ---- storing */

static void stored(struct gantry_op *op)
{
	struct reply *reply = op->user;
	struct gantry_op *outer = reply->outer;

	tell(reply, op->status == 0);
	gantry_op_finish(outer, 0, 0);
}

/* 0: the reply is told and freed; positive: it will be. */
static int store_it(struct reply *reply)
{
	const struct broker_conf *conf = reply->broker->conf;
	int64_t size = (int64_t)reply->one.message.draft.body.size;
	int status = -1;

	if (conf->storeReplyMessageEnable && size <= conf->maxMessageSize) {
		reply->op = (struct gantry_op){
			.done = stored, .loop = reply->outer->loop, .user = reply};
		status = put_one(reply->broker, &reply->one, &reply->op);
		if (status > 0)
			return GANTRY_PENDING;
	}
	tell(reply, status == 0);
	return 0;
}

/* ---- pushing */

static void tell_refused(const struct reply *reply)
{
	call_fail(reply->call, GANTRY_SYSTEM_ERROR, "push reply message to %.*sfail.",
		  STR_ARGS(reply->to));
}

static void answered(struct gantry_op *op)
{
	struct reply *reply = op->user;
	struct gantry_op *outer = reply->outer;

	reply->pushed = !op->status && reply->answer.code == GANTRY_SUCCESS;
	if (!op->status)
		free(reply->answer.body);
	if (!reply->pushed)
		tell_refused(reply);
	if (!store_it(reply))
		gantry_op_finish(outer, 0, 0);
}

static int ask(struct reply *reply, const struct reply_request *request, struct gantry_str text)
{
	char born[HOST_ROOM], store[HOST_ROOM], now[24];
	struct gantry_field fields[PUSH_FIELDS];
	struct gantry_push push = {.code = PUSH_REPLY_MESSAGE_TO_CLIENT,
				   .fields = fields,
				   .body = reply->one.message.draft.body};
	struct gantry_session *session = reply->client.session;
	struct gantry_address host;

	broker_store_host(reply->broker, &host);
	write_host(&reply->call->session->peer, born);
	write_host(&host, store);
	snprintf(now, sizeof(now), "%" PRId64, broker_wall_ms());
	for (int i = 0; i < REPLY_FIELDS; i++) {
		struct gantry_str value = i == REPLY_PROPERTIES ? text : request->fields[i];

		if (value.at)
			fields[push.field_count++] =
				(struct gantry_field){str_of(reply_field_name(i)), value};
	}
	fields[push.field_count++] = (struct gantry_field){str_of("bornHost"), str_of(born)};
	fields[push.field_count++] = (struct gantry_field){str_of("storeHost"), str_of(store)};
	fields[push.field_count++] = (struct gantry_field){str_of("storeTimestamp"), str_of(now)};
	reply->op = (struct gantry_op){.done = answered,
				       .loop = reply->outer->loop,
				       .user = reply,
				       .deadline_ms = gantry_clock_ms() + ANSWER_MS};
	return session->ops->ask(session, &push, &reply->answer, &reply->op);
}

/* Positive: the client is asked; otherwise nobody can be, and the answer says so. */
static int push(struct reply *reply, const struct reply_request *request, struct gantry_str text)
{
	struct gantry_call *call = reply->call;

	if (!reply->to.at)
		return call_fail(call, GANTRY_SYSTEM_ERROR,
				 "reply message properties[REPLY_TO_CLIENT] is null");
	if (clients_find_producer(reply->broker->clients, reply->to, &reply->client))
		return call_fail(call, GANTRY_SYSTEM_ERROR,
				 "push reply message fail, channel of <%.*s> not found.",
				 STR_ARGS(reply->to));
	if (ask(reply, request, text) > 0)
		return GANTRY_PENDING;
	tell_refused(reply);
	return 0;
}

/* ---- the request */

static void fill_draft(struct reply *reply, const struct reply_request *request,
		       struct gantry_str topic)
{
	struct message_draft *draft = &reply->one.message.draft;

	draft->topic = topic;
	draft->queue = reply->queue;
	draft->flag = request->send.flag;
	draft->born_ms = request->send.born_ms;
	draft->born_host = reply->call->session->peer;
	draft->reconsume_times = request->send.reconsume_times;
}

/* Copies what is only lent; ret_text: the properties that the client gets. */
static struct reply *reply_new(struct broker *broker, struct gantry_call *call,
			       struct gantry_op *outer, const struct reply_request *request,
			       struct gantry_str *ret_text)
{
	struct gantry_str properties = request->fields[REPLY_PROPERTIES];
	size_t room = reply_properties_room(broker, properties), size;
	struct reply *reply =
		malloc(sizeof(*reply) + room + TIME_ROOM + request->to.size + call->body.size);
	struct message_draft *draft;
	char now[24], *to;

	if (!reply)
		return NULL;
	*reply = (struct reply){.broker = broker, .call = call, .outer = outer};
	draft = &reply->one.message.draft;
	size = reply_properties_write(broker, properties, reply->texts, room);
	draft->properties[0] = (struct gantry_str){reply->texts, size};
	draft->part_count = 1;
	snprintf(now, sizeof(now), "%" PRId64, broker_wall_ms());
	size += message_property_write(reply->texts + size, TIME_ROOM, str_of("PUSH_REPLY_TIME"),
				       str_of(now));
	*ret_text = (struct gantry_str){reply->texts, size};
	to = reply->texts + room + TIME_ROOM;
	if (request->to.at)
		reply->to = (struct gantry_str){memcpy(to, request->to.at, request->to.size),
						request->to.size};
	to += request->to.size;
	draft->body =
		(struct gantry_str){memcpy(to, call->body.at, call->body.size), call->body.size};
	return reply;
}

static int send_reply(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct reply_request request;
	struct gantry_str text = {0};
	struct topic *topic = NULL;
	struct reply *reply;
	int32_t queue = 0;

	if (reply_read(call, &request))
		return 0;
	add_suffix(broker, call);
	if (sender_vet(broker, &request.send, &topic, &queue))
		return call_fail(call, request.send.code, "%s", request.send.remark);
	reply = reply_new(broker, call, op, &request, &text);
	if (!reply)
		return call_no_memory(call);
	reply->queue = queue;
	fill_draft(reply, &request, topic->name);
	call_ok(call);
	if (push(reply, &request, text) <= 0 && !store_it(reply))
		return 0;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
}

const struct call_row reply_calls[] = {
	{324, "SEND_REPLY_MESSAGE", send_reply},
	{325, "SEND_REPLY_MESSAGE_V2", send_reply},
	{0, NULL, NULL},
};
