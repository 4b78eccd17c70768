/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a call's requests goes to the log as one batch, and comes back as answers. */
#include <errno.h>

#include "message/batch.h"
#include "send/private.h"
#include "stats/stats.h"
#include "transaction/transaction.h"

/* ---- records */

static int reserve_records(struct send_call *call)
{
	size_t each = sizeof(struct gantry_record) + sizeof(uint64_t) + sizeof(int32_t);
	size_t count = 0;
	char *at;
	int status;

	for (uint32_t i = 0; i < call->count; i++)
		if (!call->contexts[i].answered)
			count += call->contexts[i].record_count;
	status = send_room_reserve(call->sender, &call->record_room, count * each);
	if (status)
		return status;
	at = call->record_room.at;
	call->records = (void *)at;
	call->offsets = (void *)(at += count * sizeof(struct gantry_record));
	call->crcs = (void *)(at + count * sizeof(uint64_t));
	return 0;
}

static void add_record(struct send_call *call, struct send_context *context, uint32_t bytes,
		       int32_t crc)
{
	bool no_wait = context->no_wait || context->send->flags & GANTRY_SEND_ONE_WAY;
	struct gantry_record *record = &call->records[call->record_count];

	*record = (struct gantry_record){
		.bytes_max = bytes,
		.flags = no_wait ? GANTRY_RECORD_NO_WAIT : 0,
		.user = &context->put,
	};
	call->crcs[call->record_count++] = crc;
}

/* The messages of a batch, which must stand in one segment. */
static int add_items(struct send_call *call, struct send_context *context)
{
	struct message_draft draft = context->put.draft;
	struct gantry_str rest = context->put.items;
	struct message_batch_item item;

	draft.part_count = 1;
	while (message_batch_next(&rest, &item) == 1) {
		draft.body = item.body;
		draft.properties[0] = item.properties;
		if (message_draft_finish(&draft)) {
			call->record_count = context->first_record;
			return send_refuse_illegal(call, context);
		}
		add_record(call, context, draft.size,
			   message_body_crc(item.body.at, item.body.size));
	}
	call->records[context->first_record].unit = context->record_count;
	context->put.crcs = call->crcs + context->first_record;
	return 0;
}

static void add_records(struct send_call *call)
{
	for (uint32_t i = 0; i < call->count; i++) {
		struct send_context *context = &call->contexts[i];
		struct message_draft *draft = &context->put.draft;

		if (context->answered)
			continue;
		context->first_record = call->record_count;
		if (!queue_is_open(context->put.queue) || !send_multi_is_open(context))
			send_refuse_unavailable(call->sender, context);
		else if (context->put.items.at)
			add_items(call, context);
		else
			add_record(call, context, draft->size, draft->body_crc);
	}
}

/* ---- answers */

static void refuse_placing(struct send_call *call, struct send_context *context, int status)
{
	stats_put_failed(call->sender->broker->stats, 1);
	switch (status) {
	case -EAGAIN:
		send_refuse(context, GANTRY_SYSTEM_BUSY,
			    "[PC_SYNCHRONIZED]broker busy, start flow control for a while");
		break;
	case -ETIMEDOUT:
		send_refuse(context, GANTRY_SYSTEM_ERROR,
			    "create mapped file failed, server is busy or broken.");
		break;
	case -EMSGSIZE:
		send_refuse_illegal(call, context);
		break;
	default:
		send_refuse_unavailable(call->sender, context);
		break;
	}
}

static bool is_placed(const struct send_call *call, const struct send_context *context)
{
	return context->first_record + context->record_count <= call->placed;
}

void send_refuse_rest(struct send_call *call, int status)
{
	for (uint32_t i = 0; i < call->count; i++) {
		struct send_context *context = &call->contexts[i];

		if (!context->answered && !is_placed(call, context))
			refuse_placing(call, context, status);
	}
	call->placed = call->record_count;
}

void send_refuse_rest_busy(struct send_call *call, const char *remark)
{
	for (uint32_t i = 0; i < call->count; i++) {
		struct send_context *context = &call->contexts[i];

		if (!context->answered && !is_placed(call, context))
			send_refuse(context, GANTRY_SYSTEM_BUSY, "%s", remark);
	}
	call->placed = call->record_count;
}

bool send_is_answered(const struct send_call *call)
{
	return call->placed == call->record_count && !call->door_pending;
}

static void count(const struct send_call *call, const struct send_context *context)
{
	const struct broker *broker = call->sender->broker;
	struct topic *topic = context->topic;
	uint64_t bytes = 0;

	/* those that wait count where they wait, and again when they come */
	if (context->half || context->delayed)
		topic = topics_find(broker->topics, context->put.draft.topic);
	for (uint32_t i = 0; i < context->record_count; i++)
		bytes += call->records[context->first_record + i].bytes;
	stats_put(broker->stats, topic, context->record_count, bytes);
}

/* All that the producer learns. */
static void fill_answer(struct send_call *call, struct send_context *context)
{
	struct gantry_send *send = context->send;

	if (context->put.placed != context->record_count) {
		refuse_placing(call, context, -EAGAIN);
		return;
	}
	count(call, context);
	send->code = GANTRY_SUCCESS;
	send->remark[0] = '\0';
	send->ret_queue = context->queue;
	send->queue_offset = context->put.queue_offset;
	send->offsets = call->offsets + context->first_record;
	send->offset_count = context->record_count;
	if (context->half)
		transaction_count(call->sender->broker, context->topic->name, 1);
}

/* More records are in the log: some requests may have all of theirs there. */
static void note_placed(struct send_call *call, uint32_t count)
{
	uint32_t before = call->placed;
	uint64_t bytes = 0;

	call->placed += count;
	for (uint32_t i = before; i < call->placed; i++) {
		call->offsets[i] = call->records[i].at;
		bytes += call->records[i].bytes;
	}
	gantry_counter_add(call->sender->messages, count);
	gantry_counter_add(call->sender->bytes, bytes);
	for (uint32_t i = 0; i < call->count; i++) {
		struct send_context *context = &call->contexts[i];

		if (!context->answered && context->first_record >= before &&
		    is_placed(call, context))
			fill_answer(call, context);
	}
}

/* ---- acknowledgement */

static int32_t code_of(const struct gantry_op *op)
{
	if (op->status)
		return GANTRY_SERVICE_NOT_AVAILABLE;
	switch ((enum gantry_ack)op->result) {
	case GANTRY_ACK:
		return GANTRY_SUCCESS;
	case GANTRY_FLUSH_LATE:
		return GANTRY_FLUSH_DISK_TIMEOUT;
	case GANTRY_REPLICA_LATE:
		return GANTRY_FLUSH_SLAVE_TIMEOUT;
	case GANTRY_REPLICA_FEW:
		return GANTRY_SLAVE_NOT_AVAILABLE;
	case GANTRY_TERM_LOST:
		return GANTRY_SERVICE_NOT_AVAILABLE;
	}
	return GANTRY_SYSTEM_ERROR;
}

/* What did not wait for flush and followers stays a success. */
static void apply_code(struct send_call *call, int32_t code)
{
	for (uint32_t i = 0; i < call->count; i++) {
		struct send_context *context = &call->contexts[i];

		if (context->answered || context->no_wait || !is_placed(call, context) ||
		    context->first_record < call->acked)
			continue;
		if (code == GANTRY_SERVICE_NOT_AVAILABLE)
			send_refuse_unavailable(call->sender, context);
		else
			context->send->code = code;
	}
}

/* Flush and followers have answered, or time is up. */
static void acknowledged(struct gantry_op *op)
{
	struct send_call *call = op->user;
	int32_t code = code_of(op);

	call->door_pending = false;
	if (code != GANTRY_SUCCESS)
		apply_code(call, code);
	call->acked = call->placed;
	if (send_is_answered(call))
		send_finish(call);
}

/* ---- placing */

int send_place_rest(struct send_call *call)
{
	const struct broker *broker = call->sender->broker;
	int status;

	if (call->door_pending)
		return -EAGAIN; /* there is one op for it */
	call->door_op = (struct gantry_op){
		.done = acknowledged,
		.loop = gantry_loop_here(),
		.user = call,
		.deadline_ms = gantry_clock_ms() + (uint64_t)broker->conf->syncFlushTimeout,
	};
	status = store_append(broker->store, call->records + call->placed,
			      call->record_count - call->placed, &call->batch, &call->door_op);
	if (status == -EAGAIN)
		return status;
	if (status < 0) {
		send_refuse_rest(call, status);
		return 0;
	}
	call->door_pending = status > 0;
	note_placed(call, call->batch.placed);
	return call->placed < call->record_count ? -EAGAIN : 0;
}

int send_place(struct send_call *call)
{
	int status = reserve_records(call);

	if (status) {
		send_refuse_rest(call, -EAGAIN);
		return 0;
	}
	add_records(call);
	if (!call->record_count)
		return 0;
	/* who came before goes first */
	status = call->loop->stalled ? -EAGAIN : send_place_rest(call);
	if (status == -EAGAIN)
		status = send_stall(call);
	return status > 0 || !send_is_answered(call) ? GANTRY_PENDING : 0;
}
