/* SPDX-License-Identifier: Apache-2.0 */
/* The table of locked queues. */
#include "balance/locks.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "table/table.h"

enum { KEY_ROOM = 2048, CLIENT_MAX = 512 };

struct lock {
	struct table_entry entry; /* key: group, topic, broker and queue */
	char *client;
	uint64_t renewed_ms;
	char key[];
};

struct locks {
	struct broker *broker;
	pthread_mutex_t lock;
	struct table table; /* guarded by lock */
	uint64_t sweep_ms;  /* guarded by lock: when expired ones are next removed */
};

int locks_new(struct broker *broker, struct locks **ret)
{
	struct locks *locks = calloc(1, sizeof(*locks));

	if (!locks)
		return -ENOMEM;
	locks->broker = broker;
	pthread_mutex_init(&locks->lock, NULL);
	*ret = locks;
	return 0;
}

static void drop(struct locks *locks, struct lock *lock)
{
	table_remove(&locks->table, &lock->entry);
	free(lock->client);
	free(lock);
}

/* Removes locks that nobody renewed, so that clients that are gone leave nothing behind. */
static void sweep(struct locks *locks, uint64_t now_ms, bool all)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&locks->table, NULL); entry; entry = next) {
		struct lock *lock = TABLE_HOLDER(entry, struct lock, entry);

		next = table_next(&locks->table, entry);
		if (all || lock->renewed_ms + LOCKS_LIVE_MS < now_ms)
			drop(locks, lock);
	}
	locks->sweep_ms = now_ms + LOCKS_LIVE_MS;
}

void locks_free(struct locks *locks)
{
	if (!locks)
		return;
	sweep(locks, 0, true);
	table_clear(&locks->table);
	pthread_mutex_destroy(&locks->lock);
	free(locks);
}

/* 0: it does not fit. */
static size_t make_key(char *key, struct gantry_str group, const struct locked_queue *queue)
{
	int size = snprintf(key, KEY_ROOM, "%.*s\n%.*s\n%.*s\n%d", STR_ARGS(group),
			    STR_ARGS(queue->topic), STR_ARGS(queue->broker), queue->queue);

	return size < 0 || size >= KEY_ROOM ? 0 : (size_t)size;
}

static struct lock *find(const struct locks *locks, const char *key, size_t size)
{
	struct table_entry *entry = table_find(&locks->table, (struct gantry_str){key, size});

	return entry ? TABLE_HOLDER(entry, struct lock, entry) : NULL;
}

static int add(struct locks *locks, const char *key, size_t size, struct gantry_str client,
	       uint64_t now_ms)
{
	struct lock *lock;

	if ((int64_t)locks->table.count >= locks->broker->conf->maxOffsets)
		return -ENOSPC;
	lock = calloc(1, sizeof(*lock) + size);
	if (!lock)
		return -ENOMEM;
	memcpy(lock->key, key, size);
	lock->client = strndup(client.at, client.size);
	lock->renewed_ms = now_ms;
	if (!lock->client ||
	    table_insert(&locks->table, (struct gantry_str){lock->key, size}, &lock->entry)) {
		free(lock->client);
		free(lock);
		return -ENOMEM;
	}
	return 1;
}

static int take_over(struct lock *lock, struct gantry_str client, uint64_t now_ms)
{
	bool own = str_is(client, lock->client);
	char *copy;

	if (!own && lock->renewed_ms + LOCKS_LIVE_MS >= now_ms)
		return 0;
	if (!own) {
		copy = strndup(client.at, client.size);
		if (!copy)
			return -ENOMEM;
		free(lock->client);
		lock->client = copy;
	}
	lock->renewed_ms = now_ms;
	return 1;
}

int locks_try(struct locks *locks, struct gantry_str group, const struct locked_queue *queue,
	      struct gantry_str client, uint64_t now_ms)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, group, queue);
	struct lock *lock;
	int result;

	if (!size || !client.size || client.size > CLIENT_MAX)
		return -EINVAL;
	pthread_mutex_lock(&locks->lock);
	if (now_ms >= locks->sweep_ms)
		sweep(locks, now_ms, false);
	lock = find(locks, key, size);
	result = lock ? take_over(lock, client, now_ms) : add(locks, key, size, client, now_ms);
	pthread_mutex_unlock(&locks->lock);
	return result;
}

void locks_release(struct locks *locks, struct gantry_str group, const struct locked_queue *queue,
		   struct gantry_str client)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, group, queue);
	struct lock *lock;

	pthread_mutex_lock(&locks->lock);
	lock = find(locks, key, size);
	if (lock && str_is(client, lock->client))
		drop(locks, lock);
	pthread_mutex_unlock(&locks->lock);
}

bool locks_held(struct locks *locks, struct gantry_str group, uint64_t now_ms)
{
	struct table_entry *entry = NULL;
	bool held = false;

	pthread_mutex_lock(&locks->lock);
	while (!held && (entry = table_next(&locks->table, entry))) {
		const struct lock *lock = TABLE_HOLDER(entry, struct lock, entry);

		held = entry->key.size > group.size && entry->key.at[group.size] == '\n' &&
		       memcmp(entry->key.at, group.at, group.size) == 0 &&
		       lock->renewed_ms + LOCKS_LIVE_MS >= now_ms;
	}
	pthread_mutex_unlock(&locks->lock);
	return held;
}
