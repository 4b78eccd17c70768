/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry function returns nothing. */
#include "hostile.h"

GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void);

const struct gantry_plugin *gantry_plugin_entry(void)
{
	return NULL;
}
