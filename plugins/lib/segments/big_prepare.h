/* SPDX-License-Identifier: Apache-2.0 */
/* Preparing room for the writer of a big log. */
#ifndef SEGMENTS_BIG_PREPARE_H
#define SEGMENTS_BIG_PREPARE_H

#include "big.h"

/* Zero-writes the next BIG_CHUNK bytes, not beyond a segment's end, and moves ready. prepare_lock
 * is held; blocks. */
int prepare_chunk(struct big_log *log);
/* The writer is at end, in log->tail, and wants need bytes: wakes a worker if it is time. */
void prepare_ahead(struct big_log *log, uint64_t end, uint64_t need);

#endif
