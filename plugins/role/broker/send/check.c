/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked before anything of the request is looked at, but for the key. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "message/properties.h"
#include "send/private.h"

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

/* The bytes of the white space that a text, which is not empty, begins with: what Java's
 * Character.isWhitespace() says of UTF-8. 0: there is none. */
static size_t white_space(struct gantry_str text)
{
	static const char *const wide[] = {"\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9",
					   "\xe2\x81\x9f", "\xe3\x80\x80"};
	const unsigned char *at = (const unsigned char *)text.at;

	if ((at[0] >= '\t' && at[0] <= '\r') || (at[0] >= 0x1c && at[0] <= ' '))
		return 1;
	if (text.size < 3)
		return 0;
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (memcmp(at, wide[i], 3) == 0)
			return 3;
	/* U+2000 to U+200A, but for U+2007, which is no place to break a line */
	return at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0x80 && at[2] <= 0x8a && at[2] != 0x87
		       ? 3
		       : 0;
}

static bool is_blank(struct gantry_str text)
{
	size_t skip;

	while (text.size && (skip = white_space(text))) {
		text.at += skip;
		text.size -= skip;
	}
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
