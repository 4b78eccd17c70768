/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about subscription groups. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "groups/groups.h"
#include "json/json.h"
#include "offsets/offsets.h"
#include "requests/page.h"

static int update_group(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct json_error error = {0};
	struct json_value root;
	struct json_doc doc;
	char why[160] = "";
	int err;

	(void)op;
	if (!call->body.size)
		return call_ok(call); /* as RocketMQ */
	err = json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL, &doc, &error);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: %s at byte %u",
				 error.why ? error.why : strerror(-err), error.offset);
	root = json_root(&doc);
	if (!json_is(root, JSON_OBJECT)) {
		json_free(&doc);
		return call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: the body is no object");
	}
	err = groups_put_json(broker->groups, &root, why, sizeof(why));
	json_free(&doc);
	if (err)
		return call_fail(call,
				 err == -EINVAL ? GANTRY_INVALID_PARAMETER : GANTRY_SYSTEM_ERROR,
				 "%s", why);
	return call_ok(call);
}

static int get_all_groups(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct page page;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	if (page_read(broker, call, "groupSeq", "maxGroupNum", &page))
		return 0;
	err = groups_encode(broker->groups, 0, &page, &text, &size);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s", strerror(-err));
	call_reply_int(call, "totalGroupNum", groups_count(broker->groups));
	return call_reply_body(call, text, size);
}

static int get_group(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str name;
	struct group *group;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	if (call_need_text(call, "group", &name))
		return 0;
	group = groups_find(broker, name);
	if (!group)
		return call_fail(call, GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST,
				 "No group in this broker");
	err = groups_encode_one(broker->groups, group, &text, &size);
	return call_reply_made(call, err, text, size);
}

static int delete_group(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str name;

	(void)op;
	if (call_need_text(call, "groupName", &name))
		return 0;
	groups_delete(broker->groups, name);
	if (call_bool(call, "cleanOffset", false))
		offsets_forget_group(broker->offsets, name);
	return call_ok(call);
}

const struct call_row group_calls[] = {
	{200, "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP", update_group},
	{201, "GET_ALL_SUBSCRIPTIONGROUP_CONFIG", get_all_groups},
	{207, "DELETE_SUBSCRIPTIONGROUP", delete_group},
	{352, "GET_SUBSCRIPTIONGROUP_CONFIG", get_group},
	{0, NULL, NULL},
};
