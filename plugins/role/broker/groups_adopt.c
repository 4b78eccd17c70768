/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's subscription groups become those of its master, and so does what is forbidden to them.
 * As RocketMQ's SlaveSynchronize.syncSubscriptionGroupConfig, but what is the same stays. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "groups_private.h"

static struct json_value table_of(const struct json_doc *page)
{
	return json_get(json_root(page), "subscriptionGroupTable");
}

/* All or nothing: one entry that is no group refuses the table. */
static int check_page(const struct json_doc *page, char *why, size_t why_size)
{
	struct json_value table = table_of(page);
	struct json_iter it = json_iter(table);
	struct gantry_str name;

	if (!json_is(table, JSON_OBJECT)) {
		snprintf(why, why_size, "it has no subscriptionGroupTable");
		return -EINVAL;
	}
	while (json_next(&it)) {
		if (json_plain(it.key, &name) && name.size && name.size <= GROUP_NAME_MAX &&
		    json_is(it.value, JSON_OBJECT))
			continue;
		snprintf(why, why_size, "an entry of subscriptionGroupTable is no group");
		return -EINVAL;
	}
	return 0;
}

static int put_locked(struct groups *groups, struct gantry_str name, struct json_value object)
{
	struct group *group = groups_look_locked(groups, name);

	if (!group && (int64_t)groups->table.count >= groups->broker->conf->maxGroups)
		return -ENOSPC;
	if (!group)
		group = groups_add_locked(groups, name);
	if (!group)
		return -ENOMEM;
	TABLE_HOLDER(group, struct group_node, group)->adoption = groups->adoption;
	return group_read_json(group, object);
}

static int put_page_locked(struct groups *groups, const struct json_doc *page)
{
	struct json_iter it = json_iter(table_of(page));
	struct gantry_str name;
	int err = 0;

	while (!err && json_next(&it))
		if (json_plain(it.key, &name))
			err = put_locked(groups, name, it.value);
	return err ? err
		   : groups_take_forbidden_locked(groups,
						  json_get(json_root(page), "forbiddenTable"));
}

static void drop_others_locked(struct groups *groups)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&groups->table, NULL); entry; entry = next) {
		struct group_node *node = TABLE_HOLDER(entry, struct group_node, entry);

		next = table_next(&groups->table, entry);
		if (node->adoption == groups->adoption)
			continue;
		table_remove(&groups->table, entry);
		__atomic_store_n(&node->group.retired, 1, __ATOMIC_RELEASE);
	}
}

static void clear_forbidden_locked(struct groups *groups)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&groups->forbidden, NULL); entry;
	     entry = next) {
		next = table_next(&groups->forbidden, entry);
		table_remove(&groups->forbidden, entry);
		free(TABLE_HOLDER(entry, struct forbidden, entry));
	}
}

int groups_adopt(struct groups *groups, const struct json_doc *pages, uint32_t count, char *why,
		 size_t why_size)
{
	struct data_version version =
		data_version_read(json_get(json_root(&pages[count - 1]), "dataVersion"));
	bool same;
	int err = 0;

	for (uint32_t i = 0; !err && i < count; i++)
		err = check_page(&pages[i], why, why_size);
	if (err)
		return err;
	pthread_rwlock_wrlock(&groups->lock);
	same = data_version_equal(&groups->version, &version);
	groups->adoption++;
	if (!same)
		clear_forbidden_locked(groups);
	for (uint32_t i = 0; !same && !err && i < count; i++)
		err = put_page_locked(groups, &pages[i]);
	if (!same && !err) {
		drop_others_locked(groups);
		groups->version = version;
	}
	pthread_rwlock_unlock(&groups->lock);
	if (err)
		snprintf(why, why_size, "%s",
			 err == -ENOSPC ? "too many groups (maxGroups)" : "a group is too large");
	else if (!same && groups->file)
		state_changed(groups->file);
	return err;
}
