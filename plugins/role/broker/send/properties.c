/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over a message's properties: what the broker has to know of them is noted, what it
 * replaces is left out, what it adds is added; and the checks of what was noted. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "call/fields.h"
#include "message/checksum.h"
#include "message/name.h"
#include "message/properties.h"
#include "send/private.h"

/* What to do with a pair. */
enum fate { KEEP, LEAVE_OUT };

static bool is_true(struct gantry_str value)
{
	return value.size == 4 && strncasecmp(value.at, "true", 4) == 0;
}

static bool is(struct gantry_str key, const char *name, size_t size)
{
	return key.size == size && memcmp(key.at, name, size) == 0;
}

#define IS(key, name) is(key, name, sizeof(name) - 1)

static void note_unique(struct gantry_send *send, struct gantry_str value)
{
	size_t room = sizeof(send->transaction_id);

	send->transaction_id_size = (uint32_t)(value.size < room ? value.size : room);
	memcpy(send->transaction_id, value.at, send->transaction_id_size);
}

static enum fate note_delay(struct send_context *context, struct gantry_str value)
{
	context->delay_broken = str_int32(value, &context->delay_level) != 0;
	return context->dead ? LEAVE_OUT : KEEP;
}

/* By the key's length first: most properties are none of these. */
static enum fate note(struct send_context *context, const struct message_property *property)
{
	struct gantry_str key = property->key, value = property->value;

	switch (key.size) {
	case sizeof(MESSAGE_WAIT) - 1:
		/* it stays in the message: 5.3.3 took it out, the running 5.5.0 does not */
		if (IS(key, MESSAGE_WAIT))
			context->no_wait = !is_true(value);
		return KEEP;
	case sizeof(MESSAGE_DELAY) - 1:
		return IS(key, MESSAGE_DELAY) ? note_delay(context, value) : KEEP;
	case sizeof(MESSAGE_POP_CK) - 1:
		return IS(key, MESSAGE_POP_CK) ? LEAVE_OUT : KEEP;
	case sizeof(MESSAGE_CLUSTER) - 1:
		return IS(key, MESSAGE_CLUSTER) ? LEAVE_OUT : KEEP;
	case sizeof(MESSAGE_UNIQ_KEY) - 1: /* TRAN_MSG, TRACE_ON and the checksum are as long */
		if (IS(key, MESSAGE_UNIQ_KEY))
			note_unique(context->send, value);
		else if (IS(key, MESSAGE_TRAN_MSG))
			context->transaction = is_true(value);
		else if (context->put.draft.checksum && IS(key, MESSAGE_CHECKSUM))
			return LEAVE_OUT;
		return IS(key, "TRACE_ON") ? LEAVE_OUT : KEEP;
	case sizeof(MESSAGE_INNER_NUM) - 1:
		if (IS(key, MESSAGE_INNER_NUM))
			context->inner_num = value;
		return KEEP;
	case sizeof("MSG_REGION") - 1: /* INNER_BASE is as long */
		if (IS(key, MESSAGE_INNER_BASE) && context->send->sys_flag & MESSAGE_INNER_BATCH)
			return LEAVE_OUT;
		return IS(key, "MSG_REGION") ? LEAVE_OUT : KEEP;
	case sizeof(MESSAGE_MULTI_DISPATCH) - 1:
		if (IS(key, MESSAGE_MULTI_DISPATCH))
			context->multi_names = value;
		return KEEP;
	case sizeof(MESSAGE_MULTI_OFFSETS) - 1: /* the broker's own to say */
		return IS(key, MESSAGE_MULTI_OFFSETS) ? LEAVE_OUT : KEEP;
	case sizeof(MESSAGE_TIMER_DELAY_MS) - 1:
	case sizeof(MESSAGE_TIMER_DELAY_SEC) - 1:
	case sizeof(MESSAGE_TIMER_DELIVER_MS) - 1:
		context->timer |= IS(key, MESSAGE_TIMER_DELAY_MS) ||
				  IS(key, MESSAGE_TIMER_DELAY_SEC) ||
				  IS(key, MESSAGE_TIMER_DELIVER_MS);
		return KEEP;
	default:
		return KEEP;
	}
}

/* A key for a message that came without one. */
static struct gantry_str make_unique(struct send_call *call, struct send_context *context)
{
	struct send_loop *loop = call->loop;
	char id[MESSAGE_ID_MAX];
	struct gantry_str key = {MESSAGE_UNIQ_KEY, sizeof(MESSAGE_UNIQ_KEY) - 1};
	struct gantry_str value = {id, 0};
	size_t size;

	if (!loop->unique_made) {
		uint32_t salt = (uint32_t)(loop - call->sender->loops) ^ (uint32_t)call->now_ms;

		message_unique_init(&loop->unique, &call->store_host, (uint32_t)getpid(), salt);
		loop->unique_made = true;
	}
	value.size = message_unique_next(&loop->unique, call->now_ms, id);
	note_unique(context->send, value);
	size = message_property_write(context->unique, sizeof(context->unique), key, value);
	return (struct gantry_str){context->unique, size};
}

static int add_own(struct send_call *call, struct send_context *context,
		   struct message_pieces *pieces)
{
	static const char dead[] = "DELAY\001-1\002";
	int status = 0;

	if (context->dead)
		status = message_pieces_add(pieces, (struct gantry_str){dead, sizeof(dead) - 1});
	if (context->delayed)
		status = delay_add(call->sender->broker, context->delay_level, context->topic->name,
				   context->queue, context->delay_text, pieces);
	if (!status && !context->send->transaction_id_size)
		status = message_pieces_add(pieces, make_unique(call, context));
	return status ? status : message_pieces_add(pieces, call->sender->suffix);
}

/* Notes everything and collects what stays. */
static int take(struct send_context *context, struct message_pieces *pieces)
{
	struct gantry_str rest = context->send->properties;
	struct message_property property;
	/* the messages of a batch have their own properties; those of the batch are not stored */
	bool batch = context->send->flags & GANTRY_SEND_BATCH;
	int status = 0;

	pieces->count = 0;
	pieces->size = 0;
	while (!status && message_property_next(&rest, &property))
		if (note(context, &property) == KEEP && !batch &&
		    (!context->delayed || delay_keeps(property.key)))
			status = message_pieces_add(pieces, property.pair);
	return status;
}

int send_read_properties(struct send_call *call, struct send_context *context)
{
	struct message_draft *draft = &context->put.draft;
	struct message_pieces pieces = {.at = draft->properties, .max = MESSAGE_PARTS};
	int status;

	draft->checksum = call->sender->broker->conf->enabledAppendPropCRC;
	status = take(context, &pieces);
	if (context->send->flags & GANTRY_SEND_BATCH)
		return 0;
	context->delayed = send_is_delayed(context);
	if (!status && context->delayed) /* only now it is known what is to be replaced */
		status = take(context, &pieces);
	if (!status)
		status = add_own(call, context, &pieces);
	draft->part_count = pieces.count;
	if (status || pieces.size > MESSAGE_PROPERTIES_MAX)
		return send_refuse_illegal(call, context);
	return 0;
}

/* ---- checks */

int send_check_body(struct send_call *call, struct send_context *context)
{
	const struct gantry_send *send = context->send;

	if (send->body.size &&
	    (int64_t)send->body.size <= call->sender->broker->conf->maxMessageSize)
		return 0;
	/* both of these are exceptions inside the Java broker, not illegal messages */
	if (!send->body.size)
		return send_refuse(context, GANTRY_SYSTEM_ERROR, "the message has no body");
	if (send->flags & GANTRY_SEND_BATCH)
		return send_refuse(context, GANTRY_SYSTEM_ERROR, "message body size exceeded");
	return send_refuse_illegal(call, context);
}

int send_check_batch_kind(struct send_call *call, struct send_context *context)
{
	if (context->send->sys_flag & MESSAGE_TRANSACTION || context->delay_level > 0)
		return send_refuse_illegal(call, context);
	return 0;
}
