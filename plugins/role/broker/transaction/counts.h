/* SPDX-License-Identifier: Apache-2.0 */
/* How many half messages of each topic are open: config/transactionMetrics in RocketMQ's shape
 * (TransactionMetrics of broker 5.5.0), written every transactionMetricFlushInterval. */
#ifndef TRANSACTION_COUNTS_H
#define TRANSACTION_COUNTS_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

struct counts;

int counts_new(struct broker *broker, struct counts **ret);
int counts_load(struct counts *counts);  /* as topics_load */
int counts_serve(struct counts *counts); /* starts writing now and then */
int counts_close(struct counts *counts, struct gantry_op *op);
void counts_free(struct counts *counts); /* NULL is fine */

/* Any thread, cheap. A topic that is one too many is not counted. */
void counts_add(struct counts *counts, struct gantry_str topic, int change);
int64_t counts_get(struct counts *counts, struct gantry_str topic);

#ifdef __cplusplus
}
#endif
#endif
