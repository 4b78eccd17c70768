/* SPDX-License-Identifier: Apache-2.0 */
#include "requests/work.h"

#include <errno.h>
#include <stdlib.h>

#include <gantry/loop.h>

struct errand {
	struct gantry_work work;
	struct gantry_op op, *outer;
	void (*run)(void *user);
	void *user;
};

static int on_worker(struct gantry_work *work)
{
	struct errand *errand = work->user;

	errand->run(errand->user);
	return 0;
}

static void worked(struct gantry_op *op)
{
	struct errand *errand = op->user;
	struct gantry_op *outer = errand->outer;

	free(errand->user);
	free(errand);
	gantry_op_finish(outer, 0, 0);
}

int call_on_worker(const struct broker *broker, struct gantry_op *outer, void (*run)(void *user),
		   void *user)
{
	struct errand *errand = malloc(sizeof(*errand));

	if (!errand)
		return -ENOMEM;
	*errand = (struct errand){.outer = outer, .run = run, .user = user};
	errand->work = (struct gantry_work){.run = on_worker, .user = errand};
	errand->op = (struct gantry_op){.done = worked, .loop = outer->loop, .user = errand};
	gantry_op_take(outer, NULL, NULL);
	return gantry_work(broker->inst, &errand->work, &errand->op);
}
