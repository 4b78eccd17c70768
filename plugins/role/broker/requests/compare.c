/* SPDX-License-Identifier: Apache-2.0 */
/* CLONE_GROUP_OFFSET and QUERY_CORRECTION_OFFSET, as RocketMQ's AdminBrokerProcessor, 5.5.0. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "requests/work.h"
#include "clients/clients.h"
#include "json/json.h"
#include "offsets/compare.h"
#include "store/store.h"
#include "topics/topics.h"

enum { BODY_MAX = 4 * 1024 * 1024 };

/* ---- clone */

/* Whether the group's members, if any, want the topic at all. */
static bool is_subscribed(const struct broker *broker, struct gantry_str group,
			  struct gantry_str topic)
{
	struct subscription_info info;

	clients_subscription_any(broker->clients, group, topic, &info);
	if (info.topic_known)
		subscription_release(info.subscription);
	return !info.group_known || info.topic_known;
}

static int clone_offsets(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str from = call_text(call, "srcGroup"), to = call_text(call, "destGroup");
	struct gantry_str topic = call_text(call, "topic");
	int err = 0;

	(void)op;
	if (from.size && to.size && topics_find(broker->topics, topic) &&
	    (call_bool(call, "offline", false) || is_subscribed(broker, from, topic)))
		err = offsets_clone(broker->offsets, from, to, topic);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "offsets not kept: %s", strerror(-err));
	return call_ok(call);
}

/* ---- correction */

struct correction {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_str topic, filter, compare;
	char text[];
};

static void answer_least(struct gantry_call *call, const struct offsets_least *least)
{
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;
	int err;

	json_writer_init(&writer, BODY_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "correctionOffsets");
	json_open_object(&writer);
	for (uint32_t i = 0; i < least->count; i++) {
		if (least->at[i] < 0)
			continue;
		json_put_key_int(&writer, i);
		json_put_int(&writer, least->at[i]);
	}
	json_close_object(&writer);
	json_close_object(&writer);
	err = json_writer_take(&writer, &text, &size);
	call_reply_made(call, err, text, size);
}

/* Where the topic's queues begin; NULL: it has none, or no memory. */
static int64_t *find_mins(struct broker *broker, struct gantry_str name, uint32_t *ret_count)
{
	struct topic *topic = topics_find(broker->topics, name);
	int32_t count = topic ? topic_write_queues(topic) : 0;
	int64_t *mins = count > 0 ? calloc((size_t)count, sizeof(*mins)) : NULL;
	int64_t max;

	for (int32_t i = 0; mins && i < count; i++) {
		struct queue *queue = store_queue(broker->store, topic, i);

		if (queue)
			queue_bounds(queue, &mins[i], &max);
	}
	*ret_count = mins ? (uint32_t)count : 0;
	return mins;
}

static void correct(void *user)
{
	struct correction *ask = user;
	struct offsets *offsets = ask->broker->offsets;
	struct offsets_least least = {NULL, 0};
	uint32_t min_count;
	int64_t *mins = find_mins(ask->broker, ask->topic, &min_count);
	int err = offsets_least_of(offsets, ask->topic, ask->filter, mins, min_count, &least);

	if (!err)
		err = offsets_compare(offsets, ask->compare, ask->topic, &least);
	if (err == -ENODATA) /* a NullPointerException in Java */
		call_fail(ask->call, GANTRY_SYSTEM_ERROR,
			  "the group %.*s has an offset where no other has one",
			  STR_ARGS(ask->compare));
	else if (err)
		call_no_memory(ask->call);
	else
		answer_least(ask->call, &least);
	free(least.at);
	free(mins);
}

static char *keep(char *to, struct gantry_str *text)
{
	if (text->size)
		memcpy(to, text->at, text->size);
	text->at = to;
	return to + text->size;
}

static int query_correction(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str topic, filter = call_text(call, "filterGroups");
	struct gantry_str compare = call_text(call, "compareGroup");
	struct correction *ask;
	char *to;

	if (call_need_text(call, "topic", &topic))
		return 0;
	ask = malloc(sizeof(*ask) + topic.size + compare.size + filter.size);
	if (!ask)
		return call_no_memory(call);
	*ask = (struct correction){.broker = broker,
				   .call = call,
				   .topic = topic,
				   .filter = filter,
				   .compare = compare};
	to = keep(ask->text, &ask->topic);
	to = keep(to, &ask->filter);
	keep(to, &ask->compare);
	if (call_on_worker(broker, op, correct, ask) == GANTRY_PENDING)
		return GANTRY_PENDING;
	free(ask);
	return call_no_memory(call);
}

const struct call_row compare_calls[] = {
	{308, "QUERY_CORRECTION_OFFSET", query_correction},
	{314, "CLONE_GROUP_OFFSET", clone_offsets},
	{0, NULL, NULL},
};
