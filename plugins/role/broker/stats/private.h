/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of stats/ share. */
#ifndef STATS_PRIVATE_H
#define STATS_PRIVATE_H

#include <pthread.h>

#include <gantry/loop.h>

#include "stats/stats.h"
#include "table/table.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	CELLS_FIRST = 256,     /* of a loop's table; a power of two */
	CELLS_MAX = 64 * 1024, /* what comes beyond is not told apart by topic and group */
	ITEMS_MAX = 20000,     /* the same for the sums; one takes 1.3 KiB */
	RATE_SECONDS = 600,
	MINUTE_SAMPLES = 7, /* one each 10 s */
	HOUR_SAMPLES = 7,   /* one each 10 min */
	DAY_SAMPLES = 25,   /* one an hour */
};

struct stats_count {
	uint64_t times, messages, bytes;
};

/* Written by the table's loop only, as atomics; read by whoever adds up. */
struct stats_cell {
	struct topic *topic; /* NULL: free; set last */
	struct group *group;
	uint32_t kind;
	struct stats_item *item; /* stats.lock; NULL: not looked up yet */
	struct stats_count count;
};

/* A table that was too small stays, with what it has counted. */
struct stats_cells {
	struct stats_cells *older;
	uint32_t room, used;
	struct stats_cell at[];
};

struct stats_table {                /* one a loop, and one for other threads */
	struct stats_cells *cells;  /* atomic: the newest */
	struct stats_totals totals; /* atomics */
} __attribute__((aligned(64)));

struct stats_sample {
	int64_t ms;
	struct stats_count count;
};

struct stats_item {               /* guarded by stats.lock */
	struct table_entry entry; /* key: the kind as a digit, then topic or topic@group */
	struct topic *topic;
	struct stats_count sum;
	struct stats_sample minute[MINUTE_SAMPLES], hour[HOUR_SAMPLES], day[DAY_SAMPLES];
	uint32_t minutes, hours, days; /* samples in them */
	char key[];
};

struct stats_rate_sample {
	int64_t ms;
	uint64_t value[4]; /* by enum stats_rate */
};

struct stats {
	struct broker *broker;
	struct gantry_timer *timer; /* the control loop's */
	pthread_mutex_t off_loop;   /* guards the last table's counting */
	struct stats_table *tables;
	uint32_t table_count;
	pthread_mutex_t lock;
	/* guarded by lock */
	struct table items;
	struct stats_rate_sample *rates;    /* a ring of RATE_SECONDS + 1 */
	uint64_t rate_count;                /* ever taken */
	int64_t minute_ms, hour_ms, day_ms; /* of the last samples */
	int64_t today;                      /* the local day, as a number */
	struct stats_days days;
};

/* stats/items.c; with the lock held. Adds the loops' cells up. */
void stats_collect_locked(struct stats *stats);
void stats_sample_locked(struct stats *stats, int64_t ms);
void stats_items_free(struct stats *stats);

#ifdef __cplusplus
}
#endif
#endif
