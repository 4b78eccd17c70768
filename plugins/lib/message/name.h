/* SPDX-License-Identifier: Apache-2.0 */
/* Names of topics and groups: what RocketMQ allows, and its well-known prefixes. */
#ifndef MESSAGE_NAME_H
#define MESSAGE_NAME_H

#include <stdbool.h>

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MESSAGE_RETRY_PREFIX "%RETRY%"
#define MESSAGE_DLQ_PREFIX "%DLQ%"
#define MESSAGE_LIGHT_PREFIX "%LMQ%"
#define MESSAGE_SCHEDULE_TOPIC "SCHEDULE_TOPIC_XXXX"

enum { MESSAGE_TOPIC_MAX = 127, MESSAGE_GROUP_MAX = 255 };

enum message_name {
	MESSAGE_NAME_GOOD,
	MESSAGE_NAME_BLANK,
	MESSAGE_NAME_ILLEGAL,
	MESSAGE_NAME_LONG
};

/* ^[%|a-zA-Z0-9_-]+$, at most max characters; in RocketMQ's order of checks. */
enum message_name message_name_check(struct gantry_str name, size_t max);

bool message_topic_is_retry(struct gantry_str topic);
bool message_topic_is_dlq(struct gantry_str topic);
bool message_topic_is_light(struct gantry_str topic); /* multi-dispatch's */

#ifdef __cplusplus
}
#endif
#endif
