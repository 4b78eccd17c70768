/* SPDX-License-Identifier: Apache-2.0 */
/* The index of message keys: RocketMQ's IndexFiles (lib/message/index_file.h), fed by the
 * dispatcher, written by a job on a worker. docs/design/store.md, "The index", tells how. */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "message/index_file.h"
#include "store/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	INDEX_BATCH = 256 * 1024, /* keys in memory, and written at once, at most */
	INDEX_RUN = 128 * 1024,   /* as many make the job run before the next tick: a batch of keys
				     of many topics reads and writes all slots of a file */
	INDEX_PAGE = 4096,        /* slots are sorted by pages of a file, */
	INDEX_WINDOW = 16,        /* and read and written so many pages at once, at most, */
	INDEX_GAP = 4, /* with pages between them that nothing changes, if they are few */
	INDEX_TOPIC = 256,
};

struct index_put {
	uint64_t at; /* of the message, in the log */
	int64_t ms;  /* when it was stored */
	uint32_t hash;
	uint32_t previous; /* the job's: the entry before it of the same slot */
};

struct index_puts {
	struct index_put *at;
	uint32_t used, room;
};

/* The hash of the last message's topic, since the next is mostly of the same. */
struct index_topic {
	uint32_t hash, size;
	char name[INDEX_TOPIC];
};

struct index_file {
	struct gantry_area *area;
	uint64_t name;                      /* its digits */
	struct message_index_header header; /* what is written; file_lock */
	uint32_t refs;                      /* index->lock; the list's is one of them */
	struct index_file *next_sync;       /* index->lock */
	int64_t sync_ms; /* what the checkpoint may say when it is synced, or 0 */
	bool unsynced;   /* file_lock */
};

struct index {
	struct store *store;
	const struct gantry_area_ops *ops;
	char *folder;
	struct message_index_shape shape;

	pthread_mutex_t lock; /* guards the next lines, and what says so above */
	struct index_puts fresh;
	uint64_t next;   /* messages before it are in fresh or further */
	uint64_t resume; /* where a record begins, at or before next: the catch-up reads from there
			  */
	uint64_t fed; /* while behind: the end of the last message with keys that was dispatched */
	bool behind;  /* keys from next on are not in fresh: the job reads them from the log */
	bool broken;  /* files cannot be written any more; until the next start */
	struct index_file *to_sync;

	pthread_mutex_t file_lock; /* guards the next lines; held for a batch or a few reads, never
				      on a loop. Taken before lock */
	struct index_file **files; /* oldest first */
	uint32_t file_count, file_room;
	struct index_puts writing; /* taken out of fresh, or read from the log */
	uint32_t *pages, *order;   /* room to sort in; made with the first batch */
	uint8_t *bytes;            /* and to write from */
	struct index_topic read_topic;

	/* the dispatcher's loop; in recovery the worker's */
	struct index_topic topic;
	bool wanted, running, failed, syncing, sync_failed;
	uint32_t drain_step;
	struct gantry_work work;
	struct gantry_op op, sync_op;
	uint64_t stop_ms; /* atomic: then the job gives up catching up; 0: it does not */
	struct gantry_log_limit limit, short_limit;
};

/* index_keys.c: appends what the message is found by: unique key, keys, tag, in that order.
 * -ENOSPC: no room for all of them, and none is added; -ENOMEM. */
int index_collect(struct index_topic *topic, const struct message_record *record, uint64_t at,
		  struct index_puts *puts);
bool index_has_keys(const struct message_record *record);

/* index_files.c; all under file_lock but the last, none on a loop */
int index_load(struct index *index);
/* After an unclean stop: files with messages stored after that were not safe then, as in Java. */
void index_drop_unsafe(struct index *index, int64_t safe_ms);
/* The newest entry before number that a slot leads to, 0: none. A write that was interrupted may
 * have left entries that do not count. */
int index_follow(struct index *index, const struct index_file *file, uint32_t slot, uint32_t number,
		 uint32_t *ret);
/* The file that the next key goes to. */
int index_last(struct index *index, struct index_file **ret);
/* Removes files [from, to) from the disk and the list. */
void index_remove(struct index *index, uint32_t from, uint32_t to);
/* Where the messages begin that files do not have: behind the last one's end. */
void index_find_next(struct index *index);
void index_release(struct index *index, struct index_file *file); /* any thread */
void index_free_files(struct index *index);

/* index_write.c: under file_lock: writes what is in writing; what could not be written stays
 * there. */
int index_write(struct index *index);
/* Gives back the memory that the next batch makes again: while little is sent. */
void index_drop_room(struct index *index);

/* index_run.c */
void index_init_run(struct index *index);
int index_write_fresh(struct index *index); /* under file_lock */
/* Under file_lock: reads what the job still has to read from the log, if that is little. */
void index_catch_up_near(struct index *index);
void index_break(struct index *index, int status);

#ifdef __cplusplus
}
#endif
#endif
