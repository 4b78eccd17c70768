/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of checking share. Everything is touched on the control loop only. */
#ifndef TRANSACTION_CHECK_PRIVATE_H
#define TRANSACTION_CHECK_PRIVATE_H

#include "call/fields.h"
#include "offsets/offsets.h"
#include "send/put.h"
#include "transaction/ask.h"
#include "transaction/private.h"
#include "transaction/rewrite.h"
#include "transaction/settled.h"
#include "store/walk.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	CHECK_OPS = 32,   /* op messages that are read at once, as RocketMQ does */
	CHECK_ADDED = 96, /* bytes of the properties that a half message gets */
};

/* What is to be done with a half message. */
enum judgement {
	UNDECIDED, /* it says nothing that helps */
	PASS,      /* it is settled */
	PUT_BACK,  /* it must not be asked for yet */
	GIVE_UP,   /* it was asked for too often, or is too old */
	READ_OPS,  /* more op messages have to be read first */
	ASK,
	END_ROUND, /* it is too young, and so is what follows */
};

struct check {
	struct transactions *transactions;
	struct gantry_loop *loop;
	struct gantry_timer *timer; /* until the next round; NULL during one */
	struct gantry_task task;
	struct gantry_op op, *end_op;
	struct gantry_log_limit limit;
	struct queue *queues[2]; /* half messages, ops */
	struct queue_opening opening;
	bool running;
	/* of this round */
	int64_t begun[2];     /* offsets of half messages, ops */
	int64_t started_ms;   /* wall clock */
	uint64_t deadline_ms; /* gantry_clock_ms() */
	struct walk halves, ops;
	struct settled settled;
	bool ops_ended, ops_full; /* there was no op message left; no more of them can be kept */
	int64_t last_op_ms;       /* when the last op message that was read was made */
	/* of one half message */
	struct walk_message half; /* of halves.at; its slice has size 0 if it was not read */
	int32_t times;            /* what it says of checks before; INT32_MIN: nothing */
	enum judgement judgement; /* why it is being put */
	struct put_one put;
	char added[CHECK_ADDED];
	struct ask_room room;
};

/* check.c: its op, ready to be waited for. */
struct gantry_op *check_op(struct check *check);
/* The half message is done with in this round. */
void check_next(struct check *check);
/* It was put, or could not be. */
void check_put_done(struct check *check, int status);

/* check_ops.c: reads some op messages. 0: ops_ended says whether there are more; positive: one has
 * to be waited for. */
int check_read_ops(struct check *check);

/* check_put.c: stores the half message again, where the judgement says, and asks its producer if
 * that is to be done. 0: go on; positive: check_put_done() follows; negative: it could not be. */
int check_put(struct check *check, enum judgement judgement);
int32_t check_times(const struct message_record *record);

#ifdef __cplusplus
}
#endif
#endif
