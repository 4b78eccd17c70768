/* SPDX-License-Identifier: Apache-2.0 */
/* The round over all audiences: each is looked at under the lock on its own, so that pulls wait for
 * one group at most. Members are asked for before, offsets committed after, without the lock. */
#include <stdlib.h>
#include <string.h>

#include "broadcast/private.h"
#include "call/fields.h"
#include "clients/clients.h"
#include "groups/groups.h"
#include "offsets/offsets.h"
#include "topics/topics.h"

struct round {
	struct broadcast *broadcast;
	uint64_t now_ms;
	char **members; /* sorted client ids */
	uint32_t member_count;
	int64_t *least; /* by queue; -1: nobody's */
	uint32_t queue_count;
};

static int compare(const void *key, const void *member)
{
	return strcmp(key, *(char *const *)member);
}

static bool is_online(const struct round *round, const struct listener *listener)
{
	return round->member_count && bsearch(listener->id, round->members, round->member_count,
					      sizeof(*round->members), compare);
}

static void take_least(struct round *round, const struct listener *listener)
{
	for (uint32_t i = 0; i < listener->offset_count && i < round->queue_count; i++) {
		int64_t offset = listener->offsets[i], *least = &round->least[i];

		if (offset >= 0 && (*least < 0 || offset < *least))
			*least = offset;
	}
}

static uint32_t count_queues(const struct audience *audience)
{
	uint32_t count = 0;

	for (const struct table_entry *entry = table_next(&audience->listeners, NULL); entry;
	     entry = table_next(&audience->listeners, entry)) {
		const struct listener *listener = TABLE_HOLDER(entry, struct listener, entry);

		if (listener->offset_count > count)
			count = listener->offset_count;
	}
	return count;
}

static bool make_room(struct round *round, uint32_t count)
{
	round->queue_count = count;
	round->least = malloc(count * sizeof(*round->least) + 1);
	for (uint32_t i = 0; round->least && i < count; i++)
		round->least[i] = -1;
	return round->least;
}

/* One who is gone counts, and is remembered, for broadcastOffsetExpireSecond. */
static void look_at(struct round *round, struct audience *audience)
{
	const struct broker_conf *conf = round->broadcast->broker->conf;
	uint64_t expire_ms = (uint64_t)conf->broadcastOffsetExpireSecond * 1000;
	uint64_t online_ms = (uint64_t)conf->broadcastOffsetExpireMaxSecond * 1000;
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&audience->listeners, NULL); entry;
	     entry = next) {
		struct listener *listener = TABLE_HOLDER(entry, struct listener, entry);
		uint64_t silent_ms = round->now_ms - listener->seen_ms;
		bool online = is_online(round, listener);

		next = table_next(&audience->listeners, entry);
		if (online || silent_ms < expire_ms)
			take_least(round, listener);
		if (silent_ms >= (online ? online_ms : expire_ms)) {
			table_remove(&audience->listeners, entry);
			listener_free(round->broadcast, listener);
		}
	}
}

static void commit(const struct round *round, struct gantry_str topic, struct gantry_str group)
{
	static const char suffix[] = "@broadcast";
	struct broker *broker = round->broadcast->broker;
	char name[GROUP_NAME_MAX + sizeof(suffix)];
	struct gantry_str as = {name, group.size + sizeof(suffix) - 1};

	if (!topics_find(broker->topics, topic))
		return;
	memcpy(name, group.at, group.size);
	memcpy(name + group.size, suffix, sizeof(suffix) - 1);
	for (uint32_t i = 0; i < round->queue_count; i++)
		if (round->least[i] >= 0)
			offsets_commit(broker->offsets, as, topic, (int32_t)i, round->least[i]);
}

static void round_over(struct round *round, struct audience *audience)
{
	struct broadcast *broadcast = round->broadcast;
	struct gantry_str topic = {audience->key, audience->topic_size};
	struct gantry_str group = {audience->key + topic.size + 1,
				   audience->entry.key.size - topic.size - 1};
	bool room, empty = false;

	round->members = NULL;
	round->member_count = 0;
	clients_member_ids(broadcast->broker->clients, group, &round->members,
			   &round->member_count);
	pthread_mutex_lock(&broadcast->lock);
	room = make_room(round, count_queues(audience));
	if (room) {
		look_at(round, audience);
		empty = !audience->listeners.count;
	}
	if (empty)
		table_remove(&broadcast->audiences, &audience->entry);
	pthread_mutex_unlock(&broadcast->lock);
	if (room)
		commit(round, topic, group);
	free(round->least);
	free(round->members);
	if (!empty)
		return;
	table_clear(&audience->listeners);
	free(audience);
}

/* They stay where they are: only this thread frees them. */
static struct audience **list(struct broadcast *broadcast, size_t *ret_count)
{
	struct audience **all;
	size_t count = 0;

	pthread_mutex_lock(&broadcast->lock);
	all = malloc(broadcast->audiences.count * sizeof(*all) + 1);
	for (struct table_entry *entry = table_next(&broadcast->audiences, NULL); all && entry;
	     entry = table_next(&broadcast->audiences, entry))
		all[count++] = TABLE_HOLDER(entry, struct audience, entry);
	pthread_mutex_unlock(&broadcast->lock);
	*ret_count = count;
	return all;
}

void broadcast_round(struct broker *broker)
{
	struct broadcast *broadcast = feature_data(broker, &broadcast_feature);
	struct round round = {.broadcast = broadcast, .now_ms = gantry_clock_ms()};
	size_t count;
	struct audience **all = list(broadcast, &count);

	for (size_t i = 0; all && i < count; i++)
		round_over(&round, all[i]);
	free(all);
}
