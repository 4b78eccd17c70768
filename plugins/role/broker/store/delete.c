/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting a topic's queues. Sends, pulls and the dispatcher may still hold the queues: so they
 * stay in memory, marked as gone, and another topic_queues of that name takes their place. */
#include "store/delete.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"

enum { TRIES = 500, TRY_MS = 2 };

struct deletion {
	struct topic_queues *old; /* NULL: there were none */
	uint64_t at;              /* the log's end when it was marked */
	bool marked;
};

/* Under the door's lock: no message of the old queues comes behind that place. */
static uint32_t mark_gone(struct gantry_batch *batch, struct gantry_record *record, uint8_t *to,
			  uint64_t at, int64_t store_ms)
{
	struct deletion *deletion = record->user;

	(void)batch, (void)to, (void)store_ms;
	if (deletion->old)
		__atomic_store_n(&deletion->old->gone, true, __ATOMIC_RELEASE);
	deletion->at = at;
	deletion->marked = true;
	return 0;
}

/* A record that writes nothing takes the door's lock. Where nothing can be written, nothing has to
 * be kept out. */
static void mark(struct store *store, struct deletion *deletion)
{
	struct gantry_record record = {
		.bytes_max = 1, .flags = GANTRY_RECORD_NO_WAIT, .user = deletion};
	struct gantry_batch batch;
	int status = -EAGAIN;

	for (int i = 0; i < TRIES && status == -EAGAIN; i++) {
		const struct timespec pause = {.tv_nsec = TRY_MS * 1000000};

		if (i)
			nanosleep(&pause, NULL);
		batch = (struct gantry_batch){.record = &record, .count = 1, .place = mark_gone};
		status = store->door->propose(store->door_inst, &batch, NULL);
	}
	if (deletion->marked)
		return;
	if (deletion->old)
		__atomic_store_n(&deletion->old->gone, true, __ATOMIC_RELEASE);
	deletion->at = store->door->mark(store->door_inst, GANTRY_APPENDED);
}

/* ---- files */

static int first_error(int a, int b)
{
	return a ? a : b;
}

/* Under open_lock, like all that follows. */
static int empty_queue(struct queue *queue)
{
	struct store *store = queue->store;
	int status = 0;

	pthread_mutex_lock(&store->file_lock);
	__atomic_store_n(&queue->state, QUEUE_GONE, __ATOMIC_RELEASE);
	queue_forget(queue);
	if (queue->file)
		status = store->engine->log->reset(queue->file, 0);
	if (queue->ext_writes)
		status = first_error(status, store->engine->log->reset(queue->ext, 0));
	pthread_mutex_unlock(&store->file_lock);
	return status;
}

static int empty_open(struct topic_queues *topic)
{
	const struct queue_array *array = topic ? topic->array : NULL;
	int status = 0;

	for (uint32_t i = 0; array && i < array->count; i++)
		if (array->at[i])
			status = first_error(status, empty_queue(array->at[i]));
	return status;
}

/* A queue's folder that may have files. */
static int empty_folder(struct store *store, enum queue_kind kind, const char *topic, int32_t id,
			const char *path)
{
	struct gantry_log *log;
	int status;

	if (rmdir(path) == 0)
		return 0;
	status = store_queue_files(store, kind, topic, id, 0, &log);
	if (status)
		return status;
	status = store->engine->log->reset(log, 0);
	store->engine->log->close(log);
	if (!status && rmdir(path))
		status = -errno;
	return status;
}

static int remove_folders(struct store *store, enum queue_kind kind, const char *topic)
{
	char path[4096], one[4096];
	int size = snprintf(path, sizeof(path), "%s/%s", store->folders[kind], topic);
	int status = 0;
	struct dirent *entry;
	DIR *folder;

	if (size < 0 || size >= (int)sizeof(path))
		return -ENAMETOOLONG;
	folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(folder))) {
		int32_t id = store_queue_of_folder(entry->d_name);

		size = snprintf(one, sizeof(one), "%s/%s", path, entry->d_name);
		if (id >= 0 && size < (int)sizeof(one))
			status = first_error(status, empty_folder(store, kind, topic, id, one));
	}
	closedir(folder);
	if (!status && rmdir(path))
		status = -errno;
	return status;
}

/* ---- the whole */

int store_delete_topic(struct store *store, struct gantry_str topic)
{
	struct topic_queues *fresh;
	struct deletion deletion;
	int status;

	if (!store_queue_is_possible(topic, 0))
		return 0;
	fresh = topic_queues_new(topic);
	if (!fresh)
		return -ENOMEM;
	/* no queue is opened meanwhile: a new one would find the old one's files */
	pthread_mutex_lock(&store->open_lock);
	do {
		deletion = (struct deletion){.old = store_find_topic(store, topic)};
		mark(store, &deletion);
		fresh->born_at = deletion.at;
		status = store_replace_topic(store, deletion.old, fresh);
	} while (status == -EAGAIN); /* the first queue came in between */
	if (status) {
		pthread_mutex_unlock(&store->open_lock);
		topic_queues_free(fresh);
		return status;
	}
	status = empty_open(deletion.old);
	for (enum queue_kind kind = 0; kind < QUEUE_KINDS; kind++)
		status = first_error(status, remove_folders(store, kind, fresh->name));
	pthread_mutex_unlock(&store->open_lock);
	if (status)
		gantry_log(store->inst, WARNING,
			   "queues of the deleted topic %.*s are left in %s: %s", (int)topic.size,
			   topic.at, store->root, strerror(-status));
	else
		gantry_log(store->inst, NOTICE, "the queues of topic %.*s were deleted",
			   (int)topic.size, topic.at);
	return status;
}
