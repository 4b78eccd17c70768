/* SPDX-License-Identifier: Apache-2.0 */
/* The asynchronous operation: taken once, finished once, done later on its own loop. */
#include "loop.h"
#include <gantry/log.h>
#include <gantry/op.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
	OP_IDLE = 0, /* or whatever the caller's memory held */
	OP_TAKEN = 0x54414b45,
	OP_FINISHED = 0x46494e49,
};

uint64_t gantry_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void gantry_op_take(struct gantry_op *op, void (*cancel)(struct gantry_op *op), void *holder)
{
	op->cancel = cancel;
	op->holder = holder;
	__atomic_store_n(&op->state, OP_TAKEN, __ATOMIC_RELEASE);
}

void gantry_op_finish(struct gantry_op *op, int32_t status, uint64_t result)
{
	uint32_t taken = OP_TAKEN;
	if (!op->loop) {
		gantry_log(NULL, ERROR, "an op was finished that names no loop");
		abort();
	}
	if (!__atomic_compare_exchange_n(&op->state, &taken, OP_FINISHED, 0, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED)) {
		gantry_log(NULL, ERROR, "an op was finished that %s",
			   taken == OP_FINISHED ? "had been finished already"
						: "nobody had taken, or whose done had run");
		abort();
	}
	op->status = status;
	op->result = result;
	gk_loop_finish(op->loop, op);
}

void gk_op_done(struct gantry_op *op)
{
	__atomic_store_n(&op->state, OP_IDLE, __ATOMIC_RELAXED);
	op->done(op);
}

int gantry_op_cancel(struct gantry_op *op)
{
	if (__atomic_load_n(&op->state, __ATOMIC_ACQUIRE) != OP_TAKEN)
		return -EALREADY;
	if (!op->cancel)
		return -ENOTSUP;
	op->cancel(op);
	return 0;
}
