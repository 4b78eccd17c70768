/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose message is to be delayed: it goes to the schedule topic, and its producer is told
 * the offset there, but the queue that it chose (SendMessageProcessor of broker 5.5.0). */
#include "message/name.h"
#include "send/private.h"

/* A transaction's half is never late; what comes of it may be. */
static bool is_half(const struct send_context *context)
{
	bool old_retry = context->send->reconsume_times > 0 && context->delay_level > 0;

	return context->transaction && !old_retry;
}

bool send_is_delayed(const struct send_context *context)
{
	return !context->dead && !is_half(context) &&
	       delay_applies(context->delay_level, context->send->sys_flag);
}

int send_check_delay(struct send_call *call, struct send_context *context)
{
	int32_t type = context->send->sys_flag & MESSAGE_TRANSACTION;

	(void)call;
	if (type == MESSAGE_PREPARED || type == MESSAGE_ROLLED_BACK || context->dead)
		return 0;
	if (context->delay_broken)
		return send_refuse(context, GANTRY_SYSTEM_ERROR,
				   "the property " MESSAGE_DELAY " of the message is no number");
	if (context->timer && context->delay_level <= 0)
		return send_refuse(context, GANTRY_SYSTEM_ERROR,
				   "accurate timer message is not enabled, timerWheelEnable is "
				   "false");
	return 0;
}

int send_delay(struct send_call *call, struct send_context *context)
{
	static const char name[] = MESSAGE_SCHEDULE_TOPIC;
	struct broker *broker = call->sender->broker;
	struct message_draft *draft = &context->put.draft;

	if (!context->delayed)
		return 0;
	context->topic = topics_find(broker->topics, (struct gantry_str){name, sizeof(name) - 1});
	if (!context->topic)
		return send_refuse(context, GANTRY_SYSTEM_ERROR, "topic[%s] not exist", name);
	delay_redirect(broker, context->delay_level, draft);
	return message_draft_finish(draft) ? send_refuse_illegal(call, context) : 0;
}
