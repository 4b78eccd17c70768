/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

static const struct gantry_need needs[] = {{.kind = GANTRY_FILTER, .name = "PLAIN"}, {.kind = 0}};

GANTRY_PLUGIN(hostile_missing_need, "hostile-missing-need", .needs = needs)
