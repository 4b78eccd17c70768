/* SPDX-License-Identifier: Apache-2.0 */
/* Staging: the writer's window is memory of our own, and what was published there is written to the
 * files a little later, by whoever needs it there: a sync, a reader, a timer, or the writer itself
 * when the memory is used up. docs/design/storage.md says when a log is staged and what it costs.
 *
 * Of a staged log everything before written is in the files. */
#ifndef SEGMENTS_STAGE_H
#define SEGMENTS_STAGE_H

#include <gantry/storage.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct big_log;

enum { STAGE_SKIPS = 8 };

struct stage_skip { /* published without having been written: zeros, as the files have them */
	uint64_t from, to;
};

struct stage {
	/* The byte at offset o of the log stands at o % bytes, and again bytes further on, so that
	 * no window is cut by the end. What no published byte uses is zero. */
	uint8_t *ring;
	uint64_t bytes;
	uint64_t granted; /* the writer's: how far the last window went */

	pthread_mutex_t lock; /* who writes to the files, moves written and takes skips away */
	struct stage_skip skip[STAGE_SKIPS];
	_Atomic uint32_t skips_made, skips_taken; /* the writer's; lock */
	void *flusher;                            /* the engine's; sync_lock */
};

int stage_new(struct big_log *log, uint64_t bytes, struct stage **ret);
void stage_free(struct big_log *log, struct stage *stage); /* stage may be NULL */

/* ---- the writer */
/* Room for need bytes at the end, and no more than usable: made by writing what is staged if need
 * be. -ENOMEM, -EMSGSIZE, or what writing says. */
int stage_room(struct big_log *log, uint64_t end, uint64_t need, uint64_t usable,
	       struct gantry_window *ret);
/* The end moves on to end + used. */
void stage_advance(struct big_log *log, uint64_t end, uint64_t used);

/* ---- any thread that may block; nothing to do for a log that is not staged */
/* All that is staged goes to the files, if something before upto still is. */
int stage_commit(struct big_log *log, uint64_t upto);
/* sync_lock is held: writes and syncs [durable, end). */
int stage_sync(struct big_log *log, uint64_t durable, uint64_t end);
/* cut and reset, who hold every lock and have set the end to at: nothing is staged any more. */
int stage_cut(struct big_log *log, uint64_t at);
void stage_reset(struct big_log *log, uint64_t at);

/* ---- the timer, stage_timer.c */
int stage_watch(struct big_log *log); /* from now on it is committed in time */
void stage_unwatch(struct big_log *log);
void stage_commit_behind(struct big_log *log); /* by a worker; any thread */

#endif
