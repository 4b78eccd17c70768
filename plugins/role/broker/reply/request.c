/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a SEND_REPLY_MESSAGE of either version, as lenient as RocketMQ 5.5.0 is: of the first
 * version only those fields are needed that it reads as numbers. */
#include "reply/reply.h"

#include <errno.h>
#include <string.h>

#include "message/properties.h"

enum { SEND_REPLY_MESSAGE_V2 = 325, NEEDED_LETTERS = REPLY_FLAG };

#define REGION "MSG_REGION"
#define TRACE "TRACE_ON"
#define PUSH_TIME "PUSH_REPLY_TIME"
#define TO_CLIENT "REPLY_TO_CLIENT"

static const char *const names[] = {
	[REPLY_GROUP] = "producerGroup",
	[REPLY_TOPIC] = "topic",
	[REPLY_DEFAULT_TOPIC] = "defaultTopic",
	[REPLY_DEFAULT_QUEUES] = "defaultTopicQueueNums",
	[REPLY_QUEUE] = "queueId",
	[REPLY_SYS_FLAG] = "sysFlag",
	[REPLY_BORN] = "bornTimestamp",
	[REPLY_FLAG] = "flag",
	[REPLY_PROPERTIES] = "properties",
	[REPLY_RECONSUME_TIMES] = "reconsumeTimes",
	[REPLY_UNIT_MODE] = "unitMode",
};

const char *reply_field_name(enum reply_field field)
{
	return names[field];
}

/* Of the second version RocketMQ reads every number at once, needed or not. */
static int check_letters(struct gantry_call *call)
{
	static const char numbers[] = "defghjl";

	for (const char *at = numbers; *at; at++) {
		char letter[] = {*at, 0};
		struct gantry_str value = call_text(call, letter);
		int64_t number;
		int32_t small;

		if (!value.at ||
		    !(*at == 'g' ? str_int64(value, &number) : str_int32(value, &small)))
			continue;
		call_fail(call, GANTRY_SYSTEM_ERROR,
			  "NumberFormatException: For input string: \"%.*s\"",
			  value.size > 64 ? 64 : (int)value.size, value.at);
		return -EINVAL;
	}
	return 0;
}

static int find_fields(struct gantry_call *call, struct gantry_str *fields)
{
	bool letters = call->code == SEND_REPLY_MESSAGE_V2;

	if (letters && check_letters(call))
		return -EINVAL;
	for (int i = 0; i < REPLY_FIELDS; i++) {
		char letter[] = {(char)('a' + i), 0};

		fields[i] = call_text(call, letters ? letter : names[i]);
		if (!letters || fields[i].at || i > NEEDED_LETTERS)
			continue;
		call_fail(call, GANTRY_SYSTEM_ERROR, "the custom field <%s> is null", letter);
		return -EINVAL;
	}
	return 0;
}

static int refuse_number(struct gantry_call *call, enum reply_field field)
{
	call_fail(call, GANTRY_SYSTEM_ERROR, "the custom field <%s> is no number", names[field]);
	return -EINVAL;
}

static int read_numbers(struct gantry_call *call, const struct gantry_str *fields,
			struct gantry_send *send)
{
	if (str_int32(fields[REPLY_QUEUE], &send->queue))
		return refuse_number(call, REPLY_QUEUE);
	if (str_int32(fields[REPLY_FLAG], &send->flag))
		return refuse_number(call, REPLY_FLAG);
	if (str_int64(fields[REPLY_BORN], &send->born_ms))
		return refuse_number(call, REPLY_BORN);
	/* the others may be absent */
	str_int32(fields[REPLY_DEFAULT_QUEUES], &send->default_queues);
	str_int32(fields[REPLY_RECONSUME_TIMES], &send->reconsume_times);
	return 0;
}

int reply_read(struct gantry_call *call, struct reply_request *ret)
{
	struct gantry_str *fields = ret->fields;

	ret->send = (struct gantry_send){.session = call->session, .max_reconsume_times = -1};
	if (find_fields(call, fields) || read_numbers(call, fields, &ret->send))
		return -EINVAL;
	if (!call->body.size) { /* a NullPointerException in Java */
		call_fail(call, GANTRY_SYSTEM_ERROR, "the reply has no body");
		return -EINVAL;
	}
	ret->send.topic = fields[REPLY_TOPIC];
	ret->send.group = fields[REPLY_GROUP];
	ret->send.default_topic = fields[REPLY_DEFAULT_TOPIC];
	ret->send.flags = str_is(fields[REPLY_UNIT_MODE], "true") ? GANTRY_SEND_UNIT : 0;
	ret->to = message_property_find(fields[REPLY_PROPERTIES], str_of(TO_CLIENT));
	return 0;
}

/* ---- properties */

static const char *trace_of(const struct broker *broker)
{
	return broker->conf->traceOn ? "true" : "false";
}

size_t reply_properties_room(const struct broker *broker, struct gantry_str properties)
{
	return properties.size + 1 + sizeof(REGION) + strlen(broker->conf->regionId) + 2 +
	       sizeof(TRACE) + sizeof("false") + 2;
}

static size_t put_pair(char *to, size_t room, const char *key, const char *value)
{
	return message_property_write(to, room, str_of(key), str_of(value));
}

size_t reply_properties_write(const struct broker *broker, struct gantry_str properties, char *to,
			      size_t room)
{
	struct message_property property;
	size_t size = 0;

	while (message_property_next(&properties, &property))
		if (!str_is(property.key, REGION) && !str_is(property.key, TRACE) &&
		    !str_is(property.key, PUSH_TIME))
			size += message_property_write(to + size, room - size, property.key,
						       property.value);
	size += put_pair(to + size, room - size, REGION, broker->conf->regionId);
	return size + put_pair(to + size, room - size, TRACE, trace_of(broker));
}
