/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's AllocateMessageQueueAveragely: consecutive runs of queues, whose lengths differ by one
 * at most; the first members get the longer ones. */
#include <errno.h>
#include <string.h>

#include <gantry/allocation.h>
#include <gantry/plugin.h>

#include "average.h"

void average_share(uint32_t queues, uint32_t members, uint32_t index, uint32_t *ret_first,
		   uint32_t *ret_count)
{
	uint32_t each = queues / members, longer = queues % members;

	*ret_first = index * each + (index < longer ? index : longer);
	*ret_count = each + (index < longer);
}

static int assign(const void *conf, const struct gantry_alloc_request *request, uint32_t *ret,
		  uint32_t *ret_count)
{
	uint32_t index = 0, first, count;

	(void)conf;
	while (index < request->member_count && strcmp(request->members[index], request->self) != 0)
		index++;
	if (index == request->member_count)
		return -EINVAL;
	average_share(request->queue_count, request->member_count, index, &first, &count);
	for (uint32_t i = 0; i < count; i++)
		ret[i] = first + i;
	*ret_count = count;
	return 0;
}

static const struct gantry_allocation_ops ops = {.size = sizeof(ops), .assign = assign};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_ALLOCATION, .name = "AVG", .ops = &ops},
	{0},
};

GANTRY_PLUGIN(allocation_average, "allocation-average", .version = "0.1", .license = "Apache-2.0",
	      .summary = "splits a topic's queues evenly, in runs, among a group's members",
	      .offers = offers)
