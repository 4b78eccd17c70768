/* SPDX-License-Identifier: Apache-2.0 */
/* NOTIFY_CONSUMER_IDS_CHANGED: collected under the lock, sent after it. */
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "clients_private.h"

enum { NOTIFY_CONSUMER_IDS_CHANGED = 40 };

bool clients_wants_notice(struct broker *broker, struct gantry_str group)
{
	struct group *config = groups_look(broker->groups, group);

	return broker->conf->notifyConsumerIdsChangedEnable &&
	       (!config || GROUP_READ(config, notify_consumer_ids_changed_enable));
}

void notice_collect(struct notice *notice, const struct client_group *group, bool wanted)
{
	notice->count = 0;
	if (!wanted || !group || group->message_model == GANTRY_BROADCASTING ||
	    !group->member_count || group->name_size >= sizeof(notice->group))
		return;
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
