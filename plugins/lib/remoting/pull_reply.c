/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to pulls. The fields stand in the order of RocketMQ's PullMessageResponseHeader. */
#include "reply_head.h"
#include "run.h"
#include "wire.h"

#include <json/json.h>
#include <remoting/pull_reply.h>

enum { FIXED_MAX = 512 }; /* all but the remark, in either form, all numbers at their longest */

size_t remoting_pull_reply_max(const struct remoting_pull_reply *reply)
{
	return REMOTING_PREFIX + FIXED_MAX + 6 * reply->remark.size; /* 6: an escaped byte */
}

/* ---- JSON */

#define JSON_FIELD(to, name, number)                                                               \
	end_quoted(wire_put_decimal(WIRE_PUT(to, ",\"" name "\":\""), number))

static inline char *end_quoted(char *to)
{
	*to = '"';
	return to + 1;
}

/* Each with a comma before it. */
static char *put_json_fields(char *to, const struct remoting_pull_reply *reply)
{
	if (reply->has_offsets) {
		to = JSON_FIELD(to, "suggestWhichBrokerId", reply->suggest_broker_id);
		to = JSON_FIELD(to, "nextBeginOffset", reply->next);
		to = JSON_FIELD(to, "minOffset", reply->min);
		to = JSON_FIELD(to, "maxOffset", reply->max);
	}
	if (reply->topic_sys_flag >= 0)
		to = JSON_FIELD(to, "topicSysFlag", reply->topic_sys_flag);
	if (reply->group_sys_flag >= 0)
		to = JSON_FIELD(to, "groupSysFlag", reply->group_sys_flag);
	if (reply->forbidden_type)
		to = JSON_FIELD(to, "forbiddenType", reply->forbidden_type);
	return to;
}

static char *put_json_remark(char *to, struct gantry_str remark)
{
	const char *end = remark.at + remark.size;

	to = WIRE_PUT(to, ",\"remark\":");
	if (run_end(remark.at, end) != end)
		return json_quote(to, remark);
	*to++ = '"';
	to = wire_put_bytes(to, remark.at, remark.size);
	*to++ = '"';
	return to;
}

static char *put_json(char *to, const struct remoting_pull_reply *reply)
{
	char *before, *fields;

	to = WIRE_PUT(to, "{\"code\":");
	before = wire_put_decimal(to, reply->code);
	fields = WIRE_PUT(before, ",\"extFields\":");
	to = put_json_fields(fields, reply);
	if (to == fields) {
		to = before;
	} else {
		*fields = '{'; /* the first one's comma */
		*to++ = '}';
	}
	to = WIRE_PUT(to, ",\"flag\":1,\"language\":\"JAVA\",\"opaque\":");
	to = wire_put_decimal(to, reply->opaque);
	if (reply->remark.size)
		to = put_json_remark(to, reply->remark);
	to = WIRE_PUT(to, ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":");
	to = wire_put_decimal(to, REMOTING_VERSION);
	return WIRE_PUT(to, "}");
}

/* ---- binary */

static char *put_binary_number(char *to, int64_t number)
{
	char *end = wire_put_decimal(to + 4, number);

	wire_put_u32(to, (uint32_t)(end - to - 4));
	return end;
}

#define BINARY_FIELD(to, name, number)                                                             \
	put_binary_number(WIRE_PUT(wire_put_u16(to, sizeof(name) - 1), name), number)

static char *put_binary_fields(char *to, const struct remoting_pull_reply *reply)
{
	if (reply->has_offsets) {
		to = BINARY_FIELD(to, "suggestWhichBrokerId", reply->suggest_broker_id);
		to = BINARY_FIELD(to, "nextBeginOffset", reply->next);
		to = BINARY_FIELD(to, "minOffset", reply->min);
		to = BINARY_FIELD(to, "maxOffset", reply->max);
	}
	if (reply->topic_sys_flag >= 0)
		to = BINARY_FIELD(to, "topicSysFlag", reply->topic_sys_flag);
	if (reply->group_sys_flag >= 0)
		to = BINARY_FIELD(to, "groupSysFlag", reply->group_sys_flag);
	if (reply->forbidden_type)
		to = BINARY_FIELD(to, "forbiddenType", reply->forbidden_type);
	return to;
}

static char *put_binary(char *to, const struct remoting_pull_reply *reply)
{
	char *fields = put_reply_head(to, reply->code, reply->opaque, reply->remark);

	to = put_binary_fields(fields + 4, reply);
	wire_put_u32(fields, (uint32_t)(to - fields - 4));
	return to;
}

size_t remoting_pull_reply_encode(const struct remoting_pull_reply *reply, size_t body_size,
				  void *to)
{
	char *start = to, *from = start + REMOTING_PREFIX;
	char *end = reply->serialization == REMOTING_BINARY ? put_binary(from, reply)
							    : put_json(from, reply);

	wire_put_prefix(start, reply->serialization, (size_t)(end - from), body_size);
	return (size_t)(end - start);
}
