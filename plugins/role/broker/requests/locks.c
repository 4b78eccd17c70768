/* SPDX-License-Identifier: Apache-2.0 */
/* LOCK_BATCH_MQ and UNLOCK_BATCH_MQ: how ordered consumers keep a queue to themselves. */
#include <errno.h>
#include <string.h>

#include <gantry/op.h>

#include "requests/call.h"
#include "json/json.h"
#include "balance/locks.h"

enum { TEXT_MAX = 16 * 1024 * 1024 };

struct lock_request {
	struct json_doc doc;
	struct gantry_str group, client;
	struct json_value queues;
};

/* -EINVAL: it is answered. Otherwise json_free(&ret->doc). */
static int read_request(struct gantry_call *call, struct lock_request *ret)
{
	struct json_error error = {0};
	struct json_value root;
	int err = json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL, &ret->doc, &error);

	if (err) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: %s at byte %u",
			  error.why ? error.why : strerror(-err), error.offset);
		return -EINVAL;
	}
	root = json_root(&ret->doc);
	ret->queues = json_get(root, "mqSet");
	if (ret->queues.doc && !json_is(ret->queues, JSON_ARRAY)) {
		json_free(&ret->doc);
		call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: mqSet is no list");
		return -EINVAL;
	}
	if (json_raw(json_get(root, "consumerGroup"), &ret->group) &&
	    json_raw(json_get(root, "clientId"), &ret->client))
		return 0;
	json_free(&ret->doc);
	call_fail(call, GANTRY_SYSTEM_ERROR, "consumerGroup or clientId is null");
	return -EINVAL;
}

static bool read_queue(struct json_value object, struct locked_queue *ret)
{
	int64_t queue = json_int64_or(json_get(object, "queueId"), -1);

	if (queue < INT32_MIN || queue > INT32_MAX)
		return false;
	ret->queue = (int32_t)queue;
	return json_raw(json_get(object, "topic"), &ret->topic) &&
	       json_raw(json_get(object, "brokerName"), &ret->broker);
}

static void write_queue(struct json_writer *writer, const struct locked_queue *queue)
{
	json_open_object(writer);
	json_member_str(writer, "brokerName", queue->broker);
	json_member_int(writer, "queueId", queue->queue);
	json_member_str(writer, "topic", queue->topic);
	json_close_object(writer);
}

static int lock_batch(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	uint64_t now = gantry_clock_ms();
	struct lock_request request;
	struct locked_queue queue;
	struct json_writer writer;
	struct json_iter it;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	if (read_request(call, &request))
		return 0;
	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "lockOKMQSet");
	json_open_array(&writer);
	it = json_iter(request.queues);
	while (json_next(&it))
		if (read_queue(it.value, &queue) &&
		    locks_try(broker->locks, request.group, &queue, request.client, now) > 0)
			write_queue(&writer, &queue);
	json_close_array(&writer);
	json_close_object(&writer);
	json_free(&request.doc);
	err = json_writer_take(&writer, &text, &size);
	return call_reply_made(call, err, text, size);
}

static int unlock_batch(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct lock_request request;
	struct locked_queue queue;
	struct json_iter it;

	(void)op;
	if (read_request(call, &request))
		return 0;
	it = json_iter(request.queues);
	while (json_next(&it))
		if (read_queue(it.value, &queue))
			locks_release(broker->locks, request.group, &queue, request.client);
	json_free(&request.doc);
	return call_ok(call);
}

const struct call_row lock_calls[] = {
	{41, "LOCK_BATCH_MQ", lock_batch},
	{42, "UNLOCK_BATCH_MQ", unlock_batch},
	{0, NULL, NULL},
};
