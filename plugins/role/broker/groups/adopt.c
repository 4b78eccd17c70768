/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's subscription groups become those of its master, and so does what is forbidden to them.
 * As RocketMQ's SlaveSynchronize.syncSubscriptionGroupConfig. */
#include <errno.h>
#include <stdlib.h>

#include "adopt.h"
#include "groups/private.h"

static struct group_node *node_of(const struct table_entry *entry)
{
	return TABLE_HOLDER(entry, struct group_node, entry);
}

static bool is_group(const struct json_iter *entry)
{
	struct gantry_str name;

	return json_plain(entry->key, &name) && name.size && name.size <= GROUP_NAME_MAX &&
	       json_is(entry->value, JSON_OBJECT);
}

static int put_locked(void *user, const struct json_iter *entry)
{
	struct groups *groups = user;
	struct gantry_str name;
	struct group *group;

	if (!json_plain(entry->key, &name))
		return -EINVAL;
	group = groups_look_locked(groups, name);
	if (!group && (int64_t)groups->table.count >= groups->broker->conf->maxGroups)
		return -ENOSPC;
	if (!group)
		group = groups_add_locked(groups, name);
	if (!group)
		return -ENOMEM;
	TABLE_HOLDER(group, struct group_node, group)->adoption = groups->adoption;
	return group_read_json(group, entry->value);
}

static uint64_t turn_of(const struct table_entry *entry)
{
	return node_of(entry)->adoption;
}

static void retire(struct table_entry *entry)
{
	__atomic_store_n(&node_of(entry)->group.retired, 1, __ATOMIC_RELEASE);
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

static int put_forbidden_locked(void *user, struct json_value page, bool first)
{
	struct groups *groups = user;

	if (first)
		clear_forbidden_locked(groups);
	return groups_take_forbidden_locked(groups, json_get(page, "forbiddenTable"));
}

int groups_adopt(struct groups *groups, const struct json_doc *pages, uint32_t count, char *why,
		 size_t why_size)
{
	const struct adoption adoption = {
		.user = groups,
		.lock = &groups->lock,
		.table = &groups->table,
		.version = &groups->version,
		.turn = &groups->adoption,
		.file = groups->file,
		.name = "subscriptionGroupTable",
		.of = "group",
		.full = "too many groups (maxGroups)",
		.failed = "a group is too large",
		.is_good = is_group,
		.put = put_locked,
		.turn_of = turn_of,
		.retire = retire,
		.put_rest = put_forbidden_locked,
	};

	return adopt_pages(&adoption, pages, count, why, why_size);
}
