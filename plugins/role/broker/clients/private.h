/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of clients/ share.
 *
 * A channel is one connection; a member is one channel in one group, linked into both. Everything
 * is guarded by clients.lock. A channel's own memory belongs to its session's loop: it is made and
 * freed there. */
#ifndef CLIENTS_PRIVATE_H
#define CLIENTS_PRIVATE_H

#include <pthread.h>

#include <gantry/counter.h>
#include <gantry/loop.h>

#include "clients/clients.h"
#include "groups/groups.h"
#include "table/table.h"

struct client_group;

struct member {
	struct member *group_next, *channel_next;
	struct client_group *group;
	struct client_channel *channel;
	char *id; /* NUL-terminated client id */
	/* of a producer: */
	struct table_entry by_id; /* in clients.producer_ids, if it is the first of its id */
	struct member *same_id;   /* the next of that id */
	bool has_id;              /* it is found by its id */
	int32_t language, version;
	int64_t seen_ms; /* gantry_clock_ms() of the last heartbeat */
	uint64_t said;   /* digest of what a consumer subscribes; 0: it has not said */
};

struct client_channel {
	struct gantry_session *session; /* held */
	struct member *members;
};

struct group_subscription {
	struct table_entry entry; /* key: the subscription's topic */
	struct subscription *subscription;
	int64_t seen_ms; /* atomic; last pull that brought it; compensated ones only */
};

struct client_group {
	struct table_entry entry;
	struct member *members;
	uint32_t member_count;
	/* of a consumer group */
	uint32_t consume_type, message_model, from_where;
	int32_t fingerprint; /* 0: heartbeats v1 */
	uint64_t digest;     /* what said_same of the said members subscribe */
	uint32_t said, said_same;
	bool disagrees;
	bool untold;     /* its members are to be told of a change when NOTICE_MS have passed */
	int64_t told_ms; /* when they were told last */
	struct table subscriptions; /* struct group_subscription: as heartbeats say */
	struct table compensated;   /* the same: as pulls brought them along */
	size_t name_size;
	char name[]; /* NUL-terminated */
};

struct clients {
	struct broker *broker;
	struct gantry_timer *timer;        /* the control loop's */
	struct gantry_timer *notice_timer; /* the control loop's */
	bool untold;                       /* atomic: a group may be */
	uint32_t turn;                     /* atomic: which producer is asked next */
	pthread_rwlock_t lock;
	struct table consumers, producers; /* struct client_group */
	struct table producer_ids;         /* struct member */
	/* atomics: consumer groups whose members disagree, now and ever */
	int64_t disagreeing, disagreements;
};

/* Sessions that are to be told, or closed, once the lock is released. */
struct notice {
	char group[GROUP_NAME_ROOM];
	struct gantry_session **sessions; /* held */
	uint32_t count;
};

/* With the lock held for writing. Collects a group's sessions; none if members are not to be told,
 * or later. Without memory nobody is told: clients look for themselves every 20 s. */
void notice_collect(struct clients *clients, struct notice *notice, struct client_group *group,
		    bool wanted);
/* Without the lock: sends NOTIFY_CONSUMER_IDS_CHANGED and lets go. */
void notice_send(struct notice *notice);
/* On the control loop: begins, and ends, telling large groups later. */
int notice_serve(struct clients *clients);
void notice_close(struct clients *clients);

/* With the lock held for writing. */
struct client_group *clients_group_locked(struct clients *clients, struct table *table,
					  struct gantry_str name);
struct client_group *clients_group_make_locked(struct clients *clients, struct table *table,
					       struct gantry_str name);
/* Unlinks and frees a member; an empty group goes with it, and ret_group is then NULL. */
void clients_member_drop_locked(struct clients *clients, struct member *member,
				struct client_group **ret_group);
void clients_group_drop_locked(struct table *table, struct client_group *group);
/* clients/find.c: a producer is found by its id from now on; no longer. -ENOMEM. */
int clients_id_add_locked(struct clients *clients, struct member *member);
void clients_id_drop_locked(struct clients *clients, struct member *member);
/* 1: the topic is new to the group; takes the subscription over in any case. -ENOSPC, -ENOMEM. */
int group_subscription_put(struct table *table, struct subscription *fresh, int64_t max);
void group_subscription_drop(struct table *table, struct group_subscription *held);

/* clients/agree.c, with the lock held for writing: what the member subscribes. True: since this the
 * group's members disagree. */
bool clients_agree_locked(struct clients *clients, struct member *member,
			  const struct gantry_consumer_data *data);
void clients_agree_leave_locked(struct clients *clients, struct member *member);

/* Whether this broker tells a group's members of changes. Not under clients.lock. */
bool clients_wants_notice(struct broker *broker, struct gantry_str group);

#endif
