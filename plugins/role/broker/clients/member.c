/* SPDX-License-Identifier: Apache-2.0 */
/* What one connection is to a consumer group. */
#include <string.h>

#include "clients/private.h"

bool clients_is_member(struct clients *clients, struct gantry_str group,
		       const struct gantry_session *session)
{
	struct client_group *found;
	bool is = false;

	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	for (struct member *member = found ? found->members : NULL; member && !is;
	     member = member->group_next)
		is = member->channel->session == session;
	pthread_rwlock_unlock(&clients->lock);
	return is;
}

bool clients_is_broadcasting(struct clients *clients, struct gantry_str group)
{
	struct client_group *found;
	bool is;

	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	is = found && found->member_count && found->message_model == GANTRY_BROADCASTING &&
	     found->consume_type == GANTRY_CONSUME_PASSIVELY;
	pthread_rwlock_unlock(&clients->lock);
	return is;
}

bool clients_member_id(struct clients *clients, struct gantry_str group,
		       struct gantry_session *session, char *room, size_t size)
{
	struct broker_session *record = session->role_data;
	struct client_group *found;
	struct member *member;
	size_t length = size;

	if (!record || !record->channel)
		return false;
	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	member = found ? record->channel->members : NULL;
	while (member && member->group != found)
		member = member->channel_next;
	if (member)
		length = strlen(member->id);
	if (length < size)
		memcpy(room, member->id, length + 1);
	pthread_rwlock_unlock(&clients->lock);
	return length < size;
}
