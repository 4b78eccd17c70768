/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

GANTRY_PLUGIN(hostile_other_size, "hostile-other-size", .size = sizeof(struct gantry_plugin) + 8)
