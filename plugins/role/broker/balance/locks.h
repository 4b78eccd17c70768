/* SPDX-License-Identifier: Apache-2.0 */
/* Queues that ordered consumers hold: RocketMQ's RebalanceLockManager. In memory only; a lock that
 * was not renewed for 60 s is free. Any thread. */
#ifndef LOCKS_H
#define LOCKS_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LOCKS_LIVE_MS = 60000 };

struct locked_queue {
	struct gantry_str topic, broker;
	int32_t queue;
};

int locks_new(struct broker *broker, struct locks **ret);
void locks_free(struct locks *locks); /* NULL is fine */

/* 1: the client holds the queue now (it was free, its own, or forgotten); 0: another does;
 * -ENOSPC, -ENOMEM. */
int locks_try(struct locks *locks, struct gantry_str group, const struct locked_queue *queue,
	      struct gantry_str client, uint64_t now_ms);
/* Nothing happens if another client holds it. */
void locks_release(struct locks *locks, struct gantry_str group, const struct locked_queue *queue,
		   struct gantry_str client);

/* Whether a client of the group holds a queue now. Looks through all locks: not for every
 * message. */
bool locks_held(struct locks *locks, struct gantry_str group, uint64_t now_ms);

#ifdef __cplusplus
}
#endif
#endif
