/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

GANTRY_PLUGIN(hostile_other_major, "hostile-other-major", .abi_major = GANTRY_ABI_MAJOR + 1)
