/* SPDX-License-Identifier: Apache-2.0 */
/* The hash table: chains of embedded entries, twice as many buckets when it is full. */
#include "table/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 16 };

/* Eight bytes at a time, multiplied and folded; keys are short names. */
uint64_t table_hash(struct gantry_str key)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t hash = key.size * k, word;
	size_t i = 0;

	for (; i + 8 <= key.size; i += 8) {
		memcpy(&word, key.at + i, 8);
		hash = (hash ^ word) * k;
		hash ^= hash >> 29;
	}
	if (i < key.size) {
		word = 0;
		memcpy(&word, key.at + i, key.size - i);
		hash = (hash ^ word) * k;
		hash ^= hash >> 29;
	}
	hash *= k;
	return hash ^ hash >> 32;
}

static struct table_entry **bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

static struct table_entry *follow(struct table_entry *entry, uint64_t hash, struct gantry_str key)
{
	for (; entry; entry = entry->next)
		if (entry->hash == hash && entry->key.size == key.size &&
		    (key.size == 0 || memcmp(entry->key.at, key.at, key.size) == 0))
			return entry;
	return NULL;
}

struct table_entry *table_find(const struct table *table, struct gantry_str key)
{
	uint64_t hash;

	if (!table->bucket_count)
		return NULL;
	hash = table_hash(key);
	return follow(*bucket_of(table, hash), hash, key);
}

void table_find_many(const struct table *table, struct table_wanted *wanted, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		wanted[i].hash = table_hash(wanted[i].key);
		wanted[i].entry = NULL;
		if (table->bucket_count)
			__builtin_prefetch(bucket_of(table, wanted[i].hash));
	}
	for (uint32_t i = 0; i < count && table->bucket_count; i++) {
		wanted[i].entry = *bucket_of(table, wanted[i].hash);
		__builtin_prefetch(wanted[i].entry);
	}
	for (uint32_t i = 0; i < count; i++)
		if (wanted[i].entry)
			__builtin_prefetch(wanted[i].entry->key.at);
	for (uint32_t i = 0; i < count; i++)
		wanted[i].entry = follow(wanted[i].entry, wanted[i].hash, wanted[i].key);
}

/* Without memory the table goes on with longer chains. */
static int grow(struct table *table)
{
	size_t count = table->bucket_count ? table->bucket_count * 2 : BUCKETS_MIN;
	struct table_entry **buckets = calloc(count, sizeof(struct table_entry *));

	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct table_entry *entry = table->buckets[i], *next;

		for (; entry; entry = next) {
			struct table_entry **to = &buckets[entry->hash & (count - 1)];

			next = entry->next;
			entry->next = *to;
			*to = entry;
		}
	}
	free(table->buckets);
	table->buckets = buckets;
	table->bucket_count = count;
	return 0;
}

int table_insert(struct table *table, struct gantry_str key, struct table_entry *entry)
{
	struct table_entry **to;

	if (table->count >= table->bucket_count && grow(table) && !table->bucket_count)
		return -ENOMEM;
	entry->key = key;
	entry->hash = table_hash(key);
	to = &table->buckets[entry->hash & (table->bucket_count - 1)];
	entry->next = *to;
	*to = entry;
	table->count++;
	return 0;
}

void table_remove(struct table *table, struct table_entry *entry)
{
	struct table_entry **at = &table->buckets[entry->hash & (table->bucket_count - 1)];

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	table->count--;
}

void table_clear(struct table *table)
{
	free(table->buckets);
	*table = (struct table){0};
}

struct table_entry *table_next(const struct table *table, const struct table_entry *entry)
{
	size_t bucket = 0;

	if (entry) {
		if (entry->next)
			return entry->next;
		bucket = (entry->hash & (table->bucket_count - 1)) + 1;
	}
	for (; bucket < table->bucket_count; bucket++)
		if (table->buckets[bucket])
			return table->buckets[bucket];
	return NULL;
}

static int compare_keys(const void *a, const void *b)
{
	const struct gantry_str *x = &(*(struct table_entry *const *)a)->key;
	const struct gantry_str *y = &(*(struct table_entry *const *)b)->key;
	size_t size = x->size < y->size ? x->size : y->size;
	int order = size ? memcmp(x->at, y->at, size) : 0;

	return order ? order : (x->size > y->size) - (x->size < y->size);
}

struct table_entry **table_sorted(const struct table *table)
{
	struct table_entry **all = malloc(table->count * sizeof(struct table_entry *));
	size_t i = 0;

	if (!table->count || !all) {
		free(all);
		return NULL;
	}
	for (struct table_entry *entry = table_next(table, NULL); entry;
	     entry = table_next(table, entry))
		all[i++] = entry;
	qsort(all, i, sizeof(struct table_entry *), compare_keys);
	return all;
}
