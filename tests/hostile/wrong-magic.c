/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

GANTRY_PLUGIN(hostile_wrong_magic, "hostile-wrong-magic", .magic = 0x7f454c46)
