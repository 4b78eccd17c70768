/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of offsets/ share. */
#ifndef OFFSETS_PRIVATE_H
#define OFFSETS_PRIVATE_H

#include <pthread.h>

#include <gantry/loop.h>

#include "groups/groups.h"
#include "metadata/data_version.h"
#include "offsets/offsets.h"
#include "state/paced.h"
#include "state/state.h"
#include "table/table.h"
#include "topics/topics.h"

enum { OFFSET_KEY_MAX = TOPIC_NAME_ROOM + GROUP_NAME_MAX + 1 };

struct offset_slot { /* of one queue; atomics; -1: unknown */
	int64_t committed, pulled;
};

struct offset_node {              /* of one topic and group */
	struct table_entry entry; /* key: topic@group */
	struct offset_slot *slots;
	uint32_t slot_count; /* guarded by the lock, as slots itself */
	uint32_t topic_size;
	char key[];
};

struct offsets {
	struct broker *broker;
	struct paced state; /* the control loop's; changes: commits */
	uint64_t commits;   /* atomic */
	pthread_rwlock_t lock;
	/* guarded by lock */
	struct table table;
	uint64_t slot_total;
	struct data_version version; /* counter: from commits, see offsets_version_locked() */
	pthread_mutex_t reset_lock;  /* guards resets */
	struct table resets;         /* struct reset; offsets/reset.c */
	uint32_t reset_count;        /* atomic */
};

/* With the lock held for writing: the slot, made if need be. -ENOSPC, -ENOMEM, -EINVAL. */
int offsets_slot_locked(struct offsets *offsets, struct gantry_str key, size_t topic_size,
			int32_t queue, struct offset_slot **ret);

/* Drops the resets of a topic, or of a group; name.at NULL: all. */
void offsets_reset_forget(struct offsets *offsets, struct gantry_str name, bool by_group);

#endif
