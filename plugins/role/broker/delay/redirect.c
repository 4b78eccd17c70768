/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that are to be delayed, on their way into the log: HookUtils.handleScheduleMessage of
 * broker 5.5.0. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call/fields.h"
#include "delay/delay_private.h"
#include "message/name.h"

static int32_t clamp(const struct broker *broker, int32_t level)
{
	const struct delay *delay = feature_data(broker, &delay_feature);
	int32_t last = (int32_t)delay->delays.count;

	return level > last ? last : level;
}

bool delay_keeps(struct gantry_str key)
{
	static const char *const replaced[] = {
		MESSAGE_DELAY,           DELAY_REAL_TOPIC,       DELAY_REAL_QUEUE,
		MESSAGE_TIMER_DELAY_SEC, MESSAGE_TIMER_DELAY_MS, MESSAGE_TIMER_DELIVER_MS,
	};

	for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++)
		if (str_is(key, replaced[i]))
			return false;
	return true;
}

int delay_add(const struct broker *broker, int32_t level, struct gantry_str topic, int32_t queue,
	      char text[DELAY_TEXT_ROOM], struct message_pieces *pieces)
{
	int size;

	if (topic.size > DELAY_TOPIC_MAX)
		return -EMSGSIZE;
	size = snprintf(text, DELAY_TEXT_ROOM,
			MESSAGE_DELAY "\1%d\2" DELAY_REAL_TOPIC "\1%.*s\2" DELAY_REAL_QUEUE
				      "\1%d\2",
			clamp(broker, level), STR_ARGS(topic), queue);
	return message_pieces_add(pieces, (struct gantry_str){text, (size_t)size});
}

void delay_redirect(const struct broker *broker, int32_t level, struct message_draft *draft)
{
	draft->topic = str_of(MESSAGE_SCHEDULE_TOPIC);
	draft->queue = clamp(broker, level) - 1;
}
