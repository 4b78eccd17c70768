/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table with chains over a fixed array, and a list from the most to the least recently used.
 * Files are opened and closed outside of the lock. */
#include "descriptors.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { NONE = UINT32_MAX };

struct entry {           /* everything: the cache's lock */
	const void *log; /* NULL: free, or dropped and still in use */
	uint64_t start;
	int fd;
	uint32_t users;
	uint32_t next;         /* in its chain, or in the free list */
	uint32_t newer, older; /* in the order of use */
};

struct descriptors {
	pthread_mutex_t lock;
	uint32_t limit, bucket_mask;
	uint32_t free, newest, oldest;
	uint32_t *bucket;
	struct entry *entry;
};

int descriptors_new(uint32_t limit, struct descriptors **ret)
{
	struct descriptors *cache = calloc(1, sizeof(*cache));
	uint32_t buckets = 1;

	if (!cache)
		return -ENOMEM;
	while (buckets < limit)
		buckets *= 2;
	cache->entry = calloc(limit, sizeof(*cache->entry));
	cache->bucket = malloc(buckets * sizeof(*cache->bucket));
	if (!cache->entry || !cache->bucket) {
		free(cache->entry);
		free(cache->bucket);
		free(cache);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < buckets; ++i)
		cache->bucket[i] = NONE;
	for (uint32_t i = 0; i < limit; ++i)
		cache->entry[i].next = i + 1 < limit ? i + 1 : NONE;
	cache->limit = limit;
	cache->bucket_mask = buckets - 1;
	cache->newest = cache->oldest = NONE;
	pthread_mutex_init(&cache->lock, NULL);
	*ret = cache;
	return 0;
}

static uint32_t *bucket_of(struct descriptors *cache, const void *log, uint64_t start)
{
	uint64_t hash = ((uint64_t)(uintptr_t)log >> 4 ^ start) * 0x9e3779b97f4a7c15u;

	return &cache->bucket[hash >> 32 & cache->bucket_mask];
}

static uint32_t look_up(struct descriptors *cache, const void *log, uint64_t start)
{
	uint32_t i = *bucket_of(cache, log, start);

	while (i != NONE && (cache->entry[i].log != log || cache->entry[i].start != start))
		i = cache->entry[i].next;
	return i;
}

static void order_remove(struct descriptors *cache, uint32_t i)
{
	struct entry *e = &cache->entry[i];

	*(e->newer == NONE ? &cache->newest : &cache->entry[e->newer].older) = e->older;
	*(e->older == NONE ? &cache->oldest : &cache->entry[e->older].newer) = e->newer;
}

static void order_add(struct descriptors *cache, uint32_t i)
{
	struct entry *e = &cache->entry[i];

	e->newer = NONE;
	e->older = cache->newest;
	*(e->older == NONE ? &cache->oldest : &cache->entry[e->older].newer) = i;
	cache->newest = i;
}

static void use(struct descriptors *cache, uint32_t i, struct descriptor *ret)
{
	++cache->entry[i].users;
	order_remove(cache, i);
	order_add(cache, i);
	*ret = (struct descriptor){cache->entry[i].fd, i};
}

/* Takes an entry out of its chain and the order, so that nobody finds it. */
static void unlist(struct descriptors *cache, uint32_t i)
{
	struct entry *e = &cache->entry[i];
	uint32_t *link = bucket_of(cache, e->log, e->start);

	while (*link != i)
		link = &cache->entry[*link].next;
	*link = e->next;
	order_remove(cache, i);
	e->log = NULL;
}

static void give_back(struct descriptors *cache, uint32_t i)
{
	cache->entry[i].next = cache->free;
	cache->free = i;
}

/* A free entry, made by giving up the oldest file that nobody uses; NONE if all are in use.
 * ret_close: that file, or -1. */
static uint32_t make_room(struct descriptors *cache, int *ret_close)
{
	uint32_t i = cache->free;

	*ret_close = -1;
	if (i == NONE) {
		for (i = cache->oldest; i != NONE && cache->entry[i].users;)
			i = cache->entry[i].newer;
		if (i == NONE)
			return NONE;
		*ret_close = cache->entry[i].fd;
		unlist(cache, i);
		return i;
	}
	cache->free = cache->entry[i].next;
	return i;
}

bool descriptors_find(struct descriptors *cache, const void *log, uint64_t start,
		      struct descriptor *ret)
{
	pthread_mutex_lock(&cache->lock);
	uint32_t i = look_up(cache, log, start);
	if (i != NONE)
		use(cache, i, ret);
	pthread_mutex_unlock(&cache->lock);
	return i != NONE;
}

void descriptors_add(struct descriptors *cache, const void *log, uint64_t start, int fd,
		     struct descriptor *ret)
{
	int close_this = -1;

	pthread_mutex_lock(&cache->lock);
	uint32_t i = look_up(cache, log, start);
	if (i != NONE) {
		close_this = fd;
		use(cache, i, ret);
	} else if ((i = make_room(cache, &close_this)) != NONE) {
		uint32_t *bucket = bucket_of(cache, log, start);

		cache->entry[i] = (struct entry){log, start, fd, 1, *bucket, NONE, NONE};
		*bucket = i;
		order_add(cache, i);
		*ret = (struct descriptor){fd, i};
	} else {
		*ret = (struct descriptor){fd, NONE};
	}
	pthread_mutex_unlock(&cache->lock);
	if (close_this >= 0)
		close(close_this);
}

void descriptors_put(struct descriptors *cache, struct descriptor *used)
{
	int close_this = -1;

	if (used->entry == NONE) {
		close_this = used->fd;
	} else {
		pthread_mutex_lock(&cache->lock);
		struct entry *e = &cache->entry[used->entry];
		if (--e->users == 0 && !e->log) {
			close_this = e->fd;
			give_back(cache, used->entry);
		}
		pthread_mutex_unlock(&cache->lock);
	}
	if (close_this >= 0)
		close(close_this);
	used->fd = -1;
}

void descriptors_drop(struct descriptors *cache, const void *log, uint64_t start)
{
	int close_this = -1;

	pthread_mutex_lock(&cache->lock);
	uint32_t i = look_up(cache, log, start);
	if (i != NONE) {
		unlist(cache, i);
		if (cache->entry[i].users == 0) {
			close_this = cache->entry[i].fd;
			give_back(cache, i);
		}
	}
	pthread_mutex_unlock(&cache->lock);
	if (close_this >= 0)
		close(close_this);
}

void descriptors_free(struct descriptors *cache)
{
	if (!cache)
		return;
	for (uint32_t i = cache->newest; i != NONE; i = cache->entry[i].older)
		close(cache->entry[i].fd);
	pthread_mutex_destroy(&cache->lock);
	free(cache->entry);
	free(cache->bucket);
	free(cache);
}
