/* SPDX-License-Identifier: Apache-2.0 */
#include "transaction/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "call/fields.h"
#include "clients/clients.h"
#include "message/id.h"
#include "message/properties.h"
#include "transaction/rewrite.h"
#include "transaction/transaction.h"

enum { CHECK_TRANSACTION_STATE = 39, NUMBER = 24, ADDED = 96 };

static int reserve(struct ask_room *room, size_t size)
{
	uint8_t *at;

	if (size <= room->size)
		return 0;
	at = realloc(room->at, size);
	if (!at)
		return -ENOMEM;
	room->at = at;
	room->size = size;
	return 0;
}

/* The message as the producer knows it: under its real topic and queue. WAIT is false, since no
 * client waits for what the broker put back; Java says so as well. */
static int encode(struct broker *broker, const struct message_record *half, struct gantry_str times,
		  const struct ask_place *place, struct ask_room *room, struct gantry_str *ret)
{
	static const char *const without[] = {TRANSACTION_CHECK_TIMES, MESSAGE_WAIT, NULL};
	char added[ADDED];
	int size = snprintf(added, sizeof(added), "%.*s" MESSAGE_WAIT "\001false\002",
			    STR_ARGS(times));
	struct message_draft real;
	int status =
		rewrite_message(half, without, (struct gantry_str){added, (size_t)size}, &real);

	if (status)
		return status;
	broker_store_host(broker, &real.store_host);
	real.topic = rewrite_property(half, TRANSACTION_REAL_TOPIC);
	real.body_crc = half->body_crc;
	status = str_int32(rewrite_property(half, TRANSACTION_REAL_QUEUE), &real.queue);
	if (!status && !real.topic.size)
		status = -EINVAL;
	if (!status)
		status = message_draft_finish(&real);
	if (!status)
		status = reserve(room, real.size);
	if (status)
		return status;
	message_record_write(&real, room->at, place->queue_offset, place->log_offset,
			     place->store_ms);
	*ret = (struct gantry_str){(const char *)room->at, real.size};
	return 0;
}

static struct gantry_str number(char room[NUMBER], int64_t value)
{
	int size = snprintf(room, NUMBER, "%lld", (long long)value);

	return (struct gantry_str){room, (size_t)size};
}

static struct gantry_address store_host(struct broker *broker)
{
	struct gantry_address host;

	broker_store_host(broker, &host);
	return host;
}

int ask_producer(struct broker *broker, const struct message_record *half, struct gantry_str times,
		 const struct ask_place *place, struct ask_room *room)
{
	struct gantry_str unique = rewrite_property(half, MESSAGE_UNIQ_KEY);
	char queue_offset[NUMBER], log_offset[NUMBER], id[MESSAGE_ID_MAX];
	struct gantry_address host = store_host(broker);
	uint32_t id_size = message_offset_id(&host, place->log_offset, id);
	struct gantry_field fields[] = {
		{str_of("topic"), str_of(TRANSACTION_HALF_TOPIC)},
		{str_of("tranStateTableOffset"), number(queue_offset, place->queue_offset)},
		{str_of("commitLogOffset"), number(log_offset, (int64_t)place->log_offset)},
		{str_of("bname"), str_of(broker->name)},
		{str_of("offsetMsgId"), {id, id_size}},
		{str_of("msgId"), unique},
		{str_of("transactionId"), unique},
	};
	struct gantry_push push = {
		.code = CHECK_TRANSACTION_STATE,
		.fields = fields,
		.field_count = sizeof(fields) / sizeof(fields[0]) - (unique.at ? 0 : 2),
	};
	int status = encode(broker, half, times, place, room, &push.body);

	if (status)
		return status;
	return clients_push_producer(broker->clients,
				     rewrite_property(half, TRANSACTION_PRODUCER_GROUP), &push);
}
