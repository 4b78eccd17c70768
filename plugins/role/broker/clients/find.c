/* SPDX-License-Identifier: Apache-2.0 */
/* Members by client id. Producers are found through a table of ids, since a reply names nothing
 * else; members of one id stand in a chain whose first is in that table. */
#include "clients/find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "clients/private.h"

static void take(const struct member *member, struct client_found *ret)
{
	struct gantry_session *session = member->channel->session;

	session->ops->hold(session);
	*ret = (struct client_found){
		.session = session, .language = member->language, .version = member->version};
}

void client_found_release(struct client_found *found)
{
	found->session->ops->release(found->session);
	found->session = NULL;
}

void client_found_free(struct client_found *found, uint32_t count)
{
	for (uint32_t i = 0; found && i < count; i++)
		client_found_release(&found[i]);
	free(found);
}

int clients_find_member(struct clients *clients, struct gantry_str group, struct gantry_str id,
			struct client_found *ret)
{
	struct client_group *found;
	struct member *member = NULL;

	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	if (found)
		member = found->members;
	while (member && !str_is(id, member->id))
		member = member->group_next;
	if (member)
		take(member, ret);
	pthread_rwlock_unlock(&clients->lock);
	return member ? 0 : -ENOENT;
}

static size_t ids_size(const struct client_group *group)
{
	size_t size = 0;

	for (const struct member *member = group->members; member; member = member->group_next)
		size += strlen(member->id) + 1;
	return size;
}

static int take_all_locked(const struct client_group *group, struct client_found **ret)
{
	size_t heads = group->member_count * sizeof(struct client_found);
	struct client_found *all = malloc(heads + ids_size(group));
	struct client_found *next = all;
	char *ids;

	if (!all)
		return -ENOMEM;
	ids = (char *)all + heads;
	for (const struct member *member = group->members; member; member = member->group_next) {
		size_t size = strlen(member->id) + 1;

		take(member, next);
		next->id = memcpy(ids, member->id, size);
		ids += size;
		next++;
	}
	*ret = all;
	return 0;
}

int clients_find_members(struct clients *clients, struct gantry_str group,
			 struct client_found **ret, uint32_t *ret_count)
{
	struct client_group *found;
	int status = -ENOENT;

	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	if (found && found->member_count) {
		status = take_all_locked(found, ret);
		if (!status)
			*ret_count = found->member_count;
	}
	pthread_rwlock_unlock(&clients->lock);
	return status;
}

/* ---- producers by id */

int clients_find_producer(struct clients *clients, struct gantry_str id, struct client_found *ret)
{
	struct table_entry *entry;

	pthread_rwlock_rdlock(&clients->lock);
	entry = table_find(&clients->producer_ids, id);
	if (entry)
		take(TABLE_HOLDER(entry, struct member, by_id), ret);
	pthread_rwlock_unlock(&clients->lock);
	return entry ? 0 : -ENOENT;
}

int clients_id_add_locked(struct clients *clients, struct member *member)
{
	struct gantry_str id = str_of(member->id);
	struct table_entry *entry = table_find(&clients->producer_ids, id);
	int err;

	if (entry)
		table_remove(&clients->producer_ids, entry);
	err = table_insert(&clients->producer_ids, id, &member->by_id);
	if (err)
		return err;
	member->same_id = entry ? TABLE_HOLDER(entry, struct member, by_id) : NULL;
	member->has_id = true;
	return 0;
}

void clients_id_drop_locked(struct clients *clients, struct member *member)
{
	struct table_entry *entry;
	struct member *at;

	if (!member->has_id)
		return;
	member->has_id = false;
	entry = table_find(&clients->producer_ids, str_of(member->id));
	at = TABLE_HOLDER(entry, struct member, by_id);
	if (at == member) {
		table_remove(&clients->producer_ids, entry);
		if (member->same_id) /* there is room for it: one was just removed */
			table_insert(&clients->producer_ids, str_of(member->same_id->id),
				     &member->same_id->by_id);
		return;
	}
	while (at->same_id != member)
		at = at->same_id;
	at->same_id = member->same_id;
}
