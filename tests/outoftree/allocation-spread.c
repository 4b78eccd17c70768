/* SPDX-License-Identifier: Apache-2.0 */
/* An allocation strategy of one's own: member i of n takes queues i, i + n, i + 2n, ... */
#include <gantry/allocation.h>
#include <gantry/plugin.h>

#include <errno.h>
#include <string.h>

static int assign(const void *conf, const struct gantry_alloc_request *request, uint32_t *ret,
		  uint32_t *ret_count)
{
	uint32_t self = 0, taken = 0;

	(void)conf;
	while (self < request->member_count && strcmp(request->members[self], request->self) != 0)
		self++;
	if (self == request->member_count)
		return -EINVAL;
	for (uint32_t i = self; i < request->queue_count; i += request->member_count)
		ret[taken++] = i;
	*ret_count = taken;
	return 0;
}

static const struct gantry_allocation_ops ops = {.size = sizeof(ops), .assign = assign};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_ALLOCATION, .name = "SPREAD", .ops = &ops},
	{.kind = 0},
};

GANTRY_PLUGIN(allocation_spread, "allocation-spread", .version = "1.0", .license = "Apache-2.0",
	      .summary = "deals the queues out one by one", .offers = offers)
