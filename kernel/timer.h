/* SPDX-License-Identifier: Apache-2.0 */
/* Taking timers back. */
#ifndef GK_TIMER_H
#define GK_TIMER_H

#include <gantry/loop.h>

GANTRY_BEGIN

/* Stops what inst left; a tick that has begun on another loop may still end. Control thread.
 * Returns how many there were. */
unsigned gk_timers_stop(struct gantry_inst *inst);

GANTRY_END
#endif
