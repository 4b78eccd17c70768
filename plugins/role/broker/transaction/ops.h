/* SPDX-License-Identifier: Apache-2.0 */
/* Ops: half messages that are settled, gathered in memory until one op message lists many of them,
 * as RocketMQ's TransactionalOpBatchService. What a crash loses of them is asked for again. */
#ifndef TRANSACTION_OPS_H
#define TRANSACTION_OPS_H

#include "send/put.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { OPS_MAX = 20000 }; /* as many as RocketMQ gathers */

struct ops;

/* A half message that is being settled: the caller's memory. */
struct op_place {
	struct op_place *next, **link;
	int64_t half; /* offset in the half queue */
};

int ops_new(struct broker *broker, struct ops **ret);
int ops_serve(struct ops *ops); /* control thread, as the next two */
/* From here on ops_reserve() says no; op finishes when all are in the log, or cannot be. Always
 * pending. */
int ops_end(struct ops *ops, struct gantry_op *op);
void ops_free(struct ops *ops); /* NULL is fine */

/* Room for one more. -EBUSY: there is none now; -ESHUTDOWN. Then one of the next two. Any thread.
 */
int ops_reserve(struct ops *ops, struct op_place *place, int64_t half);
void ops_settle(struct ops *ops, struct op_place *place);
void ops_forget(struct ops *ops, struct op_place *place);

/* What is known of a half message beside the op queue, which was read up to read_to: 1: it is being
 * settled, or was; 0: nothing; -EAGAIN: there is more in the op queue than that. Any thread. */
int ops_know(struct ops *ops, int64_t half, int64_t read_to);

#ifdef __cplusplus
}
#endif
#endif
