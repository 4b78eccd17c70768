/* SPDX-License-Identifier: Apache-2.0 */
/* The asynchronous operation: how a call that cannot finish at once says that it has.
 *
 * The caller owns the memory, sets done, loop and user, and hands the op to a call. If that call
 * returns a positive value the op is pending and will be finished exactly once: done then runs on
 * the op's own loop, never inside the call that took it. If the call returns 0 or a negative
 * errno the op was not taken and done never runs. */
#ifndef GANTRY_OP_H
#define GANTRY_OP_H

#include <gantry/base.h>

GANTRY_BEGIN

enum { GANTRY_OK = 0, GANTRY_PENDING = 1 };

struct gantry_op {
	void (*done)(struct gantry_op *op); /* set by the caller */
	struct gantry_loop *loop;           /* set by the caller: where done runs */
	void *user;                         /* the caller's */
	uint64_t deadline_ms; /* on gantry_clock_ms(); 0: none. A callee that waits honours it
				 with status -ETIMEDOUT */
	uint64_t result;      /* what the call says it is; set before done */
	int32_t status;       /* 0 or a negative errno; set before done */
	uint32_t state;       /* the kernel's: catches a second finish */
	/* While the op is pending the callee may use these three, and result; afterwards the loop
	 * does. */
	void (*cancel)(struct gantry_op *op); /* NULL: cannot be cancelled */
	void *holder;
	struct gantry_op *next;
};

/* Called by the callee when it takes an op, before it returns GANTRY_PENDING. Any thread. */
GANTRY_API void gantry_op_take(struct gantry_op *op, void (*cancel)(struct gantry_op *op),
			       void *holder);

/* Ends a taken op; its done runs later on op->loop. Any thread. A second call aborts the process:
 * it would hand the caller's memory out twice. */
GANTRY_API void gantry_op_finish(struct gantry_op *op, int32_t status, uint64_t result);

/* Asks the callee to finish early with -ECANCELED. Called on op->loop. Returns 0 if asked,
 * -ENOTSUP if the callee cannot, -EALREADY if it is finished. done runs in every case. */
GANTRY_API int gantry_op_cancel(struct gantry_op *op);

/* Monotonic milliseconds, the clock of every deadline. Any thread. */
GANTRY_API uint64_t gantry_clock_ms(void);

GANTRY_END
#endif
