/* SPDX-License-Identifier: Apache-2.0 */
/* GET_CONSUMER_RUNNING_INFO and CONSUME_MESSAGE_DIRECTLY: a tool asks the broker, the broker asks
 * the consumer, with the same fields, and hands its answer back; as callConsumer() of RocketMQ's
 * AdminBrokerProcessor, 5.5.0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "clients/version.h"
#include "clients/find.h"
#include "groups/groups.h"
#include "message/id.h"
#include "store/store.h"
#include "topics/topics.h"

enum {
	ANSWER_MS = 10000,
	OWN_FIELDS = 3,
	NUMBER_ROOM = 12,
};

struct relay {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	struct gantry_answer answer;
	struct client_found client; /* held while it is asked */
	struct gantry_str group, client_id;
	uint64_t at; /* of the message */
	struct gantry_slice message;
	char numbers[OWN_FIELDS][NUMBER_ROOM];
	uint32_t number_count;
	uint32_t field_count;
	struct gantry_field fields[]; /* the request's, copied, and the broker's own; then texts */
};

static char *copy(char *to, struct gantry_str from, struct gantry_str *ret)
{
	if (from.size)
		memcpy(to, from.at, from.size);
	*ret = (struct gantry_str){from.at ? to : NULL, from.size};
	return to + from.size;
}

/* A relay with a copy of what the request lends. */
static struct relay *relay_new(struct broker *broker, struct gantry_call *call,
			       struct gantry_op *outer, struct gantry_str group,
			       struct gantry_str client_id)
{
	size_t heads = (call->field_count + OWN_FIELDS) * sizeof(struct gantry_field);
	size_t texts = group.size + client_id.size;
	struct relay *relay;
	char *to;

	for (uint32_t i = 0; i < call->field_count; i++)
		texts += call->fields[i].name.size + call->fields[i].value.size;
	relay = malloc(sizeof(*relay) + heads + texts);
	if (!relay)
		return NULL;
	*relay = (struct relay){.broker = broker, .call = call, .outer = outer};
	to = (char *)relay->fields + heads;
	to = copy(to, group, &relay->group);
	to = copy(to, client_id, &relay->client_id);
	for (uint32_t i = 0; i < call->field_count; i++) {
		to = copy(to, call->fields[i].name, &relay->fields[i].name);
		to = copy(to, call->fields[i].value, &relay->fields[i].value);
	}
	relay->field_count = call->field_count;
	return relay;
}

static void relay_free(struct relay *relay)
{
	if (relay->client.session)
		client_found_release(&relay->client);
	gantry_slice_release(&relay->message);
	free(relay);
}

/* Sets a field of what the client is asked; name is static, value stays. */
static void set_field(struct relay *relay, const char *name, struct gantry_str value)
{
	uint32_t i = 0;

	while (i < relay->field_count && !str_is(relay->fields[i].name, name))
		i++;
	if (i == relay->field_count)
		relay->field_count++;
	relay->fields[i] = (struct gantry_field){str_of(name), value};
}

static void set_number(struct relay *relay, const char *name, int32_t value)
{
	char *text = relay->numbers[relay->number_count++];

	snprintf(text, NUMBER_ROOM, "%d", value);
	set_field(relay, name, str_of(text));
}

/* ---- the answer */

/* What a client says with a code of its own, in the words that the Java client has for it: an
 * answer's remark does not reach the role. */
static void tell_refusal(const struct relay *relay)
{
	struct gantry_call *call = relay->call;

	if (relay->answer.code == GANTRY_REQUEST_CODE_NOT_SUPPORTED)
		call_unknown(call);
	else
		call_fail(call, relay->answer.code,
			  "The Consumer Group <%.*s> not exist in this consumer",
			  STR_ARGS(relay->group));
}

static void tell_answer(struct relay *relay)
{
	struct gantry_call *call = relay->call;

	call->ret_code = relay->answer.code;
	call->ret_body = relay->answer.body;
	call->ret_body_size = relay->answer.body_size;
	if (relay->answer.code != GANTRY_SUCCESS && !relay->answer.body_size)
		tell_refusal(relay);
}

static void tell_failure(const struct relay *relay, int status)
{
	struct gantry_call *call = relay->call;

	/* RocketMQ waits for the time to be up also when the client has gone */
	if (status == -ETIMEDOUT || status == -EPIPE)
		call_fail(call, GANTRY_CONSUME_MSG_TIMEOUT, "consumer <%.*s> <%.*s> Timeout: %s",
			  STR_ARGS(relay->group), STR_ARGS(relay->client_id),
			  status == -EPIPE ? "it has gone" : "no answer within 10 s");
	else
		call_fail(call, GANTRY_SYSTEM_ERROR, "invoke consumer <%.*s> <%.*s> Exception: %s",
			  STR_ARGS(relay->group), STR_ARGS(relay->client_id), strerror(-status));
}

static void answered(struct gantry_op *op)
{
	struct relay *relay = op->user;
	struct gantry_op *outer = relay->outer;

	if (op->status)
		tell_failure(relay, op->status);
	else
		tell_answer(relay);
	relay_free(relay);
	gantry_op_finish(outer, 0, 0);
}

/* ---- asking */

/* As Java writes what is absent. */
static struct gantry_str or_null(struct gantry_str text)
{
	return text.at ? text : str_of("null");
}

static int find_client(struct relay *relay)
{
	struct clients *clients = relay->broker->clients;

	if (clients_find_member(clients, relay->group, relay->client_id, &relay->client)) {
		call_fail(relay->call, GANTRY_SYSTEM_ERROR, "The Consumer <%.*s> <%.*s> not online",
			  STR_ARGS(relay->group), STR_ARGS(or_null(relay->client_id)));
		return -ENOENT;
	}
	if (relay->client.version >= CLIENT_V3_1_8_SNAPSHOT)
		return 0;
	call_fail(relay->call, GANTRY_SYSTEM_ERROR,
		  "The Consumer <%.*s> Version <%s> too low to finish, please upgrade it to "
		  "V3_1_8_SNAPSHOT",
		  STR_ARGS(relay->client_id), client_version_name(relay->client.version));
	return -EINVAL;
}

/* Asks the client; 0: the request is answered instead, and the relay is still the caller's. */
static int ask(struct relay *relay)
{
	struct gantry_session *session;
	struct gantry_push push = {
		.code = relay->call->code,
		.field_count = relay->field_count,
		.fields = relay->fields,
		.body = {(const char *)relay->message.bytes, relay->message.size},
	};
	int status;

	if (find_client(relay))
		return 0;
	session = relay->client.session;
	relay->op = (struct gantry_op){.done = answered,
				       .loop = relay->outer->loop,
				       .user = relay,
				       .deadline_ms = gantry_clock_ms() + ANSWER_MS};
	status = session->ops->ask(session, &push, &relay->answer, &relay->op);
	if (status > 0)
		return GANTRY_PENDING;
	tell_failure(relay, status);
	return 0;
}

/* Ends what began in a request's own call. */
static int settle(struct relay *relay, int pending)
{
	if (pending) {
		gantry_op_take(relay->outer, NULL, NULL);
		return GANTRY_PENDING;
	}
	relay_free(relay);
	return 0;
}

static int get_running_info(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str group, client;
	struct relay *relay;

	if (call_need_text(call, "consumerGroup", &group))
		return 0;
	client = call_text(call, "clientId");
	relay = relay_new(broker, call, op, group, client);
	return relay ? settle(relay, ask(relay)) : call_no_memory(call);
}

/* ---- with a message */

static void refuse_message(struct relay *relay, int status)
{
	call_fail(relay->call, GANTRY_SYSTEM_ERROR, "no message at offset %llu: %s",
		  (unsigned long long)relay->at, strerror(-status));
}

/* Positive: pending. */
static int read_and_ask(struct relay *relay);

static void read_again(struct gantry_op *op)
{
	struct relay *relay = op->user;
	struct gantry_op *outer = relay->outer;
	int pending = 0;

	if (op->status)
		refuse_message(relay, op->status);
	else
		pending = read_and_ask(relay);
	if (pending)
		return;
	relay_free(relay);
	gantry_op_finish(outer, 0, 0);
}

static int read_and_ask(struct relay *relay)
{
	int status;

	relay->op =
		(struct gantry_op){.done = read_again, .loop = relay->outer->loop, .user = relay};
	status = store_read_message(relay->broker->store, relay->at, &relay->message, &relay->op);
	if (status > 0)
		return GANTRY_PENDING;
	if (status == 0)
		return ask(relay);
	refuse_message(relay, status);
	return 0;
}

static void set_own_fields(struct relay *relay)
{
	const struct gantry_call *call = relay->call;
	struct topic *topic = topics_find(relay->broker->topics, call_text(call, "topic"));
	struct group *group = relay->group.size ? groups_find(relay->broker, relay->group) : NULL;

	set_field(relay, "brokerName", str_of(relay->broker->name));
	if (topic)
		set_number(relay, "topicSysFlag", topic_sys_flag(topic));
	if (group)
		set_number(relay, "groupSysFlag", GROUP_READ(group, group_sys_flag));
}

static int consume_directly(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str group, id = call_text(call, "msgId");
	struct gantry_address host;
	struct relay *relay;
	uint64_t at;

	if (call_need_text(call, "consumerGroup", &group))
		return 0;
	if (message_offset_id_read(id, &host, &at))
		return call_fail(call, GANTRY_SYSTEM_ERROR, "msgId <%.*s> is no message id",
				 STR_ARGS(id));
	relay = relay_new(broker, call, op, group, call_text(call, "clientId"));
	if (!relay)
		return call_no_memory(call);
	relay->at = at;
	set_own_fields(relay);
	return settle(relay, read_and_ask(relay));
}

const struct call_row relay_calls[] = {
	{307, "GET_CONSUMER_RUNNING_INFO", get_running_info},
	{309, "CONSUME_MESSAGE_DIRECTLY", consume_directly},
	{0, NULL, NULL},
};
