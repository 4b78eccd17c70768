/* SPDX-License-Identifier: Apache-2.0 */
/* Pulls of broadcasting groups: whether one is, where it has to go on, what is noted of it. */
#include <string.h>

#include "broadcast/broadcast.h"
#include "call/fields.h"
#include "pull/private.h"

enum { PROXY_FOR_BROADCAST = 1 }; /* RocketMQ's RequestSource */

int pull_find_broadcast(struct pull_context *context)
{
	const struct broker *broker = context->puller->broker;
	const struct gantry_pull *pull = context->pull;

	if (!broker->conf->enableBroadcastOffsetStore)
		context->broadcast = PULL_NO_BROADCAST;
	else if (pull->request_source == PROXY_FOR_BROADCAST)
		context->broadcast = PULL_BROADCAST_BY_PROXY;
	else if (pull->flags & GANTRY_PULL_SUBSCRIPTION && /* else it is known already */
		 clients_is_broadcasting(broker->clients, context->group->name))
		context->broadcast = PULL_BROADCAST;
	if (context->broadcast != PULL_BROADCAST_BY_PROXY)
		return 0;
	if (!pull->proxy_client_id.size)
		return pull_refuse(context, GANTRY_SYSTEM_ERROR, 0,
				   "proxyFrowardClientId of a broadcasting consumer is missing");
	context->proxy_client = strndup(pull->proxy_client_id.at, pull->proxy_client_id.size);
	return context->proxy_client ? 0
				     : pull_refuse(context, GANTRY_SYSTEM_ERROR, 0, "no memory");
}

/* room: BROADCAST_CLIENT_MAX + 1 bytes. False: it is no member. */
static bool fill(const struct pull_context *context, char *room, struct broadcast_pull *ret)
{
	const struct gantry_pull *pull = context->pull;

	*ret = (struct broadcast_pull){
		.topic = context->topic->name,
		.group = context->group->name,
		.queue = pull->queue,
		.by_proxy = context->broadcast == PULL_BROADCAST_BY_PROXY,
		.offset = pull->offset,
	};
	if (!ret->by_proxy && !clients_member_id(context->puller->broker->clients, ret->group,
						 pull->session, room, BROADCAST_CLIENT_MAX + 1))
		return false;
	ret->client = str_of(ret->by_proxy ? context->proxy_client : room);
	return true;
}

int64_t pull_broadcast_start(const struct pull_context *context)
{
	char room[BROADCAST_CLIENT_MAX + 1];
	struct broadcast_pull pull;

	if (context->broadcast == PULL_NO_BROADCAST || !fill(context, room, &pull))
		return -1;
	return broadcast_start(context->puller->broker, &pull, context->queue);
}

void pull_broadcast_note(const struct pull_context *context)
{
	char room[BROADCAST_CLIENT_MAX + 1];
	struct broadcast_pull pull;

	if (context->broadcast == PULL_NO_BROADCAST || !fill(context, room, &pull))
		return;
	if (context->pull->code == GANTRY_PULL_OFFSET_MOVED)
		pull.offset = context->pull->next_offset;
	broadcast_note(context->puller->broker, &pull);
}
