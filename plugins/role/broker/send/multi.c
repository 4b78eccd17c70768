/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose message goes to light queues as well (enableLmq; store/multi.c has the format).
 * A step of the plan counts them; all of a call are found together, since their memory is one. */

#include "call/fields.h"
#include "message/properties.h"
#include "send/private.h"

int send_count_multi(struct send_call *call, struct send_context *context)
{
	struct gantry_str rest = context->multi_names, name;

	if (!rest.size || context->put.inner || !call->sender->broker->conf->enableLmq ||
	    !store_multi_allowed(context->topic->name))
		return 0;
	context->multi.count = 0;
	while (message_list_next(&rest, &name)) {
		if (!store_multi_is_name(name))
			return send_refuse(context, GANTRY_MESSAGE_ILLEGAL,
					   "the queue %.*s of INNER_MULTI_DISPATCH is no name of "
					   "a light queue",
					   STR_ARGS(name));
		context->multi.count++;
	}
	if (context->half) /* only once it is committed */
		context->multi.count = 0;
	call->multi_count += context->multi.count;
	return 0;
}

static int refuse_number(struct send_context *context)
{
	return send_refuse(context, GANTRY_SYSTEM_ERROR,
			   "[LMQ_CONSUME_QUEUE_NUM_EXCEEDED]broker config enableLmq and "
			   "enableMultiDispatch, lmq consumeQueue num exceed maxLmqConsumeQueueNum "
			   "config num, default limit 2w.");
}

/* The record gets room for the offsets; what they really take is known when it is placed. */
static int add_property(struct send_call *call, struct send_context *context)
{
	struct message_draft *draft = &context->put.draft;

	if (draft->part_count == MESSAGE_PARTS)
		return send_refuse_illegal(call, context);
	draft->properties[draft->part_count++] =
		(struct gantry_str){context->multi.text, store_multi_room(context->multi.count)};
	context->put.multi = &context->multi;
	return message_draft_finish(draft) ? send_refuse_illegal(call, context) : 0;
}

static int find_queues(struct send_call *call, struct send_context *context)
{
	struct store *store = call->sender->broker->store;
	struct gantry_str rest = context->multi_names, name;
	uint32_t i = 0;

	while (message_list_next(&rest, &name)) {
		context->multi.queues[i] = store_queue_light(store, name);
		if (!context->multi.queues[i++])
			return refuse_number(context);
	}
	return add_property(call, context);
}

int send_find_multi(struct send_call *call)
{
	uint32_t queues = call->count + call->multi_count;
	size_t size = (queues + call->multi_count) * sizeof(struct queue *);
	struct queue **next;
	char *text;
	int status;

	if (!call->multi_count)
		return 0;
	for (uint32_t i = 0; i < call->count; i++)
		size += store_multi_room(call->contexts[i].multi.count);
	status = send_room_reserve(call->sender, &call->multi_room, size);
	if (status)
		return status;
	call->queues = (void *)call->multi_room.at;
	next = call->queues + queues;
	text = (char *)(next + call->multi_count);
	for (uint32_t i = 0; i < call->count; i++) {
		struct send_context *context = &call->contexts[i];

		if (context->answered || !context->multi.count)
			continue;
		context->multi.queues = next;
		context->multi.text = text;
		next += context->multi.count;
		text += store_multi_room(context->multi.count);
		find_queues(call, context);
	}
	return 0;
}

bool send_multi_is_open(const struct send_context *context)
{
	const struct store_multi *multi = context->put.multi;

	for (uint32_t i = 0; multi && i < multi->count; i++)
		if (!queue_is_open(multi->queues[i]))
			return false;
	return true;
}
