/* SPDX-License-Identifier: Apache-2.0 */
/* The load balance itself; pure but for memory. */
#include "balance/assign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int index_of(const struct assign_request *request, const char *client)
{
	for (uint32_t i = 0; i < request->member_count; i++)
		if (strcmp(request->members[i], client) == 0)
			return (int)i;
	return -1;
}

/* Marks what the strategy gives to one member. */
static int mark_share(const struct assign_request *request, const char *client, uint32_t *room,
		      bool *mine)
{
	struct gantry_alloc_request ask = {
		.size = sizeof(ask),
		.member_count = request->member_count,
		.topic = request->topic,
		.group = request->group,
		.self = client,
		.members = request->members,
		.queues = request->queues->at,
		.queue_count = request->queues->count,
	};
	uint32_t count = 0;
	int err = request->strategy->assign(request->strategy_conf, &ask, room, &count);

	for (uint32_t i = 0; !err && i < count; i++)
		mine[room[i]] = true;
	return err;
}

/* Popping: the member's own share and those of the members behind it. */
static int mark_shares(const struct assign_request *request, uint32_t *room, bool *mine)
{
	uint32_t more =
		request->mode.mode == MODE_POP ? (uint32_t)request->mode.pop_share_queues : 0;
	int self = index_of(request, request->self);
	int err = 0;

	if (self < 0)
		return 0; /* not a member yet: it gets none */
	if (request->mode.mode == MODE_POP && request->member_count > request->queues->count) {
		mine[(uint32_t)self % request->queues->count] = true;
		return 0;
	}
	for (uint32_t i = 0; !err && i <= more; i++)
		err = mark_share(request,
				 request->members[((uint32_t)self + i) % request->member_count],
				 room, mine);
	return err;
}

/* Everybody pops everything: one entry a broker. */
static uint32_t whole_brokers(const struct route_queues *queues, struct assigned_queue *to)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < queues->count; i++)
		if (!count || strcmp(to[count - 1].broker, queues->at[i].broker) != 0)
			to[count++] = (struct assigned_queue){queues->at[i].broker, -1};
	return count;
}

static uint32_t collect(const struct route_queues *queues, const bool *mine,
			struct assigned_queue *to)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < queues->count; i++)
		if (mine[i])
			to[count++] =
				(struct assigned_queue){queues->at[i].broker, queues->at[i].queue};
	return count;
}

static bool pops_everything(const struct assign_request *request)
{
	return request->mode.mode == MODE_POP &&
	       (request->mode.pop_share_queues <= 0 ||
		request->mode.pop_share_queues >= (int64_t)request->member_count - 1);
}

int assign_share(const struct assign_request *request, struct assigned_queue **ret,
		 uint32_t *ret_count)
{
	uint32_t count = request->queues->count;
	struct assigned_queue *to;
	uint32_t *room;
	bool *mine;
	int err = 0;

	if (!count) {
		*ret = NULL;
		*ret_count = 0;
		return 0;
	}
	to = malloc(count * sizeof(*to));
	room = malloc(count * sizeof(*room));
	mine = calloc(count, sizeof(*mine));
	if (!to || !room || !mine)
		err = -ENOMEM;
	else if (pops_everything(request))
		*ret_count = whole_brokers(request->queues, to);
	else if ((err = mark_shares(request, room, mine)) == 0)
		*ret_count = collect(request->queues, mine, to);
	free(mine);
	free(room);
	if (err) {
		free(to);
		return err;
	}
	*ret = to;
	return 0;
}
