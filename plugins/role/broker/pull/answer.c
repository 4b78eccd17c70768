/* SPDX-License-Identifier: Apache-2.0 */
/* From what was read to the answer, as RocketMQ's PullMessageProcessor composes it; and what a pull
 * leaves behind: offsets. */
#include <string.h>

#include "offsets/offsets.h"
#include "pull/private.h"
#include "stats/stats.h"

static const struct {
	const char *name;
	int32_t code;
} answers[] = {
	[PULL_FOUND] = {"FOUND", GANTRY_SUCCESS},
	[PULL_NO_MATCHED_MESSAGE] = {"NO_MATCHED_MESSAGE", GANTRY_PULL_RETRY_IMMEDIATELY},
	[PULL_MESSAGE_WAS_REMOVING] = {"MESSAGE_WAS_REMOVING", GANTRY_PULL_RETRY_IMMEDIATELY},
	[PULL_OFFSET_FOUND_NULL] = {"OFFSET_FOUND_NULL", GANTRY_PULL_NOT_FOUND},
	[PULL_OFFSET_OVERFLOW_BADLY] = {"OFFSET_OVERFLOW_BADLY", GANTRY_PULL_OFFSET_MOVED},
	[PULL_OFFSET_OVERFLOW_ONE] = {"OFFSET_OVERFLOW_ONE", GANTRY_PULL_NOT_FOUND},
	[PULL_OFFSET_TOO_SMALL] = {"OFFSET_TOO_SMALL", GANTRY_PULL_OFFSET_MOVED},
	[PULL_NO_MESSAGE_IN_QUEUE] = {"NO_MESSAGE_IN_QUEUE", GANTRY_PULL_NOT_FOUND},
	[PULL_OFFSET_RESET] = {"OFFSET_RESET", GANTRY_PULL_OFFSET_MOVED},
};

/* A slave leaves the correction of offsets to the master. */
static int32_t code_of(const struct pull_context *context, enum pull_status status)
{
	const struct broker *broker = context->puller->broker;
	int32_t code = answers[status].code;

	if (status == PULL_NO_MESSAGE_IN_QUEUE && context->pull->offset != 0)
		code = GANTRY_PULL_OFFSET_MOVED;
	if (code == GANTRY_PULL_OFFSET_MOVED && broker_is_slave(broker) &&
	    !broker->conf->offsetCheckInSlave)
		code = GANTRY_PULL_RETRY_IMMEDIATELY;
	return code;
}

static int64_t suggest(const struct pull_context *context, bool far_behind)
{
	if (!context->puller->broker->conf->slaveReadEnable)
		return 0;
	return far_behind ? GROUP_READ(context->group, which_broker_when_consume_slowly)
			  : GROUP_READ(context->group, broker_id);
}

static void commit(const struct pull_context *context, int64_t next, bool first)
{
	struct offsets *offsets = context->puller->broker->offsets;
	const struct gantry_pull *pull = context->pull;
	struct gantry_str group = context->group->name, topic = context->topic->name;

	offsets_commit_pull(offsets, group, topic, pull->queue, next);
	if (first && pull->flags & GANTRY_PULL_COMMIT)
		offsets_commit(offsets, group, topic, pull->queue, pull->commit_offset);
}

void pull_answer(struct pull_context *context, const struct pull_result *result, bool first)
{
	struct gantry_pull *pull = context->pull;
	struct puller *puller = context->puller;

	pull->code = code_of(context, result->status);
	memcpy(pull->remark, answers[result->status].name,
	       strlen(answers[result->status].name) + 1);
	pull->forbidden_type = 0;
	pull->next_offset = result->next;
	pull->min_offset = result->min;
	pull->max_offset = result->max;
	pull->suggest_broker_id = suggest(context, result->far_behind);
	pull->topic_sys_flag = topic_sys_flag(context->topic);
	pull->group_sys_flag = GROUP_READ(context->group, group_sys_flag);
	pull->slices = result->slices;
	pull->slice_count = result->slice_count;
	pull->message_count = result->message_count;
	/* what the client commits along is older than what was set */
	commit(context, result->next, first && result->status != PULL_OFFSET_RESET);
	pull_broadcast_note(context);
	stats_got(puller->broker->stats, context->topic, context->group, result->message_count,
		  result->bytes);
	gantry_counter_add(puller->pulls, 1);
	if (result->message_count) {
		gantry_counter_add(puller->messages, result->message_count);
		gantry_counter_add(puller->bytes, result->bytes);
	}
}
