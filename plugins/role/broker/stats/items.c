/* SPDX-License-Identifier: Apache-2.0 */
/* Sums by topic and group, and their history: RocketMQ's StatsItem. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "stats/private.h"

enum { KEY_ROOM = 1 + TOPIC_NAME_ROOM + 1 + GROUP_NAME_ROOM };
enum { MINUTE_MS = 10 * 1000, HOUR_MS = 10 * 60 * 1000, DAY_MS = 60 * 60 * 1000 };

/* 0: a name that no topic or group has. */
static size_t make_key(char *to, enum stats_kind kind, struct gantry_str topic,
		       struct gantry_str group)
{
	size_t size = 1 + topic.size + (group.at ? 1 + group.size : 0);

	if (size > KEY_ROOM)
		return 0;
	*to++ = (char)('0' + kind);
	if (topic.size)
		memcpy(to, topic.at, topic.size);
	to += topic.size;
	if (group.at) {
		*to++ = '@';
		memcpy(to, group.at, group.size);
	}
	return size;
}

static struct stats_item *find_item(const struct stats *stats, const char *key, size_t size)
{
	struct table_entry *entry = table_find(&stats->items, (struct gantry_str){key, size});

	return entry ? TABLE_HOLDER(entry, struct stats_item, entry) : NULL;
}

/* As find_item(), but of a deleted topic nothing is shown. */
static struct stats_item *find_shown(const struct stats *stats, const char *key, size_t size)
{
	struct stats_item *item = find_item(stats, key, size);

	return item && item->topic && topic_retired(item->topic) ? NULL : item;
}

/* NULL: there are too many, or no memory. */
static struct stats_item *make_item(struct stats *stats, struct topic *topic, const char *key,
				    size_t size)
{
	struct stats_item *item = find_item(stats, key, size);

	if (item && topic && !topic_retired(topic))
		item->topic = topic; /* it was deleted and made again */
	if (item || stats->items.count >= ITEMS_MAX)
		return item;
	item = calloc(1, sizeof(*item) + size);
	if (!item)
		return NULL;
	memcpy(item->key, key, size);
	item->topic = topic;
	if (table_insert(&stats->items, (struct gantry_str){item->key, size}, &item->entry)) {
		free(item);
		return NULL;
	}
	return item;
}

static struct stats_item *item_of(struct stats *stats, struct stats_cell *cell)
{
	char key[KEY_ROOM];
	struct gantry_str group = {NULL, 0};
	size_t size;

	if (cell->item)
		return cell->item;
	if (cell->group)
		group = cell->group->name;
	size = make_key(key, (enum stats_kind)cell->kind, cell->topic->name, group);
	if (size)
		cell->item = make_item(stats, cell->topic, key, size);
	return cell->item;
}

static void add_count(struct stats_count *to, const struct stats_count *more)
{
	to->times += __atomic_load_n(&more->times, __ATOMIC_RELAXED);
	to->messages += __atomic_load_n(&more->messages, __ATOMIC_RELAXED);
	to->bytes += __atomic_load_n(&more->bytes, __ATOMIC_RELAXED);
}

static void collect_table(struct stats *stats, struct stats_table *table)
{
	for (struct stats_cells *cells = __atomic_load_n(&table->cells, __ATOMIC_ACQUIRE); cells;
	     cells = cells->older) {
		for (uint32_t i = 0; i < cells->room; i++) {
			struct stats_cell *cell = &cells->at[i];
			struct stats_item *item;

			if (!__atomic_load_n(&cell->topic, __ATOMIC_ACQUIRE))
				continue;
			item = item_of(stats, cell);
			if (item)
				add_count(&item->sum, &cell->count);
		}
	}
}

/* The broker's own two items have no cells. */
static void collect_broker(struct stats *stats)
{
	static const enum stats_kind kinds[] = {STATS_BROKER_PUT, STATS_BROKER_GET};
	struct stats_totals totals;
	char key[KEY_ROOM];

	stats_totals(stats, &totals);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t messages =
			kinds[i] == STATS_BROKER_PUT ? totals.put_user : totals.got_user;
		size_t size = make_key(key, kinds[i], str_of(stats->broker->cluster),
				       (struct gantry_str){NULL, 0});
		struct stats_item *item =
			size && messages ? make_item(stats, NULL, key, size) : NULL;

		if (item)
			item->sum = (struct stats_count){.times = messages, .messages = messages};
	}
}

void stats_collect_locked(struct stats *stats)
{
	for (struct table_entry *entry = table_next(&stats->items, NULL); entry;
	     entry = table_next(&stats->items, entry))
		TABLE_HOLDER(entry, struct stats_item, entry)->sum = (struct stats_count){0};
	for (uint32_t i = 0; i < stats->table_count; i++)
		collect_table(stats, &stats->tables[i]);
	collect_broker(stats);
}

/* ---- history */

static void push(struct stats_sample *list, uint32_t *used, uint32_t room, int64_t ms,
		 int64_t step_ms, const struct stats_count *count)
{
	if (!*used) { /* it began with nothing, as RocketMQ counts it */
		list[0] = (struct stats_sample){.ms = ms - step_ms};
		*used = 1;
	}
	if (*used == room) {
		memmove(list, list + 1, (room - 1) * sizeof(*list));
		--*used;
	}
	list[(*used)++] = (struct stats_sample){.ms = ms, .count = *count};
}

void stats_sample_locked(struct stats *stats, int64_t ms)
{
	bool minute = ms - stats->minute_ms >= MINUTE_MS, hour = ms - stats->hour_ms >= HOUR_MS,
	     day = ms - stats->day_ms >= DAY_MS;

	if (!minute && !hour && !day)
		return;
	stats_collect_locked(stats);
	for (struct table_entry *entry = table_next(&stats->items, NULL); entry;
	     entry = table_next(&stats->items, entry)) {
		struct stats_item *item = TABLE_HOLDER(entry, struct stats_item, entry);

		if (minute)
			push(item->minute, &item->minutes, MINUTE_SAMPLES, ms, MINUTE_MS,
			     &item->sum);
		if (hour)
			push(item->hour, &item->hours, HOUR_SAMPLES, ms, HOUR_MS, &item->sum);
		if (day)
			push(item->day, &item->days, DAY_SAMPLES, ms, DAY_MS, &item->sum);
	}
	stats->minute_ms = minute ? ms : stats->minute_ms;
	stats->hour_ms = hour ? ms : stats->hour_ms;
	stats->day_ms = day ? ms : stats->day_ms;
}

/* ---- asking */

static void window_of(const struct stats_sample *list, uint32_t used, bool bytes,
		      struct stats_window *ret)
{
	const struct stats_sample *first = list, *last = list + used - 1;
	int64_t sum, times;

	*ret = (struct stats_window){0};
	if (used < 2)
		return;
	sum = (int64_t)(bytes ? last->count.bytes - first->count.bytes
			      : last->count.messages - first->count.messages);
	times = (int64_t)(last->count.times - first->count.times);
	ret->sum = sum;
	ret->tps = last->ms > first->ms ? (double)sum * 1000 / (double)(last->ms - first->ms) : 0;
	ret->avgpt = times > 0 ? (double)sum / (double)times : 0;
}

static bool kind_of(struct gantry_str name, enum stats_kind *ret, bool *ret_bytes)
{
	static const struct {
		const char *name;
		enum stats_kind kind;
		bool bytes;
	} known[] = {
		{"TOPIC_PUT_NUMS", STATS_TOPIC_PUT, false},
		{"TOPIC_PUT_SIZE", STATS_TOPIC_PUT, true},
		{"GROUP_GET_NUMS", STATS_GROUP_GET, false},
		{"GROUP_GET_SIZE", STATS_GROUP_GET, true},
		{"SNDBCK_PUT_NUMS", STATS_GROUP_BACK, false},
		{"BROKER_PUT_NUMS", STATS_BROKER_PUT, false},
		{"BROKER_GET_NUMS", STATS_BROKER_GET, false},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!str_is(name, known[i].name))
			continue;
		*ret = known[i].kind;
		*ret_bytes = known[i].bytes;
		return true;
	}
	return false;
}

int stats_windows(struct stats *stats, struct gantry_str name, struct gantry_str key,
		  struct stats_window ret[3])
{
	char whole[KEY_ROOM];
	enum stats_kind kind = STATS_KINDS;
	bool bytes = false;
	struct stats_item *item;
	size_t size;

	if (!kind_of(name, &kind, &bytes))
		return -ENOENT;
	size = make_key(whole, kind, key, (struct gantry_str){NULL, 0});
	if (!size)
		return -ENOENT;
	pthread_mutex_lock(&stats->lock);
	item = find_shown(stats, whole, size);
	if (!item) { /* counted since the last sample, perhaps */
		stats_collect_locked(stats);
		item = find_shown(stats, whole, size);
	}
	if (item) {
		window_of(item->minute, item->minutes, bytes, &ret[0]);
		window_of(item->hour, item->hours, bytes, &ret[1]);
		window_of(item->day, item->days, bytes, &ret[2]);
	}
	pthread_mutex_unlock(&stats->lock);
	return item ? 0 : -ENOENT;
}

double stats_tps(struct stats *stats, enum stats_kind kind, struct gantry_str topic,
		 struct gantry_str group)
{
	struct stats_window window = {0};
	struct stats_item *item;
	char key[KEY_ROOM];
	size_t size = make_key(key, kind, topic, group);

	if (!size)
		return 0;
	pthread_mutex_lock(&stats->lock);
	item = find_shown(stats, key, size);
	if (item)
		window_of(item->minute, item->minutes, false, &window);
	pthread_mutex_unlock(&stats->lock);
	return window.tps;
}

void stats_items_free(struct stats *stats)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&stats->items, NULL); entry; entry = next) {
		next = table_next(&stats->items, entry);
		free(TABLE_HOLDER(entry, struct stats_item, entry));
	}
	table_clear(&stats->items);
}
