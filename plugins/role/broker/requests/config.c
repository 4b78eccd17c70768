/* SPDX-License-Identifier: Apache-2.0 */
/* GET_BROKER_CONFIG and UPDATE_BROKER_CONFIG. What may be changed is what the key tables mark so;
 * it goes into the property file and is in force at once. */
#include <inttypes.h>
#include <stdio.h>

#include "requests/call.h"
#include "call/change.h"
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

static int update_broker_config(struct broker *broker, struct gantry_call *call,
				struct gantry_op *op)
{
	static const char fixed[] = "brokerConfigPath;rocketmqHome;configBlackList";

	return call_change(broker->inst, call, op, fixed, &broker->conf_changes);
}

const struct call_row config_calls[] = {
	{25, "UPDATE_BROKER_CONFIG", update_broker_config},
	{26, "GET_BROKER_CONFIG", get_broker_config},
	{0, NULL, NULL},
};
