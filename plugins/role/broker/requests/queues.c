/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about what stands in queues and in the log. What may touch the disk runs on a worker. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/loop.h>

#include "requests/call.h"
#include "store/store.h"
#include "topics/topics.h"

struct queue_ask {
	struct broker *broker;
	struct gantry_call *call;
	struct queue *queue; /* NULL: there is none */
	int64_t time_ms;
	bool upper;
	void (*answer)(struct queue_ask *ask);
	/* when it runs on a worker */
	struct gantry_op *outer;
	struct gantry_op op;
	struct gantry_work work;
};

static int answer_on_worker(struct gantry_work *work)
{
	struct queue_ask *ask = work->user;

	ask->answer(ask);
	return 0;
}

static void answered(struct gantry_op *op)
{
	struct queue_ask *ask = op->user;
	struct gantry_op *outer = ask->outer;

	free(ask);
	gantry_op_finish(outer, 0, 0);
}

static int defer(const struct queue_ask *from, struct gantry_op *outer)
{
	struct queue_ask *ask = malloc(sizeof(*ask));

	if (!ask)
		return call_no_memory(from->call);
	*ask = *from;
	ask->outer = outer;
	ask->work = (struct gantry_work){.run = answer_on_worker, .user = ask};
	ask->op = (struct gantry_op){.done = answered, .loop = outer->loop, .user = ask};
	gantry_op_take(outer, NULL, NULL);
	return gantry_work(ask->broker->inst, &ask->work, &ask->op);
}

/* Finds the queue that the call names. -EINVAL: it is answered. A topic or queue that does not
 * exist is no error: RocketMQ answers as if it were empty. */
static int find_queue(struct broker *broker, struct gantry_call *call, struct queue **ret)
{
	struct gantry_str name;
	struct topic *topic;
	int32_t id;

	if (call_need_text(call, "topic", &name) || call_need_int32(call, "queueId", &id))
		return -EINVAL;
	*ret = NULL;
	topic = topics_find(broker->topics, name);
	if (topic)
		*ret = store_queue_of(broker->store, topic, id);
	return 0;
}

static int ask_queue(struct broker *broker, struct gantry_call *call, struct gantry_op *op,
		     bool slow, void (*answer)(struct queue_ask *))
{
	struct queue_ask ask = {.broker = broker, .call = call, .answer = answer};
	struct gantry_str boundary = call_text(call, "boundaryType");

	if (find_queue(broker, call, &ask.queue))
		return 0;
	if (slow && call_need_int64(call, "timestamp", &ask.time_ms))
		return 0;
	ask.upper = boundary.size == 5 && strncasecmp(boundary.at, "upper", 5) == 0;
	if (ask.queue && (slow || !queue_is_open(ask.queue)))
		return defer(&ask, op);
	answer(&ask);
	return 0;
}

static void answer_offset(struct gantry_call *call, int64_t offset)
{
	call_ok(call);
	call_reply_int(call, "offset", offset);
}

static void answer_max(struct queue_ask *ask)
{
	int64_t min = 0, max = 0;

	if (ask->queue)
		queue_bounds(ask->queue, &min, &max);
	answer_offset(ask->call, max);
}

static void answer_min(struct queue_ask *ask)
{
	int64_t min = 0, max = 0;

	if (ask->queue)
		queue_bounds(ask->queue, &min, &max);
	answer_offset(ask->call, min);
}

static void answer_by_time(struct queue_ask *ask)
{
	answer_offset(ask->call, ask->queue ? queue_offset_by_time(ask->broker->store, ask->queue,
								   ask->time_ms, ask->upper)
					    : 0);
}

static void answer_earliest(struct queue_ask *ask)
{
	int64_t min = 0, max = 0, ms = -1;

	if (ask->queue) {
		queue_bounds(ask->queue, &min, &max);
		ms = queue_store_ms(ask->broker->store, ask->queue, min);
	}
	call_ok(ask->call);
	call_reply_int(ask->call, "timestamp", ms);
}

static int get_max_offset(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	return ask_queue(broker, call, op, false, answer_max);
}

static int get_min_offset(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	return ask_queue(broker, call, op, false, answer_min);
}

static int search_offset(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	return ask_queue(broker, call, op, true, answer_by_time);
}

static int get_earliest(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct queue_ask ask = {.broker = broker, .call = call, .answer = answer_earliest};

	if (find_queue(broker, call, &ask.queue))
		return 0;
	if (ask.queue)
		return defer(&ask, op);
	answer_earliest(&ask);
	return 0;
}

/* ---- VIEW_MESSAGE_BY_ID: perhaps several reads, until the record is hot */

struct view {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	uint64_t offset;
};

static void view_answer(const struct view *view, int result, struct gantry_slice *slice)
{
	char *body;

	if (result < 0) {
		call_fail(view->call, GANTRY_SYSTEM_ERROR,
			  "can not find message by the offset, %lld", (long long)view->offset);
		return;
	}
	body = malloc(slice->size);
	if (body)
		memcpy(body, slice->bytes, slice->size);
	call_reply_body(view->call, body, slice->size);
	gantry_slice_release(slice);
}

static void view_again(struct gantry_op *op)
{
	struct view *view = op->user;
	struct gantry_slice slice;
	struct gantry_op *outer = view->outer;
	int result = op->status;

	if (!result) {
		view->op =
			(struct gantry_op){.done = view_again, .loop = outer->loop, .user = view};
		result = store_read_message(view->broker->store, view->offset, &slice, &view->op);
	}
	if (result > 0)
		return;
	view_answer(view, result, &slice);
	free(view);
	gantry_op_finish(outer, 0, 0);
}

static int view_message(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_slice slice;
	struct view *view;
	int64_t offset;
	int result;

	if (call_need_int64(call, "offset", &offset))
		return 0;
	view = malloc(sizeof(*view));
	if (!view)
		return call_no_memory(call);
	*view = (struct view){.broker = broker, .call = call, .offset = (uint64_t)offset};
	view->op = (struct gantry_op){.done = view_again, .loop = op->loop, .user = view};
	view->outer = op;
	result = offset < 0 ? -ENOENT
			    : store_read_message(broker->store, view->offset, &slice, &view->op);
	if (result > 0) {
		gantry_op_take(op, NULL, NULL);
		return GANTRY_PENDING;
	}
	view_answer(view, result, &slice);
	free(view);
	return 0;
}

const struct call_row queue_calls[] = {
	{29, "SEARCH_OFFSET_BY_TIMESTAMP", search_offset},
	{30, "GET_MAX_OFFSET", get_max_offset},
	{31, "GET_MIN_OFFSET", get_min_offset},
	{32, "GET_EARLIEST_MSG_STORETIME", get_earliest},
	{33, "VIEW_MESSAGE_BY_ID", view_message},
	{0, NULL, NULL},
};
