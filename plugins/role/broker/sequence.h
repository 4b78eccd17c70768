/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that run one after another, each at once or by an op: draining and stopping. */
#ifndef SEQUENCE_H
#define SEQUENCE_H

#include "broker.h"

typedef int broker_step(struct broker *broker, struct gantry_op *op);

struct sequence { /* the caller's memory while it runs */
	struct broker *broker;
	broker_step *const *next; /* NULL ends */
	struct gantry_op op, *outer;
	int status; /* the first error */
};

/* Runs all steps, whatever they come to. 0 or the first error: they are done; positive: op
 * finishes with that when they are. Control thread. */
int sequence_run(struct sequence *sequence, struct broker *broker, broker_step *const *steps,
		 struct gantry_op *op);

#endif
