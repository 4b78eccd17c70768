/* SPDX-License-Identifier: Apache-2.0 */
/* Calls what no gantryd has. Bound lazily it would load, and die at the call. */
#include "hostile.h"

GANTRY_API int gantry_function_of_tomorrow(void);

static int setup(struct gantry_inst *inst)
{
	(void)inst;
	return gantry_function_of_tomorrow();
}

static const struct gantry_lifecycle life = {.size = sizeof(life), .setup = setup};

GANTRY_PLUGIN(hostile_unresolved, "hostile-unresolved", .life = &life)
