/* SPDX-License-Identifier: Apache-2.0 */
/* SEND_MESSAGE, SEND_MESSAGE_V2, SEND_BATCH_MESSAGE: the sends of a turn become one batch for the
 * role. Each stands in a record from the lane's pool, where it can stay while the role waits for a
 * disk or a slave. */
#include "remoting.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A request, what its answer needs, and the role's own words. */
struct slot {
	struct gantry_send send;
	int32_t opaque;
	uint32_t serialization;
	bool one_way;
};

struct batch {
	struct parked parked; /* first */
	uint32_t count;
	uint32_t reserved;
	struct gantry_send *sends[BATCH_MAX]; /* each the first member of its slot */
};

/* ---- fields */

enum {
	GROUP,
	TOPIC,
	DEFAULT_TOPIC,
	DEFAULT_QUEUES,
	QUEUE,
	SYS_FLAG,
	BORN,
	FLAG,
	PROPERTIES,
	RECONSUME_TIMES,
	UNIT_MODE,
	MAX_RECONSUME_TIMES,
	BATCH,
	NAMES_END
};

/* RocketMQ 5.5.0 only needs those that it reads as numbers, and overlooks odd ones of the others.
 */
static const struct field_name long_names[] = {
	FIELD(GROUP, "producerGroup", false),
	FIELD(TOPIC, "topic", true),
	FIELD(DEFAULT_TOPIC, "defaultTopic", false),
	FIELD(DEFAULT_QUEUES, "defaultTopicQueueNums", false),
	FIELD(QUEUE, "queueId", true),
	FIELD(SYS_FLAG, "sysFlag", true),
	FIELD(BORN, "bornTimestamp", true),
	FIELD(FLAG, "flag", true),
	FIELD(PROPERTIES, "properties", false),
	FIELD(RECONSUME_TIMES, "reconsumeTimes", false),
	FIELD(UNIT_MODE, "unitMode", false),
	FIELD(MAX_RECONSUME_TIMES, "maxReconsumeTimes", false),
	FIELD(BATCH, "batch", false),
};

/* The second version's names are the letters a to m, in the same order. */
static const struct field_name letters[] = {
	FIELD(GROUP, "a", true),          FIELD(TOPIC, "b", true), FIELD(DEFAULT_TOPIC, "c", true),
	FIELD(DEFAULT_QUEUES, "d", true), FIELD(QUEUE, "e", true), FIELD(SYS_FLAG, "f", true),
	FIELD(BORN, "g", true),           FIELD(FLAG, "h", true),
};

static bool is_true(struct gantry_str text)
{
	return text.size == 4 && strncasecmp(text.at, "true", 4) == 0;
}

static int take_field(struct gantry_send *send, int key, struct gantry_str value)
{
	switch (key) {
	case GROUP:
		send->group = value;
		return 0;
	case TOPIC:
		send->topic = value;
		return 0;
	case DEFAULT_TOPIC:
		send->default_topic = value;
		return 0;
	case DEFAULT_QUEUES:
		return remoting_parse_int32(value, &send->default_queues);
	case QUEUE:
		return remoting_parse_int32(value, &send->queue);
	case SYS_FLAG:
		return remoting_parse_int32(value, &send->sys_flag);
	case BORN:
		return remoting_parse_int64(value, &send->born_ms);
	case FLAG:
		return remoting_parse_int32(value, &send->flag);
	case PROPERTIES:
		send->properties = value;
		return 0;
	case RECONSUME_TIMES:
		return remoting_parse_int32(value, &send->reconsume_times);
	case UNIT_MODE:
		send->flags |= is_true(value) ? GANTRY_SEND_UNIT : 0;
		return 0;
	case MAX_RECONSUME_TIMES:
		return remoting_parse_int32(value, &send->max_reconsume_times);
	case BATCH:
		send->flags |= is_true(value) ? GANTRY_SEND_BATCH : 0;
		return 0;
	default:
		return 0;
	}
}

static int key_of(bool second_version, struct gantry_str name)
{
	if (!second_version)
		return field_key(long_names, NAMES_END, name);
	return name.size == 1 && name.at[0] >= 'a' && name.at[0] <= 'm' ? name.at[0] - 'a' : -1;
}

/* Fills send from the fields; false: why says what is wrong, in Java's words. */
static bool take_fields(struct gantry_send *send, const struct remoting_header *header, char *why,
			size_t why_size)
{
	bool second_version = header->code != CODE_SEND;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < header->field_count; i++) {
		const struct gantry_field *field = &header->fields[i];
		int key = key_of(second_version, field->name);

		if (key < 0)
			continue;
		seen |= 1u << key;
		if (take_field(send, key, field->value) &&
		    (second_version || long_names[key].required)) {
			snprintf(why, why_size, "For input string: \"%.*s\"",
				 (int)(field->value.size < 64 ? field->value.size : 64),
				 field->value.at);
			return false;
		}
	}
	if (second_version)
		return fields_complete(letters, sizeof(letters) / sizeof(*letters), seen, why,
				       why_size);
	return fields_complete(long_names, NAMES_END, seen, why, why_size);
}

/* ---- gathering */

static void prepare(struct slot *slot, struct connection *c, const struct remoting_header *header,
		    struct gantry_str body)
{
	struct gantry_send *send = &slot->send;

	slot->opaque = header->opaque;
	slot->serialization = header->serialization;
	slot->one_way = header->flag & REMOTING_ONE_WAY;
	send->session = &c->session;
	send->topic = send->group = send->default_topic = send->properties = (struct gantry_str){0};
	send->body = body;
	send->born_ms = 0;
	send->default_queues = send->queue = send->sys_flag = send->flag = 0;
	send->reconsume_times = 0;
	send->max_reconsume_times = -1;
	send->client_version = header->version;
	send->flags = slot->one_way ? GANTRY_SEND_ONE_WAY : 0;
	send->code = GANTRY_SUCCESS;
	send->ret_queue = 0;
	send->queue_offset = 0;
	send->offsets = NULL;
	send->offset_count = 0;
	send->transaction_id_size = 0;
	send->remark[0] = '\0';
	send->user = NULL;
	send->ret_flags = 0;
}

static void answer(struct connection *c, const struct slot *slot)
{
	const struct remoting_send_template *prepared = &c->lane->front->send_template;
	const struct gantry_send *send = &slot->send;
	struct remoting_send_reply reply = {
		.code = send->code,
		.opaque = slot->opaque,
		.queue = send->ret_queue,
		.serialization = slot->serialization,
		.queue_offset = send->queue_offset,
		.offsets = send->offsets,
		.offset_count = send->offset_count,
		.inner_batch = send->ret_flags & GANTRY_SENT_INNER_BATCH,
		.transaction_id = {send->transaction_id, send->transaction_id_size},
		.remark = {send->remark, strnlen(send->remark, sizeof(send->remark))},
	};
	size_t max = remoting_send_reply_max(prepared, &reply);
	char *to;

	if (slot->one_way || c->closed)
		return;
	to = out_room(c, max);
	if (to) {
		out_used(c, remoting_send_reply_encode(prepared, &reply, to));
		return;
	}
	to = malloc(max); /* a batch with thousands of ids */
	if (!to) {
		conn_close(c);
		return;
	}
	out_heap(c, to, remoting_send_reply_encode(prepared, &reply, to));
}

static struct batch *batch_of(struct lane *lane)
{
	if (!lane->batch) {
		lane->batch = pool_take(lane, &lane->batches, sizeof(struct batch));
		if (lane->batch)
			lane->batch->count = 0;
	}
	return lane->batch;
}

void send_take(struct connection *c, const struct remoting_header *header, struct gantry_str body)
{
	struct lane *lane = c->lane;
	struct batch *batch = batch_of(lane);
	struct slot *slot = batch ? pool_take(lane, &lane->slots, sizeof(*slot)) : NULL;

	if (!slot) {
		out_code(c, header, GANTRY_SYSTEM_BUSY, "out of memory");
		return;
	}
	prepare(slot, c, header, body);
	if (!take_fields(&slot->send, header, slot->send.remark, sizeof(slot->send.remark))) {
		slot->send.code = GANTRY_SYSTEM_ERROR;
		answer(c, slot);
		pool_give(&lane->slots, slot);
		return;
	}
	batch->parked.connection = c;
	batch->sends[batch->count++] = &slot->send;
	if (batch->count == BATCH_MAX)
		send_flush(lane);
}

/* ---- the batch */

static void finish(struct lane *lane, struct batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		struct slot *slot = (struct slot *)(void *)batch->sends[i];

		answer(batch->parked.connection, slot);
		pool_give(&lane->slots, slot);
	}
	pool_give(&lane->batches, batch);
}

static void done(struct gantry_op *op)
{
	struct batch *batch = op->user;
	struct connection *c = batch->parked.connection;
	struct lane *lane = c->lane;
	uint32_t count = batch->count;

	unpark(lane, &batch->parked, count);
	lane->parked_sends -= count;
	finish(lane, batch);
	out_flush(lane);
	conn_release(c);
	lane_report(lane);
}

void send_flush(struct lane *lane)
{
	struct front *front = lane->front;
	struct batch *batch = lane->batch;
	int code;

	if (!batch || !batch->count)
		return;
	lane->batch = NULL;
	batch->parked.op = (struct gantry_op){.done = done, .loop = lane->loop, .user = batch};
	code = front->role->send(front->role_inst, batch->sends, batch->count, &batch->parked.op);
	lane->scratch.text_used = 0;
	if (code > 0) {
		park(lane, &batch->parked, batch->count);
		lane->parked_sends += batch->count;
		return;
	}
	finish(lane, batch);
}
