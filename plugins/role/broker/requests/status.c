/* SPDX-License-Identifier: Apache-2.0 */
/* INVOKE_BROKER_TO_GET_CONSUMER_STATUS: every client of a group is asked how far it is in a topic's
 * queues, all at once; as getConsumeStatus() of RocketMQ's Broker2Client, 5.5.0, which asks one
 * after another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "clients/version.h"
#include "clients/find.h"
#include "json/json.h"

enum {
	GET_CONSUMER_STATUS_FROM_CLIENT = 221,
	ANSWER_MS = 5000,
	BODY_MAX = 16 * 1024 * 1024 - 64 * 1024,
};

struct survey;

struct question {
	struct survey *survey;
	struct gantry_op op;
	struct gantry_answer answer;
	const char *id; /* of clients */
};

/* Touched on the loop of the call that asked. */
struct survey {
	struct gantry_call *call;
	struct gantry_op *outer;
	struct client_found *clients;
	uint32_t client_count, open; /* open: questions without an answer yet */
	struct json_writer writer;
	struct question questions[];
};

static void survey_free(struct survey *survey)
{
	client_found_free(survey->clients, survey->client_count);
	json_writer_free(&survey->writer);
	free(survey);
}

static void begin_body(struct json_writer *writer)
{
	json_writer_init(writer, BODY_MAX, 0);
	json_open_object(writer);
	json_put_key(writer, "consumerTable");
	json_open_object(writer);
}

static void answer_call(struct survey *survey)
{
	char *text = NULL;
	size_t size = 0;
	int err;

	json_close_object(&survey->writer);
	json_put_key(&survey->writer, "messageQueueTable");
	json_open_object(&survey->writer);
	json_close_object(&survey->writer);
	json_close_object(&survey->writer);
	err = json_writer_take(&survey->writer, &text, &size);
	call_reply_made(survey->call, err, text, size);
}

/* Puts one client's table into the answer; a body that is none is left out, as in Java. */
static void add_table(struct survey *survey, const struct question *question)
{
	const struct gantry_answer *answer = &question->answer;
	struct json_value table;
	struct json_doc doc;

	if (json_parse(answer->body, answer->body_size, JSON_LENIENT, NULL, &doc, NULL))
		return;
	table = json_get(json_root(&doc), "messageQueueTable");
	if (json_is(table, JSON_OBJECT)) {
		const struct json_node *node = &doc.nodes[table.node];
		struct gantry_str text = {doc.text + node->start, node->end - node->start};

		json_put_key(&survey->writer, question->id);
		json_put_literal(&survey->writer, text);
	}
	json_free(&doc);
}

static void answered(struct gantry_op *op)
{
	struct question *question = op->user;
	struct survey *survey = question->survey;
	struct gantry_op *outer = survey->outer;

	if (!op->status && question->answer.code == GANTRY_SUCCESS && question->answer.body_size)
		add_table(survey, question);
	if (!op->status)
		free(question->answer.body);
	if (--survey->open)
		return;
	answer_call(survey);
	survey_free(survey);
	gantry_op_finish(outer, 0, 0);
}

static void ask(struct survey *survey, const struct client_found *client,
		const struct gantry_push *push)
{
	struct question *question = &survey->questions[client - survey->clients];
	struct gantry_session *session = client->session;

	question->survey = survey;
	question->id = client->id;
	question->op = (struct gantry_op){.done = answered,
					  .loop = survey->outer->loop,
					  .user = question,
					  .deadline_ms = gantry_clock_ms() + ANSWER_MS};
	if (session->ops->ask(session, push, &question->answer, &question->op) > 0)
		survey->open++;
}

static int refuse_old(struct survey *survey, const struct client_found *client)
{
	call_fail(survey->call, GANTRY_SYSTEM_ERROR,
		  "the client does not support this feature. version=%s",
		  client_version_name(client->version));
	return 0;
}

/* Positive: pending; 0: answered. */
static int ask_all(struct survey *survey, struct gantry_str topic, struct gantry_str group,
		   struct gantry_str client_id)
{
	struct gantry_field fields[] = {{str_of("topic"), topic}, {str_of("group"), group}};
	struct gantry_push push = {
		.code = GET_CONSUMER_STATUS_FROM_CLIENT, .field_count = 2, .fields = fields};

	for (uint32_t i = 0; i < survey->client_count; i++)
		if (survey->clients[i].version < CLIENT_V3_0_7_SNAPSHOT)
			return refuse_old(survey, &survey->clients[i]);
	for (uint32_t i = 0; i < survey->client_count; i++)
		if (str_blank(client_id) || str_is(client_id, survey->clients[i].id))
			ask(survey, &survey->clients[i], &push);
	if (survey->open)
		return GANTRY_PENDING;
	answer_call(survey);
	return 0;
}

static int get_status(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str group, topic = call_text(call, "topic");
	struct client_found *clients = NULL;
	uint32_t count = 0;
	struct survey *survey;
	int status;

	if (call_need_text(call, "group", &group))
		return 0;
	status = clients_find_members(broker->clients, group, &clients, &count);
	if (status == -ENOENT)
		return call_fail(call, GANTRY_SYSTEM_ERROR,
				 "No Any Consumer online in the consumer group: [%.*s]",
				 STR_ARGS(group));
	survey = status ? NULL : calloc(1, sizeof(*survey) + count * sizeof(struct question));
	if (!survey) {
		client_found_free(clients, count);
		return call_no_memory(call);
	}
	*survey = (struct survey){
		.call = call, .outer = op, .clients = clients, .client_count = count};
	begin_body(&survey->writer);
	if (ask_all(survey, topic, group, call_text(call, "clientAddr"))) {
		gantry_op_take(op, NULL, NULL);
		return GANTRY_PENDING;
	}
	survey_free(survey);
	return 0;
}

const struct call_row status_calls[] = {
	{223, "INVOKE_BROKER_TO_GET_CONSUMER_STATUS", get_status},
	{0, NULL, NULL},
};
