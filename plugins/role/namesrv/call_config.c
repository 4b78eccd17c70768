/* SPDX-License-Identifier: Apache-2.0 */
/* The process's own configuration over the network: shown, not changed. */
#include <stdlib.h>
#include <string.h>

#include "call/lines.h"
#include "call/reply.h"
#include "namesrv.h"

/* No key of this role may be changed over the network. */
static int update_config(struct namesrv *namesrv, struct gantry_call *call)
{
	(void)namesrv;
	if (!call->body.size)
		return call_ok(call);
	return call_fail(call, GANTRY_NO_PERMISSION, "Can not update config in black list.");
}

static int get_config(struct namesrv *namesrv, struct gantry_call *call)
{
	struct call_lines lines = {0};

	gantry_conf_each(namesrv->inst, call_lines_add, &lines);
	return call_reply_lines(call, &lines);
}

const struct ns_call_row ns_config_calls[] = {
	{318, "UPDATE_NAMESRV_CONFIG", update_config},
	{319, "GET_NAMESRV_CONFIG", get_config},
	{0, NULL, NULL},
};
