/* SPDX-License-Identifier: Apache-2.0 */
/* Inner batches: several messages in one record, in queues of topics with queue.type=BatchCQ. Such
 * a record has the producer's batch as its body, and says in INNER_NUM and INNER_BASE how many
 * messages it is and which offset the first has; the latter is known only under the door's lock. As
 * SendMessageProcessor and BatchConsumeQueue of 5.5.0 do it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call/fields.h"
#include "message/batch.h"
#include "message/properties.h"
#include "send/private.h"

bool send_is_inner(const struct send_context *context)
{
	return context->send->flags & GANTRY_SEND_BATCH && topic_batch(context->topic) &&
	       context->send->transaction_id_size; /* the batch has an UNIQ_KEY of its own */
}

/* What says that it is an inner batch must be true, and only such a topic takes them. */
int send_check_inner(struct send_call *call, struct send_context *context)
{
	bool flagged = context->send->sys_flag & MESSAGE_INNER_BATCH;

	if (send_is_inner(context))
		return 0;
	if (!flagged)
		return context->inner_num.at ? send_refuse_illegal(call, context) : 0;
	if (!topic_batch(context->topic) || context->send->flags & GANTRY_SEND_BATCH)
		return send_refuse_illegal(call, context);
	context->put.inner = 1;
	if (context->inner_num.at && (str_int32(context->inner_num, &context->put.inner) ||
				      context->put.inner < 1 || context->put.inner > INT16_MAX))
		return send_refuse_illegal(call, context);
	return 0;
}

int send_add_inner_base(struct send_context *context)
{
	struct message_draft *draft = &context->put.draft;

	if (draft->part_count == MESSAGE_PARTS)
		return -EMSGSIZE;
	draft->properties[draft->part_count++] =
		(struct gantry_str){context->put.inner_base, STORE_INNER_ROOM};
	return 0;
}

static int count_items(struct gantry_str rest, int32_t *ret)
{
	struct message_batch_item item;
	int32_t count = 0;
	int status;

	while ((status = message_batch_next(&rest, &item)) == 1 && count < INT16_MAX)
		count++;
	*ret = count;
	return status || !count ? -EBADMSG : 0;
}

static bool is_own(struct gantry_str key)
{
	return str_is(key, MESSAGE_CLUSTER) || str_is(key, MESSAGE_INNER_NUM) ||
	       str_is(key, MESSAGE_INNER_BASE);
}

/* The batch's properties, but for the broker's own, which follow. */
static int add_properties(const struct send_call *call, struct send_context *context,
			  struct message_pieces *pieces)
{
	struct gantry_str rest = context->send->properties, suffix = call->sender->suffix;
	size_t cluster = sizeof(MESSAGE_CLUSTER) + strlen(call->sender->broker->cluster) + 1;
	struct message_property property;
	int status = 0, size;

	while (!status && message_property_next(&rest, &property))
		if (!is_own(property.key))
			status = message_pieces_add(pieces, property.pair);
	if (!status) /* the last of those that every message gets */
		status = message_pieces_add(
			pieces, (struct gantry_str){suffix.at + suffix.size - cluster, cluster});
	size = snprintf(context->inner_text, sizeof(context->inner_text),
			MESSAGE_INNER_NUM "\1%d\2", context->put.inner);
	return status ? status
		      : message_pieces_add(pieces,
					   (struct gantry_str){context->inner_text, (size_t)size});
}

int send_make_inner(struct send_call *call, struct send_context *context)
{
	struct message_draft *draft = &context->put.draft;
	struct message_pieces pieces = {.at = draft->properties, .max = MESSAGE_PARTS};

	if (count_items(context->send->body, &context->put.inner) ||
	    add_properties(call, context, &pieces) || pieces.size > MESSAGE_PROPERTIES_MAX)
		return send_refuse_illegal(call, context);
	draft->part_count = pieces.count;
	context->send->ret_flags |= GANTRY_SENT_INNER_BATCH;
	return 0;
}
