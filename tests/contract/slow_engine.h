/* SPDX-License-Identifier: Apache-2.0 */
/* A storage engine that is as slow as the contract allows: windows that are not ready, every first
 * read of a place pending, syncs that end when the test says so. It writes the same files as the
 * others, and remembers what it wrote and synced, so that a crash at any moment can be replayed. */
#ifndef CONTRACT_SLOW_ENGINE_H
#define CONTRACT_SLOW_ENGINE_H

#include <gantry/storage.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the script; any thread */

enum { SLOW_READS = 1, SLOW_SYNCS = 2 };

/* From here on ops of that kind are held; 0: nothing is, and what was held ends. */
void slow_hold(struct gantry_inst *inst, unsigned what);
unsigned slow_held(struct gantry_inst *inst);
/* Ends held ops, count at most, the oldest or the newest first; returns how many. */
unsigned slow_let(struct gantry_inst *inst, unsigned count, int newest_first);
/* After so many windows the next count answer with status. */
void slow_refuse_windows(struct gantry_inst *inst, unsigned after, unsigned count, int status);
/* The next sync to end fails. */
void slow_fail_sync(struct gantry_inst *inst);

/* ---- crashes */

/* From here on everything is remembered. Big logs only. */
void slow_record(struct gantry_inst *inst);
/* How many writes, syncs and the like there were. */
size_t slow_events(struct gantry_inst *inst);
/* Makes directory look like the log's own after a crash before that event: what was synced is
 * there, of the rest each 512 bytes by a throw of dice, whose seed is given. */
int slow_crash(struct gantry_inst *inst, size_t event, uint32_t seed, const char *directory,
	       uint64_t segment_bytes);

#ifdef __cplusplus
}
#endif
#endif
