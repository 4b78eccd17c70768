/* SPDX-License-Identifier: Apache-2.0 */
/* Exports a function, but not the one. */
#include "hostile.h"

GANTRY_API int gantry_plugin_entrance(void);

int gantry_plugin_entrance(void)
{
	return 0;
}
