/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the KV configuration. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "call/reply.h"
#include "kv.h"

static int put_kv(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str space = call_text(call, "namespace"), key = call_text(call, "key");
	struct gantry_str value;
	int err;

	if (!space.at || !key.at)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "namespace or key is null");
	if (call_need_text(call, "value", &value))
		return 0;
	err = ns_kv_put(namesrv->kv, space, key, value);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "not kept: %s",
				 err == -ENOSPC ? "too many or too large (maxKvEntries)"
						: strerror(-err));
	return call_ok(call);
}

static int get_kv(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str space, key;
	char *value;

	if (call_need_text(call, "namespace", &space) || call_need_text(call, "key", &key))
		return 0;
	value = ns_kv_get(namesrv->kv, space, key);
	if (!value)
		return call_fail(call, GANTRY_QUERY_NOT_FOUND,
				 "No config item, Namespace: %.*s Key: %.*s", STR_ARGS(space),
				 STR_ARGS(key));
	call_ok(call);
	call_reply_long_text(call, "value", str_of(value));
	free(value);
	return 0;
}

static int delete_kv(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str space, key;

	if (call_need_text(call, "namespace", &space) || call_need_text(call, "key", &key))
		return 0;
	ns_kv_delete(namesrv->kv, space, key);
	return call_ok(call);
}

static int list_kv(struct namesrv *namesrv, struct gantry_call *call)
{
	struct gantry_str space;
	char *text = NULL;
	size_t size = 0;
	int err;

	if (call_need_text(call, "namespace", &space))
		return 0;
	err = ns_kv_list(namesrv->kv, space, &text, &size);
	if (err == -ENOENT)
		return call_fail(call, GANTRY_QUERY_NOT_FOUND, "No config item, Namespace: %.*s",
				 STR_ARGS(space));
	return call_reply_body(call, err ? NULL : text, size);
}

const struct ns_call_row ns_kv_calls[] = {
	{100, "PUT_KV_CONFIG", put_kv},
	{101, "GET_KV_CONFIG", get_kv},
	{102, "DELETE_KV_CONFIG", delete_kv},
	{219, "GET_KVLIST_BY_NAMESPACE", list_kv},
	{0},
};
