/* SPDX-License-Identifier: Apache-2.0 */
/* NOTIFY_MIN_BROKER_ID_CHANGE: a broker's nodes are told when another one has the lowest id
 * (notifyMinBrokerIdChanged; reference 2.5). One-way, to the addresses that they registered. */
#ifndef NOTICE_H
#define NOTICE_H

#include "namesrv.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ns_broker;

int ns_notices_new(struct namesrv *namesrv, struct ns_notices **ret);
void ns_notices_free(struct ns_notices *notices); /* NULL is fine */

/* Somebody registered with an id lower than all others: those who were there are told. ha_address
 * is the newcomer's, or NULL. Any thread; the caller holds the routes' lock. Nothing unless the key
 * is set. */
void ns_notice_arrival(struct namesrv *namesrv, const struct ns_broker *broker,
		       const char *ha_address);
/* The node with the lowest id has left: the others are told. The same. */
void ns_notice_departure(struct namesrv *namesrv, const struct ns_broker *broker,
			 struct gantry_str address);

/* No more notices; op finishes when the connections are closed. 0: there are none. Control thread.
 */
int ns_notices_close(struct ns_notices *notices, struct gantry_op *op);

#ifdef __cplusplus
}
#endif
#endif
