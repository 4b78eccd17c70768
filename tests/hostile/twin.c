/* SPDX-License-Identifier: Apache-2.0 */
/* Offers what hostile-plain offers. */
#include "hostile.h"

static const struct hostile_ops ops = {.size = sizeof(ops)};
static const struct gantry_service offers[] = {
	{.kind = GANTRY_FILTER, .name = "PLAIN", .ops = &ops}, {.kind = 0}};

GANTRY_PLUGIN(hostile_twin, "hostile-twin", .offers = offers)
