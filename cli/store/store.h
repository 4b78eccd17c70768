/* SPDX-License-Identifier: Apache-2.0 */
/* gantry store: looks at a RocketMQ store directory, Java's or Gantry's, and never writes to it.
 *
 * Everything streams: the log is read once, in order, through one window; each queue has a cursor
 * with a small window of its own; files are opened for a read and closed again. One thread. */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include <glib.h>
#include <message/queue_unit.h>
#include <message/record.h>
#include <stdbool.h>
#include <table/table.h>

#include "../cli.h"

GANTRY_BEGIN

extern const struct cli_command cli_store_verify, cli_store_dump, cli_store_stats, cli_store_repair;

/* ---- report.c: what was found */

enum finding {
	FINDING_DAMAGE, /* something was changed or lost, and a start does not bring it back */
	FINDING_BEHIND, /* something is not up to date; the recovery of the next start mends it */
};

struct report {
	uint64_t max;          /* of findings that are printed */
	uint64_t found, notes; /* all, printed or not */
	uint64_t damage;       /* those of them that a start does not mend */
	bool damage_only;      /* print no others */
	bool unread;           /* something could not be read at all */
};

/* One finding: a sentence about a byte of a file. */
void report_add(struct report *report, enum finding kind, const char *file, uint64_t offset,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Worth a sentence, but nothing is wrong. */
void report_note(struct report *report, const char *file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What a start would do. */
void report_would(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A file or folder that cannot be read: error is a negative errno. */
void report_unread(struct report *report, const char *file, int error);

/* ---- places.c: the directory */

struct store_places {
	char *root;
	char **logs;  /* the CommitLog's directories */
	bool running; /* another process holds the lock: files grow while they are read */
	bool unclean; /* abort is there */
};

/* The option that every command has. logs: a char *, taken over by store_places_find(). */
#define STORE_PLACES_OPTION(logs)                                                                  \
	{                                                                                          \
		"path-commit-log", 0, 0, G_OPTION_ARG_FILENAME, logs,                              \
			"The CommitLog is in DIR (several: DIR,DIR)", "DIR"                        \
	}
/* Takes the arguments that are left: one directory. Returns 0 or an exit code, said. */
int store_places_find(struct store_places *places, int argc, char **argv, char *logs);
void store_places_free(struct store_places *places);

/* ---- segments.c: a row of files named by the offset of their first byte */

struct segment {
	char *path;
	uint64_t base, size;
};

struct segments {
	GArray *files;  /* struct segment, by base */
	uint64_t bytes; /* of each file */
};

/* Lists the files of some directories. What does not belong there, gaps and other sizes are found;
 * of several sizes, the first file's counts. NULL report: nothing is said. A directory that is not
 * there is empty. */
void segments_list(char *const *directories, uint64_t unit, struct report *report,
		   struct segments *ret);
void segments_free(struct segments *segments);
static inline const struct segment *segments_at(const struct segments *segments, uint32_t i)
{
	return &g_array_index(segments->files, struct segment, i);
}
/* The file with that byte, or NULL. */
const struct segment *segments_find(const struct segments *segments, uint64_t at);
uint64_t segments_first(const struct segments *segments);
uint64_t segments_end(const struct segments *segments); /* of the last file */
/* The names in a directory, sorted, without . and ..; NULL: it cannot be read (errno). */
GPtrArray *list_names(const char *directory);
/* pread() of all of it, or as much as the file has. Returns the bytes or a negative errno. */
int64_t read_at(int fd, void *to, size_t size, uint64_t at);

/* ---- log.c: walking over the CommitLog */

enum log_step {
	LOG_END,    /* no record follows */
	LOG_RECORD, /* record stands at record_at */
	LOG_BLANK,  /* the rest of a segment is left out */
	LOG_DAMAGE, /* [record_at, at) is no record, but records follow */
};

struct log_walk {
	const struct segments *files;
	uint64_t at; /* of the next step */
	/* of the last step */
	uint64_t record_at;
	struct message_record record; /* borrows from the window */
	const uint8_t *bytes;         /* record.size of them */
	enum message_scan why;        /* of LOG_DAMAGE and LOG_END: what stood at record_at */
	uint32_t said_size;           /* and the size that it claims */
	bool dirty;                   /* of LOG_END: bytes follow that are not zero, */
	uint64_t dirty_at;            /* from here */
	int error;                    /* of LOG_DAMAGE: it could not be read */
	size_t reach;                 /* bytes to read at once: set it low for single records */
	/* private */
	const struct segment *file; /* that fd is of */
	int fd;
	uint8_t *window;
	size_t room, filled;
	uint64_t window_at;
};

void log_walk_init(struct log_walk *walk, const struct segments *files, uint64_t at);
enum log_step log_walk_next(struct log_walk *walk);
void log_walk_free(struct log_walk *walk);
/* The record that begins there, as far as one does; it lasts until the next call. */
bool log_walk_read(struct log_walk *walk, uint64_t at);
/* Says where that byte of the log is: path and offset in it. */
const char *log_place(const struct segments *files, uint64_t at, uint64_t *ret_offset);
const char *log_why(enum message_scan why); /* "no record begins there" */

/* ---- record_check.c */

/* What one record can tell of itself. */
void record_check(const struct log_walk *walk, struct report *report);

/* ---- queues.c: the folders of ConsumeQueues and BatchConsumeQueues */

struct store_queue {
	struct table_entry entry; /* key: topic, NUL, the 4 bytes of id */
	char *key;
	size_t topic_size;
	int32_t id;
	bool batch;
	uint32_t unit;         /* bytes of one */
	uint64_t first, end;   /* bytes: of the first file, behind the last */
	uint64_t file_bytes;   /* 0: there is no file */
	uint8_t *window;       /* units read ahead */
	uint64_t window_at;    /* bytes */
	uint32_t filled, want; /* bytes: in the window, to be read next time */
	/* queue_check.c's; counted in units of the file */
	bool begun, ended; /* next is set; no unit stands at next or behind it */
	uint64_t next;     /* the first unit that no record was compared with */
	uint64_t matched, stale, missing, filler;
	uint64_t missing_from; /* queue offset of the first record without a unit */
	uint64_t missing_at;   /* and where in the log it is */
	uint64_t early;        /* records that are before the first file, */
	uint64_t early_at;     /* the first one's place in the log */
};

struct store_queues {
	const struct store_places *places;
	struct table table;
	uint64_t room; /* bytes of windows so far */
};

/* Lists every queue; opens no file. */
int store_queues_list(struct store_queues *queues, const struct store_places *places,
		      struct report *report);
/* The queues of one topic alone, in tables that hold only its places. */
int store_queues_list_topic(struct store_queues *queues, const char *topic);
void store_queues_free(struct store_queues *queues);
struct store_queue *store_queues_find(const struct store_queues *queues, struct gantry_str topic,
				      int32_t id);
/* All of them, sorted; g_free(). */
struct table_entry **store_queues_sorted(const struct store_queues *queues);
#define STORE_QUEUE(entry_) TABLE_HOLDER(entry_, struct store_queue, entry)
/* A unit's bytes; 0: no file has it; 1: *ret; negative errno. Good until the next call. */
int store_queue_unit(struct store_queues *queues, struct store_queue *queue, uint64_t index,
		     const uint8_t **ret);
/* The path of the file with that unit, and where it stands in it. g_free(). */
char *store_queue_file(const struct store_queues *queues, const struct store_queue *queue,
		       uint64_t index, uint64_t *ret_offset);
uint64_t store_queue_first(const struct store_queue *queue); /* unit of the first file */
uint64_t store_queue_count(const struct store_queue *queue); /* units up to the files' end */
/* The first unit from which on messages are at or behind that log offset, or where units end. */
int store_queue_search(struct store_queues *queues, struct store_queue *queue, uint64_t log_at,
		       uint64_t *ret);

/* ---- queue_check.c, batch_check.c, ext_check.c: queues against the log */

struct queue_check {
	struct store_queues queues;
	struct report *report;
	const struct segments *log;
	struct message_delays delays;
	uint64_t log_first, log_end;
	GHashTable *folderless; /* topics of records whose queue has no folder: their number */
	GArray *holes;          /* [from, to) of the log that are damaged, uint64_t pairs */
	uint64_t matched, missing, stale, filler; /* sums, after queue_check_end() */
	uint64_t behind;                          /* units of messages that the log does not have */
};

/* Returns 0 or an exit code, said. */
int queue_check_begin(struct queue_check *check, const struct store_places *places,
		      const struct segments *log, const char *delay_levels, struct report *report);
void queue_check_record(struct queue_check *check, const struct log_walk *walk);
void queue_check_hole(struct queue_check *check, uint64_t from, uint64_t to);
void queue_check_end(struct queue_check *check, uint64_t log_end);
void queue_check_free(struct queue_check *check);
/* For batch_check.c and ext_check.c. */
void queue_found(struct queue_check *check, const struct store_queue *queue, uint64_t index,
		 enum finding kind, const char *format, ...) __attribute__((format(printf, 5, 6)));
bool queue_check_is_hole(const struct queue_check *check, uint64_t at);
void batch_check_record(struct queue_check *check, struct store_queue *queue,
			const struct message_record *record, uint64_t at);
void ext_check_unit(struct queue_check *check, const struct store_queue *queue, uint64_t index,
		    uint64_t address, const struct message_record *record, int64_t tags_code);

/* ---- small_check.c: checkpoint, abort, lock; config_check.c: config/ */

struct log_end { /* what the walk saw of the log */
	uint64_t first, end, last_at;
	int64_t first_ms, last_ms; /* store times; 0: no record */
	uint64_t records, bytes;   /* bytes: of records */
	int64_t confirm;           /* the checkpoint's, looked for by the walk; -1: none */
	bool confirm_met;          /* a record begins there */
};

/* -1: there is none, or it is not to be used. */
int64_t checkpoint_confirm(const struct store_places *places);
void small_files_check(const struct store_places *places, const struct log_end *log,
		       struct report *report);
void config_check(const struct store_places *places, struct report *report);

GANTRY_END
#endif
