/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds over the half messages: what op messages settle is passed over, what is too young ends the
 * round, what nobody decided is put back at the queue's end, and its producer is asked. In
 * RocketMQ's order of judgements (TransactionalMessageServiceImpl.check of 5.5.0), as steps on the
 * control loop that wait for cold entries and for room in the log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transaction/check_private.h"

enum {
	TURN = 256,           /* half messages that are looked at before others get the loop */
	ROUND_MS = 60 * 1000, /* as RocketMQ's */
};

static void step(struct check *check);

static const struct broker_conf *conf_of(const struct check *check)
{
	return gantry_conf(check->transactions->broker->inst);
}

static void resumed(struct gantry_op *op);

struct gantry_op *check_op(struct check *check)
{
	check->op = (struct gantry_op){.done = resumed, .loop = check->loop, .user = check};
	return &check->op;
}

/* ---- a round's begin and end */

static int64_t begin_at(const struct check *check, const char *topic, struct queue *queue)
{
	struct gantry_str group = str_of(TRANSACTION_GROUP);
	int64_t at = offsets_get(check->transactions->broker->offsets, group, str_of(topic), 0);
	int64_t min, max;

	queue_bounds(queue, &min, &max);
	if (at < min) /* -1: there is none yet */
		return min;
	return at > max ? max : at; /* what was behind it is lost */
}

/* An offset that did not move is not written where there was none. */
static void commit_offset(const struct check *check, const char *topic, int64_t begun,
			  int64_t offset)
{
	struct offsets *offsets = check->transactions->broker->offsets;
	struct gantry_str group = str_of(TRANSACTION_GROUP);
	int64_t stored = offsets_get(offsets, group, str_of(topic), 0);

	if (stored == -1 ? offset != begun : offset != stored)
		offsets_commit(offsets, group, str_of(topic), 0, offset);
}

static void arm(struct check *check);

static void end_round(struct check *check)
{
	struct gantry_op *op = check->end_op;

	walk_release(&check->half);
	commit_offset(check, TRANSACTION_HALF_TOPIC, check->begun[0], check->halves.at);
	commit_offset(check, TRANSACTION_OP_TOPIC, check->begun[1],
		      settled_ops_done(&check->settled, check->halves.at));
	settled_end(&check->settled);
	free(check->room.at);
	check->room = (struct ask_room){0};
	check->running = false;
	check->end_op = NULL;
	if (op)
		gantry_op_finish(op, 0, 0);
	else
		arm(check);
}

/* Both queues are open. */
static void begin_round(struct check *check)
{
	struct store *store = check->transactions->broker->store;
	int64_t half = begin_at(check, TRANSACTION_HALF_TOPIC, check->queues[0]);
	int64_t op = begin_at(check, TRANSACTION_OP_TOPIC, check->queues[1]);

	check->begun[0] = half;
	check->begun[1] = op;
	check->started_ms = broker_wall_ms();
	check->deadline_ms = gantry_clock_ms() + ROUND_MS;
	check->ops_ended = false;
	check->ops_full = false;
	check->last_op_ms = 0;
	settled_begin(&check->settled, half, op);
	walk_begin(&check->halves, store, check->queues[0], half);
	walk_begin(&check->ops, store, check->queues[1], op);
	step(check);
}

static void opened(struct gantry_op *op)
{
	struct check *check = op->user;

	if (!op->status && !check->end_op) {
		begin_round(check);
		return;
	}
	check->running = false;
	if (check->end_op)
		gantry_op_finish(check->end_op, 0, 0);
	else
		arm(check);
}

static void start_round(struct check *check)
{
	static const char *const topics[] = {TRANSACTION_HALF_TOPIC, TRANSACTION_OP_TOPIC};
	struct store *store = check->transactions->broker->store;
	int status = -ENOMEM;

	for (int i = 0; i < 2; i++)
		check->queues[i] = store_queue_named(store, str_of(topics[i]), 0);
	check->running = true;
	check->op = (struct gantry_op){.done = opened, .loop = check->loop, .user = check};
	if (check->queues[0] && check->queues[1])
		status = store_queues_open(store, check->queues, 2, &check->opening, &check->op);
	if (status > 0)
		return;
	check->op.status = status;
	opened(&check->op);
}

/* ---- judging one half message */

/* The half message is done with in this round. */
void check_next(struct check *check)
{
	walk_release(&check->half);
	walk_next(&check->halves);
}

/* As long a half message is not asked for; -1: no number, as if there were no property. */
static int64_t immunity_of(const struct check *check, struct gantry_str property)
{
	int64_t dflt = conf_of(check)->transactionTimeOut, seconds;

	if (!property.at || str_int64(property, &seconds) || seconds == -1)
		return dflt;
	return seconds > INT64_MAX / 1000 || seconds < INT64_MIN / 1000 ? INT64_MAX
									: seconds * 1000;
}

/* Messages that say how long they must not be asked for wait in the queue by being put back. */
static enum judgement judge_immune(const struct check *check)
{
	struct gantry_str first = rewrite_property(&check->half.record, TRANSACTION_FIRST_OFFSET);
	int64_t offset;

	if (!first.at)
		return PUT_BACK;
	if (str_int64(first, &offset) || offset == -1)
		return UNDECIDED;
	return settled_has(&check->settled, offset) ? PASS : PUT_BACK;
}

static bool is_given_up(const struct check *check)
{
	const struct message_record *record = &check->half.record;
	const struct broker_conf *conf = conf_of(check);
	int64_t age_ms = broker_wall_ms() - record->born_ms;

	return (check->times >= 0 && check->times >= conf->transactionCheckMax) ||
	       age_ms > conf->fileReservedTime * INT64_C(3600000);
}

static enum judgement judge(struct check *check)
{
	const struct message_record *record = &check->half.record;
	struct gantry_str immunity = rewrite_property(record, TRANSACTION_IMMUNITY);
	int64_t timeout_ms = conf_of(check)->transactionTimeOut;
	int64_t immunity_ms = immunity_of(check, immunity);
	int64_t age_ms = broker_wall_ms() - record->born_ms;
	enum judgement immune;

	check->times = check_times(record);
	if (is_given_up(check))
		return GIVE_UP;
	if (record->store_ms >= check->started_ms)
		return END_ROUND;
	if (immunity.at && age_ms <= immunity_ms) {
		immune = judge_immune(check);
		if (immune != UNDECIDED)
			return immune;
	} else if (!immunity.at && age_ms >= 0 && age_ms <= immunity_ms) {
		return check->ops_ended || check->ops_full ? END_ROUND : READ_OPS;
	}
	if (age_ms < 0 || check->last_op_ms - check->started_ms > timeout_ms || check->ops_full)
		return ASK;
	if (!check->ops_ended)
		return READ_OPS;
	return age_ms > immunity_ms ? ASK : END_ROUND;
}

/* ---- steps */

/* What op messages do not say yet may be known in memory. */
static int ask(struct check *check)
{
	int64_t read_to = check->ops.at;
	int known = ops_know(check->transactions->ops, check->halves.at, read_to), status;

	if (known > 0) {
		check_next(check);
		return 0;
	}
	if (!known || check->ops_full)
		return check_put(check, ASK);
	status = check_read_ops(check);
	/* written, but not dispatched yet: the next round will see it */
	return status || check->ops.at > read_to ? status : -ECANCELED;
}

/* 0: go on; positive: it has to be waited for; negative: the round ends. */
static int carry_out(struct check *check, enum judgement judgement)
{
	switch (judgement) {
	case PASS:
		check_next(check);
		return 0;
	case PUT_BACK:
	case GIVE_UP:
		return check_put(check, judgement);
	case READ_OPS:
		return check_read_ops(check);
	case ASK:
		return ask(check);
	case UNDECIDED:
	case END_ROUND:
		break;
	}
	return -ECANCELED;
}

/* The next half message; none is held if it is settled, or cannot be read. */
static int read_half(struct check *check)
{
	struct broker *broker = check->transactions->broker;
	struct queue_unit unit;
	int status = walk_entry(&check->halves, &unit, check_op(check));

	if (status || settled_has(&check->settled, check->halves.at))
		return status;
	status = walk_read(broker->store, (uint64_t)unit.physical_offset, &check->half, &check->op);
	if (status != -ENOENT && status != -EIO)
		return status;
	gantry_log_limited(broker->inst, &check->limit, WARNING,
			   "half message %lld is gone or cannot be read, and is passed over",
			   (long long)check->halves.at);
	walk_next(&check->halves);
	return 0;
}

/* One half message, or some op messages. As carry_out(). */
static int look(struct check *check)
{
	int status = 0;

	if (settled_has(&check->settled, check->halves.at)) {
		check_next(check);
		return 0;
	}
	if (!check->half.slice.size)
		status = read_half(check);
	if (status || !check->half.slice.size)
		return status;
	return carry_out(check, judge(check));
}

static void again(struct gantry_task *task)
{
	step(task->user);
}

static void step(struct check *check)
{
	int status = 0;

	for (int i = 0; !status && i < TURN; i++) {
		if (check->end_op || gantry_clock_ms() > check->deadline_ms)
			status = -ECANCELED;
		else
			status = look(check);
	}
	if (status < 0)
		end_round(check);
	else if (!status)
		gantry_loop_post(check->loop, &check->task);
}

/* Something that was waited for is there. */
static void resumed(struct gantry_op *op)
{
	struct check *check = op->user;

	if (op->status && op->status != -EAGAIN)
		end_round(check);
	else
		step(check);
}

void check_put_done(struct check *check, int status)
{
	if (status)
		end_round(check);
	else
		step(check);
}

/* ---- life */

static void tick(struct gantry_timer *timer, void *user)
{
	struct check *check = user;

	gantry_timer_stop(timer);
	check->timer = NULL;
	start_round(check);
}

/* The next round, transactionCheckInterval from now. */
static void arm(struct check *check)
{
	struct gantry_inst *inst = check->transactions->broker->inst;
	uint64_t interval = (uint64_t)conf_of(check)->transactionCheckInterval;

	if (gantry_timer_start(inst, check->loop, interval, 0, tick, check, &check->timer))
		gantry_log(inst, ERROR,
			   "no timer: transactions that are open are not asked for any more");
}

int check_new(struct transactions *transactions, struct check **ret)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check)
		return -ENOMEM;
	check->transactions = transactions;
	check->loop = gantry_loop_control(transactions->broker->inst);
	check->task = (struct gantry_task){.run = again, .user = check};
	*ret = check;
	return 0;
}

void check_serve(struct check *check)
{
	arm(check);
}

int check_end(struct check *check, struct gantry_op *op)
{
	gantry_timer_stop(check->timer);
	check->timer = NULL;
	if (!check->running)
		return 0;
	gantry_op_take(op, NULL, check);
	check->end_op = op;
	return GANTRY_PENDING;
}

void check_free(struct check *check)
{
	if (!check)
		return;
	gantry_timer_stop(check->timer);
	settled_end(&check->settled);
	free(check->room.at);
	free(check);
}
