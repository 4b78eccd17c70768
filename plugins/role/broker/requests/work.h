/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose answer has to be looked up on disk: it is made on a worker. */
#ifndef CALL_WORK_H
#define CALL_WORK_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs run(user) on a worker, then frees user, which is from malloc, and finishes outer. What the
 * request lends must have been copied. Always GANTRY_PENDING, or -ENOMEM: nothing was done, and
 * user is still the caller's. */
int call_on_worker(const struct broker *broker, struct gantry_op *outer, void (*run)(void *user),
		   void *user);

#ifdef __cplusplus
}
#endif
#endif
