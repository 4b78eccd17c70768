/* SPDX-License-Identifier: Apache-2.0 */
#include "state/paced.h"

#include <gantry/loop.h>

#include "state/state.h"

static void write_changes(struct paced *paced)
{
	uint64_t changes = __atomic_load_n(paced->changes, __ATOMIC_RELAXED);

	if (changes == paced->written || !paced->file)
		return;
	paced->written = changes;
	state_changed(paced->file);
}

static void tick(struct gantry_timer *timer, void *user)
{
	(void)timer;
	write_changes(user);
}

int paced_start(struct paced *paced, struct gantry_inst *inst, uint64_t period_ms)
{
	return gantry_timer_start(inst, gantry_loop_control(inst), period_ms, period_ms, tick,
				  paced, &paced->timer);
}

int paced_close(struct paced *paced, struct gantry_op *op)
{
	gantry_timer_stop(paced->timer);
	paced->timer = NULL;
	write_changes(paced);
	return paced->file ? state_close(paced->file, op) : 0;
}
