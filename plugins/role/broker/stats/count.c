/* SPDX-License-Identifier: Apache-2.0 */
/* Counting. A loop's table is written by that loop alone, so an atomic store without a
 * read-modify-write is enough for those who read it. */
#include <stdlib.h>

#include "stats/private.h"

static void add(uint64_t *to, uint64_t n)
{
	__atomic_store_n(to, *to + n, __ATOMIC_RELAXED);
}

/* The caller's table; of the last one the lock is taken, and given back by leave(). */
static struct stats_table *enter(struct stats *stats)
{
	const struct gantry_loop *loop = gantry_loop_here();
	uint32_t index = loop ? gantry_loop_index(loop) : stats->table_count;

	if (index + 1 < stats->table_count)
		return &stats->tables[index];
	pthread_mutex_lock(&stats->off_loop);
	return &stats->tables[stats->table_count - 1];
}

static void leave(struct stats *stats, const struct stats_table *table)
{
	if (table == &stats->tables[stats->table_count - 1])
		pthread_mutex_unlock(&stats->off_loop);
}

static uint32_t hash_of(const struct topic *topic, const struct group *group, uint32_t kind)
{
	uint64_t hash = (uint64_t)(uintptr_t)topic * 0x9e3779b97f4a7c15u;

	hash ^= ((uint64_t)(uintptr_t)group + kind) * 0xc2b2ae3d27d4eb4fu;
	return (uint32_t)(hash >> 32);
}

/* A larger table takes the place of a full one. */
static struct stats_cells *grow(struct stats_table *table)
{
	struct stats_cells *old = table->cells;
	uint32_t room = old ? old->room * 2 : CELLS_FIRST;
	struct stats_cells *fresh;

	if (room > CELLS_MAX)
		return NULL;
	fresh = calloc(1, sizeof(*fresh) + room * sizeof(fresh->at[0]));
	if (!fresh)
		return NULL;
	fresh->older = old;
	fresh->room = room;
	__atomic_store_n(&table->cells, fresh, __ATOMIC_RELEASE);
	return fresh;
}

/* NULL: there is no room for another one. */
static struct stats_cell *find(struct stats_table *table, struct topic *topic, struct group *group,
			       uint32_t kind)
{
	struct stats_cells *cells = table->cells;
	uint32_t hash = hash_of(topic, group, kind), i;

	for (i = hash; cells; i++) {
		struct stats_cell *cell = &cells->at[i & (cells->room - 1)];

		if (cell->topic == topic && cell->group == group && cell->kind == kind)
			return cell;
		if (!cell->topic)
			break;
	}
	if (!cells || cells->used >= cells->room / 4 * 3) {
		cells = grow(table);
		i = hash;
	}
	if (!cells)
		return NULL;
	cells->used++;
	cells->at[i & (cells->room - 1)].group = group;
	cells->at[i & (cells->room - 1)].kind = kind;
	__atomic_store_n(&cells->at[i & (cells->room - 1)].topic, topic, __ATOMIC_RELEASE);
	return &cells->at[i & (cells->room - 1)];
}

static void count(struct stats_table *table, struct topic *topic, struct group *group,
		  enum stats_kind kind, uint32_t messages, uint64_t bytes)
{
	struct stats_cell *cell = find(table, topic, group, kind);

	if (!cell)
		return;
	add(&cell->count.times, 1);
	add(&cell->count.messages, messages);
	add(&cell->count.bytes, bytes);
}

void stats_put(struct stats *stats, struct topic *topic, uint32_t messages, uint64_t bytes)
{
	struct stats_table *table = enter(stats);

	add(&table->totals.put, messages);
	add(&table->totals.put_bytes, bytes);
	if (topic && !topic->system)
		add(&table->totals.put_user, messages);
	if (topic)
		count(table, topic, NULL, STATS_TOPIC_PUT, messages, bytes);
	leave(stats, table);
}

void stats_expect_put(const struct stats *stats, const struct topic *topic)
{
	const struct gantry_loop *loop = gantry_loop_here();
	uint32_t index = loop ? gantry_loop_index(loop) : stats->table_count;
	const struct stats_cells *cells;

	if (index + 1 >= stats->table_count)
		return;
	cells = stats->tables[index].cells;
	if (cells)
		__builtin_prefetch(
			&cells->at[hash_of(topic, NULL, STATS_TOPIC_PUT) & (cells->room - 1)], 1);
}

void stats_put_failed(struct stats *stats, uint32_t messages)
{
	struct stats_table *table = enter(stats);

	add(&table->totals.put_failed, messages);
	leave(stats, table);
}

/* RocketMQ's StoreStatsService.setPutMessageEntireTimeMax. */
static uint32_t bucket_of(int64_t ms)
{
	static const int32_t ends[STATS_BUCKETS - 1] = {1,    10,   50,   100,  200,  500,
							1000, 2000, 3000, 4000, 5000, 10000};
	uint32_t i = 0;

	while (i < STATS_BUCKETS - 1 && ms >= ends[i])
		i++;
	return i;
}

void stats_put_took(struct stats *stats, int64_t ms)
{
	struct stats_table *table = enter(stats);
	uint64_t took = ms < 0 ? 0 : (uint64_t)ms;

	add(&table->totals.buckets[bucket_of(ms)], 1);
	if (took > table->totals.put_ms_max)
		__atomic_store_n(&table->totals.put_ms_max, took, __ATOMIC_RELAXED);
	leave(stats, table);
}

void stats_got(struct stats *stats, struct topic *topic, struct group *group, uint32_t messages,
	       uint64_t bytes)
{
	struct stats_table *table = enter(stats);

	if (messages) {
		add(&table->totals.found, 1);
		add(&table->totals.got, messages);
		if (!topic->system)
			add(&table->totals.got_user, messages);
		count(table, topic, group, STATS_GROUP_GET, messages, bytes);
	} else {
		add(&table->totals.missed, 1);
	}
	leave(stats, table);
}

void stats_sent_back(struct stats *stats, struct topic *topic, struct group *group)
{
	struct stats_table *table = enter(stats);

	count(table, topic, group, STATS_GROUP_BACK, 1, 0);
	leave(stats, table);
}
