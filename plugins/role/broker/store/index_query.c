/* SPDX-License-Identifier: Apache-2.0 */
/* Searching the index, on a worker: newest file first, newest message first, as RocketMQ's
 * IndexService does. Files are kept by a reference while they are searched, not by a lock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/bytes.h"
#include "store/index.h"

enum { BLOCK_BYTES = 4096, LOOKS_A_CLOCK = 16 };

/* A file that is to be searched, as it was when the query began. */
struct place {
	struct index_file *file;
	struct message_index_header header;
	uint32_t first; /* entry of the key's slot */
};

/* Entries [from, from + count) of a file: a chain often goes on nearby. */
struct block {
	uint32_t from, count;
	uint8_t bytes[BLOCK_BYTES];
};

static int read_entry(const struct index *index, const struct place *place, uint32_t number,
		      struct block *block, struct message_index_entry *ret)
{
	enum { MOST = BLOCK_BYTES / MESSAGE_INDEX_ENTRY };

	if (number < block->from || number - block->from >= block->count) {
		uint32_t from = number >= MOST ? number - MOST + 1 : 0;
		uint32_t count = number - from + 1;
		int status = index->ops->read(place->file->area,
					      message_index_entry_at(&index->shape, from),
					      block->bytes, count * MESSAGE_INDEX_ENTRY);

		if (status)
			return status;
		block->from = from;
		block->count = count;
	}
	message_index_entry_read(block->bytes + (number - block->from) * MESSAGE_INDEX_ENTRY, ret);
	return 0;
}

/* Keys of one slot stand in a chain however many there are, and those that are younger than what is
 * searched are passed one by one. */
static bool is_too_long(struct store_query *query)
{
	if (++query->looks >= query->looks_max)
		query->cut_short = true;
	else if (query->looks % LOOKS_A_CLOCK == 0 && gantry_clock_ms() >= query->deadline_ms)
		query->cut_short = true;
	return query->cut_short;
}

static int search_file(const struct index *index, const struct place *place,
		       struct store_query *query)
{
	struct message_index_search search = {query->hash, query->begin_ms, query->end_ms};
	struct block block = {0};
	uint32_t number = place->first;

	while (number && number < place->header.next && query->count < query->max &&
	       !is_too_long(query)) {
		struct message_index_entry entry;
		bool found;
		int status = read_entry(index, place, number, &block, &entry);

		if (status)
			return status;
		number = message_index_step(&place->header, &search, number, &entry, &found);
		if (found && entry.at >= 0)
			query->at[query->count++] = (uint64_t)entry.at;
	}
	return 0;
}

/* ---- the files to search */

static int look_up_slot(struct index *index, struct place *place, uint32_t hash)
{
	uint8_t slot[MESSAGE_INDEX_SLOT];
	int status = index->ops->read(place->file->area,
				      message_index_slot_at(hash % index->shape.slots), slot,
				      sizeof(slot));

	if (!status)
		status = index_follow(index, place->file, message_get32(slot), place->header.next,
				      &place->first);
	return status;
}

/* Takes the files that may hold messages of that time; those of older times end the list. Returns
 * how many. Under file_lock. */
static uint32_t take_places(struct index *index, const struct store_query *query,
			    struct place *places)
{
	uint32_t count = 0;

	for (uint32_t i = index->file_count; i > 0; i--) {
		struct index_file *file = index->files[i - 1];
		struct place *place = &places[count];

		if (message_index_has_time(&file->header, query->begin_ms, query->end_ms)) {
			*place = (struct place){.file = file, .header = file->header};
			if (!look_up_slot(index, place, query->hash) && place->first) {
				pthread_mutex_lock(&index->lock);
				file->refs++;
				pthread_mutex_unlock(&index->lock);
				count++;
			}
		}
		if (file->header.begin_ms < query->begin_ms)
			break;
	}
	return count;
}

static struct place *begin(struct index *index, struct store_query *query, uint32_t *ret_count)
{
	struct place *places = NULL;

	pthread_mutex_lock(&index->file_lock);
	if (!index_write_fresh(index)) /* so that what was dispatched is found */
		index_catch_up_near(index);
	if (index->file_count) {
		const struct message_index_header *last =
			&index->files[index->file_count - 1]->header;

		query->last_ms = last->end_ms;
		query->last_at = last->end_at;
		places = malloc(index->file_count * sizeof(*places));
	}
	if (places)
		*ret_count = take_places(index, query, places);
	pthread_mutex_unlock(&index->file_lock);
	return places;
}

static int compare_offsets(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int search(struct gantry_work *work)
{
	struct store_query *query = work->user;
	struct index *index = query->store->index;
	uint32_t count = 0;
	struct place *places = begin(index, query, &count);

	for (uint32_t i = 0; i < count; i++) {
		int status = query->cut_short ? 0 : search_file(index, &places[i], query);

		if (status)
			gantry_log_limited(index->store->inst, &query->limit, ERROR,
					   "cannot read %s/%llu: %s", index->folder,
					   (unsigned long long)places[i].file->name,
					   strerror(-status));
		index_release(index, places[i].file);
	}
	free(places);
	if (query->cut_short)
		gantry_log_limited(index->store->inst, &index->short_limit, WARNING,
				   "a query by key looked at %u keys of %s and found %u messages: "
				   "older ones were not searched, narrow its time",
				   query->looks, index->folder, query->count);
	if (query->count)
		qsort(query->at, query->count, sizeof(*query->at), compare_offsets);
	return 0;
}

int store_query(struct store *store, struct store_query *query, struct gantry_op *op)
{
	query->store = store;
	query->count = 0;
	query->last_ms = query->last_at = 0;
	query->limit = (struct gantry_log_limit){0};
	query->cut_short = false;
	query->looks = 0;
	query->deadline_ms = gantry_clock_ms() + STORE_QUERY_MS;
	if (!query->looks_max)
		query->looks_max = STORE_QUERY_LOOKS;
	if (query->max > STORE_QUERY_MAX)
		query->max = STORE_QUERY_MAX;
	if (!store->index)
		return 0;
	query->work = (struct gantry_work){.run = search, .user = query};
	return gantry_work(store->inst, &query->work, op);
}
