/* SPDX-License-Identifier: Apache-2.0 */
/* Names of topics and groups. */
#include "message/name.h"

#include <string.h>

static bool allowed(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '%' || c == '|' || c == '_' || c == '-';
}

static bool is_blank(struct gantry_str name)
{
	for (size_t i = 0; i < name.size; i++)
		if (name.at[i] != ' ' && (name.at[i] < '\t' || name.at[i] > '\r'))
			return false;
	return true;
}

enum message_name message_name_check(struct gantry_str name, size_t max)
{
	for (size_t i = 0; i < name.size; i++)
		if (!allowed((uint8_t)name.at[i]))
			return is_blank(name) ? MESSAGE_NAME_BLANK : MESSAGE_NAME_ILLEGAL;
	if (!name.size)
		return MESSAGE_NAME_BLANK;
	return name.size > max ? MESSAGE_NAME_LONG : MESSAGE_NAME_GOOD;
}

static bool starts(struct gantry_str text, const char *prefix, size_t size)
{
	return text.size >= size && memcmp(text.at, prefix, size) == 0;
}

bool message_topic_is_retry(struct gantry_str topic)
{
	return starts(topic, MESSAGE_RETRY_PREFIX, sizeof(MESSAGE_RETRY_PREFIX) - 1);
}

bool message_topic_is_dlq(struct gantry_str topic)
{
	return starts(topic, MESSAGE_DLQ_PREFIX, sizeof(MESSAGE_DLQ_PREFIX) - 1);
}

bool message_topic_is_light(struct gantry_str topic)
{
	return starts(topic, MESSAGE_LIGHT_PREFIX, sizeof(MESSAGE_LIGHT_PREFIX) - 1);
}
