/* SPDX-License-Identifier: Apache-2.0 */
/* The table of features, and their life, one after another. */
#include <errno.h>
#include <stdlib.h>

#include <gantry/loop.h>

#include "broadcast/broadcast.h"
#include "delay/delay.h"
#include "feature.h"
#include "transaction/transaction.h"

/* In the order in which they are made; a later one may use an earlier one. The NULL ends. */
static const struct feature *const table[] = {
	&delay_feature,
	&transaction_feature,
	&broadcast_feature,
	NULL,
};
enum { FEATURES = sizeof(table) / sizeof(table[0]) - 1 };

typedef int feature_step(const struct feature *feature, void *self, struct gantry_op *op);

struct features {
	struct broker *broker;
	/* one way down at a time */
	feature_step *step;
	int next, status; /* status: the first error */
	struct gantry_op op, *outer;
	bool served[FEATURES + 1];
	void *self[FEATURES + 1];
};

int features_new(struct broker *broker, struct features **ret)
{
	struct features *features = calloc(1, sizeof(*features));
	int err = 0;

	if (!features)
		return -ENOMEM;
	features->broker = broker;
	*ret = features; /* make() may ask for the data of those before it */
	for (int i = 0; !err && table[i]; i++)
		if (table[i]->make)
			err = table[i]->make(broker, &features->self[i]);
	return err;
}

void *feature_data(const struct broker *broker, const struct feature *feature)
{
	for (int i = 0; broker->features && table[i]; i++)
		if (table[i] == feature)
			return broker->features->self[i];
	return NULL;
}

int features_load(struct features *features)
{
	int err = 0;

	for (int i = 0; !err && table[i]; i++)
		if (table[i]->load)
			err = table[i]->load(features->self[i]);
	return err;
}

int features_serve(struct features *features)
{
	int err = 0;

	for (int i = 0; !err && table[i]; i++) {
		if (table[i]->serve)
			err = table[i]->serve(features->self[i]);
		features->served[i] = !err;
	}
	return err;
}

/* ---- the way down: the latest first */

static void step_done(struct gantry_op *op);

/* Positive: a step is under way. */
static int go_on(struct features *features)
{
	while (features->next > 0) {
		int i = --features->next, result;

		features->op = (struct gantry_op){
			.done = step_done,
			.loop = gantry_loop_control(features->broker->inst),
			.user = features,
		};
		if (!features->served[i])
			continue;
		result = features->step(table[i], features->self[i], &features->op);
		if (result > 0)
			return GANTRY_PENDING;
		if (result < 0 && !features->status)
			features->status = result;
	}
	return 0;
}

static void step_done(struct gantry_op *op)
{
	struct features *features = op->user;

	if (op->status && !features->status)
		features->status = op->status;
	if (!go_on(features))
		gantry_op_finish(features->outer, features->status, 0);
}

static int go_down(struct features *features, feature_step *step, struct gantry_op *op)
{
	if (!features)
		return 0;
	features->step = step;
	features->next = FEATURES;
	features->status = 0;
	features->outer = op;
	if (!go_on(features))
		return features->status;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
}

static int end(const struct feature *feature, void *self, struct gantry_op *op)
{
	return feature->end ? feature->end(self, op) : 0;
}

static int close_one(const struct feature *feature, void *self, struct gantry_op *op)
{
	return feature->close ? feature->close(self, op) : 0;
}

int features_end(struct broker *broker, struct gantry_op *op)
{
	return go_down(broker->features, end, op);
}

int features_close(struct broker *broker, struct gantry_op *op)
{
	return go_down(broker->features, close_one, op);
}

void features_free(struct features *features)
{
	if (!features)
		return;
	for (int i = FEATURES - 1; i >= 0; i--)
		if (table[i]->free && features->self[i])
			table[i]->free(features->self[i]);
	free(features);
}
