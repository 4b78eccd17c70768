/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of delays share. */
#ifndef DELAY_DELAY_PRIVATE_H
#define DELAY_DELAY_PRIVATE_H

#include <pthread.h>

#include <gantry/counter.h>
#include <gantry/log.h>
#include <gantry/loop.h>

#include "delay/delay.h"
#include "message/delay.h"
#include "metadata/data_version.h"
#include "send/put.h"
#include "state/state.h"
#include "store/walk.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	DELAY_BATCH = 64,               /* messages put together */
	DELAY_BATCH_BYTES = 256 * 1024, /* of one put; a larger message goes alone */
	DELAY_BATCHES_A_TURN = 4,
	DELAY_RETRY_MS = 100, /* after a failure, as RocketMQ */
	DELAY_SKEW_MS = 1000, /* the clock may be behind a message's store time */
	DELAY_LOOK_MS = 500,  /* so often at least every queue is looked at */
	DELAY_LEVELS = MESSAGE_DELAY_LEVELS_MAX,
};

/* Messages on their way from a level's queue to their own. */
struct delay_batch {
	uint32_t count;
	uint64_t bytes;
	struct put put;
	int64_t at[DELAY_BATCH];                  /* queue offsets */
	struct walk_message sources[DELAY_BATCH]; /* what messages borrow their text from */
	struct store_put messages[DELAY_BATCH];
	struct gantry_record records[DELAY_BATCH];
	struct delay_batch *next; /* of the spare ones */
};

struct delay_level { /* on the service's loop only, but for what is atomic */
	struct delay *delay;
	int32_t number;
	int64_t ms;
	int64_t offset; /* atomic: of the first message that is not delivered; -1: the level has
			   had none */
	struct walk walk;
	struct gantry_op op; /* of what it waits for */
	struct delay_batch *batch;
	bool waiting, putting, begun;
	uint64_t look_ms; /* its queue is looked at so often at least */
	uint64_t wake_ms; /* on gantry_clock_ms() */
};

struct delay {
	struct broker *broker;
	struct message_delays delays;
	struct gantry_loop *loop;
	struct gantry_counter *delivered, *dropped;
	struct delay_level levels[DELAY_LEVELS]; /* offsets also of those not served */
	/* the loop */
	struct delay_batch *spare;
	struct gantry_timer *timer;
	uint64_t timer_ms; /* when it ticks */
	struct gantry_task task, end_task;
	bool posted, ending;
	uint32_t busy; /* levels that wait */
	struct gantry_op *end_op;
	struct gantry_log_limit skips, failures;
	/* the file; on the control loop, but for what is atomic */
	struct state *file;
	struct gantry_timer *file_timer;
	struct gantry_op flushed_op;
	bool flushing;              /* flushed_op is pending */
	struct gantry_op *close_op; /* waits for that */
	bool changed;               /* atomic: an offset has, since it was noted */
	uint64_t changes;           /* atomic: deliveries since the start */
	uint64_t noted_changes;     /* atomic, as the next: what the file is to say */
	int64_t noted[DELAY_LEVELS];
	pthread_mutex_t lock;        /* guards version */
	struct data_version version; /* as read; deliveries are added */
};

/* level.c, on the loop: delivers what is due; says in wake_ms when to look again, unless it waits.
 */
void delay_level_run(struct delay_level *level);
/* Before anything is sent: an offset that delayOffset.json tells past the queue's end (a power cut
 * took messages) goes back to it, or the next messages would be passed over. In serve; blocks a
 * little. */
void delay_level_correct(struct delay_level *level);
void delay_level_free(struct delay_level *level);
/* delay.c, on the loop: the level does not wait any more. */
void delay_look(struct delay *delay);

/* file.c */
int delay_file_load(struct delay *delay); /* control thread; blocks */
/* Control thread: writes now and then; does not any more, another node delivers. */
int delay_file_serve(struct delay *delay);
void delay_file_rest(struct delay *delay);
int delay_file_close(struct delay *delay, struct gantry_op *op);

#ifdef __cplusplus
}
#endif
#endif
