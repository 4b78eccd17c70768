/* SPDX-License-Identifier: Apache-2.0 */
/* The questions to name servers and brokers. */
#include "ask.h"

#include <errno.h>
#include <glib.h>
#include <json/json.h>
#include <message/properties.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum {
	CODE_QUERY_OFFSET = 14,
	CODE_UPDATE_OFFSET = 15,
	CODE_MAX_OFFSET = 30,
	CODE_MIN_OFFSET = 31,
	CODE_HEARTBEAT = 34,
	CODE_LEAVE = 35,
	CODE_MEMBERS = 38,
};

static char why[1024];

const char *ask_why(void)
{
	return why;
}

int ask_exit(int failed)
{
	return failed == 0 ? CLI_DONE : failed < 0 ? CLI_UNREACHABLE : CLI_REFUSED;
}

void fields_str(struct fields *fields, const char *name, struct gantry_str value)
{
	if (fields->count < FIELDS_ROOM && value.at)
		fields->at[fields->count++] =
			(struct gantry_field){.name = {name, strlen(name)}, .value = value};
}

void fields_text(struct fields *fields, const char *name, const char *value)
{
	fields_str(fields, name, (struct gantry_str){value, value ? strlen(value) : 0});
}

void fields_int(struct fields *fields, const char *name, int64_t value)
{
	if (fields->count == FIELDS_ROOM)
		return;
	char *number = fields->numbers[fields->count];
	int size = snprintf(number, FIELDS_NUMBER, "%lld", (long long)value);
	fields_str(fields, name, (struct gantry_str){number, (size_t)size});
}

static const char *transport_text(int failed)
{
	switch (failed) {
	case -ETIMEDOUT:
		return "no answer in time";
	case -EPIPE:
		return "it closed the connection";
	case -EPROTO:
		return "it does not speak RocketMQ's remoting protocol";
	default:
		return g_strerror(-failed);
	}
}

/* Turns what came of a question into its result, and a sentence when it is not a yes. */
static int judge(const struct link *link, int failed, const struct link_message *answer,
		 const char *what)
{
	if (failed) {
		snprintf(why, sizeof(why), "asked %s %s: %s", link_address(link), what,
			 transport_text(failed));
		return failed;
	}
	struct gantry_str remark = answer->header.remark;
	if (answer->header.code != 0)
		snprintf(why, sizeof(why), "asked %s %s: code %d %.*s", link_address(link), what,
			 answer->header.code, (int)remark.size, remark.at ? remark.at : "");
	return answer->header.code;
}

int ask(struct link *link, int32_t code, const struct fields *fields, struct gantry_str body,
	const char *what, struct link_message *ret)
{
	struct link_request request = {.code = code, .body = body};
	if (fields) {
		request.fields = fields->at;
		request.field_count = fields->count;
	}
	int failed = link_call(link, &request, ASK_MS, ret);
	return judge(link, failed, ret, what);
}

static int bad_answer(const struct link *link, const char *what)
{
	return judge(link, -EPROTO, NULL, what);
}

void ask_send_fields(struct fields *ret, const struct ask_send *message, int64_t born_ms)
{
	ret->count = 0;
	fields_text(ret, "a", message->group);
	fields_text(ret, "b", message->topic);
	fields_text(ret, "c", "TBW102");
	fields_int(ret, "d", message->queue_count);
	fields_int(ret, "e", message->queue);
	fields_text(ret, "f", "0");
	fields_int(ret, "g", born_ms);
	fields_text(ret, "h", "0");
	fields_str(ret, "i", message->properties);
	fields_text(ret, "j", "0");
	fields_text(ret, "k", "false");
	fields_text(ret, "m", "false");
}

int ask_send(struct link *link, const struct ask_send *message, struct ask_sent *ret)
{
	struct fields fields;
	struct link_message answer;
	ask_send_fields(&fields, message, cli_now_ms());
	int failed =
		ask(link, ASK_SEND_CODE, &fields, message->body, "to store a message", &answer);
	bool stored = failed == 0 || failed == ASK_FLUSH_DISK_TIMEOUT ||
		      failed == ASK_SLAVE_NOT_AVAILABLE || failed == ASK_FLUSH_SLAVE_TIMEOUT;
	if (!stored)
		return failed;
	struct gantry_str id = remoting_field(&answer.header, "msgId");
	struct ask_sent sent = {.status = failed};
	if (!id.at || id.size >= sizeof(sent.msg_id) ||
	    remoting_field_int32(&answer.header, "queueId", &sent.queue) ||
	    remoting_field_int64(&answer.header, "queueOffset", &sent.offset))
		return bad_answer(link, "to store a message");
	memcpy(sent.msg_id, id.at, id.size);
	*ret = sent;
	return 0;
}

/* "A || B" as RocketMQ's SubscriptionData has it: the tags, and their Java hash codes. */
static void put_tags(struct json_writer *w, const char *tags)
{
	g_auto(GStrv) parts = g_strsplit(strcmp(tags, "*") ? tags : "", "||", -1);
	json_put_key(w, "codeSet");
	json_open_array(w);
	for (char **part = parts; *part; part++)
		if (*g_strstrip(*part))
			json_put_int(w,
				     message_java_hash((struct gantry_str){*part, strlen(*part)}));
	json_close_array(w);
	json_put_key(w, "tagsSet");
	json_open_array(w);
	for (char **part = parts; *part; part++)
		if (**part)
			json_put_string(w, *part);
	json_close_array(w);
}

static void put_subscription(struct json_writer *w, const struct ask_member *member)
{
	json_open_object(w);
	json_member_bool(w, "classFilterMode", false);
	json_member_string(w, "expressionType", "TAG");
	json_member_string(w, "subString", member->tags);
	json_member_int(w, "subVersion", member->sub_version);
	json_member_string(w, "topic", member->topic);
	put_tags(w, member->tags);
	json_close_object(w);
}

static int heartbeat_body(const struct ask_member *member, char **ret, size_t *ret_size)
{
	enum { BODY_MAX = 1 << 20 };
	struct json_writer w;
	json_writer_init(&w, BODY_MAX, 0);
	json_open_object(&w);
	json_member_string(&w, "clientID", member->client_id);
	json_put_key(&w, "consumerDataSet");
	json_open_array(&w);
	json_open_object(&w);
	json_member_string(&w, "consumeFromWhere",
			   member->from_first ? "CONSUME_FROM_FIRST_OFFSET"
					      : "CONSUME_FROM_LAST_OFFSET");
	json_member_string(&w, "consumeType", "CONSUME_PASSIVELY");
	json_member_string(&w, "groupName", member->group);
	json_member_string(&w, "messageModel", "CLUSTERING");
	json_put_key(&w, "subscriptionDataSet");
	json_open_array(&w);
	put_subscription(&w, member);
	json_close_array(&w);
	json_member_bool(&w, "unitMode", false);
	json_close_object(&w);
	json_close_array(&w);
	json_member_int(&w, "heartbeatFingerprint", 0);
	json_put_key(&w, "producerDataSet");
	json_open_array(&w);
	json_close_array(&w);
	json_member_bool(&w, "withoutSub", false);
	json_close_object(&w);
	return json_writer_take(&w, ret, ret_size);
}

int ask_heartbeat(struct link *link, const struct ask_member *member)
{
	struct link_message answer;
	struct gantry_str body;
	char *text;
	int failed = heartbeat_body(member, &text, &body.size);
	if (failed)
		return judge(link, failed, NULL, "to take a heartbeat");
	body.at = text;
	failed = ask(link, CODE_HEARTBEAT, NULL, body, "to take a heartbeat", &answer);
	free(text);
	return failed;
}

int ask_heartbeat_unanswered(struct link *link, const struct ask_member *member)
{
	struct link_request request = {.code = CODE_HEARTBEAT};
	char *text;
	int failed = heartbeat_body(member, &text, &request.body.size);
	if (failed)
		return judge(link, failed, NULL, "to take a heartbeat");
	request.body.at = text;
	failed = link_send(link, &request, NULL);
	free(text);
	return failed ? judge(link, failed, NULL, "to take a heartbeat") : 0;
}

int ask_leave(struct link *link, const struct ask_member *member)
{
	struct fields fields = {0};
	struct link_message answer;
	fields_text(&fields, "clientID", member->client_id);
	fields_text(&fields, "consumerGroup", member->group);
	return ask(link, CODE_LEAVE, &fields, (struct gantry_str){0}, "to let the member go",
		   &answer);
}

/* The strings of {"consumerIdList":[...]}. */
static char **read_ids(struct gantry_str body)
{
	struct json_doc doc;
	GPtrArray *ids = g_ptr_array_new();
	if (body.at && json_parse(body.at, body.size, JSON_LENIENT, NULL, &doc, NULL) == 0) {
		struct json_iter it = json_iter(json_get(json_root(&doc), "consumerIdList"));
		while (json_next(&it)) {
			char *id = json_strdup(it.value);
			if (id)
				g_ptr_array_add(ids, g_strdup(id));
			free(id);
		}
		json_free(&doc);
	}
	g_ptr_array_add(ids, NULL);
	return (char **)g_ptr_array_free(ids, FALSE);
}

int ask_members(struct link *link, const char *group, char ***ret)
{
	struct fields fields = {0};
	struct link_message answer;
	fields_text(&fields, "consumerGroup", group);
	int failed = ask(link, CODE_MEMBERS, &fields, (struct gantry_str){0},
			 "for the group's members", &answer);
	if (failed < 0)
		return failed;
	*ret = read_ids(answer.body); /* code 1, without body: nobody */
	return 0;
}

static int ask_offset(struct link *link, int32_t code, const struct fields *fields,
		      const char *what, int64_t *ret)
{
	struct link_message answer;
	int failed = ask(link, code, fields, (struct gantry_str){0}, what, &answer);
	if (failed)
		return failed;
	return remoting_field_int64(&answer.header, "offset", ret) ? bad_answer(link, what) : 0;
}

int ask_min_offset(struct link *link, const char *topic, int32_t queue, int64_t *ret)
{
	struct fields fields = {0};
	fields_text(&fields, "topic", topic);
	fields_int(&fields, "queueId", queue);
	return ask_offset(link, CODE_MIN_OFFSET, &fields, "for a queue's first offset", ret);
}

int ask_max_offset(struct link *link, const char *topic, int32_t queue, int64_t *ret)
{
	struct fields fields = {0};
	fields_text(&fields, "topic", topic);
	fields_int(&fields, "queueId", queue);
	return ask_offset(link, CODE_MAX_OFFSET, &fields, "for a queue's end", ret);
}

int ask_committed(struct link *link, const char *group, const char *topic, int32_t queue,
		  int64_t *ret)
{
	struct fields fields = {0};
	fields_text(&fields, "consumerGroup", group);
	fields_text(&fields, "topic", topic);
	fields_int(&fields, "queueId", queue);
	return ask_offset(link, CODE_QUERY_OFFSET, &fields, "for the group's offset", ret);
}

int ask_commit(struct link *link, const char *group, const char *topic, int32_t queue,
	       int64_t offset)
{
	struct fields fields = {0};
	struct link_message answer;
	fields_text(&fields, "consumerGroup", group);
	fields_text(&fields, "topic", topic);
	fields_int(&fields, "queueId", queue);
	fields_int(&fields, "commitOffset", offset);
	return ask(link, CODE_UPDATE_OFFSET, &fields, (struct gantry_str){0}, "to commit an offset",
		   &answer);
}
