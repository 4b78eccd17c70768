/* SPDX-License-Identifier: Apache-2.0 */
/* NOTIFY_CONSUMER_IDS_CHANGED: collected under the lock, sent after it. Ten thousand members that
 * join one after the other would be told fifty million times: a large group is told at once when it
 * changes, and then again when NOTICE_MS have passed, of all that happened meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "clients/private.h"

enum {
	NOTIFY_CONSUMER_IDS_CHANGED = 40,
	NOTICE_AT_ONCE = 64, /* members; a group of so many is told of every change */
	NOTICE_MS = 250,
};

bool clients_wants_notice(struct broker *broker, struct gantry_str group)
{
	struct group *config = groups_look(broker->groups, group);

	return broker->conf->notifyConsumerIdsChangedEnable &&
	       (!config || GROUP_READ(config, notify_consumer_ids_changed_enable));
}

static bool is_due(const struct client_group *group, int64_t now_ms)
{
	return group->member_count <= NOTICE_AT_ONCE || now_ms - group->told_ms >= NOTICE_MS;
}

void notice_collect(struct clients *clients, struct notice *notice, struct client_group *group,
		    bool wanted)
{
	int64_t now_ms = (int64_t)gantry_clock_ms();

	notice->count = 0;
	if (!wanted || !group || group->message_model == GANTRY_BROADCASTING ||
	    !group->member_count || group->name_size >= sizeof(notice->group))
		return;
	group->untold = !is_due(group, now_ms);
	if (group->untold) {
		__atomic_store_n(&clients->untold, true, __ATOMIC_RELEASE);
		return;
	}
	group->told_ms = now_ms;
	notice->sessions = malloc(group->member_count * sizeof(*notice->sessions));
	if (!notice->sessions)
		return;
	memcpy(notice->group, group->name, group->name_size + 1);
	for (struct member *member = group->members; member; member = member->group_next) {
		struct gantry_session *session = member->channel->session;

		session->ops->hold(session);
		notice->sessions[notice->count++] = session;
	}
}

void notice_send(struct notice *notice)
{
	struct gantry_field field = {str_of("consumerGroup"), str_of(notice->group)};
	struct gantry_push push = {
		.code = NOTIFY_CONSUMER_IDS_CHANGED, .field_count = 1, .fields = &field};

	if (!notice->count)
		return;
	for (uint32_t i = 0; i < notice->count; i++) {
		struct gantry_session *session = notice->sessions[i];

		session->ops->push(session, &push);
		session->ops->release(session);
	}
	free(notice->sessions);
	notice->count = 0;
}

/* The next group that is due. False: there is none. */
static bool collect_due(struct clients *clients, struct notice *notice)
{
	int64_t now_ms = (int64_t)gantry_clock_ms();
	struct client_group *due = NULL;

	pthread_rwlock_wrlock(&clients->lock);
	for (struct table_entry *entry = table_next(&clients->consumers, NULL); entry && !due;
	     entry = table_next(&clients->consumers, entry)) {
		struct client_group *group = TABLE_HOLDER(entry, struct client_group, entry);

		if (!group->untold)
			continue;
		if (is_due(group, now_ms))
			due = group;
		else
			__atomic_store_n(&clients->untold, true, __ATOMIC_RELEASE);
	}
	notice_collect(clients, notice, due, true);
	if (due)
		due->untold = false; /* also if nobody is to be told */
	pthread_rwlock_unlock(&clients->lock);
	return due;
}

static void tell_later(struct gantry_timer *timer, void *user)
{
	struct clients *clients = user;
	struct notice notice;

	(void)timer;
	if (!__atomic_exchange_n(&clients->untold, false, __ATOMIC_ACQ_REL))
		return;
	while (collect_due(clients, &notice))
		notice_send(&notice);
}

int notice_serve(struct clients *clients)
{
	struct gantry_inst *inst = clients->broker->inst;

	return gantry_timer_start(inst, gantry_loop_control(inst), NOTICE_MS, NOTICE_MS, tell_later,
				  clients, &clients->notice_timer);
}

void notice_close(struct clients *clients)
{
	gantry_timer_stop(clients->notice_timer);
	clients->notice_timer = NULL;
}
