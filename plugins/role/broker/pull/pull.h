/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling: a compiled plan of checks, then a read of the queue and the log, then, if there is
 * nothing yet, a hold until messages come or the time is up. */
#ifndef PULL_H
#define PULL_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gantry_role_ops.pull and its life. puller_new: control thread, in setup. */
int puller_new(struct broker *broker, struct puller **ret);
int puller_serve(struct puller *puller); /* the store is open: listen to its arrivals */
int puller_pull(struct gantry_inst *inst, struct gantry_pull *pull, struct gantry_op *op);
/* The connection is closed: ends its held pulls with -EPIPE. On the session's loop, while its
 * role_data is still there. */
void puller_gone(struct broker *broker, struct gantry_session *session);
/* Answers every held pull and takes no new ones; op finishes when all are. Control thread. */
int puller_drain(struct puller *puller, struct gantry_op *op);
void puller_free(struct puller *puller); /* NULL is fine */

struct queue;
/* Has every pull that is held for this queue looked at anew. Any thread. */
void puller_wake(struct puller *puller, struct queue *queue);
/* Pulls held now, on all loops. Any thread. */
uint64_t puller_held(const struct puller *puller);

#ifdef __cplusplus
}
#endif
#endif
