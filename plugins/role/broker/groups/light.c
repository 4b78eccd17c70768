/* SPDX-License-Identifier: Apache-2.0 */
/* Groups named as light queues, as RocketMQ's LmqSubscriptionGroupManager 5.5.0 gives them: all
 * have the defaults. They are made when somebody asks for them, up to maxGroups. */
#include "groups/private.h"

static struct group *find_locked(const struct groups *groups, struct gantry_str name)
{
	struct table_entry *entry = table_find(&groups->light, name);

	return entry ? &TABLE_HOLDER(entry, struct group_node, entry)->group : NULL;
}

static struct group *make(struct groups *groups, struct gantry_str name)
{
	struct group *group;

	pthread_rwlock_wrlock(&groups->lock);
	group = find_locked(groups, name);
	if (!group && (int64_t)groups->light.count < groups->broker->conf->maxGroups)
		group = groups_add_to_locked(groups, &groups->light, name);
	pthread_rwlock_unlock(&groups->lock);
	return group;
}

struct group *groups_find_light(struct groups *groups, struct gantry_str name)
{
	struct group *group;

	pthread_rwlock_rdlock(&groups->lock);
	group = find_locked(groups, name);
	pthread_rwlock_unlock(&groups->lock);
	return group ? group : make(groups, name);
}
