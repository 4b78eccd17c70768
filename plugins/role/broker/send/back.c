/* SPDX-License-Identifier: Apache-2.0 */
/* CONSUMER_SEND_MSG_BACK: a message that a consumer could not consume goes to the retry topic of
 * its group, delayed, or after too many tries to the group's dead letter queue. As
 * AbstractSendMessageProcessor.consumerSendMsgBack of broker 5.5.0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "requests/call.h"
#include "delay/delay.h"
#include "groups/groups.h"
#include "message/checksum.h"
#include "message/id.h"
#include "message/name.h"
#include "send/put.h"
#include "stats/stats.h"
#include "topics/topics.h"
#include "store/walk.h"

enum { VERSION_3_4_9 = 121, FIRST_LEVEL = 3, DLQ_QUEUES = 1, TEXT_ROOM = 512, TRIES = 3 };

#define RETRY_TOPIC "RETRY_TOPIC"
#define ORIGIN_MESSAGE_ID "ORIGIN_MESSAGE_ID"

struct back { /* one request */
	struct broker *broker;
	struct gantry_call *call;
	const struct group *group;
	struct topic *topic; /* where it goes to, delayed or not */
	int64_t at;
	int32_t level, max_tries, queue;
	uint32_t tries;
	struct walk_message source;
	struct put_one one;
	struct gantry_op op, *outer;
	char text[TEXT_ROOM], delay_text[DELAY_TEXT_ROOM];
};

static struct gantry_op *op_of(struct back *back, void (*done)(struct gantry_op *op))
{
	back->op = (struct gantry_op){.done = done, .loop = gantry_loop_here(), .user = back};
	return &back->op;
}

/* The answer is in the call, and it was waited for. */
static void end(struct back *back)
{
	struct gantry_op *outer = back->outer;

	walk_release(&back->source);
	free(back);
	gantry_op_finish(outer, 0, 0);
}

/* ---- storing */

/* RocketMQ's PutMessageStatus. */
static const char *status_name(int status)
{
	switch (status) {
	case -ETIMEDOUT:
		return "CREATE_MAPPED_FILE_FAILED";
	case -EMSGSIZE:
		return "MESSAGE_ILLEGAL";
	case -ENOSPC:
	case -EROFS:
	case -EIO:
	case -ESHUTDOWN:
		return "SERVICE_NOT_AVAILABLE";
	default:
		return "UNKNOWN_ERROR";
	}
}

static bool stays(struct gantry_str key, bool delayed)
{
	if (str_is(key, MESSAGE_DELAY) || str_is(key, MESSAGE_WAIT) ||
	    str_is(key, ORIGIN_MESSAGE_ID) || str_is(key, RETRY_TOPIC) ||
	    str_is(key, MESSAGE_CHECKSUM))
		return false;
	return !delayed || delay_keeps(key);
}

/* The message's own value if it has one that is not blank. */
static struct gantry_str value_or(const struct message_record *record, const char *key,
				  struct gantry_str other)
{
	struct gantry_str value = message_property_find(record->properties, str_of(key));

	return value.at && !str_blank(value) ? value : other;
}

static int add_own(struct back *back, bool delayed, struct message_pieces *pieces)
{
	const struct message_record *record = &back->source.record;
	char id[MESSAGE_ID_MAX];
	struct gantry_str made = {
		id, message_offset_id(&record->store_host, (uint64_t)record->physical_offset, id)};
	struct gantry_str topic = value_or(record, RETRY_TOPIC, record->topic);
	struct gantry_str origin = value_or(record, ORIGIN_MESSAGE_ID, made);
	int size = snprintf(back->text, TEXT_ROOM,
			    MESSAGE_WAIT "\1false\2%s" RETRY_TOPIC "\1%.*s\2" ORIGIN_MESSAGE_ID
					 "\1%.*s\2",
			    delayed ? ""
				    : MESSAGE_DELAY "\1"
						    "0\2",
			    STR_ARGS(topic), STR_ARGS(origin));
	int status;

	if (size >= TEXT_ROOM)
		return -EMSGSIZE;
	status = message_pieces_add(pieces, (struct gantry_str){back->text, (size_t)size});
	if (!status && delayed)
		status = delay_add(back->broker, back->level, back->topic->name, back->queue,
				   back->delay_text, pieces);
	return status;
}

static int fill_properties(struct back *back, bool delayed)
{
	struct message_draft *draft = &back->one.message.draft;
	struct message_pieces pieces = {.at = draft->properties, .max = MESSAGE_PARTS};
	struct gantry_str rest = back->source.record.properties;
	struct message_property property;
	int status = 0;

	while (!status && message_property_next(&rest, &property))
		if (stays(property.key, delayed))
			status = message_pieces_add(&pieces, property.pair);
	if (!status)
		status = add_own(back, delayed, &pieces);
	draft->part_count = pieces.count;
	return status || pieces.size > MESSAGE_PROPERTIES_MAX ? -EMSGSIZE : 0;
}

static int fill(struct back *back)
{
	const struct message_record *record = &back->source.record;
	struct message_draft *draft = &back->one.message.draft;
	bool delayed = delay_applies(back->level, record->sys_flag);

	*draft = (struct message_draft){
		.topic = back->topic->name,
		.queue = back->queue,
		.body = record->body,
		.flag = record->flag,
		.sys_flag = record->sys_flag,
		.born_ms = record->born_ms,
		.born_host = record->born_host,
		.reconsume_times = record->reconsume_times + 1,
	};
	if (delayed)
		delay_redirect(back->broker, back->level, draft);
	return fill_properties(back, delayed);
}

static void stored(struct gantry_op *op);

/* Under the topic that the consumer had it from. */
static void count(const struct back *back)
{
	struct topic *topic = topics_find(back->broker->topics, back->source.record.topic);

	if (topic)
		stats_sent_back(back->broker->stats, topic, (struct group *)back->group);
}

/* 0: answered; positive: waits. */
static int store(struct back *back, int status)
{
	back->one.put.no_wait = true; /* as Java's waitStoreMsgOK=false */
	back->one.put.sent_back = true;
	/* a topic that was deleted meanwhile begins anew */
	while (status == -ESTALE && back->tries++ < TRIES) {
		status = fill(back);
		if (!status)
			status = put_one(back->broker, &back->one, op_of(back, stored));
	}
	if (status > 0)
		return status;
	if (status)
		return call_fail(back->call, GANTRY_SYSTEM_ERROR, "%s", status_name(status));
	count(back);
	return call_ok(back->call);
}

static void stored(struct gantry_op *op)
{
	struct back *back = op->user;

	if (store(back, op->status) == 0)
		end(back);
}

/* ---- where it goes */

static int find_topic(struct back *back, const char *prefix, int32_t queues, int32_t sys_flag)
{
	char name[sizeof(MESSAGE_RETRY_PREFIX) + GROUP_NAME_MAX];
	struct topic_config config;
	int size = snprintf(name, sizeof(name), "%s%.*s", prefix, STR_ARGS(back->group->name));

	topic_config_init(&config, (struct gantry_str){name, (size_t)size});
	config.read_queues = config.write_queues = queues;
	config.sys_flag = sys_flag;
	if (!topics_ensure(back->broker, &config, &back->topic))
		return 0;
	call_fail(back->call, GANTRY_SYSTEM_ERROR, "topic[%s] not exist", name);
	return -ENOENT;
}

static int choose(struct back *back)
{
	int32_t tried = back->source.record.reconsume_times;

	if (tried >= back->max_tries || back->level < 0) {
		back->level = 0;
		back->queue = 0;
		return find_topic(back, MESSAGE_DLQ_PREFIX, DLQ_QUEUES, 0);
	}
	if (!back->level)
		back->level = FIRST_LEVEL + tried;
	return 0;
}

/* ---- the message */

static void readable(struct gantry_op *op);

static int fail_look(struct back *back)
{
	return call_fail(back->call, GANTRY_SYSTEM_ERROR, "look message by offset failed, %lld",
			 (long long)back->at);
}

/* 0: answered; positive: waits. */
static int run(struct back *back)
{
	int status = -ENOENT;

	if (back->at >= 0)
		status = walk_read(back->broker->store, (uint64_t)back->at, &back->source,
				   op_of(back, readable));
	if (status > 0)
		return status;
	if (status)
		return fail_look(back);
	return choose(back) ? 0 : store(back, -ESTALE);
}

static void readable(struct gantry_op *op)
{
	struct back *back = op->user;
	int status = op->status;

	status = status ? fail_look(back) : run(back);
	if (!status)
		end(back);
}

/* ---- the request */

/* RocketMQ takes the client's own limit, also a negative one, if the client is not too old. */
static int32_t max_tries(const struct gantry_call *call, const struct group *group)
{
	int32_t own;

	if (call->client_version >= VERSION_3_4_9 &&
	    str_int32(call_text(call, "maxReconsumeTimes"), &own) == 0)
		return own;
	return GROUP_READ(group, retry_max_times);
}

/* 0: go on; 1: answered. */
static int find_group(struct broker *broker, struct gantry_call *call, struct group **ret)
{
	struct gantry_str name;
	struct group *group;

	if (call_need_text(call, "group", &name))
		return 1;
	group = groups_find(broker, name);
	if (!group) {
		call_fail(
			call, GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST,
			"subscription group not exist, %.*s \nSee "
			"https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.",
			STR_ARGS(name));
		return 1;
	}
	*ret = group;
	return 0;
}

/* As above, for the retry topic, which is there from the first message on that is sent back. */
static int find_retry(struct back *back)
{
	bool unit = call_bool(back->call, "unitMode", false);
	int32_t queues = GROUP_READ(back->group, retry_queue_nums);

	if (find_topic(back, MESSAGE_RETRY_PREFIX, queues, unit ? TOPIC_UNIT_SUB : 0))
		return 1;
	if (topic_order(back->topic))
		topics_set_order(back->broker->topics, back->topic, false);
	if (!(topic_perm(back->topic) & PERM_WRITE)) {
		call_fail(back->call, GANTRY_NO_PERMISSION,
			  "the topic[%.*s] sending message is forbidden",
			  STR_ARGS(back->topic->name));
		return 1;
	}
	/* any of them: the place of a message in the log is as good as a random number */
	back->queue =
		(int32_t)((uint64_t)back->at / 64 * UINT64_C(0x9E3779B97F4A7C15) >> 33) % queues;
	return 0;
}

/* Whether the request is answered by what the broker and the group are. */
static bool is_answered(struct broker *broker, struct gantry_call *call, const struct group *group)
{
	if (!(broker->conf->brokerPermission & PERM_WRITE)) {
		call_fail(call, GANTRY_NO_PERMISSION, "the broker[%s] sending message is forbidden",
			  broker->ip1);
		return true;
	}
	if (GROUP_READ(group, retry_queue_nums) > 0)
		return false;
	call_ok(call); /* such a group does not retry, and does not want to know */
	return true;
}

static int begin(struct back *back, struct gantry_op *op)
{
	int status = find_retry(back) ? 0 : run(back);

	if (status > 0) {
		gantry_op_take(op, NULL, back);
		back->outer = op;
		return GANTRY_PENDING;
	}
	walk_release(&back->source);
	free(back);
	return 0;
}

static int send_back(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct group *group;
	struct back *back;
	int64_t at;
	int32_t level;

	if (broker_is_slave(broker))
		return call_fail(call, GANTRY_SYSTEM_BUSY,
				 "[REJECTREQUEST]system busy, start flow control for a while");
	if (find_group(broker, call, &group) || call_need_int64(call, "offset", &at) ||
	    call_need_int32(call, "delayLevel", &level) || is_answered(broker, call, group))
		return 0;
	back = calloc(1, sizeof(*back));
	if (!back)
		return call_no_memory(call);
	back->broker = broker;
	back->call = call;
	back->group = group;
	back->at = at;
	back->level = level;
	back->max_tries = max_tries(call, group);
	return begin(back, op);
}

const struct call_row back_calls[] = {
	{36, "CONSUMER_SEND_MSG_BACK", send_back},
	{0, NULL, NULL},
};
