/* SPDX-License-Identifier: Apache-2.0 */
/* An administrator has old files removed at once. */
#include "requests/call.h"
#include "store/expire.h"

static int delete_expired_log(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	(void)op;
	expiry_ask(store_expiry(broker->store));
	call->ret_code = GANTRY_SUCCESS;
	return 0;
}

const struct call_row expire_calls[] = {
	{329, "DELETE_EXPIRED_COMMITLOG", delete_expired_log},
	{0, NULL, NULL},
};
