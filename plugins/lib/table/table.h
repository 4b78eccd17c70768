/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of text keys for what peers may fill: it is embedded in its user's structs, never
 * aborts for want of memory, and looks up borrowed text without copying it. Not locked: its user
 * names the lock. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct table_entry { /* embed it in what the table holds */
	struct table_entry *next;
	struct gantry_str key; /* borrowed from the holder, as long as it is in the table */
	uint64_t hash;
};

struct table { /* all zero is an empty table */
	struct table_entry **buckets;
	size_t bucket_count; /* a power of two, or 0 */
	size_t count;
};

uint64_t table_hash(struct gantry_str key);
struct table_entry *table_find(const struct table *table, struct gantry_str key);

struct table_wanted {
	struct gantry_str key; /* in */
	uint64_t hash;
	struct table_entry *entry; /* out; NULL: there is none */
};
/* As table_find() of each. In a table that is larger than the processor's caches each look-up waits
 * for memory several times; here they wait together. */
void table_find_many(const struct table *table, struct table_wanted *wanted, uint32_t count);
/* Puts an entry in; the key must not be there yet. -ENOMEM only for the first one. */
int table_insert(struct table *table, struct gantry_str key, struct table_entry *entry);
void table_remove(struct table *table, struct table_entry *entry); /* it must be there */
/* Frees the buckets, not the entries. */
void table_clear(struct table *table);

/* Walks all entries in no order: NULL gives the first, NULL comes after the last. The entry may be
 * removed before the next step only if that step was taken already. */
struct table_entry *table_next(const struct table *table, const struct table_entry *entry);

/* All entries, sorted by key, in an array from malloc; NULL: no memory (or count is 0). */
struct table_entry **table_sorted(const struct table *table);

/* The struct of this type that an entry is embedded in; entry must not be NULL. */
#define TABLE_HOLDER(entry_, type, member)                                                         \
	((type *)(void *)((char *)(entry_)-offsetof(type, member)))

#ifdef __cplusplus
}
#endif
#endif
