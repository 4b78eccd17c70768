/* SPDX-License-Identifier: Apache-2.0 */
/* The message store: RocketMQ's CommitLog and ConsumeQueues. The CommitLog is written through the
 * replication service alone; the ConsumeQueues are small logs of the storage service; the
 * dispatcher, which follows the log in order, connects the two. docs/design/store.md tells who
 * owns what. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <gantry/loop.h>
#include <gantry/replication.h>

#include "broker.h"
#include "message/queue_unit.h"
#include "message/record.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	STORE_UNIT = MESSAGE_UNIT_SIZE, /* bytes of a ConsumeQueue entry */
	STORE_QUEUES_MAX = 65536,       /* of one topic */
};

struct queue; /* one ConsumeQueue; never freed while the store is open */

/* ---- opening and closing; control thread */

/* Locks the directory, attaches the log, recovers it on a worker, then lets it be written. Always
 * pending or an error; *ret is set at once, for store_close(), and of use when op is done with
 * status 0. */
int store_open(struct broker *broker, struct store **ret, struct gantry_op *op);
/* From here on the dispatcher and the checkpoint run. Called in serve. */
int store_serve(struct store *store);
/* No send or pull is running any more. op finishes when everything is dispatched, written and
 * synced, and the log and every file is closed. In stop, on the control thread. */
int store_drain(struct store *store, struct gantry_op *op);
void store_close(struct store *store); /* frees; NULL, half-opened and not drained are fine */

/* ---- queues */

/* The queue of that topic; made in memory if need be, nothing is read. NULL: queue < 0 or too
 * large, or no memory. Any thread, cheap. */
struct queue *store_queue(struct store *store, struct topic *topic, int32_t queue);
/* The queue of that topic, as far as it has it, or had it since the store was opened: a topic whose
 * number of queues became smaller keeps what is in the others. NULL: it has none. Any thread. */
struct queue *store_queue_of(struct store *store, struct topic *topic, int32_t queue);
/* Messages will be placed in these soon: asks for the memory of all of them at once. count:
 * STORE_EXPECTED at most. Any thread, cheap. */
enum { STORE_EXPECTED = 64 };
struct queue_expected {
	struct topic *topic;
	int32_t queue; /* any number */
};
void store_expect(const struct queue_expected *expected, uint32_t count);
bool store_queue_is_possible(struct gantry_str topic, int32_t queue); /* a good folder's name */
/* The same by name, for topics that have no configuration. */
struct queue *store_queue_named(struct store *store, struct gantry_str topic, int32_t queue);

/* How often a topic got its first queue here, since the start: also one that was deleted and comes
 * again. Any thread. */
uint64_t store_topics_begun(struct store *store);

/* Whether its files have been looked at. Until then it has no offsets: nothing may be sent to it
 * or read from it. Any thread, cheap. */
bool queue_is_open(const struct queue *queue);
struct queue_opening { /* the caller's memory, in use until op is done */
	struct gantry_work work;
	struct queue *const *queues;
	uint32_t count;
};
/* Opens queues on a worker. 0: all are open; positive: op finishes when that was tried, with the
 * errno of the first that could not be. The array stays the caller's. */
int store_queues_open(struct store *store, struct queue *const *queues, uint32_t count,
		      struct queue_opening *room, struct gantry_op *op);

/* [min, max): what can be read now. Opens the queue if need be, which blocks a little: on a loop
 * use queue_is_open() first if it matters. Any thread. */
void queue_bounds(struct queue *queue, int64_t *ret_min, int64_t *ret_max);

/* Whether its topic has queue.type=BatchCQ: an entry may be of several messages. It is open. */
bool queue_is_batch(const struct queue *queue);

/* Entries from that of offset at on, count as far as they exist, perhaps fewer; returns how many,
 * -EAGAIN: they are on disk and perhaps not in memory, ask queue_fetch(); or a negative errno. The
 * queue is open. Any thread. */
int queue_read(struct queue *queue, int64_t at, uint32_t count, struct queue_unit *ret);
/* Entries of a queue's file that its reader keeps: who reads in order asks the system once for
 * several reads. Zeroed at first. The caller's; one thread at a time. */
enum { QUEUE_PAGE = 128 };
struct queue_page {
	const struct queue *queue; /* NULL: none */
	uint32_t cuts, count;
	int64_t at;
	uint8_t bytes[QUEUE_PAGE * STORE_UNIT];
};
/* The same with a page, or NULL. */
int queue_read_paged(struct queue *queue, int64_t at, uint32_t count, struct queue_page *page,
		     struct queue_unit *ret);
struct queue_fetch { /* the caller's memory, in use until op is done */
	struct gantry_work work;
	struct queue *queue;
	int64_t at;
};
/* Reads ahead from there on a worker; queue_read() answers when op is done. Always pending. */
int queue_fetch(struct queue *queue, int64_t at, struct queue_fetch *room, struct gantry_op *op);

/* One entry, wherever it is: 0, or a negative errno. Blocks: call it on a worker. */
int queue_read_unit(struct queue *queue, int64_t at, struct queue_unit *ret);

/* The first offset whose message was stored at or after ms (upper: the last at or before). As
 * RocketMQ's ConsumeQueue does. Blocks: call it on a worker. */
int64_t queue_offset_by_time(struct store *store, struct queue *queue, int64_t ms, bool upper);
/* When the message at that queue offset was stored; -1: there is none. Blocks. */
int64_t queue_store_ms(struct store *store, struct queue *queue, int64_t at);

/* ---- multi-dispatch: messages that stand in light queues as well */

/* The other queues of one message. */
struct store_multi {
	struct queue **queues; /* open */
	uint32_t count;
	char *text; /* store_multi_room() bytes: its draft's last property */
};
size_t store_multi_room(uint32_t count);
bool store_multi_allowed(struct gantry_str topic); /* its messages may be in light queues */
bool store_multi_is_name(struct gantry_str name);  /* a light queue's, and a good folder's */
/* The light queue of that name; NULL: there are maxLmqConsumeQueueNum others, or no memory. */
struct queue *store_queue_light(struct store *store, struct gantry_str name);

/* ---- messages */

enum { STORE_INNER_ROOM = sizeof("INNER_BASE") + 21 };

/* Part of a sent request, or the whole of it: one record, or those of a batch. */
struct store_put {
	struct queue *queue;        /* open */
	struct message_draft draft; /* finished; of a batch: what its messages have in common */
	struct gantry_str items;    /* the batch's body; at NULL: draft is one message */
	const int32_t *crcs;        /* of the batch's messages */
	const struct store_multi *multi;   /* NULL: it goes to its own queue only */
	int32_t inner;                     /* messages of an inner batch; 0: it is none */
	char inner_base[STORE_INNER_ROOM]; /* its draft's last property */
	int64_t queue_offset;              /* out: of the first record */
	uint32_t placed;                   /* out: records placed */
};

/* Proposes records, each with a struct store_put as its user: as replication's propose(). */
int store_append(struct store *store, struct gantry_record *records, uint32_t count,
		 struct gantry_batch *batch, struct gantry_op *op);

/* The record that begins at that physical offset, whole. 0: in ret, to be released; positive:
 * cold, op finishes when it can be asked for again; -ENOENT: no record there; -EIO. Any thread. */
int store_read_message(struct store *store, uint64_t at, struct gantry_slice *ret,
		       struct gantry_op *op);
/* As the replication's read, but at most up to the visible mark. */
int store_read(struct store *store, uint64_t at, uint64_t max, struct gantry_slice *ret,
	       struct gantry_op *op);

/* The log: [first, end) as readers see it. Any thread. */
void store_bounds(const struct store *store, uint64_t *ret_first, uint64_t *ret_end);
/* Where replication finds the leader's log, "host:port"; copied. Any thread. */
void store_follow(struct store *store, struct gantry_str address);
/* The other nodes that replication knows: fills ret up to max, returns how many. Any thread. */
struct gantry_replica;
unsigned store_peers(const struct store *store, struct gantry_replica *ret, unsigned max);
/* 0: the log is durable up to there; positive: op finishes when it is. As replication's wait(). */
int store_wait_durable(struct store *store, uint64_t upto, struct gantry_op *op);
uint64_t store_segment_bytes(const struct store *store);
/* What is before it in the log was there when the store was opened. Any thread. */
uint64_t store_old_end(const struct store *store);
int64_t store_earliest_ms(struct store *store); /* store time of the oldest record, -1; blocks */
uint64_t store_dispatched(const struct store *store); /* queues are built up to here */

/* ---- queries by key */

enum {
	STORE_QUERY_MAX = 64,        /* RocketMQ's maxMsgsNumBatch */
	STORE_QUERY_LOOKS = 1 << 22, /* keys looked at for one query */
	STORE_QUERY_MS = 1000,       /* of a worker's time */
};

struct store_query { /* the caller's memory, in use until op is done */
	/* in */
	uint32_t hash; /* message_index_hash() or message_index_tag_hash() of what is searched */
	uint32_t max;  /* as many messages at most */
	int64_t begin_ms, end_ms; /* stored between these, to the second */
	uint32_t looks_max;       /* keys looked at, at most; 0: STORE_QUERY_LOOKS */
	/* out; other keys may have the same hash: who asked looks */
	uint32_t count;
	uint64_t at[STORE_QUERY_MAX]; /* log offsets, ascending */
	int64_t last_ms, last_at;     /* the newest message that has a key */
	bool cut_short;               /* there may be older ones: that took too long */
	/* private */
	uint32_t looks;
	uint64_t deadline_ms;
	struct store *store;
	struct gantry_work work;
	struct gantry_log_limit limit;
};

/* The newest messages with that key. 0: done, there is no index; positive: op finishes, always
 * with 0, when it is. Any thread. */
int store_query(struct store *store, struct store_query *query, struct gantry_op *op);

/* ---- arrivals */

/* Called by the dispatcher, on its loop, after entries have become readable, once a queue and
 * turn, if the queue has a hold slot. Set before the first pull. */
typedef void store_arrived(struct queue *queue, void *user);
void store_on_arrival(struct store *store, store_arrived *arrived, void *user);
/* A place for the hold's own record of a queue; atomic, 0 at first. */
void **queue_hold_slot(struct queue *queue);

#ifdef __cplusplus
}
#endif
#endif
