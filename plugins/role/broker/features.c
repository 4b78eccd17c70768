/* SPDX-License-Identifier: Apache-2.0 */
/* The table of features, and their life, one after another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/loop.h>

#include "broadcast/broadcast.h"
#include "delay/delay.h"
#include "feature.h"
#include "slave/slave.h"
#include "transaction/transaction.h"

/* In the order in which they are made; a later one may use an earlier one. The NULL ends. */
static const struct feature *const table[] = {
	&delay_feature, &transaction_feature, &broadcast_feature, &slave_feature, NULL,
};
enum { FEATURES = sizeof(table) / sizeof(table[0]) - 1 };

typedef int feature_step(const struct feature *feature, void *self, struct gantry_op *op);

struct features { /* the control loop's, but for what is atomic */
	struct broker *broker;
	bool serving;
	bool leading;    /* what the features were told */
	uint32_t posted; /* atomic: task is on its way */
	struct gantry_task task;
	/* one way down at a time */
	feature_step *step;
	void (*after)(struct features *features); /* when it is done */
	int next, status;                         /* status: the first error */
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

/* ---- one step of all of them, the latest first */

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
	features->step = NULL;
	return 0;
}

static void step_done(struct gantry_op *op)
{
	struct features *features = op->user;

	if (op->status && !features->status)
		features->status = op->status;
	if (!go_on(features))
		features->after(features);
}

static int begin(struct features *features, feature_step *step, void (*after)(struct features *))
{
	features->step = step;
	features->after = after;
	features->next = FEATURES;
	return go_on(features);
}

static int end(const struct feature *feature, void *self, struct gantry_op *op)
{
	return feature->end ? feature->end(self, op) : 0;
}

static int close_one(const struct feature *feature, void *self, struct gantry_op *op)
{
	return feature->close ? feature->close(self, op) : 0;
}

static int follow(const struct feature *feature, void *self, struct gantry_op *op)
{
	return feature->follow ? feature->follow(self, op) : 0;
}

/* ---- leading */

static void lead(struct features *features)
{
	features->leading = true;
	for (int i = 0; table[i]; i++) {
		int err = table[i]->lead ? table[i]->lead(features->self[i]) : 0;

		if (err)
			gantry_log(features->broker->inst, ERROR, "%s cannot begin: %s",
				   table[i]->name, strerror(-err));
	}
}

static void followed(struct features *features);

/* Tells the features what they do not know yet, unless they are still busy with the last. */
static void look(struct features *features)
{
	const struct broker *broker = features->broker;
	bool leads = __atomic_load_n(&broker->leads, __ATOMIC_ACQUIRE) == BROKER_LEADS &&
		     broker->conf->brokerRole != BROKER_SLAVE;

	if (!features->serving || features->step || leads == features->leading)
		return;
	if (leads) {
		lead(features);
		return;
	}
	features->leading = false;
	if (!begin(features, follow, followed))
		look(features);
}

static void look_posted(struct gantry_task *task)
{
	struct features *features = task->user;

	__atomic_store_n(&features->posted, 0, __ATOMIC_RELEASE);
	look(features);
}

void features_role_changed(struct broker *broker)
{
	struct features *features = broker->features;

	if (!features || __atomic_exchange_n(&features->posted, 1, __ATOMIC_ACQ_REL))
		return;
	features->task = (struct gantry_task){.run = look_posted, .user = features};
	gantry_loop_post(gantry_loop_control(broker->inst), &features->task);
}

int features_serve(struct features *features)
{
	int err = 0;

	for (int i = 0; !err && table[i]; i++) {
		if (table[i]->serve)
			err = table[i]->serve(features->self[i]);
		features->served[i] = !err;
	}
	features->serving = !err;
	look(features);
	return err;
}

/* ---- the way down */

static void finish(struct features *features)
{
	gantry_op_finish(features->outer, features->status, 0);
}

static void end_all(struct features *features)
{
	if (!begin(features, end, finish))
		finish(features);
}

static void followed(struct features *features)
{
	if (!features->serving)
		end_all(features);
	else
		look(features);
}

/* Those that lead follow first; a change of role that is under way is waited for. */
int features_end(struct broker *broker, struct gantry_op *op)
{
	struct features *features = broker->features;
	bool leading;

	if (!features)
		return 0;
	leading = features->leading;
	features->serving = features->leading = false;
	features->status = 0;
	features->outer = op;
	gantry_op_take(op, NULL, NULL);
	if (features->step)
		return GANTRY_PENDING;
	if (!leading)
		end_all(features);
	else if (!begin(features, follow, followed))
		end_all(features);
	return GANTRY_PENDING;
}

int features_close(struct broker *broker, struct gantry_op *op)
{
	struct features *features = broker->features;

	if (!features)
		return 0;
	features->status = 0;
	features->outer = op;
	if (!begin(features, close_one, finish))
		return features->status;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
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
