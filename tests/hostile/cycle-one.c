/* SPDX-License-Identifier: Apache-2.0 */
/* Needs cycle-two, which needs this. */
#include "hostile.h"

static const struct hostile_ops ops = {.size = sizeof(ops)};
static const struct gantry_service offers[] = {{.kind = GANTRY_FILTER, .name = "ONE", .ops = &ops},
					       {.kind = 0}};
static const struct gantry_need needs[] = {{.kind = GANTRY_FILTER, .name = "TWO"}, {.kind = 0}};

GANTRY_PLUGIN(hostile_cycle_one, "hostile-cycle-one", .offers = offers, .needs = needs)
