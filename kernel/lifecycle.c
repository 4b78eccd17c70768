/* SPDX-License-Identifier: Apache-2.0 */
/* The lifecycle's calls: each stage over all instances, up in the order of needs and down in the
 * reverse. Which calls succeeded is noted at the instance, so the way down undoes just those. */
#include "kernel.h"

#include <errno.h>
#include <string.h>

enum {
	GRACE_MS = 1000,     /* after a deadline, for a plugin that honours it */
	STOP_LEAST_MS = 5000 /* for all stop calls, however short drainTimeout is */
};

static const struct gantry_lifecycle no_life = {.size = sizeof(no_life)};

static const struct gantry_lifecycle *life_of(const struct gantry_inst *inst)
{
	return inst->plugin->life ? inst->plugin->life : &no_life;
}

static struct gantry_inst *at(const struct gk_kernel *kernel, unsigned i)
{
	return kernel->order->pdata[i];
}

static unsigned stops(const struct gk_kernel *kernel)
{
	return __atomic_load_n(&kernel->stops, __ATOMIC_RELAXED);
}

static int failed(const struct gantry_inst *inst, const char *what, int status)
{
	gantry_log(inst, ERROR, "%s failed: %s (plugin %s)", what, strerror(-status),
		   inst->module->file);
	return status;
}

/* ---- a call that may finish later */

static void on_done(struct gantry_op *op)
{
	struct gk_call *call = op->user;
	call->done = 1;
	gk_control_wake(call->inst->kernel);
}

static void cancel_once(struct gk_call *call)
{
	if (!call->cancelled)
		gantry_op_cancel(&call->op);
	call->cancelled = 1;
}

/* Begins the call; its value, or 1 while it is under way. */
static int begin(struct gk_call *call, struct gantry_inst *inst,
		 int (*function)(struct gantry_inst *, struct gantry_op *), uint64_t deadline_ms)
{
	*call = (struct gk_call){.inst = inst};
	call->op.done = on_done;
	call->op.loop = gantry_loop_control(inst);
	call->op.user = call;
	call->op.deadline_ms = deadline_ms;
	int status = function(inst, &call->op);
	call->done = status <= 0;
	return status;
}

/* ---- up */

int gk_stage_setup(struct gk_kernel *kernel)
{
	for (unsigned i = 0; i < kernel->order->len; i++) {
		struct gantry_inst *inst = at(kernel, i);
		const struct gantry_lifecycle *life = life_of(inst);
		int bad = gk_inst_make_memory(inst);
		if (!bad && GANTRY_HAS(life, setup))
			bad = life->setup(inst);
		if (bad < 0)
			return failed(inst, "setup", bad);
		inst->was_setup = 1;
	}
	return 0;
}

/* A start has the time that it needs, a recovery may be long. The first request to stop asks it to
 * end early; with the third we go without it. */
static int start_over(void *user)
{
	struct gk_call *call = user;
	unsigned asked = stops(call->inst->kernel);
	if (asked > 0 && !call->done)
		cancel_once(call);
	return call->done || asked > 2;
}

static int start_one(struct gantry_inst *inst)
{
	const struct gantry_lifecycle *life = life_of(inst);
	int status = GANTRY_HAS(life, start) ? begin(&inst->start, inst, life->start, 0) : 0;
	if (status > 0) {
		gk_control_until(inst->kernel, start_over, &inst->start, 0);
		status = inst->start.op.status;
		if (!inst->start.done) {
			inst->kernel->abandoned = 1;
			status = -ECANCELED;
		}
	}
	return status;
}

int gk_stage_start(struct gk_kernel *kernel)
{
	for (unsigned i = 0; i < kernel->order->len; i++) {
		struct gantry_inst *inst = at(kernel, i);
		if (stops(kernel))
			return -ECANCELED;
		int status = start_one(inst);
		if (status < 0)
			return failed(inst, "start", status);
		inst->was_started = 1;
	}
	return 0;
}

int gk_stage_serve(struct gk_kernel *kernel)
{
	for (unsigned i = 0; i < kernel->order->len; i++) {
		struct gantry_inst *inst = at(kernel, i);
		const struct gantry_lifecycle *life = life_of(inst);
		int bad = GANTRY_HAS(life, serve) ? life->serve(inst) : 0;
		if (bad < 0)
			return failed(inst, "serve", bad);
		inst->was_serving = 1;
	}
	return 0;
}

/* ---- down */

static int drain_over(void *user)
{
	struct gk_call *call = user;
	if (stops(call->inst->kernel) > 1 && !call->done)
		cancel_once(call);
	return call->done || stops(call->inst->kernel) > 2;
}

static void drain_one(struct gantry_inst *inst, uint64_t deadline)
{
	const struct gantry_lifecycle *life = life_of(inst);
	struct gk_kernel *kernel = inst->kernel;
	int status = GANTRY_HAS(life, drain) ? begin(&inst->drain, inst, life->drain, deadline) : 0;
	if (status > 0) {
		gk_control_until(kernel, drain_over, &inst->drain, deadline);
		if (!inst->drain.done) {
			cancel_once(&inst->drain);
			gk_control_until(kernel, drain_over, &inst->drain,
					 gantry_clock_ms() + GRACE_MS);
		}
		status = inst->drain.done ? inst->drain.op.status : -ETIMEDOUT;
	}
	if (status < 0) {
		failed(inst, "drain", status);
		kernel->forced |= status == -ETIMEDOUT || status == -ECANCELED;
	}
}

void gk_stage_drain(struct gk_kernel *kernel)
{
	uint64_t deadline = gantry_clock_ms() + (uint64_t)kernel->settings.drain_ms;
	for (unsigned i = kernel->order->len; i-- > 0 && stops(kernel) < 2;) {
		if (at(kernel, i)->was_serving)
			drain_one(at(kernel, i), deadline);
		at(kernel, i)->was_serving = 0;
	}
	kernel->forced |= stops(kernel) > 1;
}

static int stop_over(void *user)
{
	struct gk_call *call = user;
	return call->done || stops(call->inst->kernel) > 2;
}

/* Returns 0 once it is quiet. */
static int stop_one(struct gantry_inst *inst, uint64_t deadline)
{
	const struct gantry_lifecycle *life = life_of(inst);
	int status = GANTRY_HAS(life, stop) ? begin(&inst->stop, inst, life->stop, deadline) : 0;
	if (status > 0) {
		gk_control_until(inst->kernel, stop_over, &inst->stop, deadline + GRACE_MS);
		if (!inst->stop.done)
			return failed(inst, "stop", -ETIMEDOUT);
		status = inst->stop.op.status;
	}
	if (status < 0)
		failed(inst, "stop", status);
	return 0;
}

void gk_stage_stop(struct gk_kernel *kernel)
{
	int64_t least = kernel->settings.drain_ms > STOP_LEAST_MS ? kernel->settings.drain_ms
								  : STOP_LEAST_MS;
	uint64_t deadline = gantry_clock_ms() + (uint64_t)least;
	for (unsigned i = kernel->order->len; i-- > 0 && !kernel->abandoned;) {
		struct gantry_inst *inst = at(kernel, i);
		if (inst->was_started && stop_one(inst, deadline) < 0)
			kernel->abandoned = 1;
		else
			gk_inst_take_back(inst);
		inst->was_started = 0;
	}
}

void gk_stage_free(struct gk_kernel *kernel)
{
	for (unsigned i = kernel->order->len; i-- > 0;) {
		struct gantry_inst *inst = at(kernel, i);
		const struct gantry_lifecycle *life = life_of(inst);
		if (inst->was_setup && GANTRY_HAS(life, free))
			life->free(inst);
		inst->was_setup = 0;
	}
}
