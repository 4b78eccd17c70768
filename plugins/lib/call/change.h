/* SPDX-License-Identifier: Apache-2.0 */
/* UPDATE_BROKER_CONFIG and its like: the running role's keys are changed. */
#ifndef CALL_CHANGE_H
#define CALL_CHANGE_H

#include <gantry/role.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Answers a call whose body has lines of a property file: what the key tables let be changed goes
 * into the property file and is in force at once, all or nothing. Keys of fixed, a list separated
 * by semicolons, and of configBlackList are refused. changed: counted up, atomically, with each
 * change; may be NULL. As a call handler: 0, or positive and op finishes on its loop. */
int call_change(struct gantry_inst *inst, struct gantry_call *call, struct gantry_op *op,
		const char *fixed, uint64_t *changed);

#ifdef __cplusplus
}
#endif
#endif
