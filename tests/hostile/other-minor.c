/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

GANTRY_PLUGIN(hostile_other_minor, "hostile-other-minor", .abi_minor = GANTRY_ABI_MINOR + 1)
