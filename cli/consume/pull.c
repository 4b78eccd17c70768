/* SPDX-License-Identifier: Apache-2.0 */
/* One waiting pull on every held queue, and what its answer brings. */
#include <glib.h>
#include <message/properties.h>
#include <stdio.h>
#include <string.h>

#include "../cli.h"
#include "../message_print.h"
#include "consume.h"

#include <gantry/op.h>

enum { SUSPEND = 2, SUSPEND_MS = 15000, BATCH = 32, RETRY_MS = 1000 };

enum { /* response codes after which the same pull may go well */
       SYSTEM_ERROR = 1,
       SUBSCRIPTION_NOT_EXIST = 24,
       SUBSCRIPTION_NOT_LATEST = 25,
};

bool pull_full(const struct consumer *consumer)
{
	return consumer->conf->max && consumer->printed >= consumer->conf->max;
}

static void pull(struct consumer *consumer, struct held *held)
{
	struct link *link = consumer->brokers[held->broker].link;
	struct fields fields = {0};
	fields_text(&fields, "consumerGroup", consumer->conf->group);
	fields_text(&fields, "topic", consumer->conf->topic);
	fields_int(&fields, "queueId", held->queue);
	fields_int(&fields, "queueOffset", held->offset);
	fields_int(&fields, "maxMsgNums", BATCH);
	fields_int(&fields, "sysFlag", SUSPEND);
	fields_int(&fields, "commitOffset", 0);
	fields_int(&fields, "suspendTimeoutMillis", SUSPEND_MS);
	fields_int(&fields, "subVersion", consumer->member.sub_version);
	fields_text(&fields, "expressionType", "TAG");
	struct link_request request = {
		.code = ASK_PULL_CODE, .fields = fields.at, .field_count = fields.count};
	int failed = link_send(link, &request, &held->opaque);
	if (failed)
		brokers_lost(consumer, held->broker, g_strerror(-failed));
	else
		held->pulling = true;
}

void pull_all(struct consumer *consumer)
{
	uint64_t now = gantry_clock_ms();
	for (uint32_t i = 0; i < consumer->held_count; i++) {
		struct held *held = &consumer->held[i];
		if (consumer->brokers[held->broker].link && !held->pulling && held->retry_ms <= now)
			pull(consumer, held);
	}
}

/* Brokers compare hash codes of tags; the tags themselves are compared here. */
static bool is_wanted(const struct consumer *consumer, const struct message_record *record)
{
	const char *tags = consumer->member.tags;
	if (!strcmp(tags, "*"))
		return true;
	struct gantry_str tag = message_property_find(
		record->properties, (struct gantry_str){MESSAGE_TAGS, strlen(MESSAGE_TAGS)});
	g_auto(GStrv) wanted = g_strsplit(tags, "||", -1);
	for (char **each = wanted; tag.at && *each; each++)
		if (strlen(g_strstrip(*each)) == tag.size && !memcmp(*each, tag.at, tag.size))
			return true;
	return false;
}

/* Prints what rest holds and moves on; false when --max ended it before its end. */
static bool print_all(struct consumer *consumer, struct held *held, struct gantry_str rest)
{
	struct message_record record;
	const char *broker = consumer->brokers[held->broker].name;
	while (rest.size && !pull_full(consumer)) {
		if (message_record_read((const uint8_t *)rest.at, rest.size, true, &record) !=
		    MESSAGE_WHOLE) {
			cli_error("broker %s, queue %d, offset %lld: the message is damaged",
				  broker, held->queue, (long long)held->offset);
			return true;
		}
		if (is_wanted(consumer, &record)) {
			print_message(&(struct message_print){.broker = broker, .body = true},
				      &record);
			consumer->printed++;
		}
		held->offset = record.queue_offset + 1;
		rest.at += record.size;
		rest.size -= record.size;
	}
	return rest.size == 0;
}

static struct held *find_held(struct consumer *consumer, uint32_t broker, int32_t opaque)
{
	for (uint32_t i = 0; i < consumer->held_count; i++) {
		struct held *held = &consumer->held[i];
		if (held->broker == broker && held->pulling && held->opaque == opaque)
			return held;
	}
	return NULL;
}

static void move_to(struct held *held, const struct remoting_header *header)
{
	int64_t next;
	if (remoting_field_int64(header, "nextBeginOffset", &next) == 0)
		held->offset = next;
}

void pull_answered(struct consumer *consumer, uint32_t broker, const struct link_message *message)
{
	const struct remoting_header *header = &message->header;
	struct held *held = find_held(consumer, broker, header->opaque);
	if (!held)
		return;
	held->pulling = false;
	switch (header->code) {
	case 0:
		if (print_all(consumer, held, message->body))
			move_to(held, header);
		fflush(stdout); /* whoever reads us must not wait for a full buffer */
		break;
	case ASK_PULL_NOT_FOUND:
	case ASK_PULL_RETRY:
	case ASK_PULL_MOVED:
		move_to(held, header);
		break;
	case SUBSCRIPTION_NOT_EXIST:
	case SUBSCRIPTION_NOT_LATEST:
		consumer->heartbeat_ms = 0; /* a broker that was restarted knows nobody */
		held->retry_ms = gantry_clock_ms() + RETRY_MS;
		break;
	case SYSTEM_ERROR:
	case ASK_SYSTEM_BUSY:
		held->retry_ms = gantry_clock_ms() + RETRY_MS;
		break;
	default:
		cli_error("broker %s refuses to read queue %d: code %d %.*s",
			  consumer->brokers[broker].name, held->queue, header->code,
			  (int)header->remark.size, header->remark.at ? header->remark.at : "");
		consumer->refused = header->code;
	}
}
