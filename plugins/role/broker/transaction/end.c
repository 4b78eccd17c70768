/* SPDX-License-Identifier: Apache-2.0 */
/* END_TRANSACTION: a producer's decision, as RocketMQ's EndTransactionProcessor of 5.5.0. The half
 * message is read and compared with what the request says of it; a commit stores the message under
 * its real topic; both are noted as settled. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "delay/delay.h"
#include "groups/groups.h"
#include "message/record.h"
#include "transaction/private.h"
#include "transaction/rewrite.h"
#include "store/walk.h"

enum { POOLED = 256, ILLEGAL_OPERATION = 604 };

struct request {
	struct gantry_str group; /* cut at GROUP_NAME_ROOM: no such group has messages here */
	int64_t queue_offset, log_offset;
	int32_t state;
	bool from_check;
};

struct end {
	struct end *next; /* in the pool */
	struct transactions *transactions;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	struct request request;
	struct walk_message half;
	struct op_place place;
	struct put_one put;
	uint32_t tries;
	char group[GROUP_NAME_ROOM];
	char delay_text[DELAY_TEXT_ROOM];
};

struct ends {
	pthread_mutex_t lock;
	struct end *pool; /* guarded by lock */
	uint32_t pooled;  /* so, too */
};

/* ---- memory */

int ends_new(struct broker *broker, struct ends **ret)
{
	struct ends *ends = calloc(1, sizeof(*ends));

	(void)broker;
	if (!ends)
		return -ENOMEM;
	pthread_mutex_init(&ends->lock, NULL);
	*ret = ends;
	return 0;
}

void ends_free(struct ends *ends)
{
	if (!ends)
		return;
	while (ends->pool) {
		struct end *end = ends->pool;

		ends->pool = end->next;
		free(end);
	}
	pthread_mutex_destroy(&ends->lock);
	free(ends);
}

static struct end *take_end(struct transactions *transactions)
{
	struct ends *ends = transactions->ends;
	struct end *end;

	pthread_mutex_lock(&ends->lock);
	end = ends->pool;
	if (end) {
		ends->pool = end->next;
		ends->pooled--;
	}
	pthread_mutex_unlock(&ends->lock);
	if (!end)
		end = malloc(sizeof(*end));
	if (end) {
		memset(end, 0, sizeof(*end));
		end->transactions = transactions;
	}
	return end;
}

static void forget_put(struct end *end)
{
	free((struct store_multi *)end->put.message.multi);
	memset(&end->put, 0, sizeof(end->put));
}

static void give_end(struct end *end)
{
	struct ends *ends = end->transactions->ends;

	forget_put(end);
	walk_release(&end->half);
	pthread_mutex_lock(&ends->lock);
	if (ends->pooled < POOLED) {
		end->next = ends->pool;
		ends->pool = end;
		ends->pooled++;
		end = NULL;
	}
	pthread_mutex_unlock(&ends->lock);
	free(end);
}

/* ---- checks */

static const char no_remark[] = "not set any response code"; /* what Java says then */

static int refuse(struct end *end, int32_t code, const char *remark)
{
	call_fail(end->call, code, "%s", remark);
	return -EINVAL;
}

/* How long a half message is not asked for: what it says itself, but not less than is usual. As
 * RocketMQ, which asks earlier than that if it says less: check.c. */
static int64_t immunity_ms(struct gantry_str said, int64_t usual_ms)
{
	int64_t seconds;

	if (str_int64(said, &seconds) || seconds < 0)
		return usual_ms;
	if (seconds > INT64_MAX / 1000)
		return INT64_MAX;
	return seconds * 1000 > usual_ms ? seconds * 1000 : usual_ms;
}

/* A decision of the producer's own accord that comes when the broker was to ask already. */
static bool is_late(const struct end *end)
{
	const struct broker *broker = end->transactions->broker;
	const struct broker_conf *conf = gantry_conf(broker->inst);
	const struct message_record *record = &end->half.record;
	struct gantry_str immunity = rewrite_property(record, TRANSACTION_IMMUNITY);

	if (end->request.from_check || !immunity.size)
		return false;
	return broker_wall_ms() - record->born_ms > immunity_ms(immunity, conf->transactionTimeOut);
}

static int check_half(struct end *end)
{
	const struct message_record *record = &end->half.record;
	struct gantry_str group = rewrite_property(record, TRANSACTION_PRODUCER_GROUP);

	if (!str_is(record->topic, TRANSACTION_HALF_TOPIC))
		return refuse(end, GANTRY_SYSTEM_ERROR, "Find prepared transaction message failed");
	if (is_late(end))
		return refuse(end, ILLEGAL_OPERATION, no_remark);
	if (!group.at || !str_equal(group, end->request.group))
		return refuse(end, GANTRY_SYSTEM_ERROR, "The producer group wrong");
	if (record->queue_offset != end->request.queue_offset)
		return refuse(end, GANTRY_SYSTEM_ERROR, "The transaction state table offset wrong");
	return 0;
}

/* ---- the end */

static void answer_put(struct end *end, int status)
{
	switch (status) {
	case 0:
		if (end->request.state == MESSAGE_COMMITTED)
			call_ok(end->call);
		else
			call_fail(end->call, GANTRY_SUCCESS, "%s", no_remark);
		break;
	case -ETIMEDOUT:
		refuse(end, GANTRY_SYSTEM_ERROR, "OS page cache busy, please try another machine");
		break;
	case -EMSGSIZE:
	case -EINVAL:
		refuse(end, GANTRY_MESSAGE_ILLEGAL,
		       "The message is illegal, maybe msg body or properties length not matched.");
		break;
	default:
		refuse(end, GANTRY_SERVICE_NOT_AVAILABLE, "Service not available now.");
		break;
	}
}

/* The decision is carried out, or cannot be. */
static void conclude(struct end *end, int status)
{
	struct transactions *transactions = end->transactions;

	if (status) {
		ops_forget(transactions->ops, &end->place);
	} else {
		counts_add(transactions->counts,
			   rewrite_property(&end->half.record, TRANSACTION_REAL_TOPIC), -1);
		ops_settle(transactions->ops, &end->place);
	}
	answer_put(end, status);
}

static void answer_later(struct end *end)
{
	struct gantry_op *outer = end->outer;

	give_end(end);
	gantry_op_finish(outer, 0, 0);
}

/* ---- commit */

/* It is late from now on, and goes to its topic when it is due. */
static int draft_delayed(struct end *end, struct gantry_str topic, int32_t queue, int32_t level)
{
	static const char *const without[] = {MESSAGE_DELAY,          TRANSACTION_REAL_TOPIC,
					      TRANSACTION_REAL_QUEUE, MESSAGE_TIMER_DELAY_SEC,
					      MESSAGE_TIMER_DELAY_MS, MESSAGE_TIMER_DELIVER_MS,
					      MESSAGE_TRAN_MSG,       NULL};
	const struct broker *broker = end->transactions->broker;
	struct message_draft *draft = &end->put.message.draft;
	struct gantry_str added = {0};
	struct message_pieces pieces = {.at = &added, .max = 1};
	int status = delay_add(broker, level, topic, queue, end->delay_text, &pieces);

	if (!status)
		status = rewrite_message(&end->half.record, without, added, draft);
	if (!status)
		delay_redirect(broker, level, draft);
	return status;
}

/* The message as its consumers will see it: TRAN_MSG stays, as in Java. */
static int draft_real(struct end *end)
{
	static const char *const without[] = {TRANSACTION_REAL_TOPIC, TRANSACTION_REAL_QUEUE, NULL};
	const struct message_record *record = &end->half.record;
	struct message_draft *draft = &end->put.message.draft;
	struct gantry_str topic = rewrite_property(record, TRANSACTION_REAL_TOPIC);
	int32_t queue, level = 0;
	int status;

	if (!topic.size || str_int32(rewrite_property(record, TRANSACTION_REAL_QUEUE), &queue))
		return -EINVAL;
	str_int32(rewrite_property(record, MESSAGE_DELAY), &level);
	if (delay_applies(level, MESSAGE_COMMITTED))
		status = draft_delayed(end, topic, queue, level);
	else
		status = rewrite_message(record, without, (struct gantry_str){0}, draft);
	if (status)
		return status;
	if (!delay_applies(level, MESSAGE_COMMITTED)) {
		draft->topic = topic;
		draft->queue = queue;
	}
	draft->sys_flag = (record->sys_flag & ~MESSAGE_TRANSACTION) | MESSAGE_COMMITTED;
	draft->prepared_offset = record->physical_offset;
	end->put.put.no_wait = true; /* RocketMQ does not wait for the disk here */
	/* a light queue that cannot be does not keep it from its own topic: it is decided */
	status = put_add_multi(end->transactions->broker,
			       rewrite_property(record, MESSAGE_MULTI_DISPATCH), &end->put.message);
	return status == -ENOMEM ? status : 0;
}

static void committed(struct gantry_op *op);

static int commit(struct end *end)
{
	int status;

	do {
		forget_put(end);
		end->op = (struct gantry_op){
			.done = committed, .loop = end->outer->loop, .user = end};
		status = draft_real(end);
		if (!status)
			status = put_one(end->transactions->broker, &end->put, &end->op);
	} while (status == -ESTALE && !end->tries++); /* its topic was just deleted */
	return status;
}

static void committed(struct gantry_op *op)
{
	struct end *end = op->user;
	int status = op->status;

	if (status == -ESTALE && !end->tries++)
		status = commit(end);
	if (status > 0)
		return;
	conclude(end, status);
	answer_later(end);
}

/* ---- one request */

/* The half message is at hand. 0: it is answered. */
static int decide(struct end *end)
{
	int status = 0;

	if (check_half(end))
		return 0;
	status = ops_reserve(end->transactions->ops, &end->place, end->half.record.queue_offset);
	if (status) {
		/* the client does not wait for this answer: the broker will ask it */
		refuse(end, status == -EBUSY ? GANTRY_SYSTEM_BUSY : GANTRY_SERVICE_NOT_AVAILABLE,
		       "Service not available now.");
		return 0;
	}
	if (end->request.state == MESSAGE_COMMITTED)
		status = commit(end);
	if (status > 0)
		return status;
	conclude(end, status);
	return 0;
}

static void read_again(struct gantry_op *op);

static int read_half(struct end *end)
{
	struct broker *broker = end->transactions->broker;
	int status = -ENOENT;

	end->op = (struct gantry_op){.done = read_again, .loop = end->outer->loop, .user = end};
	if (end->request.log_offset >= 0)
		status = walk_read(broker->store, (uint64_t)end->request.log_offset, &end->half,
				   &end->op);
	if (status > 0)
		return status;
	if (!status)
		return decide(end);
	refuse(end, GANTRY_SYSTEM_ERROR, "Find prepared transaction message failed");
	return 0;
}

static void read_again(struct gantry_op *op)
{
	struct end *end = op->user;
	int status = 0;

	if (op->status)
		refuse(end, GANTRY_SYSTEM_ERROR, "Find prepared transaction message failed");
	else
		status = read_half(end);
	if (!status)
		answer_later(end);
}

static int read_request(struct gantry_call *call, struct request *ret)
{
	if (call_need_int32(call, "commitOrRollback", &ret->state) ||
	    call_need_int64(call, "tranStateTableOffset", &ret->queue_offset) ||
	    call_need_int64(call, "commitLogOffset", &ret->log_offset))
		return -EINVAL;
	ret->group = call_text(call, "producerGroup"); /* none is a wrong one */
	ret->from_check = call_bool(call, "fromTransactionCheck", false);
	if (ret->state == 0 || ret->state == MESSAGE_COMMITTED || ret->state == MESSAGE_ROLLED_BACK)
		return 0;
	call_fail(call, GANTRY_SYSTEM_ERROR,
		  "org.apache.rocketmq.remoting.exception.RemotingCommandException: "
		  "commitOrRollback field wrong");
	return -EINVAL;
}

/* The request is lent for the call only. */
static void keep_group(struct end *end)
{
	struct gantry_str *group = &end->request.group;

	if (group->size > sizeof(end->group))
		group->size = sizeof(end->group);
	if (group->size)
		memcpy(end->group, group->at, group->size);
	group->at = end->group;
}

/* RocketMQ says nothing at all to a producer that does not know yet. */
static int say_nothing(struct gantry_op *op)
{
	gantry_op_take(op, NULL, NULL);
	gantry_op_finish(op, -ECANCELED, 0);
	return GANTRY_PENDING;
}

static int end_transaction(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct request request = {0};
	struct end *end;
	int status;

	if (read_request(call, &request))
		return 0;
	if (broker_is_slave(broker))
		return call_fail(call, GANTRY_SLAVE_NOT_AVAILABLE, NULL);
	if (!request.state)
		return say_nothing(op);
	end = take_end(transactions_of(broker));
	if (!end)
		return call_no_memory(call);
	end->call = call;
	end->outer = op;
	end->request = request;
	keep_group(end);
	status = read_half(end);
	if (status > 0)
		gantry_op_take(op, NULL, NULL);
	else
		give_end(end);
	return status;
}

const struct call_row transaction_calls[] = {
	{37, "END_TRANSACTION", end_transaction},
	{0, NULL, NULL},
};
