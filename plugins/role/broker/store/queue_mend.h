/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that damage took from the end of a queue are made again from the log. While a queue is
 * opened, under open_lock. */
#ifndef STORE_QUEUE_MEND_H
#define STORE_QUEUE_MEND_H

#include "store/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Looks at what stands in the file in [end, file_end), where nothing should be that is older than
 * that log offset; if there is something, says so, and notes it for queue_mend(). Blocks. */
int queue_look_behind(struct queue *queue, int64_t end, int64_t file_end, uint64_t older);
/* After that, and after the file was cut at queue->end: adds to it the entries of the messages
 * before that log offset. first: of the file. Blocks, a second for each GiB of log. */
int queue_mend(struct queue *queue, int64_t first, uint64_t older);

#ifdef __cplusplus
}
#endif
#endif
