/* SPDX-License-Identifier: Apache-2.0 */
/* A big log: mapped segments, room prepared ahead of the writer.
 *
 * Locks, in the order in which they are taken:
 *   remove_lock   expire, cut and reset: one at a time
 *   sync_lock     held through a sync; cut and reset exclude one with it
 *   prepare_lock  who moves ready; cut and reset take it too
 *   stage->lock   who writes what is staged; stage.h
 *   map_lock      who opens and maps a segment's file
 *   lock          the table of segments, who uses them, asks for syncs, jobs; held briefly */
#ifndef SEGMENTS_BIG_H
#define SEGMENTS_BIG_H

#include <gantry/counter.h>
#include <gantry/guard.h>
#include <gantry/log.h>

#include "files.h"
#include "segments.h"

enum {
	BIG_CHUNK = 256 * 1024,      /* prepared at a time, under prepare_lock */
	BIG_STEP = 16 * 1024 * 1024, /* prepared by one piece of work */
	BIG_FIRST = 1024 * 1024,     /* prepared at least */
	BIG_AHEAD_MS = 100,          /* prepared for so long at the writer's pace */
	BIG_GUARD = FILES_PAGE,      /* zeros that follow the end at every moment */
	BIG_LOOK = 1024 * 1024,      /* looked at together for pages that are not in memory */
	BIG_READERS = 2,             /* workers of a log that wait for the disk; others stay free */
	BIG_RUN = 512 * 1024,        /* waited for at once by one who reads in order */
	BIG_STREAMS = 32,            /* places in a log that are read in order */
	BIG_AHEAD_FIRST = 4 * 1024 * 1024, /* read ahead of one at first; then twice that, ... */
	BIG_AHEAD_MOST = 16 * 1024 * 1024,
	BIG_ASK = 128 * 1024, /* of one call: the kernel drops what is beyond its read_ahead_kb */
};

struct segment {
	struct big_log *log;
	uint64_t start;
	uint64_t number;        /* no other of this engine has it */
	uint32_t directory;     /* index of the one it is in */
	int fd;                 /* set with map, under map_lock; -1 until then */
	_Atomic(uint8_t *) map; /* NULL until somebody needs it */
	_Atomic uint32_t *seen; /* set before map; for each BIG_LOOK, when it was seen resident */
	struct gantry_guard guard; /* of map */
	atomic_bool damage_said;
	/* lock */
	bool listed;        /* in the table; one that is not goes with its last user */
	bool unsynced_name; /* its directory must be synced */
	uint32_t users;
	uint32_t slices;    /* those of the users that show its bytes */
	uint64_t leased_to; /* no slice reaches beyond; 0 when there are none */
};

/* A place of the log that is read in order, by one reader or by several near each other. */
struct big_stream {
	uint64_t from;  /* readers are behind it */
	uint64_t asked; /* the disk was asked for what is before it */
	uint64_t want;  /* and shall be up to here */
	uint64_t step;  /* how far ahead of a reader; 0: it was read only once so far */
	uint32_t used;  /* when, in units of clock_look() */
};

struct big_ahead {
	pthread_mutex_t lock;                  /* a leaf; held for a look at the streams */
	struct big_stream stream[BIG_STREAMS]; /* lock */
	uint64_t bytes_max;                    /* ahead of all of them together */
	atomic_bool any;                       /* there is a stream that is read in order */
	atomic_bool due;                       /* the disk is to be asked */
};

struct big_reader {     /* a worker's turn with what has to be read from the disk */
	struct job job; /* first */
	bool busy;      /* the log's lock */
};

struct cold;
struct stage;

struct directory {
	char *path;
	int fd;
};

struct big_log {
	struct gantry_log base;
	uint32_t flags;
	uint32_t directory_count, new_count; /* new_count: the first ones get new segments */
	struct directory *directory;
	uint64_t segment_bytes, prepare_bytes, hot_bytes, cold_bytes;
	uint64_t full_percent; /* a directory that is fuller gets no new segment */

	/* The writer moves end, a sync durable (expire too: it is never before first), whoever
	 * holds prepare_lock ready. Cut and reset, which exclude all of them, move them back. first
	 * is moved by expire and reset. */
	_Atomic uint64_t first, durable, end, ready;
	/* Readers may have what is before it. Staged bytes are between it and the end; of a log
	 * that is not staged UINT64_MAX. stage->lock, or whoever excludes it. */
	_Atomic uint64_t written;
	_Atomic uint64_t own_from; /* this process appended what is behind it */
	atomic_bool fenced, preparing;
	atomic_bool prepare_far;        /* flushes come one after another: big_prepare.c */
	_Atomic uint64_t prepare_limit; /* the writer's segment ends there */
	_Atomic uint64_t flushes;       /* rounds of syncs so far */
	_Atomic uint64_t prepare_until; /* how far the worker shall go; cut and reset call it off */
	_Atomic uint64_t prepare_again_ms; /* the worker met a full disk: not before then */

	/* the writer's */
	struct segment *tail;        /* the segment that end is in, or NULL */
	uint64_t prepare_want;       /* how much shall be ready, up to prepare_bytes */
	uint64_t paced_at, paced_ms; /* where the writer was when */
	uint64_t paced_flushes;      /* and how many there had been */

	pthread_mutex_t remove_lock, sync_lock, prepare_lock, map_lock, lock;
	pthread_cond_t changed; /* lock: users or jobs are fewer */
	struct segment **table; /* lock; ordered, without gaps */
	uint32_t count, room;
	struct gantry_op *asks;       /* lock; waiting for the next sync */
	bool syncing;                 /* lock; the sync job is not done yet */
	bool closed;                  /* lock; the last job to be done frees the log */
	uint32_t running, unfinished; /* lock; jobs before and after their work has ended */
	struct gantry_log_limit full_limit, no_room_limit;
	struct job prepare_job, sync_job;

	struct big_reader reader[BIG_READERS];
	struct cold *cold, **cold_end; /* lock; reads that wait for a reader */
	struct big_ahead ahead;

	uint64_t stage_bytes;          /* 0: it is not staged, the window is the mapping */
	_Atomic(struct stage *) stage; /* set by the writer's first window */
	atomic_bool committing;
	struct job commit_job;
	struct big_log *next_staged; /* the engine's staged_lock */
	uint64_t committed_ms;       /* the timer's */
};

static inline uint64_t segment_end(const struct segment *segment)
{
	return segment->start + segment->log->segment_bytes;
}

/* Whether at is in a file and what is staged behind it never will be: the log is fenced. */
static inline bool big_lost_behind(const struct big_log *log, uint64_t at)
{
	return atomic_load(&log->fenced) &&
	       at < atomic_load_explicit(&log->written, memory_order_acquire);
}

/* ---- big_open.c */
int big_open(struct gantry_inst *inst, const struct gantry_shape *shape, struct gantry_log **ret);
void big_close(struct big_log *log);
void big_fence(struct big_log *log, const char *what, int rc);
/* Work that the log outlives: run calls big_job_ran at its end, done big_job_done. */
void big_job(struct big_log *log, struct job *job, void (*run)(struct job *),
	     void (*done)(struct job *));
void big_job_ran(struct big_log *log);
void big_job_done(struct big_log *log);

/* ---- segment.c */
/* The segment that holds at; NULL if there is none. In use until segment_put, or, if it is shown as
 * far as leased_to, which is not 0, until segment_unlease: any thread, they never block. */
struct segment *segment_get(struct big_log *log, uint64_t at, uint64_t leased_to);
void segment_put(struct segment *segment);
void segment_unlease(struct segment *segment);
void segment_free(struct segment *segment);       /* nobody can reach it; may block */
int segment_map(struct segment *segment);         /* opens and maps it; may block */
int segment_open_direct(struct segment *segment); /* a descriptor past the page cache */
int segment_sync_name(struct segment *segment);   /* if it is new; big_sync.c */
int segment_list(struct big_log *log, uint64_t start, uint32_t directory); /* one that exists */
/* Makes the one that at begins or, in an empty table, stands in. */
int segment_make(struct big_log *log, uint64_t at, struct segment **ret);
/* Takes one out of the table and removes its file; its memory goes with its last user. 1: done; 0:
 * there is none; the first one: a negative errno, and it stays. */
int segment_remove_first(struct big_log *log, uint64_t before);
int segment_remove_last(struct big_log *log, uint64_t from);
int64_t big_modified_ms(struct big_log *log, uint64_t at);

/* ---- big_place.c: the directory that a new segment goes to. */
uint32_t big_choose_directory(struct big_log *log, uint64_t start);

/* ---- big_write.c */
int big_window(struct big_log *log, uint64_t need, struct gantry_window *ret);
void big_advance(struct big_log *log, uint64_t used);

/* ---- big_sync.c */
int big_sync(struct big_log *log, uint64_t upto, struct gantry_op *op);
int big_sync_range(struct big_log *log, uint64_t from, uint64_t to); /* sync_lock held */
int big_sync_directories(struct big_log *log);
void big_raise_durable(struct big_log *log, uint64_t at);

/* ---- big_read.c */
int big_read(struct big_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret,
	     struct gantry_op *op);
int big_fetch(struct big_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret);
int64_t big_copy(struct big_log *log, uint64_t at, void *to, uint64_t bytes, bool hot);

/* ---- big_damage.c; offsets are in the segment */
int damage_watch(struct segment *segment, uint8_t *map); /* begins */
/* How many of these bytes can be read, up to those that are known to be bad. Any thread. */
uint64_t damage_spares(struct segment *segment, uint64_t from, uint64_t size);
/* Looks which pages the file cannot give. Blocks. */
void damage_find(struct segment *segment, uint64_t from, uint64_t to);

/* In units of 100 ms, never 0. Any thread. */
uint32_t clock_look(void);

/* ---- big_cold.c */
/* Bytes of a leased segment that are not in memory: takes the lease, and op. As
 * gantry_log_ops.read, never 0. Any thread. */
int cold_read(struct segment *segment, uint64_t at, uint64_t size, struct gantry_op *asker);
/* Brings bytes of a leased segment into memory, in the caller's thread. 0, or a negative errno.
 * Worker or control thread. */
int cold_fetch(struct segment *segment, uint64_t at, uint64_t size);
/* Sees to it that a worker looks at what is due. Any thread. */
void readers_start(struct big_log *log);

/* ---- big_ahead.c: before a reader who reads in order meets cold pages. Offsets of the log. */
/* He was shown these bytes. Any thread; never blocks. */
void ahead_of(struct big_log *log, uint64_t at, uint64_t size);
/* These were not in memory. Whether somebody reads in order here. Any thread; never blocks. */
bool ahead_cold(struct big_log *log, uint64_t at, uint64_t size);
/* Asks the disk for what is due, and waits for nothing but its queue. A worker. */
void ahead_run(struct big_log *log);
/* Asks for these bytes of an opened segment, offsets in it. A worker. */
void ahead_ask(struct segment *segment, uint64_t from, uint64_t to);

/* ---- big_cut.c */
int big_reset(struct big_log *log, uint64_t at);
int big_cut(struct big_log *log, uint64_t at);
int big_expire(struct big_log *log, uint64_t before);

#endif
