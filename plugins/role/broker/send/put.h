/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that the broker itself stores: delayed messages that are due, messages that consumers
 * send back, committed transactions. They take the way of sends from the opened queue on: they wait
 * for room in the log and for flush and followers, but pass no plan of checks.
 *
 * Everything is the caller's memory, in place until the op is done, so nothing is copied before it
 * is written to the log: a body may well be a leased slice of the log. */
#ifndef PUT_H
#define PUT_H

#include <gantry/loop.h>

#include "broker.h"
#include "store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct putter;

struct put {
	/* in; put_prepare() has taken every message. What is not set is zero. */
	struct store_put *messages;
	struct gantry_record *records; /* as many; needs no setting */
	uint32_t count;
	uint32_t room_ms; /* so long it waits for room in the log; 0: as long as a send does */
	bool no_wait;     /* for flush and followers */
	bool sent_back;   /* by a consumer: no user's message more, as RocketMQ counts */
	/* out */
	uint32_t placed;     /* the first so many are in the log: records[].at, and
				messages[].queue_offset */
	enum gantry_ack ack; /* of those that are placed */
	/* private */
	struct putter *putter;
	struct gantry_op *op;
	struct gantry_op part_op;
	union {
		struct queue_opening opening;
		struct gantry_batch batch;
	};
	struct gantry_timer *timer;
	uint64_t deadline_ms;
	int32_t ended; /* 1: goes on */
};

/* One message and what it needs, for those who store one at a time. */
struct put_one {
	struct put put;
	struct store_put message;
	struct gantry_record record;
};

/* Looks up the queue of draft.topic and draft.queue, which may have no configuration, and finishes
 * the draft: store host, sizes, checksums. The other fields of the draft are set; of the rest of
 * message only multi is looked at. -EINVAL: such a queue cannot be; -EMSGSIZE: it does not fit into
 * a record; -ENOMEM. Any thread. */
int put_prepare(struct broker *broker, struct store_put *message);

/* The light queues of a message whose property INNER_MULTI_DISPATCH says names (enableLmq), for
 * message->multi: its draft's last property becomes (*ret)->text, of store_multi_room() bytes,
 * before put_prepare(). From malloc. 1: made; 0: it has none; -EINVAL: a name is none of a light
 * queue; -ENOSPC: there are too many queues; -ENOMEM. Any thread. */
int put_multi(struct broker *broker, struct gantry_str topic, struct gantry_str names,
	      struct store_multi **ret);

/* Makes them and adds them to a message whose draft is whole but for that property; the draft's
 * topic says whether it may have any. message->multi is then from malloc, the caller's. As
 * put_multi(); -EMSGSIZE: the draft has no room. */
int put_add_multi(struct broker *broker, struct gantry_str names, struct store_put *message);

/* Stores them in order, as one batch if there is room for that. Called on a kernel loop, which is
 * op's. 0: done; positive: op finishes when it is; both with ack set. Negative, here or as op's
 * status: not all are in the log: -ETIMEDOUT no room came in time; -ENOSPC the disk is full;
 * -EROFS a slave; -EIO; -ESHUTDOWN; -ESTALE the topic of messages[placed] was deleted meanwhile,
 * some behind it may be in the log: prepare it again and put what is left. */
int put_messages(struct broker *broker, struct put *put, struct gantry_op *op);

/* Prepares and stores one message; as both of the above. */
int put_one(struct broker *broker, struct put_one *one, struct gantry_op *op);

/* Made in setup, after the store's conf is known; control thread. */
int putter_new(struct broker *broker, struct putter **ret);
/* From here on there is -ESHUTDOWN; op finishes when no put is under way. Control thread, after
 * everybody who puts has been drained, before the store. */
int putter_drain(struct putter *putter, struct gantry_op *op);
void putter_free(struct putter *putter); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
