/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: half messages, their decision, and asking producers who have not decided.
 * docs/design/transactions.md tells how. */
#ifndef TRANSACTION_TRANSACTION_H
#define TRANSACTION_TRANSACTION_H

#include "broker.h"
#include "feature.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TRANSACTION_HALF_TOPIC "RMQ_SYS_TRANS_HALF_TOPIC"
#define TRANSACTION_OP_TOPIC "RMQ_SYS_TRANS_OP_HALF_TOPIC"
#define TRANSACTION_GIVEN_UP_TOPIC "TRANS_CHECK_MAX_TIME_TOPIC"
#define TRANSACTION_GROUP "CID_RMQ_SYS_TRANS" /* whose offsets say how far checking is */

/* Properties, by RocketMQ's names. */
#define TRANSACTION_REAL_TOPIC "REAL_TOPIC"
#define TRANSACTION_REAL_QUEUE "REAL_QID"
#define TRANSACTION_PRODUCER_GROUP "PGROUP"
#define TRANSACTION_ID "__transactionId__"
#define TRANSACTION_CHECK_TIMES "TRANSACTION_CHECK_TIMES"
#define TRANSACTION_IMMUNITY "CHECK_IMMUNITY_TIME_IN_SECONDS"
#define TRANSACTION_FIRST_OFFSET "TRAN_PREPARED_QUEUE_OFFSET" /* of one that was put back */

extern const struct feature transaction_feature;

/* A half message of that real topic is in the log, or is settled: 1 or -1. Any thread. */
void transaction_count(struct broker *broker, struct gantry_str topic, int change);

#ifdef __cplusplus
}
#endif
#endif
