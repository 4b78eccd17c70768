/* SPDX-License-Identifier: Apache-2.0 */
/* Names of topics: which are allowed, which are the system's. */
#include <stdio.h>
#include <string.h>

#include "call/fields.h"
#include "message/name.h"
#include "topics.h"
#include "topics_private.h"

const char *topics_name_problem(struct gantry_str name, char *room, size_t room_size)
{
	switch (message_name_check(name, MESSAGE_TOPIC_MAX)) {
	case MESSAGE_NAME_BLANK:
		return "The specified topic is blank.";
	case MESSAGE_NAME_LONG:
		return "The specified topic is longer than topic max length.";
	case MESSAGE_NAME_ILLEGAL:
		snprintf(room, room_size,
			 "The specified topic: %.*s, contains illegal characters, allowing only "
			 "^[%%|a-zA-Z0-9_-]+$",
			 name.size > 80 ? 80 : (int)name.size, name.at);
		return room;
	case MESSAGE_NAME_GOOD:
		break;
	}
	return NULL;
}

/* RocketMQ's TopicValidator, and what topics_add_builtin() makes for this broker. */
bool topics_is_system(const struct topics *topics, struct gantry_str name)
{
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
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}
