/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of broadcast/ share. */
#ifndef BROADCAST_PRIVATE_H
#define BROADCAST_PRIVATE_H

#include <pthread.h>

#include <gantry/loop.h>

#include "broadcast/broadcast.h"
#include "table/table.h"

struct listener {                 /* a member of an audience; guarded by the lock */
	struct table_entry entry; /* key: its client id */
	uint64_t seen_ms;         /* gantry_clock_ms() of its last pull */
	int64_t *offsets;         /* by queue; -1: none */
	uint32_t offset_count;
	bool by_proxy; /* so it pulled last */
	char id[];
};

struct audience {                 /* a group that listens to a topic; only a round frees it */
	struct table_entry entry; /* key: topic@group; guarded by the lock */
	struct table listeners;   /* guarded by the lock */
	size_t topic_size;
	char key[];
};

struct broadcast {
	struct broker *broker;
	struct gantry_timer *timer; /* the control loop's */
	struct gantry_log_limit full;
	pthread_mutex_t lock;
	/* guarded by lock */
	struct table audiences;
	uint64_t slots; /* of all listeners, and one for each of them */
};

/* With the lock held. */
void listener_free(struct broadcast *broadcast, struct listener *listener);

#endif
