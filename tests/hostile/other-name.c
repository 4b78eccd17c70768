/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

GANTRY_PLUGIN(hostile_other_name, "hostile-somebody-else", .summary = "lies about its name")
