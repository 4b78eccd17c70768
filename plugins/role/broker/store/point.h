/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery point: a file of Gantry's own beside RocketMQ's, storePathRootDir/gantry.point,
 * which says up to where the log's queues were written, several times a second. With it a start
 * after a killed process reads only what came after. docs/design/store.md has what makes it good.
 */
#ifndef STORE_POINT_H
#define STORE_POINT_H

#include <pthread.h>
#include <stdbool.h>

#include <gantry/storage.h>

#include "message/checkpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	POINT_FILE = 4096, /* bytes of the file, as of the checkpoint's */
	POINT_USED = 168, /* and those that say something; less than a sector: never torn by half */
	POINT_BOOT = 36,  /* characters of the kernel's boot id */
};

/* Which run of a broker it is of. Another one, a Java broker's too, makes its abort file anew. */
struct point_run {
	char boot[POINT_BOOT]; /* since then the page cache has what was written */
	uint64_t device;       /* where the store is */
	uint64_t device_turn;  /* counts how often a disk was attached; 0: not known */
	uint64_t abort_inode;
	int64_t abort_ns; /* when the abort file was written */
};

/* What the file says. All offsets are the log's. */
struct point {
	struct point_run run;
	uint8_t checkpoint[MESSAGE_CHECKPOINT_USED]; /* as the file was then */
	uint64_t written;   /* the entries of all messages before it are in their files */
	uint64_t trimmed;   /* queues not opened since the store was read to here may have old
			       entries of messages behind it */
	uint64_t record_at; /* the last message before written */
	uint32_t record_size;
	int32_t record_crc;
	int64_t record_ms;
	uint32_t kinds; /* of queues that had files: bits of enum queue_kind */
};

/* to and from: POINT_USED bytes, big-endian, with a checksum. -EBADMSG: this is no point. */
void point_encode(uint8_t *to, const struct point *point);
int point_decode(const uint8_t *from, struct point *ret);

/* The run of a store's abort file, which exists. Blocking. */
int point_run_now(const char *root, struct point_run *ret);
bool point_run_is(const struct point_run *one, const struct point_run *other);

struct store;

struct point_keeper { /* in struct store; lock guards the rest once the writer runs */
	pthread_mutex_t lock;
	const struct gantry_area_ops *ops;
	struct gantry_area *area; /* NULL: there is none, for an error that was logged */
	struct point says;        /* what the file says, if good */
	uint64_t saved_ms;
	uint32_t turn;       /* goes up when entries that were written are taken back */
	uint32_t kinds;      /* atomic; for says.kinds, which follows when it is saved */
	bool found;          /* good was read when the store was opened: for recovery */
	bool found_same_run; /* of the same boot and abort file */
	bool good;
};

/* Opens and reads the file; what cannot be used is said, and costs time only. Blocking. */
void point_open(struct store *store);
/* The abort file was made again: what was found stays good. Blocking. */
void point_keep(struct store *store);
void point_close(struct point_keeper *keeper);

/* Whether all entries up to found.written are in their files: the last stop was a kill of this very
 * run's kind, and neither the checkpoint nor the log say otherwise. Worker. */
bool point_is_trusted(struct store *store);
/* Whether the checkpoint is the one that Gantry wrote last: its confirmed offset is then exact. */
bool point_knows_checkpoint(const struct store *store);

/* A queue of that kind, of enum queue_kind, is about to have a file: a start that finds the kind's
 * folder empty then knows that its files were lost. Any thread. */
void point_has(struct store *store, uint32_t kind);
/* Whether there were queues of that kind which are gone. Before point_know_kinds(). Worker. */
bool point_misses(const struct store *store, uint32_t kind);
/* Looks which kinds there are. Before anything is written to a queue; blocking. */
void point_know_kinds(struct store *store);

/* Recovery is done: where trimmed is from now on. exact: what the checkpoint vouches for was not
 * written anew. Otherwise a power cut may take it until the next checkpoint, which is when the
 * point knows one again. */
void point_begin(struct store *store, uint64_t trimmed, bool exact);
/* The writer has written all entries before end, the last message being at record_at; turn: the
 * keeper's before it began. Not more than ten times a second. Worker. */
void point_note(struct store *store, uint32_t turn, uint64_t end, uint64_t record_at,
		int64_t record_ms);
uint32_t point_turn(struct point_keeper *keeper); /* any thread */
/* The checkpoint was written: says so in the point. */
void point_follow_checkpoint(struct store *store);
/* Entries that were written may be gone. Any thread. */
void point_forget(struct store *store);
bool point_is_behind(struct store *store, uint64_t end); /* note() would have something to say */

#ifdef __cplusplus
}
#endif
#endif
