/* SPDX-License-Identifier: Apache-2.0 */
/* Client groups: their tables and what others look up in them. */
#include "clients/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "clients/private.h"
#include "groups/groups.h"

int clients_new(struct broker *broker, struct clients **ret)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (!clients)
		return -ENOMEM;
	clients->broker = broker;
	pthread_rwlock_init(&clients->lock, NULL);
	*ret = clients;
	return 0;
}

static void drop_all(struct table *table)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(table, NULL); entry; entry = next) {
		next = table_next(table, entry);
		group_subscription_drop(table,
					TABLE_HOLDER(entry, struct group_subscription, entry));
	}
	table_clear(table);
}

static void free_group(struct client_group *group)
{
	drop_all(&group->subscriptions);
	drop_all(&group->compensated);
	free(group);
}

void clients_group_drop_locked(struct table *table, struct client_group *group)
{
	table_remove(table, &group->entry);
	free_group(group);
}

static void free_groups(struct table *table)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(table, NULL); entry; entry = next) {
		next = table_next(table, entry);
		free_group(TABLE_HOLDER(entry, struct client_group, entry));
	}
	table_clear(table);
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	free_groups(&clients->consumers);
	free_groups(&clients->producers);
	table_clear(&clients->producer_ids);
	pthread_rwlock_destroy(&clients->lock);
	free(clients);
}

void group_subscription_drop(struct table *table, struct group_subscription *held)
{
	table_remove(table, &held->entry);
	subscription_release(held->subscription);
	free(held);
}

int group_subscription_put(struct table *table, struct subscription *fresh, int64_t max)
{
	struct table_entry *entry = table_find(table, fresh->topic);
	struct group_subscription *held;

	if (entry) {
		held = TABLE_HOLDER(entry, struct group_subscription, entry);
		subscription_release(held->subscription);
		held->subscription = fresh;
		held->entry.key = fresh->topic;
		return 0;
	}
	held = (int64_t)table->count < max ? calloc(1, sizeof(*held)) : NULL;
	if (!held || table_insert(table, fresh->topic, &held->entry)) {
		free(held);
		subscription_release(fresh);
		return -ENOSPC;
	}
	held->subscription = fresh;
	return 1;
}

struct client_group *clients_group_locked(struct clients *clients, struct table *table,
					  struct gantry_str name)
{
	struct table_entry *entry = table_find(table, name);

	(void)clients;
	return entry ? TABLE_HOLDER(entry, struct client_group, entry) : NULL;
}

struct client_group *clients_group_make_locked(struct clients *clients, struct table *table,
					       struct gantry_str name)
{
	struct client_group *group = clients_group_locked(clients, table, name);

	if (group)
		return group;
	if ((int64_t)table->count >= clients->broker->conf->maxGroups)
		return NULL;
	group = calloc(1, sizeof(*group) + name.size + 1);
	if (!group)
		return NULL;
	memcpy(group->name, name.at, name.size);
	group->name_size = name.size;
	group->message_model = GANTRY_CLUSTERING;
	if (table_insert(table, (struct gantry_str){group->name, name.size}, &group->entry)) {
		free(group);
		return NULL;
	}
	return group;
}

static void unlink_member(struct member *member)
{
	struct member **at = &member->group->members;

	while (*at != member)
		at = &(*at)->group_next;
	*at = member->group_next;
	at = &member->channel->members;
	while (*at != member)
		at = &(*at)->channel_next;
	*at = member->channel_next;
	member->group->member_count--;
}

void clients_member_drop_locked(struct clients *clients, struct member *member,
				struct client_group **ret_group)
{
	struct client_group *group = member->group;
	struct gantry_str name = {group->name, group->name_size};
	struct table *table = clients_group_locked(clients, &clients->consumers, name) == group
				      ? &clients->consumers
				      : &clients->producers;

	clients_agree_leave_locked(clients, member);
	clients_id_drop_locked(clients, member);
	unlink_member(member);
	free(member->id);
	free(member);
	*ret_group = group;
	if (group->member_count)
		return;
	drop_all(&group->subscriptions);
	group->fingerprint = 0;
	if (group->compensated.count)
		return;
	clients_group_drop_locked(table, group);
	*ret_group = NULL;
}

static void take_subscription(const struct table *table, struct gantry_str topic,
			      struct subscription_info *ret)
{
	struct table_entry *entry = table_find(table, topic);

	if (!entry)
		return;
	ret->topic_known = true;
	ret->subscription = subscription_hold(
		TABLE_HOLDER(entry, struct group_subscription, entry)->subscription);
}

static void find_subscription(struct clients *clients, struct gantry_str group,
			      struct gantry_str topic, bool any, struct subscription_info *ret)
{
	struct client_group *found;

	*ret = (struct subscription_info){0};
	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	if (found && found->member_count) {
		ret->group_known = true;
		ret->consume_type = found->consume_type;
		ret->message_model = found->message_model;
		ret->from_where = found->from_where;
		take_subscription(&found->subscriptions, topic, ret);
	}
	if (found && any && !ret->topic_known)
		take_subscription(&found->compensated, topic, ret);
	pthread_rwlock_unlock(&clients->lock);
}

void clients_subscription(struct clients *clients, struct gantry_str group, struct gantry_str topic,
			  struct subscription_info *ret)
{
	find_subscription(clients, group, topic, false, ret);
}

void clients_subscription_any(struct clients *clients, struct gantry_str group,
			      struct gantry_str topic, struct subscription_info *ret)
{
	find_subscription(clients, group, topic, true, ret);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One block: the array, then the texts. With the lock held. */
static char **copy_ids(const struct client_group *group)
{
	size_t size = group->member_count * sizeof(char *);
	char **ids, *to;
	uint32_t i = 0;

	for (struct member *member = group->members; member; member = member->group_next)
		size += strlen(member->id) + 1;
	ids = malloc(size);
	if (!ids)
		return NULL;
	to = (char *)(ids + group->member_count);
	for (struct member *member = group->members; member; member = member->group_next) {
		size = strlen(member->id) + 1;
		memcpy(to, member->id, size);
		ids[i++] = to;
		to += size;
	}
	return ids;
}

int clients_member_ids(struct clients *clients, struct gantry_str group, char ***ret,
		       uint32_t *ret_count)
{
	struct client_group *found;
	char **ids = NULL;
	uint32_t count = 0, unique = 0;

	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	if (found && found->member_count) {
		count = found->member_count;
		ids = copy_ids(found);
	}
	pthread_rwlock_unlock(&clients->lock);
	if (!count)
		return -ENOENT;
	if (!ids)
		return -ENOMEM;
	qsort(ids, count, sizeof(*ids), compare_ids);
	for (uint32_t i = 0; i < count; i++)
		if (!unique || strcmp(ids[unique - 1], ids[i]) != 0)
			ids[unique++] = ids[i];
	*ret = ids;
	*ret_count = unique;
	return 0;
}
