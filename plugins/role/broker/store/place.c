/* SPDX-License-Identifier: Apache-2.0 */
/* Placing messages in the log: what runs under the door's lock. */
#include <errno.h>

#include "message/batch.h"
#include "store/internal.h"

/* The next message of a batch becomes the draft's; its sizes were checked before. */
static bool next_item(struct store_put *put)
{
	struct message_batch_item item;

	if (message_batch_next(&put->items, &item) != 1)
		return false;
	put->draft.body = item.body;
	put->draft.flag = item.flag;
	put->draft.body_crc = put->crcs[put->placed];
	put->draft.properties[0] = item.properties;
	put->draft.part_count = 1;
	return message_draft_finish(&put->draft) == 0;
}

/* Half messages that are marked as such have no place in a queue. */
static int64_t take_offset(struct store_put *put)
{
	int32_t type = put->draft.sys_flag & MESSAGE_TRANSACTION;

	if (type == MESSAGE_PREPARED || type == MESSAGE_ROLLED_BACK)
		return 0;
	put->queue->next += put->inner ? put->inner : 1;
	return put->queue->next - (put->inner ? put->inner : 1);
}

static uint32_t place(struct gantry_batch *batch, struct gantry_record *record, uint8_t *to,
		      uint64_t at, int64_t store_ms)
{
	struct store_put *put = record->user;
	struct queue *queue = put->queue;
	int64_t offset;

	(void)batch;
	if (topic_queues_gone(put->queue->topic))
		return 0; /* the sender tries again, and finds the topic of today */
	if (put->items.at && !next_item(put))
		return 0;
	if (put->multi)
		multi_place(put->multi, &put->draft);
	if (put->inner)
		batch_place(put);
	offset = take_offset(put);
	if (!put->placed++)
		put->queue_offset = offset;
	__atomic_store_n(&queue->store->placed[placed_slot(at)], queue, __ATOMIC_RELEASE);
	message_record_write(&put->draft, to, offset, at, store_ms);
	return put->draft.size;
}

int store_append(struct store *store, struct gantry_record *records, uint32_t count,
		 struct gantry_batch *batch, struct gantry_op *op)
{
	*batch = (struct gantry_batch){.record = records, .count = count, .place = place};
	if (expiry_is_full(store->expiry))
		return -ENOSPC;
	return store->door->propose(store->door_inst, batch, op);
}
