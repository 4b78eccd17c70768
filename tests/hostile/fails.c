/* SPDX-License-Identifier: Apache-2.0 */
/* Fails where its key failAt says, and logs each call of its lifecycle. */
#include "hostile.h"
#include <gantry/log.h>
#include <gantry/loop.h>

#include <errno.h>
#include <stdio.h>

enum fail_at {
	NOWHERE,
	CHECK,
	SETUP,
	START,
	START_LATER,
	SERVE,
	DRAIN,
	DRAIN_LATER,
	STOP,
	STOP_LATER,
};

static const char *const places[] = {"nowhere",    "check",     "setup", "start",
				     "startLater", "serve",     "drain", "drainLater",
				     "stop",       "stopLater", NULL};

struct conf {
	int32_t fail_at;
};

struct fails {
	char bytes[100]; /* a leak would be seen */
	struct gantry_op *op;
	struct gantry_work work;
};

static const struct gantry_conf_item keys[] = {GANTRY_KEY(ENUM, struct conf, fail_at, "failAt",
							  .choices = places,
							  .help = "where it fails"),
					       {.key = NULL}};

static int fails_at(const struct gantry_inst *inst, enum fail_at place)
{
	const struct conf *conf = gantry_conf(inst);
	return conf->fail_at == (int32_t)place ? -EIO : 0;
}

static int check(const void *at, char *why, size_t why_size)
{
	const struct conf *conf = at;
	snprintf(why, why_size, "failAt must not be check");
	return conf->fail_at == CHECK ? -EINVAL : 0;
}

static int fail_slowly(struct gantry_work *work)
{
	(void)work;
	return -EIO;
}

/* Now, or later on a worker. */
static int call(struct gantry_inst *inst, const char *name, enum fail_at now, enum fail_at later,
		struct gantry_op *op)
{
	struct fails *self = gantry_data(inst);
	gantry_log(inst, NOTICE, "call %s", name);
	if (!fails_at(inst, later))
		return fails_at(inst, now);
	self->work.run = fail_slowly;
	return gantry_work(inst, &self->work, op);
}

static int setup(struct gantry_inst *inst)
{
	gantry_log(inst, NOTICE, "call setup");
	return fails_at(inst, SETUP);
}

static int start(struct gantry_inst *inst, struct gantry_op *op)
{
	return call(inst, "start", START, START_LATER, op);
}

static int serve(struct gantry_inst *inst)
{
	gantry_log(inst, NOTICE, "call serve");
	return fails_at(inst, SERVE);
}

static int drain(struct gantry_inst *inst, struct gantry_op *op)
{
	return call(inst, "drain", DRAIN, DRAIN_LATER, op);
}

static int stop(struct gantry_inst *inst, struct gantry_op *op)
{
	return call(inst, "stop", STOP, STOP_LATER, op);
}

static void free_it(struct gantry_inst *inst)
{
	gantry_log(inst, NOTICE, "call free");
}

static const struct gantry_lifecycle life = {.size = sizeof(life),
					     .conf_size = sizeof(struct conf),
					     .inst_size = sizeof(struct fails),
					     .loop_size = 100,
					     .setup = setup,
					     .start = start,
					     .serve = serve,
					     .drain = drain,
					     .stop = stop,
					     .free = free_it};

GANTRY_PLUGIN(hostile_fails, "hostile-fails", .keys = keys, .check = check, .life = &life)
