/* SPDX-License-Identifier: Apache-2.0 */
/* The load of consumers: pullers read a topic over and over in batches; waiters hold one pull on
 * every queue and take the time that each stamped message needed to reach them. */
#include "load.h"

#include <endian.h>
#include <message/record.h>
#include <string.h>

enum { SUSPEND = 2, SUSPEND_MS = 15000 };

static size_t ask_pull(struct load *load, const struct slot *slot, int suspend, uint8_t *to)
{
	struct fields fields = {0};
	fields_text(&fields, "consumerGroup", load->conf->group);
	fields_text(&fields, "topic", load->queues[slot->queue].topic);
	fields_int(&fields, "queueId", load->queues[slot->queue].queue);
	fields_int(&fields, "queueOffset", slot->offset);
	fields_int(&fields, "maxMsgNums", load->conf->batch);
	fields_int(&fields, "sysFlag", suspend);
	fields_text(&fields, "commitOffset", "0");
	fields_int(&fields, "suspendTimeoutMillis", SUSPEND_MS);
	fields_int(&fields, "subVersion", load->member.sub_version);
	fields_text(&fields, "expressionType", "TAG");
	struct remoting_header header = {.code = ASK_PULL_CODE,
					 .language = REMOTING_JAVA,
					 .version = REMOTING_VERSION,
					 .opaque = slot->opaque,
					 .fields = fields.at,
					 .field_count = fields.count};
	return remoting_encode(&header, 0, to);
}

static size_t ask_now(struct load *load, struct wire *wire, struct slot *slot, uint8_t *to)
{
	(void)wire;
	return ask_pull(load, slot, 0, to);
}

static size_t ask_waiting(struct load *load, struct wire *wire, struct slot *slot, uint8_t *to)
{
	(void)wire;
	return ask_pull(load, slot, SUSPEND, to);
}

/* How many records a pull's body holds: they stand one behind the other, each with its size. */
static uint64_t count_records(struct gantry_str body)
{
	uint64_t count = 0;
	for (size_t at = 0; body.size - at >= sizeof(uint32_t); count++) {
		uint32_t size;
		memcpy(&size, body.at + at, sizeof(size));
		size = be32toh(size);
		if (size < MESSAGE_RECORD_MIN || size > body.size - at)
			break;
		at += size;
	}
	return count;
}

/* Moves the slot to where its next pull begins; false when the answer was a refusal. */
static bool move_on(struct load *load, struct slot *slot, const struct remoting_frame *frame,
		    int32_t code)
{
	int64_t next = reply_field(frame, "nextBeginOffset", slot->offset);
	switch (code) {
	case 0:
	case ASK_PULL_NOT_FOUND:
	case ASK_PULL_RETRY:
	case ASK_PULL_MOVED:
		slot->offset = next;
		return true;
	default:
		load_refused(load, frame);
		return false;
	}
}

static void answer_now(struct load *load, struct slot *slot, const struct remoting_frame *frame,
		       const struct reply *reply)
{
	if (!move_on(load, slot, frame, reply->code))
		return;
	if (reply->code == 0) {
		load->counts.messages += count_records(frame->body);
		load->counts.bytes += frame->body.size;
		load_timed(load, slot->due_ns);
	}
	if (slot->offset >= load->queues[slot->queue].end)
		slot->offset = load->queues[slot->queue].start;
}

static void take_stamped(struct load *load, const struct message_record *record)
{
	uint64_t due_ns = prebuilt_due(load->mark, record->body.at, record->body.size);
	if (due_ns == 0)
		return;
	load->delivered++;
	if (load->measuring && due_ns >= load->measure_ns) {
		load->counts.messages++;
		load->counts.bytes += record->body.size;
	}
	load_timed(load, due_ns);
}

static void answer_waiting(struct load *load, struct slot *slot, const struct remoting_frame *frame,
			   const struct reply *reply)
{
	struct message_record record;
	struct gantry_str rest = frame->body;
	if (!move_on(load, slot, frame, reply->code) || reply->code != 0)
		return;
	while (rest.size && message_record_read((const uint8_t *)rest.at, rest.size, false,
						&record) == MESSAGE_WHOLE) {
		take_stamped(load, &record);
		rest.at += record.size;
		rest.size -= record.size;
	}
}

const struct wire_kind load_puller = {.ask = ask_now, .answer = answer_now, .counted = true};
const struct wire_kind load_waiter = {.ask = ask_waiting, .answer = answer_waiting};
