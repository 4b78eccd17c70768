/* SPDX-License-Identifier: Apache-2.0 */
/* HEART_BEAT: RocketMQ's HeartbeatData, JSON in the body, becomes a gantry_client; and
 * UNREGISTER_CLIENT, its opposite. */
#include "remoting.h"

#include <json/json.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 256 * 1024 };

/* The arrays of one heartbeat and its texts that had escapes: one block of memory. */
struct reader {
	struct gantry_str *producers;
	struct gantry_consumer_data *consumers;
	struct gantry_subscription_data
		*subscriptions; /* of all consumers; the next that is free */
	char *text;
	size_t text_room;
};

static struct gantry_str take_text(struct reader *reader, struct json_value object,
				   const char *name)
{
	struct gantry_str text = {0};

	if (json_text(json_get(object, name), reader->text, reader->text_room, &text) == 0 &&
	    text.at == reader->text) {
		reader->text += text.size;
		reader->text_room -= text.size;
	}
	return text;
}

/* Which of the names this member has; missing if none. */
static uint32_t take_name(struct json_value object, const char *member, const char *const *names,
			  uint32_t count, uint32_t missing)
{
	struct json_value value = json_get(object, member);

	for (uint32_t i = 0; i < count; i++)
		if (json_equals(value, names[i]))
			return i;
	return missing;
}

static uint32_t take_from_where(struct json_value object)
{
	/* The last two are old names of the first two. */
	static const char *const names[] = {"CONSUME_FROM_LAST_OFFSET", "CONSUME_FROM_FIRST_OFFSET",
					    "CONSUME_FROM_TIMESTAMP", "CONSUME_FROM_MAX_OFFSET",
					    "CONSUME_FROM_MIN_OFFSET"};
	uint32_t i = take_name(object, "consumeFromWhere", names, 5, GANTRY_FROM_LAST_OFFSET);

	return i < 3 ? i : i - 3;
}

static void take_subscriptions(struct reader *reader, struct json_value list,
			       struct gantry_consumer_data *consumer)
{
	struct json_iter iter = json_iter(list);

	consumer->subscriptions = reader->subscriptions;
	while (json_next(&iter)) {
		*reader->subscriptions++ = (struct gantry_subscription_data){
			.topic = take_text(reader, iter.value, "topic"),
			.expression = take_text(reader, iter.value, "subString"),
			.expression_type = take_text(reader, iter.value, "expressionType"),
			.version = json_int64_or(json_get(iter.value, "subVersion"), 0),
			.class_filter =
				json_bool_or(json_get(iter.value, "classFilterMode"), false),
		};
		consumer->subscription_count++;
	}
}

static void take_consumer(struct reader *reader, struct json_value data,
			  struct gantry_consumer_data *ret)
{
	static const char *const types[] = {"CONSUME_ACTIVELY", "CONSUME_PASSIVELY", "CONSUME_POP"};
	static const char *const models[] = {"BROADCASTING", "CLUSTERING"};

	*ret = (struct gantry_consumer_data){
		.group = take_text(reader, data, "groupName"),
		.consume_type = take_name(data, "consumeType", types, 3, GANTRY_CONSUME_PASSIVELY),
		.message_model = take_name(data, "messageModel", models, 2, GANTRY_CLUSTERING),
		.from_where = take_from_where(data),
		.unit = json_bool_or(json_get(data, "unitMode"), false),
	};
	take_subscriptions(reader, json_get(data, "subscriptionDataSet"), ret);
}

static size_t count_subscriptions(struct json_value consumers)
{
	struct json_iter iter = json_iter(consumers);
	size_t count = 0;

	while (json_next(&iter))
		count += json_count(json_get(iter.value, "subscriptionDataSet"));
	return count;
}

/* Lays the arrays out in one block from malloc, whose first byte is returned; NULL: no memory. */
static void *lay_out(struct reader *reader, struct json_value producers,
		     struct json_value consumers, size_t text_room)
{
	size_t producer_bytes = json_count(producers) * sizeof(*reader->producers);
	size_t consumer_bytes = json_count(consumers) * sizeof(*reader->consumers);
	size_t subscription_bytes = count_subscriptions(consumers) * sizeof(*reader->subscriptions);
	char *memory = malloc(producer_bytes + consumer_bytes + subscription_bytes + text_room + 1);

	if (!memory)
		return NULL;
	reader->consumers = (void *)memory;
	reader->subscriptions = (void *)(memory + consumer_bytes);
	reader->producers = (void *)(memory + consumer_bytes + subscription_bytes);
	reader->text = memory + consumer_bytes + subscription_bytes + producer_bytes;
	reader->text_room = text_room;
	return memory;
}

/* Fills client from data; the memory that it points to besides the body is returned. */
static void *take_client(struct json_value data, size_t text_room, struct gantry_client *client)
{
	struct json_value producers = json_get(data, "producerDataSet");
	struct json_value consumers = json_get(data, "consumerDataSet");
	struct reader reader;
	void *memory = lay_out(&reader, producers, consumers, text_room);
	struct json_iter iter;

	if (!memory)
		return NULL;
	client->id = take_text(&reader, data, "clientID");
	client->fingerprint = (int32_t)json_int64_or(json_get(data, "heartbeatFingerprint"), 0);
	client->without_subscriptions = json_bool_or(json_get(data, "withoutSub"), false);
	client->producer_groups = reader.producers;
	client->consumers = reader.consumers;
	for (iter = json_iter(producers); json_next(&iter);)
		reader.producers[client->producer_count++] =
			take_text(&reader, iter.value, "groupName");
	for (iter = json_iter(consumers); json_next(&iter);)
		take_consumer(&reader, iter.value, &reader.consumers[client->consumer_count++]);
	return memory;
}

static bool is_list(struct json_value value)
{
	return !value.doc || json_is(value, JSON_ARRAY);
}

/* What a heartbeat that was read is refused for; NULL: nothing. */
static const char *problem_of(struct json_value data)
{
	if (!json_get(data, "clientID").doc)
		return "heartbeat: no clientID";
	if (!is_list(json_get(data, "producerDataSet")))
		return "heartbeat: producerDataSet is no list";
	if (!is_list(json_get(data, "consumerDataSet")))
		return "heartbeat: consumerDataSet is no list";
	return NULL;
}

static void answer(struct connection *c, const struct remoting_header *request,
		   const struct gantry_client *client)
{
	struct gantry_field fields[] = {
		{{"IS_SUPPORT_HEART_BEAT_V2", 24}, {"true", 4}},
		{{"IS_SUB_CHANGE", 13},
		 client->subscriptions_changed ? (struct gantry_str){"true", 4}
					       : (struct gantry_str){"false", 5}},
	};
	struct parked parked = {.opaque = request->opaque,
				.serialization = request->serialization,
				.one_way = request->flag & REMOTING_ONE_WAY};
	struct remoting_header header = {.code = client->code, .fields = fields, .field_count = 2};

	if (client->remark[0])
		header.remark = (struct gantry_str){
			client->remark, strnlen(client->remark, sizeof(client->remark))};
	out_answer(c, &parked, &header, NULL);
}

void heartbeat_take(struct connection *c, const struct remoting_header *header,
		    struct gantry_str body)
{
	struct front *front = c->lane->front;
	struct gantry_client client = {
		.session = &c->session, .language = header->language, .version = header->version};
	struct json_limits limits = {.nodes = NODES_MAX};
	struct json_error error;
	struct json_doc doc;
	char remark[96];
	const char *problem;
	void *memory;
	int code = json_parse(body.at, body.size, JSON_LENIENT, &limits, &doc, &error);

	if (code) {
		snprintf(remark, sizeof(remark), "heartbeat: %s at offset %u", error.why,
			 error.offset);
		out_code(c, header, GANTRY_SYSTEM_ERROR, remark);
		return;
	}
	problem = problem_of(json_root(&doc));
	memory = problem ? NULL : take_client(json_root(&doc), body.size, &client);
	if (problem) {
		out_code(c, header, GANTRY_SYSTEM_ERROR, problem);
	} else if (!memory) {
		out_code(c, header, GANTRY_SYSTEM_BUSY, "out of memory");
	} else if (!client.id.at) {
		out_code(c, header, GANTRY_SYSTEM_ERROR, "heartbeat: no clientID");
	} else {
		code = front->role->join(front->role_inst, &client);
		if (code < 0)
			client.code = GANTRY_SYSTEM_ERROR;
		answer(c, header, &client);
	}
	free(memory);
	json_free(&doc);
}

void unregister_take(struct connection *c, const struct remoting_header *header)
{
	struct front *front = c->lane->front;
	struct gantry_str id = remoting_field(header, "clientID");
	int code;

	if (!id.at) {
		out_code(c, header, GANTRY_SYSTEM_ERROR, "the custom field <clientID> is null");
		return;
	}
	code = front->role->leave(front->role_inst, &c->session, id,
				  remoting_field(header, "producerGroup"),
				  remoting_field(header, "consumerGroup"));
	out_code(c, header, code < 0 ? GANTRY_SYSTEM_ERROR : GANTRY_SUCCESS, NULL);
}
