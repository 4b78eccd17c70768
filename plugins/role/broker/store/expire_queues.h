/* SPDX-License-Identifier: Apache-2.0 */
/* After the log has lost its oldest messages: the queues begin later, and lose files. */
#ifndef STORE_EXPIRE_QUEUES_H
#define STORE_EXPIRE_QUEUES_H

#include <dirent.h>

#include "store/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EXPIRE_QUEUES_STEP = 100 }; /* looked at before others may use the worker */

/* A walk over all queues: first those that are open, then the folders of the others. */
struct queue_walk {
	uint64_t first;      /* where the log began when the walk did */
	struct queue **open; /* as they were then */
	uint32_t count, room, next;
	DIR *topics, *queues; /* of the others */
	char topic[256];
	enum queue_kind kind; /* whose folders these are; batch queues come second */
	bool running;
};

int queue_walk_begin(struct store *store, struct queue_walk *walk, uint64_t first);
/* Looks at some more queues, or until one lost files. 1: it did; 0: go on; -ENOENT: it was the
 * last. On a worker. */
int queue_walk_step(struct store *store, struct queue_walk *walk);
void queue_walk_end(struct queue_walk *walk);

/* queue_expire.c: the queue begins with the first entry whose message is in the log, which begins
 * at log_first, and loses whole files before it. Returns how many. Open queues; on a worker. */
int queue_expire(struct queue *queue, uint64_t log_first);

#ifdef __cplusplus
}
#endif
#endif
