/* SPDX-License-Identifier: Apache-2.0 */
/* Needs cycle-one, which needs this. */
#include "hostile.h"

static const struct hostile_ops ops = {.size = sizeof(ops)};
static const struct gantry_service offers[] = {{.kind = GANTRY_FILTER, .name = "TWO", .ops = &ops},
					       {.kind = 0}};
static const struct gantry_need needs[] = {{.kind = GANTRY_FILTER, .name = "ONE"}, {.kind = 0}};

GANTRY_PLUGIN(hostile_cycle_two, "hostile-cycle-two", .offers = offers, .needs = needs)
