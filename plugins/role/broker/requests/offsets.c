/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about consumer offsets. */
#include <string.h>

#include "requests/call.h"
#include "groups/groups.h"
#include "offsets/offsets.h"
#include "slave/slave.h"
#include "store/store.h"
#include "topics/topics.h"
#include "offsets/young.h"

/* Whether a new group begins at the beginning of that queue. */
static bool is_young(struct broker *broker, struct gantry_str name, int32_t id)
{
	struct topic *topic = topics_find(broker->topics, name);
	struct queue *queue;

	if (!topic)
		return false;
	queue = store_queue_of(broker->store, topic, id);
	return queue && young_queue(broker, queue);
}

/* RocketMQ 5.5.0 does not need it, and says "null" where it is missing. */
static struct gantry_str group_of(const struct gantry_call *call)
{
	struct gantry_str group = call_text(call, "consumerGroup");

	return group.at ? group : str_of("null");
}

static int query_offset(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str group, topic;
	int32_t queue;
	int64_t offset;

	(void)op;
	if (call_need_text(call, "topic", &topic) || call_need_int32(call, "queueId", &queue))
		return 0;
	group = group_of(call);
	offset = offsets_get(broker->offsets, group, topic, queue);
	if (offset < 0 && !call_bool(call, "setZeroIfNotFound", true))
		return call_fail(call, GANTRY_QUERY_NOT_FOUND,
				 "Not found, do not set to zero, maybe this group boot first");
	if (offset < 0 && is_young(broker, topic, queue))
		offset = 0;
	if (offset < 0)
		return call_fail(call, GANTRY_QUERY_NOT_FOUND,
				 "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first");
	call_ok(call);
	call_reply_int(call, "offset", offset);
	return 0;
}

static int update_offset(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str group, topic;
	int32_t queue;
	int64_t offset;
	int err;

	(void)op;
	if (call_need_text(call, "topic", &topic))
		return 0;
	group = group_of(call);
	if (!groups_look(broker->groups, group))
		return call_fail(call, GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST, "Group %.*s not exist!",
				 STR_ARGS(group));
	if (!topics_find(broker->topics, topic))
		return call_fail(call, GANTRY_TOPIC_NOT_EXIST, "Topic %.*s not exist!",
				 STR_ARGS(topic));
	if (str_int32(call_text(call, "queueId"), &queue))
		return call_fail(call, GANTRY_INVALID_PARAMETER, "QueueId is null, topic is %.*s",
				 STR_ARGS(topic));
	if (str_int64(call_text(call, "commitOffset"), &offset))
		return call_fail(call, GANTRY_INVALID_PARAMETER, "Offset is null, topic is %.*s",
				 STR_ARGS(topic));
	if (offsets_reset_find(broker->offsets, group, topic, queue) >= 0)
		return call_fail(call, GANTRY_SUCCESS, "Offset has been previously reset");
	err = offsets_commit(broker->offsets, group, topic, queue, offset);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "offset not kept: %s", strerror(-err));
	slave_note_progress(broker, group, topic, queue);
	return call_ok(call);
}

static int get_all_offsets(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	char *text = NULL;
	size_t size = 0;
	int err = offsets_encode(broker->offsets, 0, &text, &size);

	(void)op;
	return call_reply_made(call, err, text, size);
}

const struct call_row offset_calls[] = {
	{14, "QUERY_CONSUMER_OFFSET", query_offset},
	{15, "UPDATE_CONSUMER_OFFSET", update_offset},
	{43, "GET_ALL_CONSUMER_OFFSET", get_all_offsets},
	{0, NULL, NULL},
};
