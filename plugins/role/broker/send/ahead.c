/* SPDX-License-Identifier: Apache-2.0 */
/* Before a call's requests run through the plan one by one: where they are of many topics, what
 * those and their queues have in memory is asked for together. One request alone would wait for
 * memory a dozen times, and 64 of them do not wait much longer. */
#include <string.h>

#include "call/fields.h"
#include "send/private.h"
#include "stats/stats.h"

_Static_assert((int)STORE_EXPECTED == (int)TOPICS_WANTED, "a chunk of requests is one of each");

static bool is_as_before(const struct send_call *call, uint32_t i)
{
	return i && str_equal(call->contexts[i].send->topic, call->contexts[i - 1].send->topic);
}

static void look(struct send_call *call, const uint32_t *which, uint32_t count)
{
	const struct broker *broker = call->sender->broker;
	struct topic_wanted wanted[TOPICS_WANTED];
	struct queue_expected expected[STORE_EXPECTED];
	uint32_t found = 0;

	for (uint32_t i = 0; i < count; i++)
		wanted[i].name = call->contexts[which[i]].send->topic;
	topics_find_many(broker->topics, wanted, count);
	for (uint32_t i = 0; i < count; i++) {
		struct send_context *context = &call->contexts[which[i]];

		context->topic = wanted[i].topic;
		if (!context->topic)
			continue;
		expected[found++] = (struct queue_expected){context->topic, context->send->queue};
		stats_expect_put(broker->stats, context->topic);
	}
	store_expect(expected, found);
}

void send_look_ahead(struct send_call *call)
{
	uint32_t which[TOPICS_WANTED], count = 0;

	for (uint32_t i = 0; i < call->count; i++) {
		if (is_as_before(call, i))
			continue;
		which[count++] = i;
		if (count == TOPICS_WANTED) {
			look(call, which, count);
			count = 0;
		}
	}
	if (count > 1)
		look(call, which, count);
}
