/* SPDX-License-Identifier: Apache-2.0 */
/* GET_BROKER_CONFIG and UPDATE_BROKER_CONFIG. What may be changed is what the key tables mark so;
 * it goes into the property file and is in force at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <gantry/loop.h>

#include "call.h"
#include "call/changes.h"
#include "call/lines.h"

static int get_broker_config(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct call_lines lines = {0};
	char version[128];
	int size = snprintf(
		version, sizeof(version),
		"{\"counter\":%" PRIu64 ",\"stateVersion\":0,\"timestamp\":%" PRId64 "}",
		__atomic_load_n(&broker->conf_changes, __ATOMIC_RELAXED), broker->started_ms);

	(void)op;
	gantry_conf_each(broker->inst, call_lines_add, &lines);
	call_reply_text(call, "version", (struct gantry_str){version, (size_t)size});
	return call_reply_lines(call, &lines);
}

/* ---- a change, applied on the control thread */

struct change {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_task task;
	struct call_changes *lines;
};

static void apply(struct gantry_task *task)
{
	struct change *change = task->user;
	struct call_changes *lines = change->lines;
	struct broker *broker = change->broker;
	struct gantry_op *outer = change->outer;
	char why[GANTRY_REMARK_MAX] = "";
	int err = gantry_conf_change(broker->inst, lines->list, lines->count, why, sizeof(why));

	if (err) {
		call_fail(change->call, call_changes_code(err), "%s", why);
	} else {
		__atomic_add_fetch(&broker->conf_changes, 1, __ATOMIC_RELAXED);
		for (uint32_t i = 0; i < lines->count; i++)
			gantry_log(broker->inst, NOTICE,
				   "%s was changed over the network to %.200s", lines->list[i].key,
				   lines->list[i].value);
		call_ok(change->call);
	}
	free(lines);
	free(change);
	gantry_op_finish(outer, 0, 0);
}

static int start_change(struct broker *broker, struct gantry_call *call, struct gantry_op *op,
			struct call_changes *lines)
{
	struct change *change = malloc(sizeof(*change));

	if (!change) {
		free(lines);
		return call_no_memory(call);
	}
	*change = (struct change){.broker = broker, .call = call, .outer = op, .lines = lines};
	change->task = (struct gantry_task){.run = apply, .user = change};
	gantry_op_take(op, NULL, NULL);
	gantry_loop_post(gantry_loop_control(broker->inst), &change->task);
	return GANTRY_PENDING;
}

static int update_broker_config(struct broker *broker, struct gantry_call *call,
				struct gantry_op *op)
{
	const char *black = gantry_conf_text(broker->inst, "configBlackList");
	struct call_changes *lines;
	int err = call_changes_read(call->body, &lines);

	if (err == -ENOMEM)
		return call_no_memory(call);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s",
				 err == -E2BIG ? "too many keys at once"
					       : "string2Properties error");
	if (call_changes_touch(lines, "brokerConfigPath;rocketmqHome;configBlackList") ||
	    call_changes_touch(lines, black)) {
		free(lines);
		return call_fail(call, GANTRY_NO_PERMISSION,
				 "Can not update config in black list.");
	}
	if (lines->count)
		return start_change(broker, call, op, lines);
	free(lines);
	return call_ok(call);
}

const struct call_row config_calls[] = {
	{25, "UPDATE_BROKER_CONFIG", update_broker_config},
	{26, "GET_BROKER_CONFIG", get_broker_config},
	{0, NULL, NULL},
};
