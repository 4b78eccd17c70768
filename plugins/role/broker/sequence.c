/* SPDX-License-Identifier: Apache-2.0 */
/* One step after another. */
#include "sequence.h"

#include <gantry/loop.h>

static void step_done(struct gantry_op *op);

/* Positive: a step is under way. */
static int go_on(struct sequence *sequence)
{
	while (*sequence->next) {
		broker_step *step = *sequence->next++;
		int result;

		sequence->op = (struct gantry_op){
			.done = step_done,
			.loop = gantry_loop_control(sequence->broker->inst),
			.user = sequence,
		};
		result = step(sequence->broker, &sequence->op);
		if (result > 0)
			return GANTRY_PENDING;
		if (result < 0 && !sequence->status)
			sequence->status = result;
	}
	return 0;
}

static void step_done(struct gantry_op *op)
{
	struct sequence *sequence = op->user;

	if (op->status && !sequence->status)
		sequence->status = op->status;
	if (!go_on(sequence))
		gantry_op_finish(sequence->outer, sequence->status, 0);
}

int sequence_run(struct sequence *sequence, struct broker *broker, broker_step *const *steps,
		 struct gantry_op *op)
{
	*sequence = (struct sequence){.broker = broker, .next = steps, .outer = op};
	if (!go_on(sequence))
		return sequence->status;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
}
