/* SPDX-License-Identifier: Apache-2.0 */
/* PULL_MESSAGE and LITE_PULL_MESSAGE. A pull that waits for messages costs its record and the
 * role's; found messages go to the socket as slices of the log. */
#include "remoting.h"

#include <remoting/pull_reply.h>
#include <stdlib.h>
#include <string.h>

struct pull {
	struct parked parked; /* first */
	struct gantry_pull pull;
};

/* ---- the request */

enum {
	GROUP,
	TOPIC,
	QUEUE,
	OFFSET,
	MAX_MESSAGES,
	SYS_FLAG,
	COMMIT_OFFSET,
	SUSPEND,
	SUB_VERSION,
	SUBSCRIPTION,
	EXPRESSION_TYPE,
	MAX_BYTES,
	REQUEST_SOURCE,
	PROXY_CLIENT,
	NAMES_END
};

static const struct field_name names[] = {
	FIELD(GROUP, "consumerGroup", true),
	FIELD(TOPIC, "topic", true),
	FIELD(QUEUE, "queueId", true),
	FIELD(OFFSET, "queueOffset", true),
	FIELD(MAX_MESSAGES, "maxMsgNums", true),
	FIELD(SYS_FLAG, "sysFlag", true),
	FIELD(COMMIT_OFFSET, "commitOffset", true),
	FIELD(SUSPEND, "suspendTimeoutMillis", true),
	FIELD(SUB_VERSION, "subVersion", true),
	FIELD(SUBSCRIPTION, "subscription", false),
	FIELD(EXPRESSION_TYPE, "expressionType", false),
	FIELD(MAX_BYTES, "maxMsgBytes", false),
	FIELD(REQUEST_SOURCE, "requestSource", false),
	FIELD(PROXY_CLIENT, "proxyFrowardClientId", false), /* sic */
};

static int take_field(struct gantry_pull *pull, int key, struct gantry_str value)
{
	switch (key) {
	case GROUP:
		pull->group = value;
		return 0;
	case TOPIC:
		pull->topic = value;
		return 0;
	case QUEUE:
		return remoting_parse_int32(value, &pull->queue);
	case OFFSET:
		return remoting_parse_int64(value, &pull->offset);
	case MAX_MESSAGES:
		return remoting_parse_int32(value, &pull->max_messages);
	case SYS_FLAG:
		return remoting_parse_int32(value, (int32_t *)&pull->flags);
	case COMMIT_OFFSET:
		return remoting_parse_int64(value, &pull->commit_offset);
	case SUSPEND:
		return remoting_parse_int64(value, &pull->suspend_ms);
	case SUB_VERSION:
		return remoting_parse_int64(value, &pull->sub_version);
	case SUBSCRIPTION:
		pull->subscription = value;
		return 0;
	case EXPRESSION_TYPE:
		pull->expression_type = value;
		return 0;
	case MAX_BYTES:
		return remoting_parse_int32(value, &pull->max_bytes);
	case REQUEST_SOURCE:
		return remoting_parse_int32(value, &pull->request_source);
	default:
		pull->proxy_client_id = value;
		return 0;
	}
}

/* False: why says what is wrong, in Java's words. */
static bool take_fields(struct gantry_pull *pull, const struct remoting_header *header, char *why,
			size_t why_size)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < header->field_count; i++) {
		const struct gantry_field *field = &header->fields[i];
		int key = field_key(names, NAMES_END, field->name);

		if (key < 0)
			continue;
		seen |= 1u << key;
		if (take_field(pull, key, field->value)) {
			snprintf(why, why_size, "For input string: \"%.*s\"",
				 (int)(field->value.size < 64 ? field->value.size : 64),
				 field->value.at);
			return false;
		}
	}
	return fields_complete(names, NAMES_END, seen, why, why_size);
}

static void prepare(struct pull *record, struct connection *c, const struct remoting_header *header)
{
	record->parked = (struct parked){
		.connection = c,
		.opaque = header->opaque,
		.serialization = header->serialization,
		.one_way = header->flag & REMOTING_ONE_WAY,
	};
	record->pull = (struct gantry_pull){
		.session = &c->session,
		.max_bytes = -1,
		.request_source = -1,
		.client_version = header->version,
		.topic_sys_flag = -1,
		.group_sys_flag = -1,
	};
}

/* ---- the answer */

/* Whether the answer tells the client where to go on. */
static bool has_offsets(int32_t code)
{
	return code == GANTRY_SUCCESS || code == GANTRY_PULL_NOT_FOUND ||
	       code == GANTRY_PULL_RETRY_IMMEDIATELY || code == GANTRY_PULL_OFFSET_MOVED;
}

static struct remoting_pull_reply reply_of(const struct pull *record)
{
	const struct gantry_pull *pull = &record->pull;

	return (struct remoting_pull_reply){
		.code = pull->code,
		.opaque = record->parked.opaque,
		.serialization = record->parked.serialization,
		.has_offsets = has_offsets(pull->code),
		.suggest_broker_id = pull->suggest_broker_id,
		.next = pull->next_offset,
		.min = pull->min_offset,
		.max = pull->max_offset,
		.topic_sys_flag = pull->topic_sys_flag,
		.group_sys_flag = pull->group_sys_flag,
		.forbidden_type = pull->forbidden_type,
		.remark = {pull->remark, strnlen(pull->remark, sizeof(pull->remark))},
	};
}

/* It does not read what it asks for: it may ask for these once more. */
static void take_back(struct gantry_pull *pull, struct out_body *body)
{
	out_body_drop(body);
	body->slice_count = 0;
	pull->code = GANTRY_PULL_RETRY_IMMEDIATELY;
	pull->next_offset = pull->offset;
	snprintf(pull->remark, sizeof(pull->remark), "NO_MATCHED_MESSAGE");
}

static void answer(struct pull *record)
{
	struct connection *c = record->parked.connection;
	struct gantry_pull *pull = &record->pull;
	struct out_body body = {.slices = pull->slices, .slice_count = pull->slice_count};
	struct remoting_pull_reply reply;
	char *to;

	if (record->parked.one_way || c->closed) {
		out_body_drop(&body);
		return;
	}
	if (pull->slice_count && c->queued > c->lane->front->write_high)
		take_back(pull, &body);
	reply = reply_of(record);
	to = out_room(c, remoting_pull_reply_max(&reply)); /* a remark is short: there is room */
	out_used(c, remoting_pull_reply_encode(&reply, out_body_size(&body), to));
	out_slices(c, &body);
}

static void done(struct gantry_op *op)
{
	struct pull *record = op->user;
	struct connection *c = record->parked.connection;
	struct lane *lane = c->lane;

	unpark(lane, &record->parked, 1);
	/* One that was cancelled, or whose client is gone, gets no answer. */
	if (op->status == 0) {
		answer(record);
		out_flush(lane);
	}
	pool_give(&lane->pulls, record);
	conn_release(c);
	lane_report(lane);
}

void pull_take(struct connection *c, const struct remoting_header *header)
{
	struct lane *lane = c->lane;
	struct front *front = lane->front;
	struct pull *record = pool_take(lane, &lane->pulls, sizeof(*record));
	int code = 0;

	if (!record) {
		out_code(c, header, GANTRY_SYSTEM_BUSY, "out of memory");
		return;
	}
	prepare(record, c, header);
	if (take_fields(&record->pull, header, record->pull.remark, sizeof(record->pull.remark))) {
		if (header->code == CODE_LITE_PULL)
			record->pull.flags |= GANTRY_PULL_LITE;
		record->parked.op =
			(struct gantry_op){.done = done, .loop = lane->loop, .user = record};
		code = front->role->pull(front->role_inst, &record->pull, &record->parked.op);
	} else {
		record->pull.code = GANTRY_SYSTEM_ERROR;
	}
	if (code > 0) {
		park(lane, &record->parked, 1);
		return;
	}
	if (code < 0)
		record->pull.code = GANTRY_SYSTEM_ERROR;
	answer(record);
	pool_give(&lane->pulls, record);
}
