/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a call that the service's vtable does not have yet. */
#include "hostile.h"

static const struct gantry_need needs[] = {
	{.kind = GANTRY_FILTER, .ops_size = 4096, .name = "PLAIN"}, {.kind = 0}};

GANTRY_PLUGIN(hostile_wants_more, "hostile-wants-more", .needs = needs)
