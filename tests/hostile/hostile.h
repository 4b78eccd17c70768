/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins that are wrong in one way each; run.py says what gantryd must answer to each. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <gantry/plugin.h>

/* a service that the others may need: a vtable of one call */
struct hostile_ops {
	uint32_t size;
	uint32_t reserved;
	int (*act)(struct gantry_inst *);
};

#endif
