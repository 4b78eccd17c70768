/* SPDX-License-Identifier: Apache-2.0 */
/* Writing keys to index files, many at once: slots are sorted by pages of the file, so that some
 * pages are read and written together once a batch, and the entries follow in one piece. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/bytes.h"
#include "store/index.h"

/* Keys on their way into one file, the first of which gets the number base. */
struct batch {
	struct index *index;
	struct index_file *file;
	struct index_put *puts;
	uint32_t count, base;
};

static uint64_t slot_at(const struct batch *batch, uint32_t i)
{
	return message_index_slot_at(batch->puts[i].hash % batch->index->shape.slots);
}

static int make_room(struct index *index)
{
	size_t pages = message_index_slot_at(index->shape.slots) / INDEX_PAGE + 2;

	if (!index->pages)
		index->pages = malloc(pages * sizeof(*index->pages));
	if (!index->order)
		index->order = malloc(INDEX_BATCH * sizeof(*index->order));
	if (!index->bytes)
		index->bytes = malloc((size_t)INDEX_BATCH * MESSAGE_INDEX_ENTRY);
	return index->pages && index->order && index->bytes ? 0 : -ENOMEM;
}

void index_drop_room(struct index *index)
{
	free(index->pages);
	free(index->order);
	free(index->bytes);
	index->pages = index->order = NULL;
	index->bytes = NULL;
}

/* Fills order with the puts' numbers by page; those of a page stay in their order. */
static void sort(const struct batch *batch)
{
	struct index *index = batch->index;
	size_t pages = message_index_slot_at(index->shape.slots) / INDEX_PAGE + 2;
	uint32_t sum = 0;

	memset(index->pages, 0, pages * sizeof(*index->pages));
	for (uint32_t i = 0; i < batch->count; i++)
		index->pages[slot_at(batch, i) / INDEX_PAGE]++;
	for (size_t page = 0; page < pages; page++) {
		uint32_t count = index->pages[page];

		index->pages[page] = sum;
		sum += count;
	}
	for (uint32_t i = 0; i < batch->count; i++)
		index->order[index->pages[slot_at(batch, i) / INDEX_PAGE]++] = i;
}

/* Order[from, to): puts whose slots are near each other, in [first, end) of the file. They are read
 * into the index's bytes, which entries need only between the two times that slots do. */
struct window {
	uint32_t from, to;
	uint64_t first, end;
	uint8_t *bytes;
};
_Static_assert(INDEX_WINDOW *INDEX_PAGE + MESSAGE_INDEX_SLOT <= INDEX_BATCH * MESSAGE_INDEX_ENTRY,
	       "a window fits where a batch's entries do");

/* Reads the slots of the next puts. A call for each page would cost more than what is read in vain:
 * the keys of many topics are spread over the whole file. */
static int read_window(const struct batch *batch, struct window *window)
{
	const uint32_t *order = batch->index->order;
	uint64_t page = slot_at(batch, order[window->from]) / INDEX_PAGE;
	const uint64_t page_end = page + INDEX_WINDOW;

	window->first = UINT64_MAX;
	window->end = 0;
	for (window->to = window->from; window->to < batch->count; window->to++) {
		uint64_t at = slot_at(batch, order[window->to]);

		if (at / INDEX_PAGE >= page_end || at / INDEX_PAGE > page + INDEX_GAP)
			break;
		page = at / INDEX_PAGE;
		window->first = at < window->first ? at : window->first;
		window->end = at >= window->end ? at + MESSAGE_INDEX_SLOT : window->end;
	}
	return batch->index->ops->read(batch->file->area, window->first, window->bytes,
				       window->end - window->first);
}

/* Finds each put's entry before it. */
static int link_window(const struct batch *batch, const struct window *window)
{
	const uint32_t *order = batch->index->order;

	for (uint32_t j = window->from; j < window->to; j++) {
		struct index_put *put = &batch->puts[order[j]];
		uint8_t *slot = window->bytes + (slot_at(batch, order[j]) - window->first);
		uint32_t number = batch->base + order[j];
		int status = index_follow(batch->index, batch->file, message_get32(slot), number,
					  &put->previous);

		if (status)
			return status;
		message_put32(slot, number);
	}
	return 0;
}

static int link_puts(const struct batch *batch)
{
	struct window window = {.bytes = batch->index->bytes};
	int status = 0;

	for (; window.from < batch->count && !status; window.from = window.to) {
		status = read_window(batch, &window);
		if (!status)
			status = link_window(batch, &window);
	}
	return status;
}

static int put_slots(const struct batch *batch)
{
	const struct gantry_area_ops *ops = batch->index->ops;
	const uint32_t *order = batch->index->order;
	struct window window = {.bytes = batch->index->bytes};
	int status = 0;

	for (; window.from < batch->count && !status; window.from = window.to) {
		status = read_window(batch, &window);
		if (status)
			break;
		for (uint32_t j = window.from; j < window.to; j++)
			message_put32(window.bytes + (slot_at(batch, order[j]) - window.first),
				      batch->base + order[j]);
		status = ops->write(batch->file->area, window.first, window.bytes,
				    window.end - window.first);
	}
	return status;
}

static int put_entries(const struct batch *batch, struct message_index_header *header)
{
	struct index *index = batch->index;

	for (uint32_t i = 0; i < batch->count; i++) {
		const struct index_put *put = &batch->puts[i];
		struct message_index_entry entry;

		message_index_add(header, put->hash, (int64_t)put->at, put->ms, put->previous,
				  &entry);
		message_index_entry_write(&entry, index->bytes + (size_t)i * MESSAGE_INDEX_ENTRY);
	}
	return index->ops->write(batch->file->area,
				 message_index_entry_at(&index->shape, batch->base), index->bytes,
				 (uint64_t)batch->count * MESSAGE_INDEX_ENTRY);
}

/* Entries first, then slots, then the header: whatever interrupts it, a slot leads to entries that
 * are there, and those that do not count yet are followed to the ones that do. Doing it again gives
 * them the same numbers, since they come from the log in its order. */
static int put(const struct batch *batch)
{
	struct message_index_header header = batch->file->header;
	uint8_t bytes[MESSAGE_INDEX_HEADER];
	int status = make_room(batch->index);

	if (status)
		return status;
	sort(batch);
	status = link_puts(batch);
	if (!status)
		status = put_entries(batch, &header);
	if (!status)
		status = put_slots(batch);
	if (status)
		return status;
	message_index_header_write(&header, bytes);
	status = batch->index->ops->write(batch->file->area, 0, bytes, sizeof(bytes));
	if (status)
		return status;
	batch->file->header = header;
	batch->file->unsynced = true;
	return 0;
}

/* A file that is full is synced, then the checkpoint may say so. */
static void ask_for_sync(struct index *index, struct index_file *file)
{
	struct index_file **last = &index->to_sync;

	pthread_mutex_lock(&index->lock);
	file->refs++;
	file->unsynced = false;
	file->sync_ms = file->header.end_ms;
	file->next_sync = NULL;
	while (*last)
		last = &(*last)->next_sync;
	*last = file;
	pthread_mutex_unlock(&index->lock);
}

int index_write(struct index *index)
{
	struct index_puts *puts = &index->writing;
	uint32_t done = 0;
	int status = 0;

	while (done < puts->used && !status) {
		struct batch batch = {.index = index, .puts = puts->at + done};
		uint32_t room;

		status = index_last(index, &batch.file);
		if (status)
			break;
		batch.base = batch.file->header.next;
		room = index->shape.entries - batch.base;
		batch.count = puts->used - done < room ? puts->used - done : room;
		status = put(&batch);
		if (status)
			break;
		done += batch.count;
		if (message_index_is_full(&batch.file->header, &index->shape))
			ask_for_sync(index, batch.file);
	}
	if (done < puts->used) /* else there may be no array at all */
		memmove(puts->at, puts->at + done, (puts->used - done) * sizeof(*puts->at));
	puts->used -= done;
	return status;
}
