/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose queues are not open yet wait for them in the order that they came; so does a call for
 * a queue that one before it waits for, or it would overtake what the same producer sent first. */
#include "send/private.h"

enum { LOOKED_AT = 64 }; /* calls that are looked through; behind more, every call waits */

static bool share_a_queue(const struct send_call *a, const struct send_call *b)
{
	for (uint32_t i = 0; i < a->queue_count; i++)
		for (uint32_t j = 0; j < b->queue_count; j++)
			if (a->queues[i] == b->queues[j])
				return true;
	return false;
}

/* Whether a call of this loop waits for one of its queues. */
static bool is_behind(const struct send_call *call)
{
	const struct send_loop *loop = call->loop;

	if (loop->opening_count > LOOKED_AT)
		return true;
	for (const struct send_call *other = loop->opening; other; other = other->next)
		if (share_a_queue(call, other))
			return true;
	return false;
}

static void go_on(struct send_loop *loop)
{
	while (loop->opening && loop->opening->opened) {
		struct send_call *call = loop->opening;

		loop->opening = call->next;
		loop->opening_count--;
		if (!loop->opening)
			loop->opening_end = &loop->opening;
		if (send_place(call) == 0)
			send_finish(call);
	}
}

static void opened(struct gantry_op *op)
{
	struct send_call *call = op->user;

	call->opened = true;
	go_on(call->loop);
}

static void add(struct send_call *call, bool is_open)
{
	struct send_loop *loop = call->loop;

	call->opened = is_open;
	call->next = NULL;
	*loop->opening_end = call;
	loop->opening_end = &call->next;
	loop->opening_count++;
}

/* Its light queues are opened, too; returns 1 if that is to be done. */
static uint32_t add_multi(struct send_call *call, const struct send_context *context)
{
	const struct store_multi *multi = context->put.multi;

	for (uint32_t i = 0; multi && i < multi->count; i++)
		call->queues[call->queue_count++] = multi->queues[i];
	return !send_multi_is_open(context);
}

int send_open_queues(struct send_call *call)
{
	uint32_t closed = 0;
	int status;

	call->queue_count = 0;
	for (uint32_t i = 0; i < call->count; i++) {
		struct queue *queue = call->contexts[i].put.queue;

		if (call->contexts[i].answered)
			continue;
		call->queues[call->queue_count++] = queue;
		closed += !queue_is_open(queue) + add_multi(call, &call->contexts[i]);
	}
	if (!closed && (!call->loop->opening || !is_behind(call)))
		return 0;
	status = send_call_keep(call);
	if (status)
		return status;
	call->open_op =
		(struct gantry_op){.done = opened, .loop = gantry_loop_here(), .user = call};
	status = store_queues_open(call->sender->broker->store, call->queues, call->queue_count,
				   &call->opening, &call->open_op);
	if (status < 0)
		return status;
	/* Another loop has opened them since: nobody would come back to a call that is alone. */
	if (status == 0 && !call->loop->opening)
		return 0;
	add(call, status == 0);
	return GANTRY_PENDING;
}
