/* SPDX-License-Identifier: Apache-2.0 */
/* Names of topics: which are allowed, which are the system's. */
#include <stdio.h>
#include <string.h>

#include "call/fields.h"
#include "json/json.h"
#include "message/name.h"
#include "table/name_set.h"
#include "topics/topics.h"
#include "topics/private.h"

const char *topics_name_problem(struct gantry_str name, char *room, size_t room_size)
{
	switch (message_name_check(name, MESSAGE_TOPIC_MAX)) {
	case MESSAGE_NAME_BLANK:
		return "The specified topic is blank.";
	case MESSAGE_NAME_LONG:
		snprintf(room, room_size,
			 "The specified topic: %.*s, is longer than topic max length: %d",
			 name.size > 256 ? 256 : (int)name.size, name.at, MESSAGE_TOPIC_MAX);
		return room;
	case MESSAGE_NAME_ILLEGAL:
		snprintf(room, room_size,
			 "The specified topic: %.*s, contains illegal characters, allowing only "
			 "^[%%|a-zA-Z0-9_-]+$",
			 name.size > 256 ? 256 : (int)name.size, name.at);
		return room;
	case MESSAGE_NAME_GOOD:
		break;
	}
	return NULL;
}

/* Attributes as Java prints a map: {message.type=FIFO}. */
static void write_attributes(const char *json, char *to, size_t room)
{
	struct json_doc doc;
	struct json_iter iter;
	const char *comma = "";

	if (!json || json_parse(json, strlen(json), JSON_LENIENT, NULL, &doc, NULL))
		return;
	iter = json_iter(json_root(&doc));
	while (room > 1 && json_next(&iter)) {
		struct gantry_str key = {"", 0}, value = {"", 0};
		int size;

		json_raw(iter.key, &key);
		json_raw(iter.value, &value);
		size = snprintf(to, room, "%s%.*s=%.*s", comma, STR_ARGS(key), STR_ARGS(value));
		if ((size_t)size >= room)
			break;
		to += size;
		room -= (size_t)size;
		comma = ", ";
	}
	json_free(&doc);
}

void topics_describe(struct topics *topics, const struct topic *topic, char *to, size_t room)
{
	char attributes[256] = "";
	int32_t perm = topic_perm(topic);

	pthread_rwlock_rdlock(&topics->lock);
	write_attributes(topic->attributes, attributes, sizeof(attributes));
	pthread_rwlock_unlock(&topics->lock);
	snprintf(to, room,
		 "TopicConfig [topicName=%s, readQueueNums=%d, writeQueueNums=%d, perm=%c%c%c, "
		 "topicFilterType=%s, topicSysFlag=%d, order=%s, attributes={%s}]",
		 topic->name.at, topic_read_queues(topic), topic_write_queues(topic),
		 perm & PERM_READ ? 'R' : '-', perm & PERM_WRITE ? 'W' : '-',
		 perm & PERM_INHERIT ? 'X' : '-',
		 topic_filter_type(topic) == TOPIC_MULTI_TAG ? "MULTI_TAG" : "SINGLE_TAG",
		 topic_sys_flag(topic), topic_order(topic) ? "true" : "false", attributes);
}

/* RocketMQ's TopicValidator. */
static const char *const names[] = {
	"TBW102",
	"SCHEDULE_TOPIC_XXXX",
	"BenchmarkTest",
	"RMQ_SYS_TRANS_HALF_TOPIC",
	"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
	"RMQ_SYS_TRACE_TOPIC",
	"RMQ_SYS_TRANS_OP_HALF_TOPIC",
	"RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
	"TRANS_CHECK_MAX_TIME_TOPIC",
	"SELF_TEST_TOPIC",
	"OFFSET_MOVED_EVENT",
	"CHECKPOINT_TOPIC",
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* These, and what topics_add_builtin() makes for this broker. */
bool topics_is_system(const struct topics *topics, struct gantry_str name)
{
	const char *cluster = topics->broker->cluster;
	size_t size = strlen(cluster);

	if (str_starts(name, "rmq_sys_") || str_is(name, topics->broker->name) ||
	    str_is(name, cluster))
		return true;
	if (str_starts(name, cluster) &&
	    str_is((struct gantry_str){name.at + size, name.size - size}, "_REPLY_TOPIC"))
		return true;
	if (topics->broker->conf->traceTopicEnable &&
	    str_is(name, topics->broker->conf->msgTraceTopicName))
		return true;
	for (size_t i = 0; i < NAMES; i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

void topics_system_names(struct name_set *ret)
{
	for (size_t i = 0; i < NAMES; i++)
		name_set_add(ret, str_of(names[i]));
}
