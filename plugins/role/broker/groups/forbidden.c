/* SPDX-License-Identifier: Apache-2.0 */
/* What a group may not do with a topic: RocketMQ's forbiddenTable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "groups/private.h"

enum { KEY_ROOM = TOPIC_NAME_ROOM + GROUP_NAME_MAX + 1 };

static size_t make_key(char *key, struct gantry_str group, struct gantry_str topic)
{
	if (topic.size + 1 + group.size > KEY_ROOM)
		return 0;
	if (topic.size)
		memcpy(key, topic.at, topic.size);
	key[topic.size] = '@';
	if (group.size)
		memcpy(key + topic.size + 1, group.at, group.size);
	return topic.size + 1 + group.size;
}

bool groups_forbids_read(struct groups *groups, struct gantry_str group, struct gantry_str topic)
{
	char key[KEY_ROOM];
	struct table_entry *entry = NULL;
	bool forbids = false;

	pthread_rwlock_rdlock(&groups->lock);
	if (groups->forbidden.count)
		entry = table_find(&groups->forbidden,
				   (struct gantry_str){key, make_key(key, group, topic)});
	if (entry)
		forbids = TABLE_HOLDER(entry, struct forbidden, entry)->bits & FORBID_READ;
	pthread_rwlock_unlock(&groups->lock);
	return forbids;
}

int groups_forbid_locked(struct groups *groups, struct gantry_str group, struct gantry_str topic,
			 int64_t bits)
{
	char key[KEY_ROOM];
	size_t size = make_key(key, group, topic);
	struct table_entry *entry = table_find(&groups->forbidden, (struct gantry_str){key, size});
	struct forbidden *forbidden;

	if (!size)
		return -ENAMETOOLONG;
	if (entry) {
		TABLE_HOLDER(entry, struct forbidden, entry)->bits = bits;
		return 0;
	}
	forbidden = malloc(sizeof(*forbidden) + size);
	if (!forbidden)
		return -ENOMEM;
	memcpy(forbidden->key, key, size);
	forbidden->topic_size = topic.size;
	forbidden->bits = bits;
	if (table_insert(&groups->forbidden, (struct gantry_str){forbidden->key, size},
			 &forbidden->entry)) {
		free(forbidden);
		return -ENOMEM;
	}
	return 0;
}

/* Allows what was forbidden; nothing is left of an entry without bits. */
static void allow_locked(struct groups *groups, struct gantry_str key)
{
	struct table_entry *entry = table_find(&groups->forbidden, key);
	struct forbidden *forbidden = entry ? TABLE_HOLDER(entry, struct forbidden, entry) : NULL;

	if (!forbidden)
		return;
	forbidden->bits &= ~(int64_t)FORBID_READ;
	if (forbidden->bits)
		return;
	table_remove(&groups->forbidden, entry);
	free(forbidden);
}

int groups_forbid_read(struct groups *groups, struct gantry_str group, struct gantry_str topic,
		       bool forbid)
{
	char key[KEY_ROOM];
	struct gantry_str whole = {key, make_key(key, group, topic)};
	struct table_entry *entry;
	int err = 0;

	if (!whole.size)
		return -ENAMETOOLONG;
	pthread_rwlock_wrlock(&groups->lock);
	entry = table_find(&groups->forbidden, whole);
	if (!forbid)
		allow_locked(groups, whole);
	else if (entry)
		TABLE_HOLDER(entry, struct forbidden, entry)->bits |= FORBID_READ;
	else if ((int64_t)groups->forbidden.count >= groups->broker->conf->maxGroups)
		err = -ENOSPC;
	else
		err = groups_forbid_locked(groups, group, topic, FORBID_READ);
	pthread_rwlock_unlock(&groups->lock);
	if (!err)
		groups_announce(groups);
	return err;
}
