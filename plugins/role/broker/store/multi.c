/* SPDX-License-Identifier: Apache-2.0 */
/* Multi-dispatch: a message that stands in more queues than its own, as MQTT's light queues
 * (%LMQ%...) use it. The request names the queues, in INNER_MULTI_DISPATCH; their offsets are known
 * only under the door's lock and become the record's last property, INNER_MULTI_QUEUE_OFFSET. Names
 * and offsets are separated by commas. As CommitLog and ConsumeQueue of store 5.5.0 do it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call/fields.h"
#include "message/name.h"
#include "message/properties.h"
#include "store/internal.h"

static const char offsets_key[] = MESSAGE_MULTI_OFFSETS "\1";

enum { OFFSET_ROOM = 20 }; /* digits of the largest offset, and what follows it */

bool store_multi_allowed(struct gantry_str topic)
{
	static const char system[] = "rmq_sys_";

	return !message_topic_is_retry(topic) && !str_is(topic, MESSAGE_SCHEDULE_TOPIC) &&
	       (topic.size < sizeof(system) - 1 ||
		memcmp(topic.at, system, sizeof(system) - 1) != 0);
}

bool store_multi_is_name(struct gantry_str name)
{
	return message_topic_is_light(name) && name.size > sizeof(MESSAGE_LIGHT_PREFIX) - 1 &&
	       !memchr(name.at, '/', name.size) && !memchr(name.at, '\0', name.size);
}

size_t store_multi_room(uint32_t count)
{
	return sizeof(offsets_key) + (size_t)count * OFFSET_ROOM;
}

/* ---- placing */

void multi_place(const struct store_multi *multi, struct message_draft *draft)
{
	char *to = multi->text;

	memcpy(to, offsets_key, sizeof(offsets_key) - 1);
	to += sizeof(offsets_key) - 1;
	for (uint32_t i = 0; i < multi->count; i++) {
		to += snprintf(to, OFFSET_ROOM, "%lld", (long long)multi->queues[i]->next++);
		*to++ = i + 1 < multi->count ? ',' : MESSAGE_PAIR_END;
	}
	draft->properties[draft->part_count - 1] =
		(struct gantry_str){multi->text, (size_t)(to - multi->text)};
	message_draft_finish(draft); /* shorter than it was, which fitted */
}

/* ---- dispatching */

static struct gantry_str find(const struct message_record *record, const char *key)
{
	return message_property_find(record->properties, (struct gantry_str){key, strlen(key)});
}

static int append(struct store *store, struct gantry_str name, int32_t id, int64_t offset,
		  const struct queue_unit *unit, struct queue **ret_queue)
{
	struct queue_unit entry = *unit;
	struct queue *queue;
	bool write = false;
	int status;

	if (!store_queue_is_possible(name, id))
		return 0; /* a name that is a path is left out, as RocketMQ does */
	queue = store_queue_named(store, name, id);
	if (!queue)
		return -ENOMEM;
	if (__atomic_load_n(&queue->state, __ATOMIC_RELAXED) == QUEUE_BROKEN)
		return 0;
	if (queue_is_open(queue) && !queue->batch)
		entry.store_ms = 0; /* it gets no unit in ConsumeQueueExt */
	status = queue_append(queue, offset, &entry, &write);
	store->writer.wanted |= write;
	if (status == -EAGAIN)
		*ret_queue = queue;
	if (!status)
		dispatch_arrival(store, queue);
	return status;
}

int multi_dispatch(struct store *store, const struct message_record *record,
		   const struct queue_unit *unit, struct queue **ret_queue)
{
	struct gantry_str names = find(record, MESSAGE_MULTI_DISPATCH);
	struct gantry_str offsets = find(record, MESSAGE_MULTI_OFFSETS);
	struct gantry_str name, text;
	int64_t offset;
	int status = 0;

	if (!names.at || !offsets.at || !store_multi_allowed(record->topic))
		return 0;
	while (!status && message_list_next(&names, &name) && message_list_next(&offsets, &text)) {
		bool light = store->broker->conf->enableLmq && message_topic_is_light(name);

		status = str_int64(text, &offset);
		if (!status)
			status = append(store, name, light ? 0 : record->queue, offset, unit,
					ret_queue);
	}
	return status;
}
