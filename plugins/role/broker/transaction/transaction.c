/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as a feature of the broker: its life. */
#include "transaction/transaction.h"

#include <errno.h>
#include <stdlib.h>

#include "transaction/private.h"

static void free_all(void *self)
{
	struct transactions *transactions = self;

	check_free(transactions->check);
	ends_free(transactions->ends);
	ops_free(transactions->ops);
	counts_free(transactions->counts);
	free(transactions);
}

static int make(struct broker *broker, void **ret)
{
	struct transactions *transactions = calloc(1, sizeof(*transactions));
	int err;

	if (!transactions)
		return -ENOMEM;
	transactions->broker = broker;
	err = counts_new(broker, &transactions->counts);
	if (!err)
		err = ops_new(broker, &transactions->ops);
	if (!err)
		err = ends_new(broker, &transactions->ends);
	if (!err)
		err = check_new(transactions, &transactions->check);
	if (err) {
		free_all(transactions);
		return err;
	}
	*ret = transactions;
	return 0;
}

static int load(void *self)
{
	struct transactions *transactions = self;

	return counts_load(transactions->counts);
}

static int serve(void *self)
{
	struct transactions *transactions = self;

	return counts_serve(transactions->counts);
}

static int lead(void *self)
{
	struct transactions *transactions = self;
	int err = ops_serve(transactions->ops);

	if (!err)
		check_serve(transactions->check);
	return err;
}

/* ---- the way down: the last round first, then what it and the producers decided is written */

static void ended(struct gantry_op *op)
{
	struct transactions *transactions = op->user;

	gantry_op_finish(transactions->outer, op->status, 0);
}

static void end_ops(struct transactions *transactions)
{
	transactions->op = (struct gantry_op){
		.done = ended,
		.loop = gantry_loop_control(transactions->broker->inst),
		.user = transactions,
	};
	ops_end(transactions->ops, &transactions->op);
}

static void check_ended(struct gantry_op *op)
{
	end_ops(op->user);
}

static int follow(void *self, struct gantry_op *op)
{
	struct transactions *transactions = self;

	transactions->outer = op;
	gantry_op_take(op, NULL, NULL);
	transactions->op =
		(struct gantry_op){.done = check_ended, .loop = op->loop, .user = transactions};
	if (check_end(transactions->check, &transactions->op) <= 0)
		end_ops(transactions);
	return GANTRY_PENDING;
}

static int close_it(void *self, struct gantry_op *op)
{
	struct transactions *transactions = self;

	return counts_close(transactions->counts, op);
}

void transaction_count(struct broker *broker, struct gantry_str topic, int change)
{
	counts_add(transactions_of(broker)->counts, topic, change);
}

const struct feature transaction_feature = {
	.name = "transactions",
	.make = make,
	.load = load,
	.serve = serve,
	.lead = lead,
	.follow = follow,
	.close = close_it,
	.free = free_all,
};
