/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about connected clients. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "clients/clients.h"
#include "json/json.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

static int encode_ids(char *const *ids, uint32_t count, char **ret, size_t *ret_size)
{
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "consumerIdList");
	json_open_array(&writer);
	for (uint32_t i = 0; i < count; i++)
		json_put_string(&writer, ids[i]);
	json_close_array(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static int get_consumer_list(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str group;
	char **ids = NULL, *text = NULL;
	uint32_t count = 0;
	size_t size = 0;
	int err;

	(void)op;
	if (call_need_text(call, "consumerGroup", &group))
		return 0;
	err = clients_member_ids(broker->clients, group, &ids, &count);
	if (err == -ENOENT)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "no consumer for this group, %.*s",
				 STR_ARGS(group));
	if (!err)
		err = encode_ids(ids, count, &text, &size);
	free(ids);
	return call_reply_made(call, err, text, size);
}

struct connections {
	const char *field;
	int (*describe)(struct clients *, struct gantry_str group, char **ret, size_t *ret_size);
	uint16_t none_code;
	const char *none; /* for printf, with the group */
};

static int get_connections(struct broker *broker, struct gantry_call *call,
			   const struct connections *of)
{
	struct gantry_str group;
	char *text = NULL;
	size_t size = 0;
	int err;

	if (call_need_text(call, of->field, &group))
		return 0;
	err = of->describe(broker->clients, group, &text, &size);
	if (err == -ENOENT)
		return call_fail(call, of->none_code, of->none, STR_ARGS(group));
	return call_reply_made(call, err, text, size);
}

static int get_consumer_connections(struct broker *broker, struct gantry_call *call,
				    struct gantry_op *op)
{
	static const struct connections consumers = {"consumerGroup", clients_consumers_json,
						     GANTRY_CONSUMER_NOT_ONLINE,
						     "the consumer group[%.*s] not online"};

	(void)op;
	return get_connections(broker, call, &consumers);
}

static int get_producer_connections(struct broker *broker, struct gantry_call *call,
				    struct gantry_op *op)
{
	static const struct connections producers = {"producerGroup", clients_producers_json,
						     GANTRY_SYSTEM_ERROR,
						     "the producer group[%.*s] not exist"};

	(void)op;
	return get_connections(broker, call, &producers);
}

static int check_expression(struct broker *broker, struct gantry_call *call,
			    struct json_value subscription)
{
	struct gantry_subscription_data data = {{NULL, 0}};
	struct subscription *compiled = NULL;
	char *type = json_strdup(json_get(subscription, "expressionType"));
	char *expression = json_strdup(json_get(subscription, "subString"));
	char why[GANTRY_REMARK_MAX] = "";
	int err = 0;

	data.expression_type = str_of(type);
	data.expression = str_of(expression);
	call_ok(call);
	if (type && *type && strcmp(type, "TAG") != 0) {
		if (!broker->conf->enablePropertyFilter)
			call_fail(call, GANTRY_SYSTEM_ERROR,
				  "The broker does not support consumer to filter message by %s",
				  type);
		else if (!expression) /* Java answers a NullPointerException's message: none */
			call_fail(call, GANTRY_SUBSCRIPTION_PARSE_FAILED, NULL);
		else
			err = subscription_new(broker, &data, &compiled, why, sizeof(why));
	}
	if (err)
		call_fail(call, GANTRY_SUBSCRIPTION_PARSE_FAILED, "%s",
			  why[0] ? why : strerror(-err));
	subscription_release(compiled);
	free(expression);
	free(type);
	return 0;
}

/* As fastjson2: null and an empty text are as good as nothing. */
static bool is_wrong(struct json_value value)
{
	struct gantry_str text;

	return value.doc && !json_is(value, JSON_NULL) && !(json_raw(value, &text) && !text.size);
}

static int check_client_config(struct broker *broker, struct gantry_call *call,
			       struct gantry_op *op)
{
	struct json_error error = {0};
	struct json_value subscription;
	struct json_doc doc;
	int err;

	(void)op;
	if (!call->body.size)
		return call_ok(call);
	err = json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL, &doc, &error);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: %s at byte %u",
				 error.why ? error.why : strerror(-err), error.offset);
	subscription = json_get(json_root(&doc), "subscriptionData");
	if (json_is(subscription, JSON_OBJECT))
		check_expression(broker, call, subscription);
	else if (json_is(json_root(&doc), JSON_ARRAY) || is_wrong(subscription))
		call_fail(call, GANTRY_SYSTEM_ERROR,
			  "JSONException: the body or its subscriptionData is no object");
	else
		call_ok(call);
	json_free(&doc);
	return 0;
}

const struct call_row client_calls[] = {
	{38, "GET_CONSUMER_LIST_BY_GROUP", get_consumer_list},
	{46, "CHECK_CLIENT_CONFIG", check_client_config},
	{203, "GET_CONSUMER_CONNECTION_LIST", get_consumer_connections},
	{204, "GET_PRODUCER_CONNECTION_LIST", get_producer_connections},
	{0, NULL, NULL},
};
