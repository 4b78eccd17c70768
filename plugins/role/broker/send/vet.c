/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a send for a request that is stored in another way: a reply. */
#include "send/private.h"

/* Those that RocketMQ's ReplyMessageProcessor has in common with SendMessageProcessor. */
static const struct send_step steps[] = {
	{"accepting time", send_check_time},
	{"order topic", send_check_order},
	{"topic", send_find_topic},
	{"queue", send_choose_queue},
};

int sender_vet(struct broker *broker, struct gantry_send *send, struct topic **ret_topic,
	       int32_t *ret_queue)
{
	struct sender *sender = broker->sender;
	struct send_context context = {.send = send};
	struct send_call call = {
		.sender = sender,
		.loop = &sender->loops[gantry_loop_index(gantry_loop_here())],
		.contexts = &context,
		.count = 1,
		.now_ms = broker_wall_ms(),
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].run(&call, &context))
			return 1;
	*ret_topic = context.topic;
	*ret_queue = context.queue;
	return 0;
}
