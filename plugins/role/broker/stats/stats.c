/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the statistics, and those of the broker as a whole. */
#include "stats/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "stats/private.h"

enum { TICK_MS = 1000, RATES_ROOM = RATE_SECONDS + 1 };

static int64_t day_of(int64_t wall_ms)
{
	time_t seconds = wall_ms / 1000;
	struct tm parts;

	localtime_r(&seconds, &parts);
	return (parts.tm_year + 1900) * INT64_C(366) + parts.tm_yday;
}

int stats_new(struct broker *broker, struct stats **ret)
{
	struct stats *stats = calloc(1, sizeof(*stats));
	int64_t now = broker_wall_ms();

	if (!stats)
		return -ENOMEM;
	stats->broker = broker;
	stats->table_count = gantry_loop_count(broker->inst) + 1;
	pthread_mutex_init(&stats->lock, NULL);
	pthread_mutex_init(&stats->off_loop, NULL);
	stats->tables = aligned_alloc(64, stats->table_count * sizeof(*stats->tables));
	stats->rates = calloc(RATES_ROOM, sizeof(*stats->rates));
	if (!stats->tables || !stats->rates) {
		free(stats->tables);
		stats->tables = NULL;
		stats_free(stats);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < stats->table_count; i++)
		stats->tables[i] = (struct stats_table){0};
	stats->minute_ms = stats->hour_ms = stats->day_ms = now;
	stats->today = day_of(now);
	*ret = stats;
	return 0;
}

void stats_free(struct stats *stats)
{
	if (!stats)
		return;
	for (uint32_t i = 0; stats->tables && i < stats->table_count; i++) {
		struct stats_cells *older;

		for (struct stats_cells *cells = stats->tables[i].cells; cells; cells = older) {
			older = cells->older;
			free(cells);
		}
	}
	stats_items_free(stats);
	free(stats->tables);
	free(stats->rates);
	pthread_mutex_destroy(&stats->off_loop);
	pthread_mutex_destroy(&stats->lock);
	free(stats);
}

static uint64_t load(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static void raise_to(uint64_t *to, const uint64_t *from)
{
	uint64_t value = load(from);

	if (value > *to)
		*to = value;
}

void stats_totals(struct stats *stats, struct stats_totals *ret)
{
	*ret = (struct stats_totals){0};
	for (uint32_t i = 0; i < stats->table_count; i++) {
		const struct stats_totals *of = &stats->tables[i].totals;

		ret->put += load(&of->put);
		ret->put_bytes += load(&of->put_bytes);
		ret->put_failed += load(&of->put_failed);
		ret->put_user += load(&of->put_user);
		ret->got_user += load(&of->got_user);
		ret->got += load(&of->got);
		ret->found += load(&of->found);
		ret->missed += load(&of->missed);
		for (uint32_t k = 0; k < STATS_BUCKETS; k++)
			ret->buckets[k] += load(&of->buckets[k]);
		raise_to(&ret->put_ms_max, &of->put_ms_max);
		raise_to(&ret->got_ms_max, &of->got_ms_max);
	}
}

/* ---- rates */

static struct stats_rate_sample *rate_at(const struct stats *stats, uint64_t number)
{
	return &stats->rates[number % RATES_ROOM];
}

static void sample_rates(struct stats *stats, int64_t ms, const struct stats_totals *totals)
{
	struct stats_rate_sample *sample = rate_at(stats, stats->rate_count++);

	sample->ms = ms;
	sample->value[STATS_RATE_PUT] = totals->put;
	sample->value[STATS_RATE_FOUND] = totals->found;
	sample->value[STATS_RATE_MISSED] = totals->missed;
	sample->value[STATS_RATE_GOT] = totals->got;
}

void stats_rates(struct stats *stats, enum stats_rate rate, double ret[3])
{
	static const uint64_t seconds[3] = {10, 60, RATE_SECONDS};

	pthread_mutex_lock(&stats->lock);
	for (int i = 0; i < 3; i++) {
		uint64_t count = stats->rate_count, back = seconds[i];
		const struct stats_rate_sample *first, *last;

		ret[i] = 0;
		if (back > count - 1)
			back = count - 1;
		if (count < 2)
			continue;
		last = rate_at(stats, count - 1);
		first = rate_at(stats, count - 1 - back);
		if (last->ms > first->ms)
			ret[i] = (double)(last->value[rate] - first->value[rate]) * 1000 /
				 (double)(last->ms - first->ms);
	}
	pthread_mutex_unlock(&stats->lock);
}

/* ---- days */

static void turn_day(struct stats *stats, int64_t day, const struct stats_totals *totals)
{
	if (day == stats->today)
		return;
	stats->today = day;
	stats->days.put_yesterday = stats->days.put_today;
	stats->days.got_yesterday = stats->days.got_today;
	stats->days.put_today = totals->put_user;
	stats->days.got_today = totals->got_user;
}

void stats_days(struct stats *stats, struct stats_days *ret)
{
	pthread_mutex_lock(&stats->lock);
	*ret = stats->days;
	pthread_mutex_unlock(&stats->lock);
}

/* ---- the timer */

void stats_tick(struct stats *stats, int64_t wall_ms)
{
	struct stats_totals totals;

	stats_totals(stats, &totals);
	pthread_mutex_lock(&stats->lock);
	sample_rates(stats, wall_ms, &totals);
	turn_day(stats, day_of(wall_ms), &totals);
	stats_sample_locked(stats, wall_ms);
	pthread_mutex_unlock(&stats->lock);
}

static void ticked(struct gantry_timer *timer, void *user)
{
	(void)timer;
	stats_tick(user, broker_wall_ms());
}

int stats_serve(struct stats *stats)
{
	struct broker *broker = stats->broker;

	stats_tick(stats, broker_wall_ms());
	return gantry_timer_start(broker->inst, gantry_loop_control(broker->inst), TICK_MS, TICK_MS,
				  ticked, stats, &stats->timer);
}

void stats_close(struct stats *stats)
{
	gantry_timer_stop(stats->timer);
	stats->timer = NULL;
}
