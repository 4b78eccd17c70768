/* SPDX-License-Identifier: Apache-2.0 */
/* Half messages: what a producer sends before its local transaction is stored under
 * RMQ_SYS_TRANS_HALF_TOPIC, with the topic and queue that it is for. The answer names the real
 * queue, and the half message's place. */
#include <errno.h>
#include <stdio.h>

#include "call/fields.h"
#include "send/private.h"
#include "transaction/transaction.h"

/* Behind all others, which end with the broker's own: of equal keys the last counts. */
static int add_properties(struct send_context *context)
{
	const struct gantry_send *send = context->send;
	struct message_draft *draft = &context->put.draft;
	int size = snprintf(context->half_queue, sizeof(context->half_queue),
			    "\002" TRANSACTION_REAL_QUEUE "\001%d\002", context->queue);
	const struct gantry_str texts[] = {
		str_of(TRANSACTION_ID "\001"),
		{send->transaction_id, send->transaction_id_size},
		str_of("\002" TRANSACTION_REAL_TOPIC "\001"),
		context->topic->name,
		{context->half_queue, (size_t)size},
	};
	const uint32_t count = sizeof(texts) / sizeof(texts[0]);

	if (draft->part_count + count > MESSAGE_PARTS)
		return -ENOSPC;
	for (uint32_t i = 0; i < count; i++)
		draft->properties[draft->part_count++] = texts[i];
	return 0;
}

int send_check_transaction(struct send_call *call, struct send_context *context)
{
	const struct broker *broker = call->sender->broker;
	bool old_retry = context->send->reconsume_times > 0 && context->delay_level > 0;

	if (!context->transaction || old_retry)
		return 0;
	if (broker->conf->rejectTransactionMessage)
		return send_refuse(context, GANTRY_NO_PERMISSION,
				   "the broker[%s] sending transaction message is forbidden",
				   broker->ip1);
	context->half = topics_find(broker->topics, str_of(TRANSACTION_HALF_TOPIC));
	if (!context->half)
		return send_refuse(context, GANTRY_SYSTEM_ERROR,
				   "topic[" TRANSACTION_HALF_TOPIC "] not exist");
	return add_properties(context) ? send_refuse_illegal(call, context) : 0;
}

void send_fill_half(struct send_context *context)
{
	struct message_draft *draft = &context->put.draft;

	draft->topic = context->half->name;
	draft->queue = 0;
	draft->sys_flag &= ~MESSAGE_TRANSACTION;
}
