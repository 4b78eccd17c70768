/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked before anything of the request is looked at. */
#include <stdio.h>
#include <time.h>

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
