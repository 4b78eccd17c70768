/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a hold. Its memory stays until the front-end has seen the answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pull/private.h"

static void leave_session(struct hold *hold)
{
	if (!hold->link_of_session)
		return;
	*hold->link_of_session = hold->next_of_session;
	if (hold->next_of_session)
		hold->next_of_session->link_of_session = hold->link_of_session;
	hold->link_of_session = NULL;
}

static void free_hold(struct gantry_op *op)
{
	struct hold *hold = op->user;
	struct puller *puller = hold->context.puller;

	subscription_release(hold->context.subscription);
	free(hold->context.proxy_client);
	__atomic_sub_fetch(&hold->context.loop->held, 1, __ATOMIC_RELAXED);
	if (hold->slices != hold->few)
		free(hold->slices);
	free(hold);
	puller_leave(puller);
}

void hold_finish(struct hold *hold, int32_t status)
{
	struct gantry_op *op = hold->op;

	leave_session(hold);
	hold_unqueue(hold);
	pull_link_remove(&hold->in_queue);
	pull_link_remove(&hold->in_wheel);
	hold->op = NULL;
	if (op)
		gantry_op_finish(op, status, 0);
	if (hold->state == HOLD_READING && op)
		return; /* the read comes back to it */
	hold->after_op = (struct gantry_op){
		.done = free_hold, .loop = hold->context.loop->loop, .user = hold};
	gantry_op_take(&hold->after_op, NULL, hold);
	gantry_op_finish(&hold->after_op, 0, 0);
}

/* The loop's slices are used again by the next pull: the hold keeps its own. */
static bool keep_slices(struct hold *hold, const struct pull_result *result)
{
	hold->slices = hold->few;
	if (result->slice_count > HOLD_SLICES)
		hold->slices = malloc(result->slice_count * sizeof(*hold->slices));
	if (!hold->slices)
		return false;
	if (result->slice_count)
		memcpy(hold->slices, result->slices, result->slice_count * sizeof(*hold->slices));
	hold->context.pull->slices = hold->slices;
	return true;
}

void hold_answer(struct hold *hold, const struct pull_result *result)
{
	struct gantry_pull *pull = hold->context.pull;

	hold->state = HOLD_PARKED;
	if (!keep_slices(hold, result)) {
		for (uint32_t i = 0; i < result->slice_count; i++)
			gantry_slice_release(&result->slices[i]);
		pull->slice_count = pull->message_count = 0;
		pull_refuse(&hold->context, GANTRY_SYSTEM_BUSY, 0, "no memory");
	}
	hold_finish(hold, 0);
}

/* Nothing came in time; RocketMQ then tells a client whose messages did not match to go on behind
 * them. */
void hold_expire(struct hold *hold)
{
	struct pull_context *context = &hold->context;
	struct pull_result result;

	if (pull_read(context, NULL, &result)) {
		memset(&result, 0, sizeof(result));
		result.status = PULL_OFFSET_OVERFLOW_ONE;
		result.next = context->from;
		queue_bounds(context->queue, &result.min, &result.max);
	}
	if (result.status == PULL_OFFSET_OVERFLOW_ONE && context->from > context->pull->offset)
		result.status = PULL_NO_MATCHED_MESSAGE;
	pull_answer(context, &result, false);
	hold_answer(hold, &result);
}
