/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for memory that will be needed soon. With 50,000 queues nothing of the next one is in the
 * processor's own caches: each pointer on the way to it would be waited for. */
#include "message/bytes.h"
#include "store/internal.h"

enum { AHEAD = 16 }; /* records of the log; the processor asks for about as many lines at once */

void store_expect(const struct queue_expected *expected, uint32_t count)
{
	const struct topic_queues *topics[STORE_EXPECTED];
	const struct queue_array *arrays[STORE_EXPECTED];

	for (uint32_t i = 0; i < count; i++) {
		topics[i] = __atomic_load_n(&expected[i].topic->store_private, __ATOMIC_ACQUIRE);
		__builtin_prefetch(topics[i]);
	}
	for (uint32_t i = 0; i < count; i++) {
		arrays[i] = topics[i] ? __atomic_load_n(&topics[i]->array, __ATOMIC_ACQUIRE) : NULL;
		__builtin_prefetch(arrays[i]);
		if (arrays[i] && expected[i].queue >= 0)
			__builtin_prefetch(&arrays[i]->at[expected[i].queue]);
	}
	for (uint32_t i = 0; i < count; i++) {
		int32_t id = expected[i].queue;

		if (arrays[i] && id >= 0 && (uint32_t)id < arrays[i]->count)
			__builtin_prefetch(__atomic_load_n(&arrays[i]->at[id], __ATOMIC_ACQUIRE),
					   1);
	}
}

/* Where the record behind the one at that byte begins, as far as it says so; else the end. */
static size_t next_record(const struct gantry_slice *slice, size_t at)
{
	uint32_t size;

	if (slice->size - at < MESSAGE_RECORD_MIN)
		return slice->size;
	size = message_get32(slice->bytes + at);
	return size >= MESSAGE_RECORD_MIN && size < slice->size - at ? at + size : slice->size;
}

size_t dispatch_ahead(struct store *store, const struct gantry_slice *slice, size_t at)
{
	struct queue *last = store->dispatcher.last, *queues[AHEAD];
	uint32_t count = 0;

	for (uint32_t i = 0; i < AHEAD && at < slice->size; i++) {
		uint32_t slot = placed_slot(slice->offset + at);
		struct queue *queue = __atomic_load_n(&store->placed[slot], __ATOMIC_ACQUIRE);

		at = next_record(slice, at);
		if (!queue || queue == last)
			continue;
		__builtin_prefetch(queue);
		__builtin_prefetch(&queue->lock, 1);
		queues[count++] = last = queue;
	}
	for (uint32_t i = 0; i < count; i++) {
		__builtin_prefetch(queues[i]->topic);
		__builtin_prefetch(queues[i]->topic->name);
		__builtin_prefetch(__atomic_load_n(&queues[i]->next_entry, __ATOMIC_RELAXED), 1);
	}
	return at;
}
