/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of groups/ share. */
#ifndef GROUPS_PRIVATE_H
#define GROUPS_PRIVATE_H

#include <pthread.h>

#include "groups/groups.h"
#include "metadata/data_version.h"
#include "state/state.h"
#include "table/table.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct group_node { /* the group object's memory */
	struct group group;
	struct table_entry entry; /* guarded by the table's lock */
	struct group_node *next;  /* all nodes ever made; guarded by the table's lock */
	uint64_t adoption;        /* groups_adopt(): the last one that brought it; so, too */
	char name[];
};

struct forbidden { /* RocketMQ's GroupForbidden: bits of what a group may not do with a topic */
	struct table_entry entry; /* key: topic@group */
	int64_t bits;             /* 1 << a PermName's index */
	size_t topic_size;
	char key[];
};

struct groups {
	struct broker *broker;
	struct state *file;
	pthread_rwlock_t lock;
	/* guarded by lock */
	struct table table, forbidden;
	struct table light; /* groups named as light queues, which are in no file: groups/light.c */
	struct group_node *all;
	struct data_version version;
	uint64_t adoption; /* how often groups_adopt() was called */
};

enum { FORBID_READ = 4 }; /* 1 << PermName.INDEX_PERM_READ, which is 2 */

/* With the lock held for writing. A group with defaults; the name must not be there. */
enum { RETRY_QUEUES = 1, RETRY_TIMES = 16, CONSUME_TIMEOUT_MINUTES = 15, SLAVE_ID = 1 };
struct group *groups_add_locked(struct groups *groups, struct gantry_str name);
struct group *groups_add_to_locked(struct groups *groups, struct table *table,
				   struct gantry_str name);
struct group *groups_look_locked(struct groups *groups, struct gantry_str name);
/* groups/light.c: NULL: there are too many, or no memory. Without the lock. */
struct group *groups_find_light(struct groups *groups, struct gantry_str name);
/* Counts the change and has the file written. Without the lock. */
void groups_announce(struct groups *groups);

struct json_value;
/* False: a member has the wrong type, and why names it. */
bool group_json_fits(struct json_value object, char *why, size_t why_size);
/* The group becomes what the object says, with RocketMQ's defaults for what it does not say; only
 * attributes stay as they were then. With the lock held. */
int group_read_json(struct group *group, struct json_value object);
/* {"group":{"topic":bits}}; what is there stays. With the lock held. */
int groups_take_forbidden_locked(struct groups *groups, struct json_value table);
int groups_forbid_locked(struct groups *groups, struct gantry_str group, struct gantry_str topic,
			 int64_t bits);

#ifdef __cplusplus
}
#endif
#endif
