/* SPDX-License-Identifier: Apache-2.0 */
/* A small log: one of thousands, so no mapping, no descriptor and no memory of its own beyond this
 * struct. Positions say which file holds what. */
#ifndef SEGMENTS_SMALL_H
#define SEGMENTS_SMALL_H

#include <sys/types.h>

#include "files.h"
#include "segments.h"

struct small_log {
	struct gantry_log base;
	bool read_only;
	bool made; /* the writer's: the directory exists */
	atomic_bool fenced;
	char *directory;
	uint64_t segment_bytes;

	/* The writer moves end and file_end, a sync durable, expire first; cut and reset, which
	 * pause syncs, move all of them. Files exist from first's to file_end. */
	_Atomic uint64_t first, durable, end, file_end;
	_Atomic uint64_t checked; /* the end of a file whose length was looked at; 0: of none */
	uint64_t own_from;        /* the writer's: this process appended what is behind it */

	/* the engine's syncs.lock */
	struct gantry_op *asks;
	struct small_log *next;
	bool listed;
	bool unsynced_names;
	bool syncing; /* cut, reset, expire and close wait until it is not */

	/* the syncing worker's */
	struct small_log *batch;  /* the next one of this round */
	struct gantry_op *asking; /* asks that this round answers */
	uint64_t upto;            /* the end when it began */
	bool synced;
	dev_t device; /* 0: not known yet */
};

int small_open(struct gantry_inst *inst, const struct gantry_shape *shape, struct gantry_log **ret);
void small_close(struct small_log *log);
int small_append(struct small_log *log, const void *from, uint64_t bytes);
int64_t small_copy(struct small_log *log, uint64_t at, void *to, uint64_t bytes, bool hot);
int small_sync(struct small_log *log, uint64_t upto, struct gantry_op *op);
int small_reset(struct small_log *log, uint64_t at);
int small_cut(struct small_log *log, uint64_t at);
int small_expire(struct small_log *log, uint64_t before);
int64_t small_modified_ms(struct small_log *log, uint64_t at);

/* ---- between small*.c */
/* The start of the segment that holds at. */
static inline uint64_t small_start(const struct small_log *log, uint64_t at)
{
	return at - at % log->segment_bytes;
}
int small_path(const struct small_log *log, uint64_t start, char *to, size_t size);
int small_file(struct small_log *log, uint64_t start, bool make, struct descriptor *ret);
int small_sync_now(struct small_log *log, uint64_t from, uint64_t to);
void small_fence(struct small_log *log, const char *what, int rc);
void small_sync_pause(struct small_log *log); /* no sync runs until small_sync_resume */
void small_sync_resume(struct small_log *log);

void small_syncs_init(struct small_syncs *syncs);
void small_syncs_quit(struct small_syncs *syncs);

#endif
