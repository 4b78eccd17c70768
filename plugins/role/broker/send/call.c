/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of calls: pooled by loop, grown when a call is large, bounded over all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "send/private.h"

/* Memory beyond what a pooled call keeps is counted. */
static bool count_spill(struct sender *sender, size_t size)
{
	if (size <= SEND_KEEP_BYTES)
		return true;
	if (__atomic_add_fetch(&sender->spilled, size, __ATOMIC_RELAXED) <= SEND_SPILL_BYTES)
		return true;
	__atomic_sub_fetch(&sender->spilled, size, __ATOMIC_RELAXED);
	return false;
}

static void free_room(struct sender *sender, struct send_room *room)
{
	if (room->size > SEND_KEEP_BYTES)
		__atomic_sub_fetch(&sender->spilled, room->size, __ATOMIC_RELAXED);
	free(room->at);
	*room = (struct send_room){0};
}

int send_room_reserve(struct sender *sender, struct send_room *room, size_t size)
{
	size_t rounded = 4096;

	if (size <= room->size)
		return 0;
	while (rounded < size && rounded < SEND_KEEP_BYTES)
		rounded *= 2;
	if (size > rounded)
		rounded = size;
	free_room(sender, room);
	if (!count_spill(sender, rounded))
		return -ENOMEM;
	room->at = malloc(rounded);
	if (!room->at) {
		if (rounded > SEND_KEEP_BYTES)
			__atomic_sub_fetch(&sender->spilled, rounded, __ATOMIC_RELAXED);
		return -ENOMEM;
	}
	room->size = rounded;
	return 0;
}

void send_call_free(struct send_call *call)
{
	free_room(call->sender, &call->context_room);
	free_room(call->sender, &call->record_room);
	free_room(call->sender, &call->text_room);
	free_room(call->sender, &call->multi_room);
	free(call);
}

void send_call_release(struct send_call *call)
{
	struct send_room *rooms[4];

	if (!call)
		return;
	rooms[0] = &call->context_room;
	rooms[1] = &call->record_room;
	rooms[2] = &call->text_room;
	rooms[3] = &call->multi_room;
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		if (rooms[i]->size > SEND_KEEP_BYTES)
			free_room(call->sender, rooms[i]);
	if (call->loop->pooled == SEND_POOL_CALLS) {
		send_call_free(call);
		return;
	}
	call->next = call->loop->pool;
	call->loop->pool = call;
	call->loop->pooled++;
}

struct send_call *send_call_take(struct sender *sender, struct send_loop *loop, uint32_t count)
{
	size_t contexts = count * sizeof(struct send_context);
	struct send_call *call = loop->pool;

	if (call) {
		loop->pool = call->next;
		loop->pooled--;
	} else {
		call = calloc(1, sizeof(*call));
		if (!call)
			return NULL;
		call->sender = sender;
		call->loop = loop;
	}
	if (send_room_reserve(sender, &call->context_room, contexts + count * sizeof(void *))) {
		send_call_release(call);
		return NULL;
	}
	call->contexts = (void *)call->context_room.at;
	call->queues = (void *)(call->context_room.at + contexts);
	return call;
}

/* ---- keeping what is lent */

static char *keep(char *to, struct gantry_str *text)
{
	if (text->size)
		memcpy(to, text->at, text->size);
	text->at = to;
	return to + text->size;
}

static size_t kept_size(const struct send_context *context)
{
	const struct message_draft *draft = &context->put.draft;
	size_t size = draft->body.size + context->put.items.size;

	for (uint32_t i = 0; i < draft->part_count; i++)
		size += draft->properties[i].size;
	return size;
}

int send_call_keep(struct send_call *call)
{
	size_t size = 0;
	char *to;
	int status;

	if (call->kept)
		return 0;
	for (uint32_t i = 0; i < call->count; i++)
		if (!call->contexts[i].answered)
			size += kept_size(&call->contexts[i]);
	status = send_room_reserve(call->sender, &call->text_room, size);
	if (status)
		return status;
	to = call->text_room.at;
	for (uint32_t i = 0; i < call->count; i++) {
		struct store_put *put = &call->contexts[i].put;

		if (call->contexts[i].answered)
			continue;
		to = keep(to, &put->draft.body);
		if (put->items.at)
			to = keep(to, &put->items);
		for (uint32_t p = 0; p < put->draft.part_count; p++)
			to = keep(to, &put->draft.properties[p]);
	}
	call->kept = true;
	return 0;
}
