/* SPDX-License-Identifier: Apache-2.0 */
/* Four replication modes that stand for the contract's hardest users. What peers and networks do to
 * a real mode, these calls do to them. */
#ifndef CONTRACT_DOUBLES_H
#define CONTRACT_DOUBLES_H

#include <gantry/replication.h>

#ifdef __cplusplus
extern "C" {
#endif

/* replication-sync-double: waits for the flush and for one follower, as long as its keys
 * flushWait and replicaWait say (ms). */
void sync_double_acked(struct gantry_inst *inst, uint64_t upto); /* the follower has stored it */
void sync_double_lost_followers(struct gantry_inst *inst);

/* replication-quorum-double: DLedger's files; nothing is visible before it is committed. */
int quorum_double_lead(struct gantry_inst *inst, uint64_t term); /* control loop */
void quorum_double_committed(struct gantry_inst *inst, uint64_t upto);
/* Another node leads: what was not committed may go. Control loop. */
void quorum_double_lost(struct gantry_inst *inst, uint64_t term);
/* What that leader does then: cuts our log at a frame (op: done, on a worker), and sends frames. */
int quorum_double_cut(struct gantry_inst *inst, uint64_t at, struct gantry_op *op);
int quorum_double_receive(struct gantry_inst *inst, uint64_t at, const void *frames,
			  uint64_t bytes);

/* replication-follower-double: what a master sends is stored as it comes. */
int follower_double_receive(struct gantry_inst *inst, uint64_t at, const void *bytes,
			    uint64_t size);
/* It leads from here on, and follows again. Control loop. */
int follower_double_lead(struct gantry_inst *inst, uint64_t term);
void follower_double_lost(struct gantry_inst *inst, uint64_t term);
int follower_double_cut(struct gantry_inst *inst, uint64_t at, struct gantry_op *op);

/* replication-divided-double: a plain log that goes on as a framed one in the directory of its key
 * framedDirectory. */
uint64_t divided_double_divide(struct gantry_inst *inst);

#ifdef __cplusplus
}
#endif
#endif
