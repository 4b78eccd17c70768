/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about topics: make, change, delete, show. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "offsets/offsets.h"
#include "store/delete.h"
#include "topics/topics.h"
#include "topics/private.h"

enum { WHY_ROOM = GANTRY_REMARK_MAX, TEXT_MAX = 1024 * 1024 };

/* Whether an administrator may touch a topic of that name; if not it is answered. */
static bool may_change(struct broker *broker, struct gantry_call *call, struct gantry_str name)
{
	if (!broker->conf->validateSystemTopicWhenUpdateTopic ||
	    !topics_is_system(broker->topics, name))
		return true;
	call_fail(call, GANTRY_INVALID_PARAMETER, "The topic[%.*s] is conflict with system topic.",
		  STR_ARGS(name));
	return false;
}

/* The fields of a CreateTopicRequestHeader; -EINVAL: it is answered. */
static int read_config(struct gantry_call *call, struct topic_config *config)
{
	struct gantry_str filter;

	if (call_need_int32(call, "readQueueNums", &config->read_queues) ||
	    call_need_int32(call, "writeQueueNums", &config->write_queues) ||
	    call_need_int32(call, "perm", &config->perm) ||
	    call_need_text(call, "topicFilterType", &filter))
		return -EINVAL;
	config->filter_type = topic_filter_of(filter);
	if (config->filter_type < 0) {
		call_fail(call, GANTRY_SYSTEM_ERROR,
			  "RemotingCommandException: topicFilterType = [%.*s] value invalid",
			  filter.size > 64 ? 64 : (int)filter.size, filter.at);
		return -EINVAL;
	}
	config->sys_flag = call_int32(call, "topicSysFlag", 0);
	config->order = call_bool(call, "order", false);
	if (config->read_queues < 0 || config->write_queues < 0 ||
	    config->read_queues > TOPIC_QUEUES_MAX || config->write_queues > TOPIC_QUEUES_MAX) {
		call_fail(call, GANTRY_INVALID_PARAMETER,
			  "the number of queues must be between 0 and %d", TOPIC_QUEUES_MAX);
		return -EINVAL;
	}
	return 0;
}

static bool asks_for_mixed(struct gantry_str change)
{
	static const char text[] = "+message.type=MIXED";

	return change.size && memmem(change.at, change.size, text, sizeof(text) - 1);
}

static int update_and_create_topic(struct broker *broker, struct gantry_call *call,
				   struct gantry_op *op)
{
	struct gantry_str name, change = call_text(call, "attributes");
	char why[WHY_ROOM] = "", *attributes = NULL;
	struct topic_config config;
	const char *problem;
	int err;

	(void)op;
	if (call_need_text(call, "topic", &name))
		return 0;
	problem = topics_name_problem(name, why, sizeof(why));
	if (problem)
		return call_fail(call, GANTRY_INVALID_PARAMETER, "%s", problem);
	if (!may_change(broker, call, name))
		return 0;
	topic_config_init(&config, name);
	if (read_config(call, &config))
		return 0;
	if (!broker->conf->enableMixedMessageType && asks_for_mixed(change))
		return call_fail(call, GANTRY_INVALID_PARAMETER,
				 "MIXED message type is not supported.");
	err = topics_alter(broker->topics, name, change, &attributes, why, sizeof(why));
	config.attributes = attributes;
	if (!err)
		err = topics_put(broker->topics, &config, NULL);
	free(attributes);
	if (err == -ENOSPC)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "too many topics (maxTopics)");
	if (err < 0)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s", why[0] ? why : strerror(-err));
	return call_ok(call);
}

/* Its queues' files are removed on a worker. */
struct deletion {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	struct gantry_work work;
	size_t size;
	char name[];
};

static int delete_queues(struct gantry_work *work)
{
	struct deletion *deletion = work->user;

	/* what is left behind is in the log, and is no error of the call, as in RocketMQ */
	store_delete_topic(deletion->broker->store,
			   (struct gantry_str){deletion->name, deletion->size});
	return 0;
}

static void queues_deleted(struct gantry_op *op)
{
	struct deletion *deletion = op->user;
	struct gantry_op *outer = deletion->outer;

	call_ok(deletion->call);
	free(deletion);
	gantry_op_finish(outer, 0, 0);
}

static int delete_topic(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str name = call_text(call, "topic");
	struct deletion *deletion;

	if (str_blank(name))
		return call_fail(call, GANTRY_INVALID_PARAMETER, "The specified topic is blank.");
	if (!may_change(broker, call, name))
		return 0;
	deletion = malloc(sizeof(*deletion) + name.size);
	if (!deletion)
		return call_no_memory(call);
	*deletion =
		(struct deletion){.broker = broker, .call = call, .outer = op, .size = name.size};
	memcpy(deletion->name, name.at, name.size);
	topics_delete(broker->topics, name);
	offsets_forget_topic(broker->offsets, name);
	if (!broker->store) {
		free(deletion);
		return call_ok(call);
	}
	deletion->work = (struct gantry_work){.run = delete_queues, .user = deletion};
	deletion->op =
		(struct gantry_op){.done = queues_deleted, .loop = op->loop, .user = deletion};
	gantry_op_take(op, NULL, NULL);
	return gantry_work(broker->inst, &deletion->work, &deletion->op);
}

static int get_all_topic_config(struct broker *broker, struct gantry_call *call,
				struct gantry_op *op)
{
	struct page page;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	if (page_read(broker, call, "topicSeq", "maxTopicNum", &page))
		return 0;
	err = topics_encode(broker->topics, 0, &page, &text, &size);
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s", strerror(-err));
	call_reply_int(call, "totalTopicNum", topics_count(broker->topics));
	return call_reply_body(call, text, size);
}

static int encode_one(struct topics *topics, struct gantry_str name, char **ret, size_t *ret_size)
{
	struct json_writer writer;
	struct topic_config config;
	struct topic *topic = topics_find(topics, name);

	if (!topic)
		return -ENOENT;
	json_writer_init(&writer, TEXT_MAX, 0);
	pthread_rwlock_rdlock(&topics->lock);
	topics_config_locked(topic, &config);
	topic_config_write(&writer, &config);
	pthread_rwlock_unlock(&topics->lock);
	return json_writer_take(&writer, ret, ret_size);
}

static int get_topic_config(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str name;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	if (call_need_text(call, "topic", &name))
		return 0;
	err = encode_one(broker->topics, name, &text, &size);
	if (err == -ENOENT)
		return call_fail(call, GANTRY_TOPIC_NOT_EXIST,
				 "No topic in this broker. topic: %.*s", STR_ARGS(name));
	return call_reply_made(call, err, text, size);
}

const struct call_row topic_calls[] = {
	{17, "UPDATE_AND_CREATE_TOPIC", update_and_create_topic},
	{21, "GET_ALL_TOPIC_CONFIG", get_all_topic_config},
	{215, "DELETE_TOPIC_IN_BROKER", delete_topic},
	{351, "GET_TOPIC_CONFIG", get_topic_config},
	{0, NULL, NULL},
};
