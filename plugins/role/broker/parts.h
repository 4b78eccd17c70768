/* SPDX-License-Identifier: Apache-2.0 */
/* The broker as a whole, for the descriptor in broker.c and for tests. */
#ifndef PARTS_H
#define PARTS_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the tables; no I/O. The store, sender and puller come later. */
int broker_new(struct gantry_inst *inst, const struct broker_conf *conf, struct broker **ret);
void broker_free(struct broker *broker); /* NULL is fine */
/* Reads the state files. Control thread; blocks. */
int broker_load(struct broker *broker);
/* gantry_role_ops.gone. */
void broker_session_gone(struct broker *broker, struct gantry_session *session);

#ifdef __cplusplus
}
#endif
#endif
