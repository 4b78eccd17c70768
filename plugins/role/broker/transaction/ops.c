/* SPDX-License-Identifier: Apache-2.0 */
#include "transaction/ops.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "transaction/transaction.h"

enum { DIGITS = 20 }; /* of an offset, and the comma */

struct ops {
	struct broker *broker;
	struct gantry_loop *loop; /* the control loop: op messages are written there */
	/* on the loop only */
	struct gantry_timer *timer;
	struct gantry_op put_op, *end_op;
	struct put_one put;
	char *text;
	uint32_t text_room;
	uint32_t writing; /* so many of the first are in the message under way; 0: none is */
	bool failing;     /* the log was told */
	struct gantry_task wake;
	/* guarded by lock */
	pthread_mutex_t lock;
	struct op_place *places;
	uint32_t place_count;
	bool awake, ended; /* awake: wake is posted */
	uint32_t head, count;
	uint64_t bytes;     /* of text that they make */
	int64_t written_to; /* behind the last op message that this process wrote */
	int64_t halves[OPS_MAX];
};

static const struct broker_conf *conf_of(const struct ops *ops)
{
	return gantry_conf(ops->broker->inst);
}

static uint32_t text_of(int64_t half, char room[DIGITS + 2])
{
	return (uint32_t)snprintf(room, DIGITS + 2, "%lld,", (long long)half);
}

/* ---- gathering */

int ops_reserve(struct ops *ops, struct op_place *place, int64_t half)
{
	int status = 0;

	place->half = half;
	pthread_mutex_lock(&ops->lock);
	if (ops->ended)
		status = -ESHUTDOWN;
	else if (ops->count + ops->place_count >= OPS_MAX)
		status = -EBUSY;
	if (!status) {
		place->next = ops->places;
		place->link = &ops->places;
		if (place->next)
			place->next->link = &place->next;
		ops->places = place;
		ops->place_count++;
	}
	pthread_mutex_unlock(&ops->lock);
	return status;
}

static void unlink_locked(struct ops *ops, struct op_place *place)
{
	*place->link = place->next;
	if (place->next)
		place->next->link = place->link;
	ops->place_count--;
}

/* Whether the loop is to be woken; the caller does so without the lock. */
static bool wants_waking_locked(struct ops *ops, int64_t max)
{
	bool wants = !ops->awake && (ops->ended ? !ops->place_count : (int64_t)ops->bytes > max);

	ops->awake |= wants;
	return wants;
}

void ops_settle(struct ops *ops, struct op_place *place)
{
	int64_t max = conf_of(ops)->transactionOpMsgMaxSize;
	char room[DIGITS + 2];
	bool wants;

	pthread_mutex_lock(&ops->lock);
	unlink_locked(ops, place);
	ops->halves[(ops->head + ops->count++) % OPS_MAX] = place->half;
	ops->bytes += text_of(place->half, room);
	wants = wants_waking_locked(ops, max);
	pthread_mutex_unlock(&ops->lock);
	if (wants)
		gantry_loop_post(ops->loop, &ops->wake);
}

void ops_forget(struct ops *ops, struct op_place *place)
{
	bool wants;

	pthread_mutex_lock(&ops->lock);
	unlink_locked(ops, place);
	wants = wants_waking_locked(ops, INT64_MAX);
	pthread_mutex_unlock(&ops->lock);
	if (wants)
		gantry_loop_post(ops->loop, &ops->wake);
}

int ops_know(struct ops *ops, int64_t half, int64_t read_to)
{
	int known = 0;

	pthread_mutex_lock(&ops->lock);
	for (struct op_place *place = ops->places; !known && place; place = place->next)
		known = place->half == half;
	for (uint32_t i = 0; !known && i < ops->count; i++)
		known = ops->halves[(ops->head + i) % OPS_MAX] == half;
	if (!known && read_to < ops->written_to)
		known = -EAGAIN;
	pthread_mutex_unlock(&ops->lock);
	return known;
}

/* ---- writing */

static void go_on(struct ops *ops);

/* The first of them as text; returns its bytes. */
static uint32_t gather(struct ops *ops, int64_t max)
{
	uint32_t size = 0, count = 0;

	pthread_mutex_lock(&ops->lock);
	while (count < ops->count && size < max && size + DIGITS + 2 <= ops->text_room)
		size += text_of(ops->halves[(ops->head + count++) % OPS_MAX], ops->text + size);
	pthread_mutex_unlock(&ops->lock);
	ops->writing = count;
	return size;
}

static int make_room(struct ops *ops, int64_t max)
{
	uint32_t room = (uint32_t)max + DIGITS + 2;
	char *text;

	if (room <= ops->text_room)
		return 0;
	text = realloc(ops->text, room);
	if (!text)
		return -ENOMEM;
	ops->text = text;
	ops->text_room = room;
	return 0;
}

/* What RocketMQ's op message looks like: WAIT and TAGS, no unique key. */
static void fill(struct ops *ops, uint32_t size)
{
	static const char properties[] = "WAIT\1true\2TAGS\1d\2";
	struct message_draft *draft = &ops->put.message.draft;

	memset(&ops->put, 0, sizeof(ops->put));
	draft->topic = str_of(TRANSACTION_OP_TOPIC);
	draft->body = (struct gantry_str){ops->text, size};
	draft->properties[0] = str_of(properties);
	draft->part_count = 1;
	draft->born_ms = broker_wall_ms();
	broker_store_host(ops->broker, &draft->born_host);
	ops->put.put.no_wait = true;
}

static void written(struct ops *ops, int status)
{
	uint32_t count = ops->writing;
	char room[DIGITS + 2];

	ops->writing = 0;
	if (status && !ops->failing)
		gantry_log(ops->broker->inst, WARNING,
			   "cannot write that %u transactions are settled: %s; trying again", count,
			   strerror(-status));
	ops->failing = status != 0;
	if (status)
		return;
	pthread_mutex_lock(&ops->lock);
	for (uint32_t i = 0; i < count; i++)
		ops->bytes -= text_of(ops->halves[(ops->head + i) % OPS_MAX], room);
	ops->head = (ops->head + count) % OPS_MAX;
	ops->count -= count;
	ops->written_to = ops->put.message.queue_offset + 1;
	pthread_mutex_unlock(&ops->lock);
}

static void put_done(struct gantry_op *op)
{
	struct ops *ops = op->user;

	written(ops, op->status);
	if (!op->status || ops->end_op)
		go_on(ops);
}

/* One op message; positive: it is under way. */
static int write_one(struct ops *ops)
{
	int64_t max = conf_of(ops)->transactionOpMsgMaxSize;
	int status = make_room(ops, max);

	if (!status) {
		fill(ops, gather(ops, max));
		ops->put_op = (struct gantry_op){.done = put_done, .loop = ops->loop, .user = ops};
		status = put_one(ops->broker, &ops->put, &ops->put_op);
	}
	if (status > 0)
		return status;
	written(ops, status);
	return status;
}

static bool is_due(struct ops *ops, int64_t max)
{
	bool due;

	pthread_mutex_lock(&ops->lock);
	due = ops->count && ((int64_t)ops->bytes > max || max == 0);
	pthread_mutex_unlock(&ops->lock);
	return due;
}

/* What could not be written is asked for again. */
static void end_if_idle(struct ops *ops)
{
	struct gantry_op *op = ops->end_op;
	uint32_t places;

	pthread_mutex_lock(&ops->lock);
	places = ops->place_count;
	pthread_mutex_unlock(&ops->lock);
	if (!op || places)
		return;
	ops->end_op = NULL;
	gantry_op_finish(op, 0, 0);
}

/* Writes as long as there is enough for a message. */
static void go_on(struct ops *ops)
{
	int64_t max = ops->end_op ? 0 : conf_of(ops)->transactionOpMsgMaxSize;
	int status = ops->failing && ops->end_op ? -EIO : 0;

	while (!status && !ops->writing && is_due(ops, max))
		status = write_one(ops);
	if (!ops->writing)
		end_if_idle(ops);
}

static void woken(struct gantry_task *task)
{
	struct ops *ops = task->user;

	pthread_mutex_lock(&ops->lock);
	ops->awake = false;
	pthread_mutex_unlock(&ops->lock);
	go_on(ops);
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct ops *ops = user;

	(void)timer;
	if (!ops->writing && is_due(ops, 0) && write_one(ops) == 0)
		go_on(ops);
}

/* ---- life */

int ops_new(struct broker *broker, struct ops **ret)
{
	struct ops *ops = calloc(1, sizeof(*ops));

	if (!ops)
		return -ENOMEM;
	ops->broker = broker;
	ops->loop = gantry_loop_control(broker->inst);
	ops->wake = (struct gantry_task){.run = woken, .user = ops};
	pthread_mutex_init(&ops->lock, NULL);
	*ret = ops;
	return 0;
}

int ops_serve(struct ops *ops)
{
	uint64_t period = (uint64_t)ops->broker->conf->transactionOpBatchInterval;

	pthread_mutex_lock(&ops->lock);
	ops->ended = false;
	pthread_mutex_unlock(&ops->lock);
	return gantry_timer_start(ops->broker->inst, ops->loop, period, period, tick, ops,
				  &ops->timer);
}

int ops_end(struct ops *ops, struct gantry_op *op)
{
	gantry_timer_stop(ops->timer);
	ops->timer = NULL;
	gantry_op_take(op, NULL, ops);
	ops->end_op = op;
	ops->failing = false;
	pthread_mutex_lock(&ops->lock);
	ops->ended = true;
	pthread_mutex_unlock(&ops->lock);
	go_on(ops);
	return GANTRY_PENDING;
}

void ops_free(struct ops *ops)
{
	if (!ops)
		return;
	gantry_timer_stop(ops->timer);
	pthread_mutex_destroy(&ops->lock);
	free(ops->text);
	free(ops);
}
