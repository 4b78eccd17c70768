/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share. docs/design/store.md has the map of owners and locks. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>

#include <gantry/loop.h>
#include <gantry/storage.h>

#include "message/delay.h"
#include "store/checkpoint.h"
#include "store/point.h"
#include "store/expire.h"
#include "store/store.h"
#include "table/table.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	TAILS_MAX = 48 << 20,          /* bytes of memory of all tails and runs, about */
	TAIL_WRITE = 4096,             /* a tail of this size is written at once */
	TAIL_MAX = 64 * 1024,          /* a tail that is full makes the dispatcher wait */
	TAIL_UNWRITTEN = 16 << 20,     /* or recovery fail, if it cannot be written */
	TAILS_LOW = TAILS_MAX / 8 * 7, /* then so many are written that this is left */
	TURN_RECORDS = 512,            /* dispatched before the loop goes on */
	READ_BYTES = 1 << 20,          /* of the log, at once */
	SYNC_ROUND_MS = 10000,         /* between two rounds of the checkpoint */
	SYNCS_AT_ONCE = 4096,          /* the engine syncs many together for what one costs */
	WRITER_MARKS = 64,             /* turns of the writer that are told apart */
	UNIT_MAX = MESSAGE_BATCH_UNIT_SIZE,
	FILLER_SIZE = MESSAGE_UNIT_FILLER, /* what RocketMQ puts where there is no message */
};

/* What stands in files of its own: consumequeue, batchconsumequeue, consumequeue_ext. */
enum queue_kind { KIND_PLAIN, KIND_BATCH, KIND_EXT, QUEUE_KINDS };

enum queue_state { QUEUE_UNOPENED, QUEUE_OPEN, QUEUE_BROKEN, QUEUE_GONE };

/* Entries as they stand in the file. */
struct units {
	uint8_t *at;
	uint32_t used, room; /* bytes */
};

/* By what touches it together: a message that is placed looks at the first 64 bytes, its entry
 * takes them and the next 64. With very many queues each of these waits for memory. */
struct queue {
	struct store *store;
	struct topic_queues *topic;
	void *hold_slot;     /* atomic; pull/hold.c's */
	int64_t next;        /* of the next message; the door's lock */
	uint8_t *next_entry; /* atomic; where the next entry will stand, as a guess */
	int32_t id;
	uint32_t state;  /* atomic; enum queue_state; written under open_lock */
	uint32_t unit;   /* bytes of an entry in the file; set when opened */
	bool batch;      /* queue.type=BatchCQ: an entry may be of several messages; so, too */
	bool ext_writes; /* entries of the file get a unit in ext; so, too */
	bool lacks, lacks_surely; /* open_lock; entries, perhaps, surely: queue_mend.h */
	bool ext_off;             /* atomic; they get none any more, since it cannot be written */
	bool dirty, urgent; /* lock; in those lists of the writer's; dirty: if it has entries */
	bool unsynced;      /* the writer's, see there */
	bool arrived;       /* the dispatcher's */
	bool in_slab;       /* queue_room.c */
	pthread_mutex_t lock __attribute__((aligned(64))); /* guards the next lines */
	struct units tail;                                 /* growing */
	int64_t end; /* entries: [min, filed) file, [filed, end) run and tail */
	int64_t min, filed;
	struct units run;                   /* being written */
	int64_t first_message, end_message; /* batch: queue offsets; else those are min and end */
	int64_t near;                       /* batch: the entry that was read last */
	uint32_t cuts;                      /* how often entries went from the file's end */
	uint32_t dirty_turn;                /* the writer's list_lock: in which it became dirty */
	struct queue *next_dirty, *next_urgent; /* the writer's list_lock */
	struct gantry_log *file;                /* set once, before state is QUEUE_OPEN */
	struct gantry_log *ext; /* ConsumeQueueExt, queue_ext.h; NULL: none; set as file is */
	struct queue *next_unsynced, *next_synced; /* the writer's */
	struct queue *next_arrived;                /* the dispatcher's */
};

static inline enum queue_kind queue_kind_of(const struct queue *queue)
{
	return queue->batch ? KIND_BATCH : KIND_PLAIN;
}

/* Bytes of an entry in memory: where the file has a unit in ext, its store time comes behind. */
static inline uint32_t queue_stride(const struct queue *queue)
{
	return queue->unit + (queue->ext_writes ? (uint32_t)sizeof(int64_t) : 0);
}

struct queue_array { /* published; replaced when it grows, old ones are kept to the end */
	struct queue_array *older;
	uint32_t count;
	struct queue *at[];
};

struct topic_queues { /* one topic's queues, by name: also of topics without configuration */
	struct table_entry entry;
	struct queue_array *array; /* atomic; written under table_lock */
	uint64_t born_at;          /* messages before it are of a topic that was deleted */
	bool gone;                 /* atomic, set under the door's lock: its topic was deleted */
	struct topic_queues *next_gone; /* table_lock */
	char name[];
};

/* The dispatcher; its loop's, but for what says otherwise. During recovery the worker's. */
struct dispatcher {
	struct gantry_loop *loop;
	uint64_t at;         /* atomic, written under turn_lock: what is before is dispatched */
	uint64_t record_at;  /* where the last dispatched record began */
	int64_t record_ms;   /* and when it was stored; 0: there is none */
	uint64_t read_bytes; /* to ask the log for */
	struct gantry_op wait_op;
	struct gantry_task go;
	struct queue_opening opening;
	struct queue *unopened; /* being opened */
	struct queue *last;     /* of the last record */
	struct queue *arrived;  /* grew in this turn */
	bool posted;            /* atomic: go is on its way */
	bool waiting;           /* wait_op is pending */
	bool tail_full;         /* until the writer has made room */
	bool stopped;
	struct gantry_log_limit limit;
};

struct queue_sync {
	struct gantry_op op;
	struct queue *queue;
	bool ext; /* this is of queue->ext; the queue's own file comes behind it */
	struct queue_sync *next_free;
};

/* How far the dispatcher was when a turn of the writer began: an entry before that is in a queue
 * that became dirty in an earlier turn. */
struct writer_mark {
	uint64_t end, record_at; /* what was dispatched, and its last record */
	int64_t record_ms;       /* 0: there is none, or the log was cut before it */
	uint64_t began_ms;
	uint32_t point_turn; /* of the recovery point then */
};

/* Writing behind, and the checkpoint's rounds; the dispatcher's loop, but for what says otherwise.
 */
struct writer {
	pthread_mutex_t list_lock;
	/* list_lock */
	struct queue *dirty, **dirty_end; /* by next_dirty; the longest dirty first */
	uint32_t dirty_count;
	struct queue *urgent; /* their tails are long; by next_urgent; all are dirty as well */
	struct writer_mark marks[WRITER_MARKS]; /* of each turn, by its remainder */
	/* moves while the job does not run; what becomes dirty meanwhile is of this turn */
	uint32_t turn;
	uint64_t held; /* atomic: bytes of memory of tails and runs */
	uint64_t runs; /* atomic: runs that were written since the start */
	struct gantry_timer *tick;
	struct gantry_work work;
	struct gantry_op op;
	bool running;                     /* the job is: it owns the next lines */
	bool all;                         /* it writes whatever was dirty when it began */
	bool passed;                      /* it has reached a later turn */
	bool stuck, failed;               /* it, an earlier one left something unwritten */
	uint32_t reached;                 /* all of the turns before this one is written */
	uint64_t reached_end, reached_at; /* what its mark says */
	int64_t reached_ms;
	struct queue *retry, **retry_end; /* could not be written; by next_dirty */
	struct queue *unsynced;    /* written since they were last synced; by next_unsynced */
	bool wanted, again, final; /* run soon; run once more; the last round, at once */
	uint64_t tick_end;         /* what was dispatched at the last tick */
	uint64_t all_began_ms;     /* the last job that wrote all did */
	/* the round */
	bool in_round, round_failed;
	uint64_t round_end, round_at, saved_end,
		next_round_ms; /* saved_end: of the last good one */
	int64_t round_ms;
	struct queue *round; /* to be synced; by next_synced */
	uint32_t syncing, syncs_used;
	struct queue_sync syncs[SYNCS_AT_ONCE], *free_syncs;
	struct gantry_op round_op;
	struct gantry_log_limit limit;
};

/* Queues of the messages placed last, by where those stand: what saves the dispatcher the look-up.
 * Only a guess, since later messages overwrite it. */
enum { PLACED_SHIFT = 7, PLACED_SLOTS = 4096 };
static inline uint32_t placed_slot(uint64_t at)
{
	return (uint32_t)(at >> PLACED_SHIFT) % PLACED_SLOTS;
}

struct store {
	struct broker *broker;
	struct gantry_inst *inst;
	const struct gantry_replication_ops *door;
	struct gantry_inst *door_inst;
	const struct gantry_storage_ops *engine;
	struct gantry_inst *engine_inst;
	char *root, *folders[QUEUE_KINDS];
	int lock_fd;
	bool ext_there;         /* some queue may have units in consumequeue_ext */
	bool attached, unclean; /* unclean: the last stop left its abort file */
	uint64_t segment_bytes;
	uint32_t kind_bytes[QUEUE_KINDS]; /* of a file of that kind */
	struct message_delays delays;
	struct checkpoint checkpoint;
	struct point_keeper point;
	pthread_mutex_t table_lock; /* guards the table and every array's growth, and light_count */
	struct table topics;
	struct topic_queues *gone; /* table_lock; deleted, kept to the end */
	int64_t light_count;       /* names in it that are light queues' */
	uint64_t queue_count;      /* table_lock; made since the store was opened */
	uint64_t begun_count;      /* table_lock; topics that got their first queue since then */
	struct queue_slab *slabs;  /* so, too */
	pthread_mutex_t open_lock; /* one queue is opened at a time */
	pthread_mutex_t file_lock; /* one writer of queue files at a time */
	uint64_t valid_end; /* atomic: entries of files at or behind it are not trusted when a
			       queue is opened: the scan's beginning, then the recovered end */
	/* recovery's; set before anything else runs */
	bool trusting;        /* the recovery point is: a gap in a queue proves it wrong */
	bool unwritable;      /* a full disk takes no entries: they stay in memory */
	uint64_t checked_end; /* entries of files at or behind it are compared with the log when a
				 queue is opened */
	uint64_t opened_end;  /* open_lock: behind the newest message of the queues so opened */
	bool hole;            /* atomic: a queue broke, or lacks entries; the checkpoint must not
			       advance */
	pthread_mutex_t turn_lock; /* keeps cuts out of a dispatcher's turn */
	bool cutting;              /* turn_lock */
	struct dispatcher dispatcher;
	struct writer writer;
	struct expiry *expiry;
	struct gantry_log_limit ext_limit;
	struct index *index; /* NULL: messageIndexEnable or indexFileWriteEnable is off */
	struct queue *placed[PLACED_SLOTS]; /* atomic */
	store_arrived *arrived;
	void *arrived_user;
	struct gantry_work recover_work;
	struct gantry_log_client client;
	struct gantry_op *ready_op;    /* atomic: role() waits until everything is dispatched */
	struct gantry_op *drain_asked; /* handed over to the dispatcher's loop */
	/* the dispatcher's loop */
	struct gantry_op *drain_op;
	struct gantry_task drain_task;
	uint64_t drain_to, drain_deadline_ms;
	bool clean;    /* the drain left nothing to dispatch, write or sync */
	bool shutting; /* the rest is done on the control thread */
};

/* queues.c */
static inline bool topic_queues_gone(const struct topic_queues *topic)
{
	return __atomic_load_n(&topic->gone, __ATOMIC_ACQUIRE);
}
struct topic_queues *topic_queues_new(struct gantry_str name);
void topic_queues_free(struct topic_queues *topic); /* with its queues */
struct topic_queues *store_find_topic(struct store *store, struct gantry_str name); /* or NULL */
/* The topic of that name is fresh from now on. -EAGAIN: old, or NULL, is not what is there. */
int store_replace_topic(struct store *store, struct topic_queues *old, struct topic_queues *fresh);
int32_t store_queue_of_folder(const char *name); /* -1: it is no queue's */
/* Whether it is in memory and has its files open. Under open_lock. */
bool store_queue_has_file(struct store *store, const char *topic, int32_t id);
void store_each_queue(struct store *store, void (*each)(struct queue *queue, void *user),
		      void *user);
void store_close_queues(struct store *store); /* their files */
void store_free_queues(struct store *store);

/* queue.c; queue_new: under table_lock */
struct queue *queue_new(struct store *store, struct topic_queues *topic, int32_t id);
void queue_close(struct queue *queue); /* its file */
void queue_free(struct queue *queue);
/* Appends an entry at its queue offset. 0: done, or it was there; -EAGAIN: the tail is full, or
 * the queue is not open; -ERANGE: the offset cannot be right. ret_write: the writer should run. */
int queue_append(struct queue *queue, int64_t offset, const struct queue_unit *unit,
		 bool *ret_write);
/* The same while the queue is being opened: if ret_write, its opener writes it. */
int queue_add(struct queue *queue, int64_t offset, const struct queue_unit *unit, bool *ret_write);
void queue_forget(struct queue *queue); /* its entries; under file_lock */
/* Moves the tail to the file. listed: it was taken off the dirty list, and not off the urgent one;
 * if that fails it still counts as dirty, in no list. Under file_lock, not on a loop. */
int queue_write(struct queue *queue, bool listed);
/* As if it had never been opened. During recovery only. */
void queue_unopen(struct queue *queue);
/* Takes it out of use: sends are refused, entries left out, until the next start. Any thread. */
void queue_break(struct queue *queue);

/* queue_cut.c: forgets entries of messages at or behind that log offset. Under file_lock, not on a
 * loop. */
int queue_cut(struct queue *queue, uint64_t at);

/* queue_check.c: where the entries in [first, end) of the file stop being those of messages in the
 * log, as far as they are young enough to need the question. Blocks. */
int64_t queue_check(struct queue *queue, int64_t first, int64_t end);
/* Whether the log has the message that this entry says, or cannot be read there. Blocks. */
bool queue_has_message(struct queue *queue, const struct queue_unit *unit);

/* queue_batch.c: entries of a queue whose topic has queue.type=BatchCQ. */
void batch_unit_get(const uint8_t *from, struct queue_unit *ret);
void batch_unit_put(uint8_t *to, const struct queue_unit *unit);
/* The entry that has the message of that queue offset, which is in [first_message, end_message).
 * -EAGAIN: a page is cold; waits: reads it, not on a loop. */
int64_t batch_find(struct queue *queue, int64_t offset, bool waits);
/* Writes INNER_BASE, the next offset, into the draft's last property. Under the door's lock. */
void batch_place(struct store_put *put);
/* Sets first_message and end_message from the entries; those in the file. Blocks. */
int batch_set_bounds(struct queue *queue);
/* The messages of a record: INNER_BASE and INNER_NUM if it has both, else one. -ERANGE. */
int batch_of_record(const struct message_record *record, int64_t *ret_base, int32_t *ret_count);

static inline void unit_get(const struct queue *queue, const uint8_t *from, struct queue_unit *ret)
{
	if (queue->batch)
		batch_unit_get(from, ret);
	else
		message_unit_read(from, ret);
}

/* queue_look.c: an entry of the file; entries around one that was read cost nothing. Blocks. */
struct queue_look {
	struct queue *queue;
	int64_t at;
	uint32_t count;
	uint8_t bytes[4080]; /* of a page, in which whole entries fit */
};
int queue_look(struct queue_look *look, int64_t at, struct queue_unit *ret);

/* queue_open.c */
int queue_open_now(struct queue *queue); /* blocks */
/* The first entry in [from, to) of the file that is at or behind the log offset, or none at all. */
int64_t queue_search(struct queue *queue, int64_t from, int64_t to, uint64_t at);
/* The first entry in [first, end) of the file whose message is in the log, which begins there. */
int64_t queue_find_min(struct queue *queue, int64_t first, int64_t end, uint64_t log_first);
/* Opens a queue's files; flags: GANTRY_LOG_READ_ONLY. Blocks. */
int store_queue_files(struct store *store, enum queue_kind kind, const char *topic, int32_t id,
		      uint32_t flags, struct gantry_log **ret);

/* dispatch.c: 0: done, or left out, which was logged. -EAGAIN: ret_queue must be opened, or
 * written, first; -ENOMEM. */
int store_dispatch(struct store *store, const struct message_record *record, uint64_t at,
		   struct queue **ret_queue);

void dispatch_arrival(struct store *store, struct queue *queue); /* it grew */

/* ahead.c: asks for the memory of the queues of the slice's next records, which begin at at.
 * Returns behind which byte it is to be called again. The dispatcher's loop. */
size_t dispatch_ahead(struct store *store, const struct gantry_slice *slice, size_t at);

/* multi.c */
/* Takes the offsets and writes them into the draft's last property. Under the door's lock. */
void multi_place(const struct store_multi *multi, struct message_draft *draft);
/* The record's entries in its other queues; returns as store_dispatch(), or why one is not there.
 */
int multi_dispatch(struct store *store, const struct message_record *record,
		   const struct queue_unit *unit, struct queue **ret_queue);

/* follow.c */
void dispatcher_init(struct store *store);
void dispatcher_go(struct store *store); /* take a turn soon; any thread */

/* write.c */
void writer_init(struct store *store);
int writer_start(struct store *store); /* writes every second */
void writer_run(struct store *store);  /* writes now; the dispatcher's loop */
void writer_add(struct queue *queue);  /* it has something to write; any thread */
void writer_urge(struct queue *queue); /* it has much; any thread */
/* Tails and runs have so many bytes of memory more, or less; any thread. */
void writer_hold(struct store *store, int64_t bytes);
static inline bool writer_is_full(const struct store *store)
{
	return __atomic_load_n(&store->writer.held, __ATOMIC_RELAXED) > TAILS_MAX;
}
int writer_write_all(struct store *store);         /* blocks; -EAGAIN: not all could be written */
void writer_forget(struct store *store);           /* what it was to write; during recovery only */
void writer_cut(struct store *store, uint64_t at); /* the log is cut there; any thread */

/* round.c: the job is done; begins a round if it is time for one. */
void round_begin(struct store *store);

/* store.c: closes everything, and frees nothing. Twice is fine. Control thread. */
void store_shut(struct store *store);

/* recover.c */
int store_recover(struct gantry_work *work);
/* store.c: begins the checkpoint anew, on the disk too; what it says of the index stays. Blocking.
 */
int store_distrust_checkpoint(struct store *store);

/* cut.c */
int store_cut(void *user, uint64_t at);
int store_role(void *user, int leads, uint64_t term, struct gantry_op *ready);
void store_answer_ready(struct store *store); /* everything visible is dispatched */

/* index.c; the dispatcher's loop, but for what says otherwise */
int store_index_open(struct store *store); /* blocks */
/* The log ends there. trusted: what was written before the last stop is there still. Worker. */
void store_index_recovered(struct store *store, uint64_t end, bool trusted);
void store_index_feed(struct store *store, const struct message_record *record, uint64_t at);
void store_index_cut(struct store *store, uint64_t at); /* the log is cut there; worker */
/* Removes index files of messages before that log offset, never the last file; returns how many.
 * On a worker. */
int store_index_expire(struct store *store, uint64_t min_offset);
void store_index_close(struct store *store);

/* index_run.c; the dispatcher's loop */
void store_index_look(struct store *store);    /* after a turn */
void store_index_tick(struct store *store);    /* every second */
bool store_index_drained(struct store *store); /* takes the next step of the stop; true: no more */
bool store_index_is_safe(const struct store *store); /* after that: on disk is all of it */

/* drain.c: takes the next step of a drain, if there is one. The dispatcher's loop. */
void drain_look(struct store *store);

/* read.c: as the door's read, but waits for what is cold; not on a loop. */
int store_fetch(struct store *store, uint64_t at, uint64_t max, struct gantry_slice *ret);

#ifdef __cplusplus
}
#endif
#endif
