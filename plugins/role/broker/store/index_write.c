/* SPDX-License-Identifier: Apache-2.0 */
/* Writing keys to index files, many at once: slots are sorted by pages of the file, so that a page
 * is read and written once a batch, and the entries follow in one piece. */
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

/* Order[from, to): puts whose slots share a page of the file, which lie in [first, end) of it. */
struct page {
	uint32_t from, to;
	uint64_t first, end;
	uint8_t bytes[INDEX_PAGE + MESSAGE_INDEX_SLOT];
};

/* Reads the slots of the next puts that share a page. */
static int read_page(const struct batch *batch, struct page *page)
{
	const uint32_t *order = batch->index->order;
	uint64_t number = slot_at(batch, order[page->from]) / INDEX_PAGE;

	page->first = UINT64_MAX;
	page->end = 0;
	for (page->to = page->from; page->to < batch->count; page->to++) {
		uint64_t at = slot_at(batch, order[page->to]);

		if (at / INDEX_PAGE != number)
			break;
		page->first = at < page->first ? at : page->first;
		page->end = at >= page->end ? at + MESSAGE_INDEX_SLOT : page->end;
	}
	return batch->index->ops->read(batch->file->area, page->first, page->bytes,
				       page->end - page->first);
}

/* Finds each put's entry before it. */
static int link_page(const struct batch *batch, struct page *page)
{
	const uint32_t *order = batch->index->order;

	for (uint32_t j = page->from; j < page->to; j++) {
		struct index_put *put = &batch->puts[order[j]];
		uint8_t *slot = page->bytes + (slot_at(batch, order[j]) - page->first);
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
	struct page page = {0};
	int status = 0;

	for (; page.from < batch->count && !status; page.from = page.to) {
		status = read_page(batch, &page);
		if (!status)
			status = link_page(batch, &page);
	}
	return status;
}

static int put_slots(const struct batch *batch)
{
	const struct gantry_area_ops *ops = batch->index->ops;
	const uint32_t *order = batch->index->order;
	struct page page = {0};
	int status = 0;

	for (; page.from < batch->count && !status; page.from = page.to) {
		status = read_page(batch, &page);
		if (status)
			break;
		for (uint32_t j = page.from; j < page.to; j++)
			message_put32(page.bytes + (slot_at(batch, order[j]) - page.first),
				      batch->base + order[j]);
		status = ops->write(batch->file->area, page.first, page.bytes,
				    page.end - page.first);
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
