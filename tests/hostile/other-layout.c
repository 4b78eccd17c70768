/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

GANTRY_PLUGIN(hostile_other_layout, "hostile-other-layout", .layout = 0x40302010)
