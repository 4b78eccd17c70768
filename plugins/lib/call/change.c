/* SPDX-License-Identifier: Apache-2.0 */
/* A change of configuration over the network. It is applied on the control thread. */
#include "call/change.h"

#include <errno.h>
#include <stdlib.h>

#include <gantry/log.h>
#include <gantry/loop.h>

#include "call/changes.h"
#include "call/reply.h"

struct change {
	struct gantry_inst *inst;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_task task;
	struct call_changes *lines;
	uint64_t *changed;
};

static void note(const struct change *change)
{
	const struct call_changes *lines = change->lines;

	if (change->changed)
		__atomic_add_fetch(change->changed, 1, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < lines->count; i++)
		gantry_log(change->inst, NOTICE, "%s was changed over the network to %.200s",
			   lines->list[i].key, lines->list[i].value);
}

static void apply(struct gantry_task *task)
{
	struct change *change = task->user;
	struct call_changes *lines = change->lines;
	struct gantry_op *outer = change->outer;
	char why[GANTRY_REMARK_MAX] = "";
	int err = gantry_conf_change(change->inst, lines->list, lines->count, why, sizeof(why));

	if (err) {
		call_fail(change->call, call_changes_code(err), "%s", why);
	} else {
		note(change);
		call_ok(change->call);
	}
	free(lines);
	free(change);
	gantry_op_finish(outer, 0, 0);
}

static int read_lines(struct gantry_call *call, struct call_changes **ret)
{
	int err = call_changes_read(call->body, ret);

	if (err == -ENOMEM)
		call_no_memory(call);
	else if (err)
		call_fail(call, GANTRY_SYSTEM_ERROR, "%s",
			  err == -E2BIG ? "too many keys at once" : "string2Properties error");
	return err;
}

int call_change(struct gantry_inst *inst, struct gantry_call *call, struct gantry_op *op,
		const char *fixed, uint64_t *changed)
{
	struct call_changes *lines;
	struct change *change;

	if (read_lines(call, &lines))
		return 0;
	if (!lines->count) {
		free(lines);
		return call_ok(call);
	}
	if (call_changes_touch(lines, fixed) ||
	    call_changes_touch(lines, gantry_conf_text(inst, "configBlackList"))) {
		free(lines);
		return call_fail(call, GANTRY_NO_PERMISSION,
				 "Can not update config in black list.");
	}
	change = malloc(sizeof(*change));
	if (!change) {
		free(lines);
		return call_no_memory(call);
	}
	*change = (struct change){
		.inst = inst, .call = call, .outer = op, .lines = lines, .changed = changed};
	change->task = (struct gantry_task){.run = apply, .user = change};
	gantry_op_take(op, NULL, NULL);
	gantry_loop_post(gantry_loop_control(inst), &change->task);
	return GANTRY_PENDING;
}
