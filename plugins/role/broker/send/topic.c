/* SPDX-License-Identifier: Apache-2.0 */
/* Which topic and queue a request goes to. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "call/fields.h"
#include "message/name.h"
#include "send/private.h"

/* Topics that only the broker itself may write to. */
static bool is_forbidden(struct gantry_str topic)
{
	static const char *const names[] = {
		"SCHEDULE_TOPIC_XXXX",
		"RMQ_SYS_TRANS_HALF_TOPIC",
		"RMQ_SYS_TRANS_OP_HALF_TOPIC",
		"TRANS_CHECK_MAX_TIME_TOPIC",
		"SELF_TEST_TOPIC",
		"OFFSET_MOVED_EVENT",
		"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
		"RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_is(topic, names[i]))
			return true;
	return false;
}

static int refuse_forbidden(struct send_context *context)
{
	return send_refuse(context, GANTRY_NO_PERMISSION,
			   "Sending message to topic[%.*s] is forbidden.",
			   STR_ARGS(context->send->topic));
}

static int refuse_unknown(struct send_context *context)
{
	return send_refuse(
		context, GANTRY_TOPIC_NOT_EXIST,
		"topic[%.*s] not exist, apply first please!\nSee "
		"https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.",
		STR_ARGS(context->send->topic));
}

/* A topic that is not there: its name is judged, then it may be made. */
static int make_topic(struct send_call *call, struct send_context *context)
{
	struct gantry_send *send = context->send;
	char room[GANTRY_REMARK_MAX];
	const char *problem = topics_name_problem(send->topic, room, sizeof(room));
	int status;

	if (problem)
		return send_refuse(context, GANTRY_INVALID_PARAMETER, "%s", problem);
	if (is_forbidden(send->topic))
		return refuse_forbidden(context);
	status = topics_create_on_send(call->sender->broker, send, &context->topic);
	if (status == -ENOENT)
		return refuse_unknown(context);
	if (status)
		return send_refuse(context, GANTRY_SYSTEM_ERROR, "cannot create topic[%.*s]: %s",
				   STR_ARGS(send->topic), strerror(-status));
	return 0;
}

int send_find_topic(struct send_call *call, struct send_context *context)
{
	struct gantry_str name = context->send->topic;
	struct topic *topic = context->topic;

	/* most requests of a connection's turn are for one topic */
	if (!topic && context > call->contexts)
		topic = context[-1].topic;
	if (!topic || topic_retired(topic) || !str_equal(topic->name, name))
		topic = topics_find(call->sender->broker->topics, name);
	if (!topic)
		return make_topic(call, context);
	if (topic->system && is_forbidden(name))
		return refuse_forbidden(context);
	context->topic = topic;
	return 0;
}

static uint32_t next_random(struct send_loop *loop)
{
	uint32_t x = loop->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return loop->random = x;
}

static int refuse_queue(struct send_call *call, struct send_context *context)
{
	const struct gantry_address *peer = &context->send->session->peer;
	char ip[INET6_ADDRSTRLEN] = "", topic[GANTRY_REMARK_MAX];

	inet_ntop(peer->ip_size == 16 ? AF_INET6 : AF_INET, peer->ip, ip, sizeof(ip));
	topics_describe(call->sender->broker->topics, context->topic, topic, sizeof(topic));
	return send_refuse(context, GANTRY_INVALID_PARAMETER,
			   "request queueId[%d] is illegal, %s Producer: %s:%u", context->queue,
			   topic, ip, peer->port);
}

int send_choose_queue(struct send_call *call, struct send_context *context)
{
	const struct topic *topic = context->topic;
	int32_t write = topic_write_queues(topic), read = topic_read_queues(topic);

	context->queue = context->send->queue;
	if (context->queue >= (write > read ? write : read))
		return refuse_queue(call, context);
	if (context->queue >= 0)
		return 0;
	if (write <= 0)
		return send_refuse(context, GANTRY_SYSTEM_ERROR,
				   "topic[%.*s] has no queue to write", STR_ARGS(topic->name));
	context->queue = (int32_t)(next_random(call->loop) % (uint32_t)write);
	return 0;
}

int send_check_batch_topic(struct send_call *call, struct send_context *context)
{
	struct gantry_str topic = context->send->topic;

	(void)call;
	if (topic.size > MESSAGE_TOPIC_MAX)
		return send_refuse(context, GANTRY_MESSAGE_ILLEGAL,
				   "message topic length too long %zu", topic.size);
	if (message_topic_is_retry(topic))
		return send_refuse(context, GANTRY_MESSAGE_ILLEGAL,
				   "batch request does not support retry group %.*s",
				   STR_ARGS(topic));
	return 0;
}

int send_find_queue(struct send_call *call, struct send_context *context)
{
	int32_t queue = context->put.draft.queue;

	context->put.queue = store_queue(call->sender->broker->store,
					 context->half ? context->half : context->topic, queue);
	if (!context->put.queue)
		return send_refuse(context, GANTRY_SYSTEM_ERROR,
				   "no memory for queue %d of topic[%.*s]", queue,
				   STR_ARGS(context->topic->name));
	return 0;
}
