/* SPDX-License-Identifier: Apache-2.0 */
/* Topics and subscription groups, many in one request. All are looked at before any is changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "groups/groups.h"
#include "json/json.h"
#include "message/name.h"
#include "topics/topics.h"
#include "topics/private.h"

enum { WHY_ROOM = GANTRY_REMARK_MAX, CHANGE_ROOM = 1024 };

/* The list of a body; -EINVAL: it is answered. */
static int read_list(struct gantry_call *call, const char *name, struct json_doc *doc,
		     struct json_value *ret)
{
	struct json_error error = {0};
	int err = call->body.size ? json_parse(call->body.at, call->body.size, JSON_LENIENT, NULL,
					       doc, &error)
				  : -EINVAL;

	if (err) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "JSONException: %s at byte %u",
			  error.why ? error.why : "no body", error.offset);
		return -EINVAL;
	}
	*ret = json_get(json_root(doc), name);
	if (json_is(*ret, JSON_ARRAY))
		return 0;
	json_free(doc);
	call_fail(call, GANTRY_SYSTEM_ERROR, "the body has no list %s", name);
	return -EINVAL;
}

/* ---- 18 */

/* The object {"+key":"value", "-key":""} as the text of UPDATE_AND_CREATE_TOPIC. */
static int change_of(struct json_value attributes, char *to, size_t room, struct gantry_str *ret)
{
	size_t used = 0;

	for (struct json_iter iter = json_iter(attributes); json_next(&iter);) {
		struct gantry_str key, value;
		int size;

		if (!json_raw(iter.key, &key) || !json_raw(iter.value, &value))
			return -EINVAL;
		size = snprintf(to + used, room - used, "%s%.*s%s%.*s", used ? "," : "",
				STR_ARGS(key), value.size ? "=" : "", STR_ARGS(value));
		if (size < 0 || (size_t)size >= room - used)
			return -ENAMETOOLONG;
		used += (size_t)size;
	}
	*ret = (struct gantry_str){to, used};
	return 0;
}

/* Whether a topic may be what the object says; if not it is answered. */
static bool check_topic(struct broker *broker, struct gantry_call *call, struct json_value object,
			struct topic_config *config)
{
	char why[WHY_ROOM];
	const char *problem;

	if (topic_config_read(object, config, NULL)) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "an element of the list is no topic");
		return false;
	}
	problem = topics_name_problem(config->name, why, sizeof(why));
	if (problem) {
		call_fail(call, GANTRY_INVALID_PARAMETER, "%s", problem);
		return false;
	}
	if (broker->conf->validateSystemTopicWhenUpdateTopic &&
	    topics_is_system(broker->topics, config->name)) {
		call_fail(call, GANTRY_INVALID_PARAMETER,
			  "The topic[%.*s] is conflict with system topic.", STR_ARGS(config->name));
		return false;
	}
	if (config->read_queues < 0 || config->write_queues < 0 ||
	    config->read_queues > TOPIC_QUEUES_MAX || config->write_queues > TOPIC_QUEUES_MAX) {
		call_fail(call, GANTRY_INVALID_PARAMETER,
			  "the number of queues must be between 0 and %d", TOPIC_QUEUES_MAX);
		return false;
	}
	if (!broker->conf->enableMixedMessageType &&
	    json_equals(json_get(json_get(object, "attributes"), "+message.type"), "MIXED")) {
		call_fail(call, GANTRY_INVALID_PARAMETER, "MIXED message type is not supported.");
		return false;
	}
	return true;
}

static int put_topic(struct broker *broker, struct json_value object, struct topic_config *config,
		     char *why)
{
	char change[CHANGE_ROOM], *attributes = NULL;
	struct gantry_str text = {change, 0};
	int err = change_of(json_get(object, "attributes"), change, sizeof(change), &text);

	if (!err)
		err = topics_alter(broker->topics, config->name, text, &attributes, why, WHY_ROOM);
	config->attributes = attributes;
	if (!err)
		err = topics_put(broker->topics, config, NULL);
	free(attributes);
	return err < 0 ? err : 0;
}

static int create_topics(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct topic_config config;
	struct json_value list;
	struct json_doc doc;
	char why[WHY_ROOM] = "";
	int err = 0;

	(void)op;
	if (read_list(call, "topicConfigList", &doc, &list))
		return 0;
	call_ok(call);
	for (struct json_iter iter = json_iter(list); json_next(&iter);) {
		if (!check_topic(broker, call, iter.value, &config)) {
			json_free(&doc);
			return 0;
		}
	}
	for (struct json_iter iter = json_iter(list); !err && json_next(&iter);)
		if (!topic_config_read(iter.value, &config, NULL))
			err = put_topic(broker, iter.value, &config, why);
	json_free(&doc);
	return err ? call_fail(call, GANTRY_SYSTEM_ERROR, "%s", why[0] ? why : strerror(-err)) : 0;
}

/* ---- 225 */

static bool check_group(struct gantry_call *call, struct json_value object)
{
	struct gantry_str name = {NULL, 0};
	char why[WHY_ROOM];
	const char *problem;

	if (!json_is(object, JSON_OBJECT)) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "an element of the list is no group");
		return false;
	}
	json_raw(json_get(object, "groupName"), &name);
	problem = groups_name_problem(name, why, sizeof(why));
	if (!problem)
		return true;
	call_fail(call, GANTRY_INVALID_PARAMETER, "%s", problem);
	return false;
}

static int create_groups(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct json_value list;
	struct json_doc doc;
	char why[WHY_ROOM] = "";
	int err = 0;

	(void)op;
	if (read_list(call, "groupConfigList", &doc, &list))
		return 0;
	call_ok(call);
	for (struct json_iter iter = json_iter(list); json_next(&iter);) {
		if (!check_group(call, iter.value)) {
			json_free(&doc);
			return 0;
		}
	}
	for (struct json_iter iter = json_iter(list); !err && json_next(&iter);) {
		struct json_value object = iter.value;

		err = groups_put_json(broker->groups, &object, why, sizeof(why));
	}
	json_free(&doc);
	return err ? call_fail(call, GANTRY_SYSTEM_ERROR, "%s", why) : 0;
}

/* ---- 353 */

static int forbid(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str group, topic = call_text(call, "topic");
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;
	int err = 0;

	(void)op;
	if (call_need_text(call, "group", &group))
		return 0;
	if (call_text(call, "readable").at && call_need_text(call, "topic", &topic))
		return 0;
	if (call_text(call, "readable").at)
		err = groups_forbid_read(broker->groups, group, topic,
					 !call_bool(call, "readable", true));
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s", strerror(-err));
	json_writer_init(&writer, 64 * 1024, 0);
	json_open_object(&writer);
	json_member_str(&writer, "group", group);
	json_member_bool(&writer, "readable", !groups_forbids_read(broker->groups, group, topic));
	if (topic.at)
		json_member_str(&writer, "topic", topic);
	json_close_object(&writer);
	err = json_writer_take(&writer, &text, &size);
	return call_reply_made(call, err, text, size);
}

const struct call_row list_calls[] = {
	{18, "UPDATE_AND_CREATE_TOPIC_LIST", create_topics},
	{225, "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST", create_groups},
	{353, "UPDATE_AND_GET_GROUP_FORBIDDEN", forbid},
	{0, NULL, NULL},
};
