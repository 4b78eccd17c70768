/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that the broker itself stores: their queues are opened, then they are placed, part by
 * part if the log has no room for all at once. */
#include "send/put.h"

#include <errno.h>
#include <stdlib.h>

#include <gantry/counter.h>

#include "call/fields.h"
#include "message/name.h"
#include "message/record.h"
#include "stats/stats.h"
#include "topics/topics.h"

enum { ROOM_MS = 5000, RETRY_MS = 2 }; /* as sends wait */

struct putter {
	struct broker *broker;
	struct gantry_counter *messages, *bytes;
	uint32_t busy; /* atomic: puts under way, and 1 until the drain begins */
	bool draining; /* atomic */
	struct gantry_op *drain_op;
};

static int go_on(struct put *put);

static struct gantry_op *ready(struct put *put, void (*done)(struct gantry_op *op))
{
	put->part_op = (struct gantry_op){.done = done, .loop = gantry_loop_here(), .user = put};
	return &put->part_op;
}

/* ---- life of a put */

static void leave(struct putter *putter)
{
	if (__atomic_sub_fetch(&putter->busy, 1, __ATOMIC_ACQ_REL) == 0)
		gantry_op_finish(putter->drain_op, 0, 0);
}

/* -ESTALE if a message was left out, since its topic is deleted. */
static int judge(struct put *put)
{
	for (uint32_t i = 0; i < put->placed; i++) {
		if (put->messages[i].placed)
			continue;
		put->placed = i;
		return -ESTALE;
	}
	return 0;
}

/* Goes on after something was waited for. */
static void resume(struct put *put)
{
	struct putter *putter = put->putter;
	int status = go_on(put);

	if (status > 0)
		return;
	if (!status)
		status = judge(put);
	gantry_op_finish(put->op, status, put->ack);
	leave(putter);
}

/* ---- queues */

/* -ENOENT: its topic was deleted. */
static void queue_opened(struct gantry_op *op)
{
	struct put *put = op->user;

	put->ended = op->status == -ENOENT ? -ESTALE : op->status;
	resume(put);
}

/* A queue of the message that is not open; NULL: all are. */
static struct queue *const *find_closed(const struct store_put *message)
{
	const struct store_multi *multi = message->multi;

	if (!queue_is_open(message->queue))
		return &message->queue;
	for (uint32_t i = 0; multi && i < multi->count; i++)
		if (!queue_is_open(multi->queues[i]))
			return &multi->queues[i];
	return NULL;
}

/* One after another: most are open. */
static int open_queues(struct put *put)
{
	struct store *store = put->putter->broker->store;
	struct queue *const *closed;

	for (uint32_t i = put->placed; i < put->count; i++) {
		while ((closed = find_closed(&put->messages[i]))) {
			int status = store_queues_open(store, closed, 1, &put->opening,
						       ready(put, queue_opened));

			if (status)
				return status;
		}
	}
	return 0;
}

/* ---- room in the log */

static void try_again(struct gantry_timer *timer, void *user)
{
	struct put *put = user;

	gantry_timer_stop(timer);
	put->timer = NULL;
	resume(put);
}

static int wait_for_room(struct put *put)
{
	if (__atomic_load_n(&put->putter->draining, __ATOMIC_ACQUIRE))
		return -ESHUTDOWN;
	if (gantry_clock_ms() >= put->deadline_ms)
		return -ETIMEDOUT;
	return gantry_timer_start(put->putter->broker->inst, gantry_loop_here(), RETRY_MS, 0,
				  try_again, put, &put->timer) < 0
		       ? -ENOMEM
		       : GANTRY_PENDING;
}

/* ---- placing */

/* As RocketMQ counts: all for the store, and by the topic where they are. */
static void count(const struct put *put, struct gantry_str topic, uint32_t messages, uint64_t bytes)
{
	const struct broker *broker = put->putter->broker;
	bool by_topic = !put->sent_back || str_is(topic, MESSAGE_SCHEDULE_TOPIC);

	stats_put(broker->stats, by_topic ? topics_find(broker->topics, topic) : NULL, messages,
		  bytes);
}

static void note_placed(struct put *put)
{
	const struct store_put *first = &put->messages[put->placed];
	uint64_t bytes = 0, counted = 0;
	uint32_t from = 0;

	for (uint32_t i = 0; i < put->batch.placed; i++) {
		/* those of one topic together: most are of one */
		if (!str_equal(first[i].draft.topic, first[from].draft.topic)) {
			count(put, first[from].draft.topic, i - from, bytes - counted);
			from = i;
			counted = bytes;
		}
		bytes += put->records[put->placed + i].bytes;
	}
	if (put->batch.placed)
		count(put, first[from].draft.topic, put->batch.placed - from, bytes - counted);
	put->placed += put->batch.placed;
	gantry_counter_add(put->putter->messages, put->batch.placed);
	gantry_counter_add(put->putter->bytes, bytes);
}

static void acknowledged(struct gantry_op *op)
{
	struct put *put = op->user;

	if (op->status)
		put->ended = op->status;
	else if (op->result != GANTRY_ACK)
		put->ack = (enum gantry_ack)op->result;
	resume(put);
}

static int place(struct put *put)
{
	const struct broker *broker = put->putter->broker;
	int status;

	for (uint32_t i = put->placed; i < put->count; i++)
		put->records[i] = (struct gantry_record){
			.bytes_max = put->messages[i].draft.size,
			.flags = put->no_wait ? GANTRY_RECORD_NO_WAIT : 0,
			.user = &put->messages[i],
		};
	ready(put, acknowledged)->deadline_ms =
		gantry_clock_ms() + (uint64_t)broker->conf->syncFlushTimeout;
	status = store_append(broker->store, put->records + put->placed, put->count - put->placed,
			      &put->batch, &put->part_op);
	if (status >= 0)
		note_placed(put);
	return status;
}

/* 0: all are placed and acknowledged; positive: it goes on later; or negative. */
static int go_on(struct put *put)
{
	int status = put->ended;

	while (!status && put->placed < put->count) {
		status = open_queues(put);
		if (!status)
			status = place(put);
		if (status == -EAGAIN || (!status && put->placed < put->count))
			status = wait_for_room(put);
	}
	return status;
}

int put_messages(struct broker *broker, struct put *put, struct gantry_op *op)
{
	struct putter *putter = broker->putter;
	int status = -ESHUTDOWN;

	__atomic_add_fetch(&putter->busy, 1, __ATOMIC_ACQ_REL);
	put->putter = putter;
	put->op = op;
	put->placed = 0;
	put->ended = 0;
	put->ack = GANTRY_ACK;
	put->deadline_ms = gantry_clock_ms() + (put->room_ms ? put->room_ms : ROOM_MS);
	if (!__atomic_load_n(&putter->draining, __ATOMIC_ACQUIRE))
		status = go_on(put);
	if (status > 0) {
		gantry_op_take(op, NULL, put);
		return GANTRY_PENDING;
	}
	if (!status)
		status = judge(put);
	leave(putter);
	return status;
}

int put_prepare(struct broker *broker, struct store_put *message)
{
	struct message_draft *draft = &message->draft;

	if (!store_queue_is_possible(draft->topic, draft->queue))
		return -EINVAL;
	message->queue = store_queue_named(broker->store, draft->topic, draft->queue);
	if (!message->queue)
		return -ENOMEM;
	message->items = (struct gantry_str){0};
	message->crcs = NULL;
	message->placed = 0;
	broker_store_host(broker, &draft->store_host);
	draft->checksum = broker->conf->enabledAppendPropCRC;
	draft->body_crc = message_body_crc(draft->body.at, draft->body.size);
	return message_draft_finish(draft);
}

int put_one(struct broker *broker, struct put_one *one, struct gantry_op *op)
{
	int status = put_prepare(broker, &one->message);

	one->put.messages = &one->message;
	one->put.records = &one->record;
	one->put.count = 1;
	return status ? status : put_messages(broker, &one->put, op);
}

/* ---- life of the putter */

int putter_new(struct broker *broker, struct putter **ret)
{
	struct putter *putter = calloc(1, sizeof(*putter));
	int status;

	if (!putter)
		return -ENOMEM;
	putter->broker = broker;
	putter->busy = 1;
	status = gantry_counter_define(broker->inst, "own_messages_put",
				       "messages that the broker stored itself", &putter->messages);
	if (!status)
		status = gantry_counter_define(broker->inst, "own_bytes_put",
					       "bytes of messages that the broker stored itself",
					       &putter->bytes);
	if (status) {
		putter_free(putter);
		return status;
	}
	*ret = putter;
	return 0;
}

int putter_drain(struct putter *putter, struct gantry_op *op)
{
	gantry_op_take(op, NULL, putter);
	putter->drain_op = op;
	__atomic_store_n(&putter->draining, true, __ATOMIC_RELEASE);
	leave(putter);
	return GANTRY_PENDING;
}

void putter_free(struct putter *putter)
{
	free(putter);
}
