/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: the plans, and how a call of the front-end runs through them. */
#include "send/send.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message/properties.h"
#include "send/private.h"
#include "stats/stats.h"
#include "store/expire.h"

/* In RocketMQ's order of checks: which error a bad request gets depends on it. */
static const struct send_step single_plan[] = {
	{"slave", send_check_slave},
	{"accepting time", send_check_time},
	{"order topic", send_check_order},
	{"topic", send_find_topic},
	{"queue", send_choose_queue},
	{"retry", send_check_retry},
	{"properties", send_read_properties},
	{"key", send_check_key},
	{"transaction", send_check_transaction},
	{"body", send_check_body},
	{"inner batch", send_check_inner},
	{"delay", send_check_delay},
	{"record", send_make_record},
	{"schedule topic", send_delay},
	{"find queue", send_find_queue},
	{"light queues", send_count_multi},
};

static const struct send_step batch_plan[] = {
	{"slave", send_check_slave},          {"accepting time", send_check_time},
	{"order topic", send_check_order},    {"topic", send_find_topic},
	{"queue", send_choose_queue},         {"batch topic", send_check_batch_topic},
	{"properties", send_read_properties}, {"body", send_check_body},
	{"inner batch", send_check_inner},    {"batch kind", send_check_batch_kind},
	{"messages", send_count_items},       {"find queue", send_find_queue},
};

int send_refuse(struct send_context *context, int32_t code, const char *format, ...)
{
	struct gantry_send *send = context->send;
	va_list args;

	context->answered = true;
	send->code = code;
	send->offset_count = 0;
	send->remark[0] = '\0';
	if (!format)
		return 1;
	va_start(args, format);
	vsnprintf(send->remark, sizeof(send->remark), format, args);
	va_end(args);
	return 1;
}

int send_refuse_illegal(struct send_call *call, struct send_context *context)
{
	return send_refuse(
		context, GANTRY_MESSAGE_ILLEGAL,
		"the message is illegal, maybe msg body or properties length not matched. msg "
		"body length limit %lldB, msg properties length limit 32KB.",
		(long long)call->sender->broker->conf->maxMessageSize);
}

int send_refuse_unavailable(const struct sender *sender, struct send_context *context)
{
	char used[64];

	expiry_describe(store_expiry(sender->broker->store), used, sizeof(used));
	return send_refuse(
		context, GANTRY_SERVICE_NOT_AVAILABLE,
		"service not available now. It may be caused by one of the following reasons: "
		"the broker's disk is full [%s], messages are put to the slave, message store has "
		"been shut down, etc.",
		used);
}

/* ---- one call */

static void begin(struct send_call *call, struct gantry_send *const *sends, uint32_t count)
{
	call->op = NULL;
	call->count = count;
	call->record_count = call->placed = call->acked = call->multi_count = 0;
	call->door_pending = call->kept = call->stalled = false;
	call->now_ms = broker_wall_ms();
	broker_store_host(call->sender->broker, &call->store_host);
	for (uint32_t i = 0; i < count; i++) {
		struct send_context *context = &call->contexts[i];

		memset(context, 0, offsetof(struct send_context, unique));
		context->send = sends[i];
		sends[i]->offset_count = 0;
		sends[i]->transaction_id_size = 0;
		sends[i]->ret_flags = 0;
	}
}

static void run_plan(struct send_call *call, struct send_context *context)
{
	bool batch = context->send->flags & GANTRY_SEND_BATCH;
	const struct send_step *plan = batch ? batch_plan : single_plan;
	size_t steps = batch ? sizeof(batch_plan) / sizeof(batch_plan[0])
			     : sizeof(single_plan) / sizeof(single_plan[0]);

	for (size_t i = 0; i < steps; i++)
		if (plan[i].run(call, context))
			return;
}

static void answer_all(struct gantry_send *const *sends, uint32_t count, int32_t code,
		       const char *remark)
{
	for (uint32_t i = 0; i < count; i++) {
		sends[i]->code = code;
		sends[i]->offset_count = 0;
		snprintf(sends[i]->remark, sizeof(sends[i]->remark), "%s", remark);
	}
}

/* One call less is under way; the last one ends the drain. */
static void leave(struct sender *sender)
{
	if (__atomic_sub_fetch(&sender->busy, 1, __ATOMIC_ACQ_REL) == 0)
		gantry_op_finish(sender->drain_op, 0, 0);
}

/* The front-end's done has run: nobody looks at the call's offsets any more. */
static void after_done(struct gantry_op *op)
{
	struct send_call *call = op->user;
	struct sender *sender = call->sender;

	send_call_release(call);
	leave(sender);
}

void send_finish(struct send_call *call)
{
	call->after_op =
		(struct gantry_op){.done = after_done, .loop = call->op->loop, .user = call};
	gantry_op_take(&call->after_op, NULL, call);
	stats_put_took(call->sender->broker->stats, broker_wall_ms() - call->now_ms);
	gantry_op_finish(call->op, 0, 0);
	gantry_op_finish(&call->after_op, 0, 0);
}

static int run(struct send_call *call)
{
	int status;

	send_look_ahead(call);
	for (uint32_t i = 0; i < call->count; i++)
		run_plan(call, &call->contexts[i]);
	status = send_find_multi(call);
	if (!status)
		status = send_open_queues(call);
	if (status > 0)
		return status;
	for (uint32_t i = 0; status < 0 && i < call->count; i++)
		if (!call->contexts[i].answered)
			send_refuse(&call->contexts[i], GANTRY_SYSTEM_BUSY,
				    "[PC_SYNCHRONIZED]broker busy, start flow control for a while");
	return send_place(call);
}

int sender_send(struct gantry_inst *inst, struct gantry_send *const *sends, uint32_t count,
		struct gantry_op *op)
{
	struct sender *sender = broker_of(inst)->sender;
	struct send_loop *loop = &sender->loops[gantry_loop_index(gantry_loop_here())];
	struct send_call *call;

	send_call_release(loop->last);
	loop->last = NULL;
	__atomic_add_fetch(&sender->busy, 1, __ATOMIC_ACQ_REL);
	if (__atomic_load_n(&sender->draining, __ATOMIC_ACQUIRE)) {
		answer_all(sends, count, GANTRY_SERVICE_NOT_AVAILABLE,
			   "service not available now: message store has been shut down");
		leave(sender);
		return 0;
	}
	call = send_call_take(sender, loop, count);
	if (!call) {
		answer_all(sends, count, GANTRY_SYSTEM_BUSY,
			   "[PC_SYNCHRONIZED]broker busy, start flow control for a while");
		leave(sender);
		return 0;
	}
	begin(call, sends, count);
	if (run(call) > 0) {
		gantry_op_take(op, NULL, call);
		call->op = op;
		return GANTRY_PENDING;
	}
	loop->last = call;
	stats_put_took(sender->broker->stats, 0);
	leave(sender);
	return 0;
}

/* ---- life */

/* The properties that RocketMQ adds to every message. */
static int make_suffix(struct sender *sender)
{
	const struct broker *broker = sender->broker;
	char *text;
	int size = asprintf(&text, "MSG_REGION\1%s\2TRACE_ON\1%s\2CLUSTER\1%s\2",
			    broker->conf->regionId, broker->conf->traceOn ? "true" : "false",
			    broker->cluster);

	if (size < 0)
		return -ENOMEM;
	sender->suffix = (struct gantry_str){text, (size_t)size};
	return 0;
}

static int make_loops(struct sender *sender)
{
	/* the control loop may send too */
	sender->loop_count = gantry_loop_count(sender->broker->inst) + 1;
	sender->loops = aligned_alloc(64, sender->loop_count * sizeof(*sender->loops));
	if (!sender->loops)
		return -ENOMEM;
	memset(sender->loops, 0, sender->loop_count * sizeof(*sender->loops));
	for (uint32_t i = 0; i < sender->loop_count; i++) {
		sender->loops[i].random = 2654435769u * (i + (uint32_t)broker_wall_ms()) | 1;
		sender->loops[i].stalled_end = &sender->loops[i].stalled;
		sender->loops[i].opening_end = &sender->loops[i].opening;
	}
	return 0;
}

int sender_new(struct broker *broker, struct sender **ret)
{
	struct sender *sender = calloc(1, sizeof(*sender));
	int status;

	if (!sender)
		return -ENOMEM;
	sender->broker = broker;
	sender->busy = 1;
	status = make_loops(sender);
	if (!status)
		status = make_suffix(sender);
	if (!status)
		status = gantry_counter_define(broker->inst, "messages_put", "messages stored",
					       &sender->messages);
	if (!status)
		status = gantry_counter_define(broker->inst, "bytes_put",
					       "bytes of stored messages", &sender->bytes);
	if (status) {
		sender_free(sender);
		return status;
	}
	*ret = sender;
	return 0;
}

int sender_drain(struct sender *sender, struct gantry_op *op)
{
	gantry_op_take(op, NULL, sender);
	sender->drain_op = op;
	__atomic_store_n(&sender->draining, true, __ATOMIC_RELEASE);
	leave(sender);
	return GANTRY_PENDING;
}

void sender_free(struct sender *sender)
{
	if (!sender)
		return;
	for (uint32_t i = 0; sender->loops && i < sender->loop_count; i++) {
		struct send_loop *loop = &sender->loops[i];

		send_call_release(loop->last);
		while (loop->pool) {
			struct send_call *call = loop->pool;

			loop->pool = call->next;
			send_call_free(call);
		}
	}
	free((char *)sender->suffix.at);
	free(sender->loops);
	free(sender);
}
