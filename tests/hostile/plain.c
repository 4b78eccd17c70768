/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is wrong with this one: it offers what others need. */
#include "hostile.h"

static int act(struct gantry_inst *inst)
{
	(void)inst;
	return 0;
}

static const struct hostile_ops ops = {.size = sizeof(ops), .act = act};
static const struct gantry_service offers[] = {
	{.kind = GANTRY_FILTER, .caps = 1, .name = "PLAIN", .ops = &ops}, {.kind = 0}};

GANTRY_PLUGIN(hostile_plain, "hostile-plain", .version = "1.0", .summary = "is fine",
	      .offers = offers)
