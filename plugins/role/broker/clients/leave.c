/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that go: by unregistering, by a closed connection, by silence. */
#include <errno.h>
#include <stdlib.h>

#include "call/fields.h"
#include "clients/private.h"

enum { SCAN_MS = 10000 };

/* Takes a channel out of one group and tells the others. */
static void leave_group(struct clients *clients, struct table *table,
			struct client_channel *channel, struct gantry_str name)
{
	bool wanted = table == &clients->consumers && clients_wants_notice(clients->broker, name);
	struct notice notice = {.count = 0};
	struct client_group *group;
	struct member *member = channel->members;

	pthread_rwlock_wrlock(&clients->lock);
	group = clients_group_locked(clients, table, name);
	while (member && member->group != group)
		member = member->channel_next;
	if (group && member) {
		clients_member_drop_locked(clients, member, &group);
		notice_collect(clients, &notice, group, wanted);
	}
	pthread_rwlock_unlock(&clients->lock);
	notice_send(&notice);
}

int clients_leave(struct broker *broker, struct gantry_session *session, struct gantry_str client,
		  struct gantry_str producer_group, struct gantry_str consumer_group)
{
	struct broker_session *record = session->role_data;
	struct clients *clients = broker->clients;

	(void)client; /* RocketMQ goes by the connection alone */
	if (consumer_group.size)
		groups_find(broker, consumer_group); /* and looks the group up, which makes it */
	if (!record || !record->channel)
		return 0;
	if (producer_group.size)
		leave_group(clients, &clients->producers, record->channel, producer_group);
	if (consumer_group.size)
		leave_group(clients, &clients->consumers, record->channel, consumer_group);
	return 0;
}

/* Drops one member, if the channel still has any, and tells its group. */
static bool drop_one(struct clients *clients, struct client_channel *channel)
{
	struct notice notice = {.count = 0};
	char name[GROUP_NAME_ROOM];
	struct client_group *group;
	bool wanted;

	pthread_rwlock_rdlock(&clients->lock);
	group = channel->members ? channel->members->group : NULL;
	name[0] = 0;
	if (group && group->name_size < sizeof(name))
		__builtin_memcpy(name, group->name, group->name_size + 1);
	pthread_rwlock_unlock(&clients->lock);
	if (!group)
		return false;
	wanted = clients_wants_notice(clients->broker, str_of(name));
	pthread_rwlock_wrlock(&clients->lock);
	if (channel->members) {
		clients_member_drop_locked(clients, channel->members, &group);
		notice_collect(clients, &notice, group, wanted);
	}
	pthread_rwlock_unlock(&clients->lock);
	notice_send(&notice);
	return true;
}

void clients_gone(struct broker *broker, struct gantry_session *session)
{
	struct broker_session *record = session->role_data;

	if (!record || !record->channel)
		return;
	while (drop_one(broker->clients, record->channel))
		;
	free(record->channel);
	record->channel = NULL;
	session->ops->release(session);
}

/* ---- silence */

/* Sessions of members that are silent for too long, held; at most room of them. */
static uint32_t find_silent(struct clients *clients, struct table *table, int64_t before,
			    struct gantry_session **ret, uint32_t room)
{
	uint32_t count = 0;

	for (struct table_entry *entry = table_next(table, NULL); entry;
	     entry = table_next(table, entry)) {
		struct client_group *group = TABLE_HOLDER(entry, struct client_group, entry);

		for (struct member *member = group->members; member && count < room;
		     member = member->group_next) {
			if (member->seen_ms >= before)
				continue;
			ret[count] = member->channel->session;
			ret[count]->ops->hold(ret[count]);
			count++;
			gantry_log(clients->broker->inst, WARNING,
				   "client %s of group %s has been silent for too long: closed",
				   member->id, group->name);
		}
	}
	return count;
}

/* Pulls that no longer come: their subscriptions are forgotten, and groups that had nothing else.
 */
static void expire_compensated_locked(struct clients *clients, int64_t before)
{
	struct table_entry *next_group, *next;

	for (struct table_entry *at = table_next(&clients->consumers, NULL); at; at = next_group) {
		struct client_group *group = TABLE_HOLDER(at, struct client_group, entry);
		struct table *table = &group->compensated;

		next_group = table_next(&clients->consumers, at);
		for (struct table_entry *entry = table_next(table, NULL); entry; entry = next) {
			struct group_subscription *held =
				TABLE_HOLDER(entry, struct group_subscription, entry);

			next = table_next(table, entry);
			if (__atomic_load_n(&held->seen_ms, __ATOMIC_RELAXED) < before)
				group_subscription_drop(table, held);
		}
		if (!group->member_count && !table->count)
			clients_group_drop_locked(&clients->consumers, group);
	}
}

/* Closing is enough: gone() follows on the session's loop and tells the groups. */
static void scan(struct gantry_timer *timer, void *user)
{
	enum { ROOM = 256 };
	struct clients *clients = user;
	const struct broker_conf *conf = clients->broker->conf;
	int64_t now = (int64_t)gantry_clock_ms();
	struct gantry_session *silent[ROOM];
	uint32_t count;

	(void)timer;
	pthread_rwlock_wrlock(&clients->lock);
	count = find_silent(clients, &clients->consumers, now - conf->channelExpiredTimeout, silent,
			    ROOM);
	count += find_silent(clients, &clients->producers, now - conf->channelExpiredTimeout,
			     silent + count, ROOM - count);
	expire_compensated_locked(clients, now - conf->subscriptionExpiredTimeout);
	pthread_rwlock_unlock(&clients->lock);
	for (uint32_t i = 0; i < count; i++) {
		silent[i]->ops->close(silent[i]);
		silent[i]->ops->release(silent[i]);
	}
}

int clients_serve(struct clients *clients)
{
	struct gantry_inst *inst = clients->broker->inst;
	int64_t timeout = clients->broker->conf->channelExpiredTimeout;
	uint64_t period = timeout < SCAN_MS ? (uint64_t)timeout : SCAN_MS;
	int status = notice_serve(clients);

	return status ? status
		      : gantry_timer_start(inst, gantry_loop_control(inst), period, period, scan,
					   clients, &clients->timer);
}

void clients_close(struct clients *clients)
{
	gantry_timer_stop(clients->timer);
	clients->timer = NULL;
	notice_close(clients);
}
