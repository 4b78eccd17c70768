/* SPDX-License-Identifier: Apache-2.0 */
/* GET_NAMESRV_CONFIG and UPDATE_NAMESRV_CONFIG. What may be changed is what the key table marks so;
 * it goes into the property file and is in force at once. */
#include <errno.h>
#include <stdlib.h>

#include <gantry/loop.h>

#include "call/changes.h"
#include "call/lines.h"
#include "call/reply.h"
#include "namesrv.h"

static int get_config(struct namesrv *namesrv, struct gantry_call *call)
{
	struct call_lines lines = {0};

	gantry_conf_each(namesrv->inst, call_lines_add, &lines);
	return call_reply_lines(call, &lines);
}

struct change {
	struct namesrv *namesrv;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_task task;
	struct call_changes *lines;
};

/* On the control thread. */
static void apply(struct gantry_task *task)
{
	struct change *change = task->user;
	struct call_changes *lines = change->lines;
	struct gantry_inst *inst = change->namesrv->inst;
	struct gantry_op *outer = change->outer;
	char why[GANTRY_REMARK_MAX] = "";
	int err = gantry_conf_change(inst, lines->list, lines->count, why, sizeof(why));

	if (err)
		call_fail(change->call, call_changes_code(err), "%s", why);
	else
		call_ok(change->call);
	for (uint32_t i = 0; !err && i < lines->count; i++)
		gantry_log(inst, NOTICE, "%s was changed over the network to %.200s",
			   lines->list[i].key, lines->list[i].value);
	free(lines);
	free(change);
	gantry_op_finish(outer, 0, 0);
}

static int start_change(struct namesrv *namesrv, struct gantry_call *call, struct gantry_op *op,
			struct call_changes *lines)
{
	struct change *change = malloc(sizeof(*change));

	if (!change) {
		free(lines);
		return call_no_memory(call);
	}
	*change = (struct change){.namesrv = namesrv, .call = call, .outer = op, .lines = lines};
	change->task = (struct gantry_task){.run = apply, .user = change};
	gantry_op_take(op, NULL, NULL);
	gantry_loop_post(gantry_loop_control(namesrv->inst), &change->task);
	return GANTRY_PENDING;
}

static int update_config(struct namesrv *namesrv, struct gantry_call *call, struct gantry_op *op)
{
	const char *black = gantry_conf_text(namesrv->inst, "configBlackList");
	struct call_changes *lines;
	int err = call_changes_read(call->body, &lines);

	if (err == -ENOMEM)
		return call_no_memory(call);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s",
				 err == -E2BIG ? "too many keys at once"
					       : "string2Properties error");
	if (call_changes_touch(lines, "configBlackList;configStorePath;kvConfigPath") ||
	    call_changes_touch(lines, black)) {
		free(lines);
		return call_fail(call, GANTRY_NO_PERMISSION,
				 "Can not update config in black list.");
	}
	if (lines->count)
		return start_change(namesrv, call, op, lines);
	free(lines);
	return call_ok(call);
}

const struct ns_call_row ns_config_calls[] = {
	{318, "UPDATE_NAMESRV_CONFIG", .start = update_config},
	{319, "GET_NAMESRV_CONFIG", get_config},
	{0},
};
