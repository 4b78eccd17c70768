/* SPDX-License-Identifier: Apache-2.0 */
/* The index as the rest of the store sees it: opened, fed by the dispatcher, cut, expired. */
#include "store/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the dispatcher's side */

void store_index_feed(struct store *store, const struct message_record *record, uint64_t at)
{
	struct index *index = store->index;

	if (!index || !index_has_keys(record))
		return;
	pthread_mutex_lock(&index->lock);
	if (at >= index->next && !index->behind) {
		if (index_collect(&index->topic, record, at, &index->fresh))
			index->behind = true;
		else
			index->next = index->resume = at + record->size;
		index->wanted = index->behind || index->fresh.used >= INDEX_RUN;
	}
	if (index->behind)
		index->fed = at + record->size;
	pthread_mutex_unlock(&index->lock);
}

/* ---- life */

static char *folder_of(const struct store *store)
{
	size_t size = strlen(store->root) + sizeof("/index");
	char *path = malloc(size);

	if (path)
		snprintf(path, size, "%s/index", store->root);
	return path;
}

int store_index_open(struct store *store)
{
	const struct broker_conf *conf = store->broker->conf;
	struct index *index;
	int status;

	if (!conf->messageIndexEnable || !conf->indexFileWriteEnable)
		return 0;
	index = calloc(1, sizeof(*index));
	if (!index)
		return -ENOMEM;
	index->store = store;
	index->ops = store->engine->area;
	index->shape.slots = (uint32_t)conf->maxHashSlotNum;
	index->shape.entries = (uint32_t)conf->maxIndexNum;
	pthread_mutex_init(&index->lock, NULL);
	pthread_mutex_init(&index->file_lock, NULL);
	index_init_run(index);
	store->index = index;
	index->folder = folder_of(store);
	if (!index->folder)
		return -ENOMEM;
	status = index_load(index);
	if (status)
		gantry_log(store->inst, ERROR, "cannot read the folder %s: %s", index->folder,
			   strerror(-status));
	index_find_next(index);
	/* after a clean stop everything is indexed; what recovery dispatches again is left out */
	index->behind = store->unclean;
	return status;
}

/* Files that know messages which the log has not: a crash took those. */
static void drop_behind(struct index *index, uint64_t end)
{
	uint32_t keep = index->file_count;

	while (keep && index->files[keep - 1]->header.next > 1 &&
	       (uint64_t)index->files[keep - 1]->header.end_at >= end)
		keep--;
	index_remove(index, keep, index->file_count);
}

void store_index_recovered(struct store *store, uint64_t end, bool trusted)
{
	struct index *index = store->index;
	uint32_t count;

	if (!index)
		return;
	count = index->file_count;
	if (store->unclean && !trusted)
		index_drop_unsafe(index, store->checkpoint.says.index_ms);
	drop_behind(index, end);
	if (index->file_count != count)
		index->behind = true;
	if (index->behind) {
		index->fresh.used = 0;
		index_find_next(index);
	}
	index->wanted = index->behind;
}

void store_index_cut(struct store *store, uint64_t at)
{
	struct index *index = store->index;

	if (!index)
		return;
	pthread_mutex_lock(&index->file_lock);
	pthread_mutex_lock(&index->lock);
	index->fresh.used = 0;
	index->behind = true; /* first: what is dispatched meanwhile is read from the log, too */
	index->fed = 0;
	pthread_mutex_unlock(&index->lock);
	drop_behind(index, at);
	index->writing.used = 0;
	index_find_next(index);
	pthread_mutex_unlock(&index->file_lock);
}

int store_index_expire(struct store *store, uint64_t min_offset)
{
	struct index *index = store->index;
	uint32_t gone = 0;

	if (!index)
		return 0;
	pthread_mutex_lock(&index->file_lock);
	while (gone + 1 < index->file_count &&
	       (uint64_t)index->files[gone]->header.end_at < min_offset)
		gone++;
	index_remove(index, 0, gone);
	pthread_mutex_unlock(&index->file_lock);
	return (int)gone;
}

void store_index_close(struct store *store)
{
	struct index *index = store->index;

	store->index = NULL;
	if (!index)
		return;
	while (index->to_sync) {
		struct index_file *file = index->to_sync;

		index->to_sync = file->next_sync;
		index_release(index, file);
	}
	index_free_files(index);
	pthread_mutex_destroy(&index->file_lock);
	pthread_mutex_destroy(&index->lock);
	free(index->fresh.at);
	free(index->writing.at);
	index_drop_room(index);
	free(index->folder);
	free(index);
}
