/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of sending share: a call of the front-end, and each request in it on its way
 * through the plan. A call belongs to the loop that it came from. */
#ifndef SEND_PRIVATE_H
#define SEND_PRIVATE_H

#include <gantry/counter.h>
#include <gantry/loop.h>

#include "delay/delay.h"
#include "message/id.h"
#include "send/send.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SEND_KEEP_BYTES = 256 * 1024, /* of memory that a pooled call may keep */
	SEND_STALL_MS = 5000,         /* as long as RocketMQ waits for a file to be made */
	SEND_RETRY_MS = 2,
	SEND_POOL_CALLS = 64,                 /* kept by one loop */
	SEND_SPILL_BYTES = 128 * 1024 * 1024, /* held by all calls beyond what is kept */
	SEND_INNER_ROOM = sizeof("INNER_NUM") + 8,
	SEND_UNIQUE_ROOM = sizeof("UNIQ_KEY") + MESSAGE_ID_MAX + 1,
};

/* One request. */
struct send_context {
	struct gantry_send *send;
	struct topic *topic; /* may be set before it is looked for: send/ahead.c */
	struct store_put put;
	uint32_t first_record, record_count;
	int32_t queue;
	int32_t delay_level;
	bool answered;                 /* refused: it goes no further */
	bool no_wait;                  /* WAIT=false */
	bool transaction;              /* TRAN_MSG=true */
	bool timer;                    /* one of the TIMER_ properties */
	struct gantry_str inner_num;   /* INNER_NUM */
	struct gantry_str multi_names; /* INNER_MULTI_DISPATCH */
	struct store_multi multi;
	char inner_text[SEND_INNER_ROOM]; /* the pair INNER_NUM that the broker makes */
	struct topic *half; /* the topic of half messages: this is one; NULL: it is none */
	bool dead;          /* was retried too often: goes to the group's dead letter queue */
	bool delayed;       /* goes to the schedule topic */
	bool delay_broken;  /* DELAY is no number */
	char unique[SEND_UNIQUE_ROOM];    /* the pair UNIQ_KEY, if the producer sent none */
	char delay_text[DELAY_TEXT_ROOM]; /* what delays add, if it is delayed */
	char half_queue[24];              /* of a half message: text of its real queue */
};

struct send_room { /* memory that grows */
	char *at;
	size_t size;
};

/* The requests of one call. */
struct send_call {
	struct send_call *next; /* in the pool, of those that wait for a queue, or of the stalled */
	struct sender *sender;
	struct send_loop *loop;
	struct gantry_op *op; /* the front-end's; NULL before it is taken */
	struct gantry_address store_host;
	int64_t now_ms;
	struct send_context *contexts;
	uint32_t count, record_count;
	uint32_t placed, acked; /* the first records are in the log; and were acknowledged */
	bool door_pending;      /* door_op is: their acknowledgement */
	bool kept;              /* texts were copied, which are only lent for the call */
	bool stalled;           /* waits for room in the log; in the loop's list by next */
	bool opened;            /* waits only for those before it; in the loop's list by next */
	uint64_t stalled_ms;    /* gantry_clock_ms() when it began to */
	struct gantry_record *records;
	uint64_t *offsets;
	int32_t *crcs;
	struct queue **queues; /* of every context, to be opened */
	uint32_t queue_count;
	struct gantry_batch batch;
	struct gantry_op door_op, open_op, after_op;
	struct queue_opening opening;
	uint32_t multi_count; /* light queues of every context */
	struct send_room context_room, record_room, text_room, multi_room;
};

struct send_loop {                     /* touched on its loop only */
	struct send_call *pool, *last; /* last: was answered at once, its offsets are still read */
	struct send_call *opening, **opening_end; /* in the order that they came */
	struct send_call *stalled, **stalled_end; /* so, too */
	uint32_t opening_count;
	struct gantry_timer *stall_timer;
	uint32_t pooled;
	uint32_t random;
	struct message_unique unique;
	bool unique_made;
} __attribute__((aligned(64)));

struct sender {
	struct broker *broker;
	struct send_loop *loops;
	uint32_t loop_count;
	struct gantry_str suffix; /* the properties that every message gets */
	struct gantry_counter *messages, *bytes;
	uint64_t spilled; /* atomic; bytes */
	uint32_t stalled; /* atomic: requests of stalled calls */
	uint32_t busy;    /* atomic: calls under way, and 1 until the drain begins */
	bool draining;    /* atomic */
	struct gantry_op *drain_op;
};

/* A step of the plan. 0: go on; 1: the request is answered. */
struct send_step {
	const char *name;
	int (*run)(struct send_call *call, struct send_context *context);
};

/* Answers the request; returns 1. format NULL: no remark. */
int send_refuse(struct send_context *context, int32_t code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int send_refuse_illegal(struct send_call *call, struct send_context *context);
int send_refuse_unavailable(const struct sender *sender, struct send_context *context);

/* send/call.c */
struct send_call *send_call_take(struct sender *sender, struct send_loop *loop, uint32_t count);
/* Room for that many bytes; what was there is gone. -ENOMEM: too much is held by all calls. */
int send_room_reserve(struct sender *sender, struct send_room *room, size_t size);
void send_call_release(struct send_call *call); /* NULL is fine */
void send_call_free(struct send_call *call);
/* Copies what the front-end only lends for the call. */
int send_call_keep(struct send_call *call);

/* send/ahead.c: finds the topics of a call's requests together, where they are of several. */
void send_look_ahead(struct send_call *call);

/* send/check.c */
int send_check_time(struct send_call *call, struct send_context *context);
int send_check_slave(struct send_call *call, struct send_context *context);
int send_check_order(struct send_call *call, struct send_context *context);
/* send/topic.c */
int send_find_topic(struct send_call *call, struct send_context *context);
int send_choose_queue(struct send_call *call, struct send_context *context);
int send_check_batch_topic(struct send_call *call, struct send_context *context);
int send_find_queue(struct send_call *call, struct send_context *context);
/* send/retry.c */
int send_check_retry(struct send_call *call, struct send_context *context);
/* send/properties.c */
int send_read_properties(struct send_call *call, struct send_context *context);
int send_check_body(struct send_call *call, struct send_context *context);
int send_check_batch_kind(struct send_call *call, struct send_context *context);
/* send/delay.c */
bool send_is_delayed(const struct send_context *context); /* the properties have been noted */
int send_check_delay(struct send_call *call, struct send_context *context);
int send_delay(struct send_call *call, struct send_context *context);
/* send/half.c */
int send_check_transaction(struct send_call *call, struct send_context *context);
void send_fill_half(struct send_context *context); /* before its draft is finished */
/* send/inner.c */
int send_check_key(struct send_call *call, struct send_context *context);
int send_check_inner(struct send_call *call, struct send_context *context);
/* Room for INNER_BASE behind the draft's properties. -EMSGSIZE: it has too many. */
int send_add_inner_base(struct send_context *context);
/* Whether a batch becomes one record. */
bool send_is_inner(const struct send_context *context);
int send_make_inner(struct send_call *call, struct send_context *context);
/* send/record.c */
int send_make_record(struct send_call *call, struct send_context *context);
int send_count_items(struct send_call *call, struct send_context *context);
/* send/multi.c */
int send_count_multi(struct send_call *call, struct send_context *context);
/* Finds the light queues of every request. -ENOMEM: too much is held by all calls. */
int send_find_multi(struct send_call *call);
bool send_multi_is_open(const struct send_context *context);
/* send/open.c: opens the queues of a call. 0: they are open, and no call before it waits for one of
 * them; positive: it goes on when that is so; negative: it cannot wait. */
int send_open_queues(struct send_call *call);
/* send/send.c: a call that was pending is answered. */
void send_finish(struct send_call *call);
/* send/place.c: makes records of what is left and places them. 0: every request is answered;
 * positive: the call will be finished. */
int send_place(struct send_call *call);
/* Places the records that are not yet; -EAGAIN: the log has no room for all of them now. */
int send_place_rest(struct send_call *call);
bool send_is_answered(const struct send_call *call);
/* Answers every request that is not placed; status: what the door said. */
void send_refuse_rest(struct send_call *call, int status);
/* The same, with SYSTEM_BUSY and this remark: clients go elsewhere. */
void send_refuse_rest_busy(struct send_call *call, const char *remark);
/* send/stall.c: tries again until there is room. 0: that is not possible, and it is answered. */
int send_stall(struct send_call *call);

#ifdef __cplusplus
}
#endif
#endif
