/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked before anything of the request is looked at, but for the key. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "message/properties.h"
#include "send_private.h"

int send_check_slave(struct send_call *call, struct send_context *context)
{
	if (!broker_is_slave(call->sender->broker))
		return 0;
	return send_refuse(context, GANTRY_SYSTEM_BUSY,
			   "[REJECTREQUEST]system busy, start flow control for a while");
}

int send_check_time(struct send_call *call, struct send_context *context)
{
	int64_t from_ms = call->sender->broker->conf->startAcceptSendRequestTimeStamp;
	time_t from = from_ms / 1000;
	char text[32];
	struct tm local;

	if (call->now_ms >= from_ms)
		return 0;
	localtime_r(&from, &local);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	return send_refuse(context, GANTRY_SYSTEM_ERROR, "broker unable to service, until %s,%03d",
			   text, (int)(from_ms % 1000));
}

/* A broker that may not be written to keeps others' topics going, but not ordered ones. */
int send_check_order(struct send_call *call, struct send_context *context)
{
	const struct broker *broker = call->sender->broker;
	struct topic *topic;

	if (broker_may(broker, PERM_WRITE))
		return 0;
	topic = topics_find(broker->topics, context->send->topic);
	if (!topic || !topic_order(topic))
		return 0;
	return send_refuse(context, GANTRY_NO_PERMISSION,
			   "the broker[%s] sending message is forbidden", broker->ip1);
}

static bool is_blank(struct gantry_str text)
{
	while (text.size && memchr(" \t\n\v\f\r", text.at[text.size - 1], 6))
		text.size--;
	return !text.size;
}

/* A topic with cleanup.policy=COMPACTION would keep the last message of each key. */
int send_check_key(struct send_call *call, struct send_context *context)
{
	static const char keys[] = MESSAGE_KEYS;

	(void)call;
	if (!topic_compacted(context->topic) ||
	    !is_blank(message_property_find(context->send->properties,
					    (struct gantry_str){keys, sizeof(keys) - 1})))
		return 0;
	return send_refuse(context, GANTRY_MESSAGE_ILLEGAL, "Required message key is missing");
}
