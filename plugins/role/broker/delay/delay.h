/* SPDX-License-Identifier: Apache-2.0 */
/* Delay levels, as RocketMQ's ScheduleMessageService of 5.5.0: a message with the property DELAY is
 * kept in SCHEDULE_TOPIC_XXXX, queue level - 1, and goes to its own topic when it is due. */
#ifndef DELAY_DELAY_H
#define DELAY_DELAY_H

#include "feature.h"
#include "message/properties.h"
#include "message/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct json_writer;

#define DELAY_REAL_TOPIC "REAL_TOPIC"
#define DELAY_REAL_QUEUE "REAL_QID"

enum { DELAY_TEXT_ROOM = 400, DELAY_TOPIC_MAX = 300 };

extern const struct feature delay_feature;

/* Whether a message with these is delayed: neither prepared nor rolled back, and with a level. */
static inline bool delay_applies(int32_t level, int32_t sys_flag)
{
	int32_t type = sys_flag & MESSAGE_TRANSACTION;

	return level > 0 && (type == 0 || type == MESSAGE_COMMITTED);
}

/* The properties of a message that is to be delayed: those of its own that it keeps, into pieces,
 * and what RocketMQ adds instead of the rest, into text. -ENOSPC: more pieces than there is room
 * for; -EMSGSIZE: the topic's name is too long. Any thread. */
bool delay_keeps(struct gantry_str key);
int delay_add(const struct broker *broker, int32_t level, struct gantry_str topic, int32_t queue,
	      char text[DELAY_TEXT_ROOM], struct message_pieces *pieces);
/* The draft goes to the level's queue instead. A level past the last is the last. */
void delay_redirect(const struct broker *broker, int32_t level, struct message_draft *draft);

/* Takes over what the master answers to code 45, while this node does not deliver. -EINVAL with a
 * sentence in why. On a worker. */
struct json_doc;
int delay_adopt(struct broker *broker, const struct json_doc *page, char *why, size_t why_size);

/* scheduleMessageOffset_LEVEL, "next,end", as members of an object. Any thread; what of the queues
 * is not open yet is left out. */
void delay_write_runtime(const struct broker *broker, struct json_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
