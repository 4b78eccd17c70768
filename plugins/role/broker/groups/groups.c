/* SPDX-License-Identifier: Apache-2.0 */
/* The table of subscription groups. */
#include "groups/groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "groups/private.h"
#include "json/json.h"
#include "message/name.h"
#include "table/name_set.h"

/* RocketMQ's built-in groups; all have the defaults, which allow broadcasting. */
static const char *const builtin[] = {
	"TOOLS_CONSUMER",  "FILTERSRV_CONSUMER",    "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
	"CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER",  "CID_RMQ_SYS_TRANS",
};

int groups_new(struct broker *broker, struct groups **ret)
{
	struct groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	groups->broker = broker;
	groups->version.timestamp = broker_wall_ms();
	pthread_rwlock_init(&groups->lock, NULL);
	if (broker->conf->enableCreateSysGroup) {
		for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++) {
			if (!groups_add_locked(groups, str_of(builtin[i]))) {
				groups_free(groups);
				return -ENOMEM;
			}
		}
	}
	*ret = groups;
	return 0;
}

void groups_free(struct groups *groups)
{
	if (!groups)
		return;
	state_free(groups->file);
	while (groups->all) {
		struct group_node *node = groups->all;

		groups->all = node->next;
		free(node->group.retry_policy);
		free(node->group.attributes);
		free(node->group.subscription_data_set);
		free(node);
	}
	for (struct table_entry *entry = table_next(&groups->forbidden, NULL), *next; entry;
	     entry = next) {
		next = table_next(&groups->forbidden, entry);
		free(TABLE_HOLDER(entry, struct forbidden, entry));
	}
	table_clear(&groups->forbidden);
	table_clear(&groups->table);
	table_clear(&groups->light);
	pthread_rwlock_destroy(&groups->lock);
	free(groups);
}

struct group *groups_add_locked(struct groups *groups, struct gantry_str name)
{
	return groups_add_to_locked(groups, &groups->table, name);
}

struct group *groups_add_to_locked(struct groups *groups, struct table *table,
				   struct gantry_str name)
{
	struct group_node *node = calloc(1, sizeof(*node) + name.size + 1);

	if (!node)
		return NULL;
	memcpy(node->name, name.at, name.size);
	node->group = (struct group){
		.name = {node->name, name.size},
		.consume_enable = 1,
		.consume_from_min_enable = 1,
		.consume_broadcast_enable = 1,
		.notify_consumer_ids_changed_enable = 1,
		.retry_queue_nums = RETRY_QUEUES,
		.retry_max_times = RETRY_TIMES,
		.consume_timeout_minute = CONSUME_TIMEOUT_MINUTES,
		.which_broker_when_consume_slowly = SLAVE_ID,
	};
	if (table_insert(table, node->group.name, &node->entry)) {
		free(node);
		return NULL;
	}
	node->next = groups->all;
	groups->all = node;
	return &node->group;
}

struct group *groups_look_locked(struct groups *groups, struct gantry_str name)
{
	struct table_entry *entry = table_find(&groups->table, name);

	return entry ? &TABLE_HOLDER(entry, struct group_node, entry)->group : NULL;
}

struct group *groups_look(struct groups *groups, struct gantry_str name)
{
	struct group *group;

	pthread_rwlock_rdlock(&groups->lock);
	group = groups_look_locked(groups, name);
	pthread_rwlock_unlock(&groups->lock);
	if (!group && topics_is_light(groups->broker, name))
		group = groups_find_light(groups, name);
	return group;
}

uint32_t groups_count(struct groups *groups)
{
	uint32_t count;

	pthread_rwlock_rdlock(&groups->lock);
	count = (uint32_t)groups->table.count;
	pthread_rwlock_unlock(&groups->lock);
	return count;
}

void groups_names(struct groups *groups, struct name_set *ret)
{
	pthread_rwlock_rdlock(&groups->lock);
	for (struct table_entry *entry = table_next(&groups->table, NULL); entry;
	     entry = table_next(&groups->table, entry))
		name_set_add(ret, entry->key);
	pthread_rwlock_unlock(&groups->lock);
}

void groups_announce(struct groups *groups)
{
	pthread_rwlock_wrlock(&groups->lock);
	data_version_next(&groups->version, broker_wall_ms());
	pthread_rwlock_unlock(&groups->lock);
	if (groups->file)
		state_changed(groups->file);
}

static bool full(const struct groups *groups)
{
	return (int64_t)groups->table.count >= groups->broker->conf->maxGroups;
}

struct group *groups_find(struct broker *broker, struct gantry_str name)
{
	struct groups *groups = broker->groups;
	struct group *group = groups_look(groups, name);
	bool made = false;

	if (group || topics_is_light(broker, name))
		return group;
	if (!__atomic_load_n(&broker->live.auto_create_group, __ATOMIC_RELAXED) &&
	    !str_starts(name, "CID_RMQ_SYS_"))
		return NULL;
	if (message_name_check(name, GROUP_NAME_MAX) != MESSAGE_NAME_GOOD)
		return NULL;
	pthread_rwlock_wrlock(&groups->lock);
	group = groups_look_locked(groups, name);
	if (!group && !full(groups)) {
		group = groups_add_locked(groups, name);
		made = group != NULL;
	}
	pthread_rwlock_unlock(&groups->lock);
	if (made) {
		gantry_log(broker->inst, INFO, "new subscription group %s", group->name.at);
		groups_announce(groups);
	}
	return group;
}

const char *groups_name_problem(struct gantry_str name, char *room, size_t room_size)
{
	int shown = name.size > 80 ? 80 : (int)name.size;

	switch (message_name_check(name, GROUP_NAME_MAX)) {
	case MESSAGE_NAME_BLANK:
		return "The specified group is blank.";
	case MESSAGE_NAME_LONG:
		snprintf(room, room_size,
			 "The specified group: %.*s, is longer than group max length: %d", shown,
			 name.at, GROUP_NAME_MAX);
		return room;
	case MESSAGE_NAME_ILLEGAL:
		snprintf(room, room_size,
			 "The specified group: %.*s, contains illegal characters, allowing only "
			 "^[%%|a-zA-Z0-9_-]+$",
			 shown, name.at);
		return room;
	case MESSAGE_NAME_GOOD:
		break;
	}
	return NULL;
}

int groups_put_json(struct groups *groups, const struct json_value *object, char *why,
		    size_t why_size)
{
	struct gantry_str name = {NULL, 0};
	const char *problem;
	struct group *group;
	int err = 0;

	json_raw(json_get(*object, "groupName"), &name);
	problem = groups_name_problem(name, why, why_size);
	if (problem) {
		if (problem != why)
			snprintf(why, why_size, "%s", problem);
		return -EINVAL;
	}
	if (topics_is_light(groups->broker, name))
		return 0; /* as it is, as in RocketMQ */
	if (!group_json_fits(*object, why, why_size))
		return -EBADMSG;
	pthread_rwlock_wrlock(&groups->lock);
	group = groups_look_locked(groups, name);
	if (!group && full(groups))
		err = -ENOSPC;
	else if (!group && !(group = groups_add_locked(groups, name)))
		err = -ENOMEM;
	else
		err = group_read_json(group, *object);
	pthread_rwlock_unlock(&groups->lock);
	if (err) {
		snprintf(why, why_size, "%s", strerror(-err));
		return err;
	}
	groups_announce(groups);
	return 0;
}

int groups_delete(struct groups *groups, struct gantry_str name)
{
	struct group *group;

	pthread_rwlock_wrlock(&groups->lock);
	group = groups_look_locked(groups, name);
	if (group) {
		table_remove(&groups->table, &TABLE_HOLDER(group, struct group_node, group)->entry);
		__atomic_store_n(&group->retired, 1, __ATOMIC_RELEASE);
	}
	pthread_rwlock_unlock(&groups->lock);
	if (!group)
		return -ENOENT;
	groups_announce(groups);
	return 0;
}
