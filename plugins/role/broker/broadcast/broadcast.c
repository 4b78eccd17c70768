/* SPDX-License-Identifier: Apache-2.0 */
/* Noting how far members of broadcasting groups are, and answering who changed its way. */
#include "broadcast/broadcast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broadcast/private.h"
#include "call/fields.h"
#include "groups/groups.h"
#include "offsets/offsets.h"
#include "topics/topics.h"
#include "offsets/young.h"

enum {
	KEY_ROOM = TOPIC_NAME_ROOM + GROUP_NAME_MAX + 1,
	SLOTS_STEP = 8,
	ROUND_MS = 5000,
};

static const char suffix[] = "@broadcast";

/* topic@group; size 0: names that no valid pull carries. */
static struct gantry_str make_key(const struct broadcast_pull *pull, char *room)
{
	size_t size = pull->topic.size + 1 + pull->group.size;

	if (pull->topic.size > TOPIC_NAME_ROOM || pull->group.size > GROUP_NAME_MAX ||
	    !pull->topic.size || !pull->group.size)
		return (struct gantry_str){room, 0};
	memcpy(room, pull->topic.at, pull->topic.size);
	room[pull->topic.size] = '@';
	memcpy(room + pull->topic.size + 1, pull->group.at, pull->group.size);
	return (struct gantry_str){room, size};
}

static struct audience *find_audience(const struct broadcast *broadcast, struct gantry_str key)
{
	struct table_entry *entry = table_find(&broadcast->audiences, key);

	return entry ? TABLE_HOLDER(entry, struct audience, entry) : NULL;
}

static struct listener *find_listener(const struct audience *audience, struct gantry_str id)
{
	struct table_entry *entry = table_find(&audience->listeners, id);

	return entry ? TABLE_HOLDER(entry, struct listener, entry) : NULL;
}

/* ---- noting */

static struct audience *make_audience(struct broadcast *broadcast, struct gantry_str key,
				      size_t topic_size)
{
	struct audience *audience = calloc(1, sizeof(*audience) + key.size);

	if (!audience)
		return NULL;
	memcpy(audience->key, key.at, key.size);
	audience->topic_size = topic_size;
	if (!table_insert(&broadcast->audiences, (struct gantry_str){audience->key, key.size},
			  &audience->entry))
		return audience;
	free(audience);
	return NULL;
}

static bool has_room(const struct broadcast *broadcast, uint64_t more)
{
	return broadcast->slots + more <= (uint64_t)broadcast->broker->conf->maxOffsets;
}

static struct listener *make_listener(struct broadcast *broadcast, struct audience *audience,
				      struct gantry_str id)
{
	struct listener *listener = NULL;

	if (has_room(broadcast, 1))
		listener = calloc(1, sizeof(*listener) + id.size + 1);
	if (!listener)
		return NULL;
	memcpy(listener->id, id.at, id.size);
	if (table_insert(&audience->listeners, (struct gantry_str){listener->id, id.size},
			 &listener->entry)) {
		free(listener);
		return NULL;
	}
	broadcast->slots++;
	return listener;
}

void listener_free(struct broadcast *broadcast, struct listener *listener)
{
	broadcast->slots -= listener->offset_count + 1;
	free(listener->offsets);
	free(listener);
}

static int64_t *slot_of(struct broadcast *broadcast, struct listener *listener, uint32_t queue)
{
	uint32_t count = (queue / SLOTS_STEP + 1) * SLOTS_STEP;
	int64_t *more;

	if (queue < listener->offset_count)
		return &listener->offsets[queue];
	if (!has_room(broadcast, count - listener->offset_count))
		return NULL;
	more = realloc(listener->offsets, count * sizeof(*more));
	if (!more)
		return NULL;
	for (uint32_t i = listener->offset_count; i < count; i++)
		more[i] = -1;
	broadcast->slots += count - listener->offset_count;
	listener->offsets = more;
	listener->offset_count = count;
	return &more[queue];
}

/* With the lock held. False: there is no room, or no memory. */
static bool note(struct broadcast *broadcast, const struct broadcast_pull *pull,
		 struct gantry_str key)
{
	struct audience *audience = find_audience(broadcast, key);
	struct listener *listener;
	int64_t *slot;

	if (!audience)
		audience = make_audience(broadcast, key, pull->topic.size);
	if (!audience)
		return false;
	listener = find_listener(audience, pull->client);
	if (!listener)
		listener = make_listener(broadcast, audience, pull->client);
	if (!listener)
		return false;
	listener->seen_ms = gantry_clock_ms();
	listener->by_proxy = pull->by_proxy;
	slot = slot_of(broadcast, listener, (uint32_t)pull->queue);
	if (slot && *slot < pull->offset)
		*slot = pull->offset;
	return slot;
}

void broadcast_note(struct broker *broker, const struct broadcast_pull *pull)
{
	struct broadcast *broadcast = feature_data(broker, &broadcast_feature);
	char room[KEY_ROOM];
	struct gantry_str key = make_key(pull, room);
	bool noted;

	if (!key.size || pull->queue < 0 || pull->client.size > BROADCAST_CLIENT_MAX)
		return;
	pthread_mutex_lock(&broadcast->lock);
	noted = note(broadcast, pull, key);
	pthread_mutex_unlock(&broadcast->lock);
	if (!noted)
		gantry_log_limited(broker->inst, &broadcast->full, WARNING,
				   "cannot note how far a member of the broadcasting group %.*s is "
				   "(maxOffsets, or no memory)",
				   STR_ARGS(pull->group));
}

/* ---- answering */

/* What is noted of it; false: what it asks for is right. *ret: -1 if there is none of the queue. */
static bool look_up(struct broadcast *broadcast, const struct broadcast_pull *pull,
		    struct gantry_str key, int64_t *ret)
{
	bool first = pull->by_proxy && pull->offset < 0, wanted = first;
	const struct audience *audience;
	const struct listener *listener;

	*ret = -1;
	pthread_mutex_lock(&broadcast->lock);
	audience = find_audience(broadcast, key);
	listener = audience ? find_listener(audience, pull->client) : NULL;
	if (listener) {
		wanted = listener->by_proxy != pull->by_proxy ||
			 (listener->by_proxy && pull->offset < 0);
		if ((uint32_t)pull->queue < listener->offset_count)
			*ret = listener->offsets[pull->queue];
	}
	pthread_mutex_unlock(&broadcast->lock);
	return wanted;
}

static int64_t groups_offset(struct broker *broker, const struct broadcast_pull *pull)
{
	char name[GROUP_NAME_MAX + sizeof(suffix)];
	size_t size = pull->group.size;

	memcpy(name, pull->group.at, size);
	memcpy(name + size, suffix, sizeof(suffix) - 1);
	return offsets_get(broker->offsets, (struct gantry_str){name, size + sizeof(suffix) - 1},
			   pull->topic, pull->queue);
}

int64_t broadcast_start(struct broker *broker, const struct broadcast_pull *pull,
			struct queue *from)
{
	struct broadcast *broadcast = feature_data(broker, &broadcast_feature);
	int64_t offset, min, max;
	char room[KEY_ROOM];
	struct gantry_str key = make_key(pull, room);

	if (!key.size || pull->queue < 0 || !look_up(broadcast, pull, key, &offset))
		return -1;
	if (offset < 0)
		offset = groups_offset(broker, pull);
	if (offset >= 0)
		return offset;
	queue_bounds(from, &min, &max);
	return young_queue(broker, from) ? 0 : max;
}

/* ---- life */

static int make(struct broker *broker, void **ret)
{
	struct broadcast *broadcast = calloc(1, sizeof(*broadcast));

	if (!broadcast)
		return -ENOMEM;
	broadcast->broker = broker;
	pthread_mutex_init(&broadcast->lock, NULL);
	*ret = broadcast;
	return 0;
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct broadcast *broadcast = user;

	(void)timer;
	broadcast_round(broadcast->broker);
}

static int serve(void *self)
{
	struct broadcast *broadcast = self;
	struct gantry_inst *inst = broadcast->broker->inst;

	if (!broadcast->broker->conf->enableBroadcastOffsetStore)
		return 0;
	return gantry_timer_start(inst, gantry_loop_control(inst), ROUND_MS, ROUND_MS, tick,
				  broadcast, &broadcast->timer);
}

static int end(void *self, struct gantry_op *op)
{
	struct broadcast *broadcast = self;

	(void)op;
	gantry_timer_stop(broadcast->timer);
	broadcast->timer = NULL;
	return 0;
}

static void free_audience(struct broadcast *broadcast, struct audience *audience)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&audience->listeners, NULL); entry;
	     entry = next) {
		next = table_next(&audience->listeners, entry);
		listener_free(broadcast, TABLE_HOLDER(entry, struct listener, entry));
	}
	table_clear(&audience->listeners);
	free(audience);
}

static void broadcast_free(void *self)
{
	struct broadcast *broadcast = self;
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&broadcast->audiences, NULL); entry;
	     entry = next) {
		next = table_next(&broadcast->audiences, entry);
		free_audience(broadcast, TABLE_HOLDER(entry, struct audience, entry));
	}
	table_clear(&broadcast->audiences);
	pthread_mutex_destroy(&broadcast->lock);
	free(broadcast);
}

const struct feature broadcast_feature = {
	.name = "broadcast offsets",
	.make = make,
	.serve = serve,
	.end = end,
	.free = broadcast_free,
};
