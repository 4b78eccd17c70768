/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of pulling share. A pull lives on one loop, the one that it came from. */
#ifndef PULL_PRIVATE_H
#define PULL_PRIVATE_H

#include <pthread.h>

#include <gantry/counter.h>
#include <gantry/loop.h>

#include "clients/clients.h"
#include "groups/groups.h"
#include "pull/pull.h"
#include "store/store.h"
#include "table/table.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	PULL_UNITS = 64,                /* queue entries looked at together */
	PULL_SLICES_MAX = 1024,         /* of one answer */
	PULL_RUN_BYTES = 1 << 20,       /* read from the log at once */
	PULL_WINDOW_BYTES = 128 * 1024, /* so close together stand messages that are read at once */
	HOLDS_MAX = 200000,             /* of one broker; beyond that a pull is told to come back */
	HOLD_SLICES = 2,
	WAKE_MAX = 64, /* held pulls looked at in one turn */
	HOLD_MS_MAX = 24 * 60 * 60 * 1000,
	WHEEL_SLOTS = 256,
	WHEEL_MS = 100,
};

/* RocketMQ's GetMessageStatus. */
enum pull_status {
	PULL_FOUND,
	PULL_NO_MATCHED_MESSAGE,
	PULL_MESSAGE_WAS_REMOVING,
	PULL_OFFSET_FOUND_NULL,
	PULL_OFFSET_OVERFLOW_BADLY,
	PULL_OFFSET_OVERFLOW_ONE,
	PULL_OFFSET_TOO_SMALL,
	PULL_NO_MESSAGE_IN_QUEUE,
	PULL_OFFSET_RESET,
};

/* Whether how far it is is noted for a broadcasting group. */
enum pull_broadcast { PULL_NO_BROADCAST, PULL_BROADCAST, PULL_BROADCAST_BY_PROXY };

/* A pull that has passed its checks. */
struct pull_context {
	struct puller *puller;
	struct pull_loop *loop;
	struct gantry_pull *pull;
	struct group *group;
	struct topic *topic;
	struct subscription *subscription; /* held */
	struct queue *queue;
	int64_t from;       /* the offset to read from: the pull's, or behind what did not match */
	char *proxy_client; /* by a proxy: whose pull it is; from malloc, goes with subscription */
	enum pull_broadcast broadcast;
};

/* Entries in a row whose messages are neighbours in the log. */
struct pull_run {
	int64_t first; /* queue offset */
	uint64_t at, bytes;
	uint32_t count;    /* entries */
	uint32_t messages; /* in them */
};

struct pull_result {
	enum pull_status status;
	int64_t next, min, max;
	struct gantry_slice *slices; /* the loop's */
	uint32_t slice_count, message_count;
	uint64_t bytes;
	uint64_t last_at; /* log offset of the last entry that was looked at; 0: none */
	bool far_behind;  /* of the log's end: another broker might serve it better */
};

/* What a read may have to wait for. */
struct pull_wait {
	struct gantry_op op;
	union {
		struct queue_opening opening;
		struct queue_fetch fetch;
	};
};

struct pull_link { /* in a ring */
	struct pull_link *next, *prev;
};

enum hold_state {
	HOLD_PARKED,  /* waits for messages, or its time */
	HOLD_READING, /* waits for what is read */
};

/* A pull whose answer comes later. */
struct hold {
	struct pull_context context;
	struct gantry_op *op; /* the front-end's; NULL: answered */
	union {
		struct pull_wait wait;
		struct { /* no longer waits for anything */
			struct gantry_op after_op;
			struct gantry_slice few[HOLD_SLICES];
		};
	};
	struct pull_link in_queue, in_wheel; /* in_queue: alone while it reads */
	struct hold *next_of_session, **link_of_session;
	uint64_t deadline_ms; /* 0: it is not to be held, only to be read */
	uint64_t queued_ms;   /* since when it waits to be read; 0: it does not, or was parked */
	enum hold_state state;
	struct gantry_slice *slices; /* of the answer: few, or from malloc */
};

struct pull_loop { /* touched on its loop only, but for what is atomic */
	struct puller *puller;
	struct gantry_loop *loop;
	struct gantry_slice *slices; /* of the answer being made */
	struct pull_pages *pages;    /* entries that it has read */
	struct pull_link *wheel;     /* WHEEL_SLOTS lists; made with the first hold */
	struct gantry_timer *timer;
	uint64_t tick; /* of the wheel: WHEEL_MS each */
	uint32_t held; /* atomic */
	struct gantry_task drain_task;
	struct gantry_log_limit damage;
} __attribute__((aligned(64)));

struct puller {
	struct broker *broker;
	struct pull_loop *loops;
	uint32_t loop_count;
	uint32_t slices_max;
	uint64_t memory; /* bytes of the log's end that are taken to be in memory */
	struct gantry_counter *pulls, *messages, *bytes;
	pthread_mutex_t lock;       /* guards the list of queue_holds */
	struct queue_holds *queues; /* all that were made */
	uint32_t busy;      /* atomic: holds and loops that drain, and 1 until the drain begins */
	uint32_t queued[2]; /* atomic: pulls that wait to be read, and lite ones */
	bool draining;      /* atomic */
	bool swept;         /* the drain is in its last round */
	struct gantry_op *drain_op;
};

/* A step of the plan. 0: go on; 1: the pull is answered. */
struct pull_step {
	const char *name;
	int (*run)(struct pull_context *context);
};

/* Answers the pull; returns 1. forbidden: RocketMQ's ForbiddenType. */
int pull_refuse(struct pull_context *context, int32_t code, int32_t forbidden, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* pull/check.c */
int pull_check_slave(struct pull_context *context);
int pull_check_broker(struct pull_context *context);
int pull_check_lite(struct pull_context *context);
int pull_find_group(struct pull_context *context);
int pull_find_topic(struct pull_context *context);
int pull_check_queue(struct pull_context *context);
/* pull/subscription.c */
int pull_find_subscription(struct pull_context *context);
int pull_check_filter(struct pull_context *context);
int pull_check_member(struct pull_context *context);
/* pull/broadcast.c */
int pull_find_broadcast(struct pull_context *context);
/* The offset where it has to go on instead of its own; -1: none. */
int64_t pull_broadcast_start(const struct pull_context *context);
void pull_broadcast_note(const struct pull_context *context); /* it has been answered */

/* pull/read.c: 0: ret is filled, its slices are the caller's to release; positive: wait's op
 * finishes when it should be tried again; -EAGAIN instead if wait is NULL. */
int pull_read(struct pull_context *context, struct pull_wait *wait, struct pull_result *ret);

/* pull/page.c: as queue_read(), and keeps what it reads of files; one thread. NULL: no memory. */
struct pull_pages *pull_pages_new(void);
void pull_pages_free(struct pull_pages *pages); /* NULL is fine */
int pull_pages_read(struct pull_pages *pages, struct queue *queue, int64_t at, uint32_t count,
		    struct queue_unit *ret);

/* pull/retry.c: the filter of the topic that a message in a retry topic came from */
struct pull_retry {
	struct subscription *subscription; /* held; the last that was found */
};
bool pull_retry_wanted(const struct pull_context *context);
bool pull_retry_match(struct pull_retry *retry, const struct pull_context *context,
		      const struct gantry_record_view *view);
void pull_retry_end(struct pull_retry *retry);

/* pull/check_run.c: whether the run's messages, at bytes, are what was stored: looks at those alone
 * that an earlier process wrote. */
bool pull_is_whole(const struct pull_context *context, const struct pull_run *run,
		   const uint8_t *bytes);
void pull_tell_damage(const struct pull_context *context, const struct pull_run *run);

/* pull/answer.c: fills the answer; the result's slices become the pull's. first: the pull was not
 * held. */
void pull_answer(struct pull_context *context, const struct pull_result *result, bool first);

/* pull/hold.c */
/* The pull's answer comes later: reads again, which may wait, and then holds it if it may be held.
 * Returns GANTRY_PENDING with op taken, or 0 if it was answered because that was not possible. */
int hold_read(const struct pull_context *context, struct gantry_op *op);
/* Holds it until messages come. As above. */
int hold_park(const struct pull_context *context, struct gantry_op *op);
bool hold_is_allowed(const struct pull_context *context);
/* pull/hold_finish.c */
void hold_finish(struct hold *hold, int32_t status); /* the pull is answered, or its client gone */
void hold_answer(struct hold *hold, const struct pull_result *result);
/* Answers it with what is there now. */
void hold_expire(struct hold *hold);
/* pull/hold_late.c: a pull that waits to be read. -EBUSY: too many do already. */
int hold_queue(struct hold *hold);
void hold_unqueue(struct hold *hold); /* it no longer does; if it did */
/* Answers it if it has waited for too long. */
void hold_check_late(struct hold *hold, uint64_t now_ms);
/* pull/hold_wheel.c: meets it when the time has come. */
int wheel_add(struct pull_loop *loop, struct hold *hold, uint64_t when_ms);
void wheel_expire_all(struct pull_loop *loop);
/* pull/hold_queue.c */
int queue_holds_add(struct hold *hold);
void queue_holds_arrived(struct queue *queue, void *user);
void queue_holds_free(struct puller *puller);
/* pull/hold.c: 1: it goes on waiting; 0: it is no longer held. */
int hold_look(struct hold *hold);
void puller_leave(struct puller *puller);

static inline void pull_link_init(struct pull_link *link)
{
	link->next = link->prev = link;
}

static inline bool pull_link_alone(const struct pull_link *link)
{
	return link->next == link;
}

static inline void pull_link_remove(struct pull_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	pull_link_init(link);
}

static inline void pull_link_add(struct pull_link *ring, struct pull_link *link)
{
	link->next = ring;
	link->prev = ring->prev;
	ring->prev->next = link;
	ring->prev = link;
}

#ifdef __cplusplus
}
#endif
#endif
