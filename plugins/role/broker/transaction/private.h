/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of transactions share. */
#ifndef TRANSACTION_PRIVATE_H
#define TRANSACTION_PRIVATE_H

#include "transaction/counts.h"
#include "transaction/ops.h"
#include "transaction/transaction.h"

#ifdef __cplusplus
extern "C" {
#endif

struct check;
struct ends;

struct transactions {
	struct broker *broker;
	struct counts *counts;
	struct ops *ops;
	struct ends *ends;
	struct check *check;
	/* the way down */
	struct gantry_op op, *outer;
};

static inline struct transactions *transactions_of(const struct broker *broker)
{
	return (struct transactions *)feature_data(broker, &transaction_feature);
}

/* end.c: END_TRANSACTION. */
int ends_new(struct broker *broker, struct ends **ret);
void ends_free(struct ends *ends); /* NULL is fine */

/* check.c: rounds over the half messages that nobody decided. Control thread. */
int check_new(struct transactions *transactions, struct check **ret);
void check_serve(struct check *check);
/* No round begins any more. 0: none is under way; positive: op finishes when it has ended. */
int check_end(struct check *check, struct gantry_op *op);
void check_free(struct check *check); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
