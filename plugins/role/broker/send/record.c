/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to the draft of its record, or of a batch's records. */
#include "message/batch.h"
#include "send/private.h"

enum {
	HEAD_ROOM = 64 * 1024,              /* of a record beside its body */
	RECORD_MAX = GANTRY_SLICE_MAX - 64, /* storage shows no more at once, frame included */
};

/* What the records of a batch share, and a single one has. */
static void fill_draft(struct send_call *call, struct send_context *context)
{
	const struct gantry_send *send = context->send;
	struct message_draft *draft = &context->put.draft;

	draft->topic = context->topic->name;
	draft->queue = context->queue;
	draft->flag = send->flag;
	draft->sys_flag = send->sys_flag;
	if (topic_filter_type(context->topic) == TOPIC_MULTI_TAG)
		draft->sys_flag |= MESSAGE_MULTI_TAGS;
	if (send_is_inner(context))
		draft->sys_flag |= MESSAGE_NEED_UNWRAP | MESSAGE_INNER_BATCH;
	draft->born_ms = send->born_ms;
	draft->reconsume_times = send->reconsume_times > 0 ? send->reconsume_times : 0;
	draft->born_host = send->session->peer;
	draft->store_host = call->store_host;
}

static bool is_too_large(const struct send_call *call, uint32_t size)
{
	return size > RECORD_MAX ||
	       size > (uint64_t)call->sender->broker->conf->maxMessageSize + HEAD_ROOM;
}

int send_make_record(struct send_call *call, struct send_context *context)
{
	struct message_draft *draft = &context->put.draft;

	fill_draft(call, context);
	if (context->half)
		send_fill_half(context);
	draft->body = context->send->body;
	if ((context->put.inner && send_add_inner_base(context)) || message_draft_finish(draft) ||
	    is_too_large(call, draft->size))
		return send_refuse_illegal(call, context);
	draft->body_crc = message_body_crc(draft->body.at, draft->body.size);
	context->record_count = 1;
	return 0;
}

int send_count_items(struct send_call *call, struct send_context *context)
{
	struct gantry_str rest = context->send->body;
	struct message_batch_item item;
	int status;

	if (send_is_inner(context))
		return send_make_inner(call, context) || send_make_record(call, context);
	fill_draft(call, context);
	context->put.items = context->send->body;
	while ((status = message_batch_next(&rest, &item)) == 1)
		context->record_count++;
	if (status || !context->record_count)
		return send_refuse_illegal(call, context);
	return 0;
}
