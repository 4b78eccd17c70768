/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: a compiled plan of steps. Every request of a call runs through the steps that check and
 * prepare it; what is left of them goes to the log as one batch.
 *
 * A feature adds a step to the array in send/send.c, at its place in RocketMQ's order of checks. */
#ifndef SEND_H
#define SEND_H

#include "broker.h"
#include "groups/groups.h"
#include "store/store.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gantry_role_ops.send and its life. sender_new: control thread, in setup, after the tables. */
int sender_new(struct broker *broker, struct sender **ret);
int sender_send(struct gantry_inst *inst, struct gantry_send *const *sends, uint32_t count,
		struct gantry_op *op);
/* From here on every send is answered SERVICE_NOT_AVAILABLE; op finishes when those that are
 * under way have been. Control thread. */
int sender_drain(struct sender *sender, struct gantry_op *op);
void sender_free(struct sender *sender); /* NULL is fine */
/* Whether a send of this shape would find its topic and queue, made if need be. 1: it is refused,
 * with code and remark set. On a kernel loop. */
int sender_vet(struct broker *broker, struct gantry_send *send, struct topic **ret_topic,
	       int32_t *ret_queue);

#ifdef __cplusplus
}
#endif
#endif
