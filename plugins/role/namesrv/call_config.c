/* SPDX-License-Identifier: Apache-2.0 */
/* GET_NAMESRV_CONFIG and UPDATE_NAMESRV_CONFIG. What may be changed is what the key table marks so;
 * it goes into the property file and is in force at once. */
#include "call/change.h"
#include "call/lines.h"
#include "call/reply.h"
#include "namesrv.h"

static int get_config(struct namesrv *namesrv, struct gantry_call *call)
{
	struct call_lines lines = {0};

	gantry_conf_each(namesrv->inst, call_lines_add, &lines);
	return call_reply_lines(call, &lines);
}

static int update_config(struct namesrv *namesrv, struct gantry_call *call, struct gantry_op *op)
{
	static const char fixed[] = "configBlackList;configStorePath;kvConfigPath";

	return call_change(namesrv->inst, call, op, fixed, NULL);
}

const struct ns_call_row ns_config_calls[] = {
	{318, "UPDATE_NAMESRV_CONFIG", .start = update_config},
	{319, "GET_NAMESRV_CONFIG", get_config},
	{0},
};
