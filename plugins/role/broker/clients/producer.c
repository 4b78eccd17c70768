/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a producer of a group: one that is connected, in turn. */
#include <errno.h>

#include "clients/private.h"

enum { TRIES = 3 }; /* as RocketMQ's ProducerManager */

/* Up to TRIES members from a place that goes on with each call; held. */
static uint32_t collect(struct clients *clients, struct gantry_str name,
			struct gantry_session *ret[TRIES])
{
	const struct client_group *group;
	const struct member *member;
	uint32_t turn = __atomic_fetch_add(&clients->turn, 1, __ATOMIC_RELAXED), count = 0;

	pthread_rwlock_rdlock(&clients->lock);
	group = clients_group_locked(clients, &clients->producers, name);
	member = group ? group->members : NULL;
	for (uint32_t skip = member ? turn % group->member_count : 0; skip && member->group_next;
	     skip--)
		member = member->group_next;
	for (; member && count < TRIES && count < group->member_count; count++) {
		ret[count] = member->channel->session;
		ret[count]->ops->hold(ret[count]);
		member = member->group_next ? member->group_next : group->members;
	}
	pthread_rwlock_unlock(&clients->lock);
	return count;
}

int clients_push_producer(struct clients *clients, struct gantry_str group,
			  const struct gantry_push *push)
{
	struct gantry_session *sessions[TRIES];
	uint32_t count = collect(clients, group, sessions);
	int status = -ENOENT;

	for (uint32_t i = 0; i < count; i++) {
		if (status)
			status = sessions[i]->ops->push(sessions[i], push);
		sessions[i]->ops->release(sessions[i]);
	}
	return status;
}
