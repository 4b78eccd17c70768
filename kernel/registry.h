/* SPDX-License-Identifier: Apache-2.0 */
/* Services: who offers what in which role, who needs whom, and the order that follows. */
#ifndef GK_REGISTRY_H
#define GK_REGISTRY_H

#include <gantry/plugin.h>

GANTRY_BEGIN

struct gk_kernel;

/* Checks that each role's needs are met by what the same role offers and puts the instances into
 * kernel->order, those that others need first. Logs every fault; returns 0 or -ENOEXEC. */
int gk_registry_resolve(struct gk_kernel *kernel);

GANTRY_END
#endif
