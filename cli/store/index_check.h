/* SPDX-License-Identifier: Apache-2.0 */
/* IndexFiles against the log: their entries stand in the order of its records, so both are read
 * once. */
#ifndef CLI_STORE_INDEX_CHECK_H
#define CLI_STORE_INDEX_CHECK_H

#include <message/index_file.h>

#include "store.h"

GANTRY_BEGIN

/* ---- index_stream.c: one file's entries, in order, and its chains */

struct index_stream {
	const char *path; /* borrowed */
	int fd;
	struct message_index_shape shape;
	struct message_index_header header;
	uint32_t number; /* of the next entry */
	uint32_t *last;  /* for each slot the newest entry that was passed */
	uint32_t used;   /* slots with an entry */
	uint8_t *window;
	uint32_t window_from, window_count; /* entries */
	bool running;                       /* the file grows: its slots may be newer */
	uint64_t broken;                    /* findings about chains; only the first is told */
	struct report *report;
};

/* 1: open; 0: not to be looked at, which was said. slots: 0 if they are to be guessed. */
int index_stream_open(struct index_stream *stream, const char *path, uint32_t slots, bool running,
		      struct report *report);
/* The entry with that number, of those that the header counts; false: there is none. */
bool index_stream_see(struct index_stream *stream, uint32_t number,
		      struct message_index_entry *ret);
/* Goes on behind the entry at number, and checks its place in its chain. */
void index_stream_pass(struct index_stream *stream, const struct message_index_entry *entry);
/* All entries are passed: compares slots and counts. Then closes. */
void index_stream_close(struct index_stream *stream, bool complete);
uint64_t index_stream_place(const struct index_stream *stream, uint32_t number);

/* ---- index_check.c */

struct index_check {
	const struct segments *log;
	struct report *report;
	char *folder;
	GPtrArray *names; /* NULL: there is no index */
	guint file;       /* index of the next name */
	uint32_t slots;   /* --max-hash-slot-num */
	bool running, open;
	char *path;
	struct index_stream stream;
	struct message_index_header before; /* of the file before; next 0: there is none */
	int64_t last_at;                    /* where the entry before points */
	uint64_t entries, unindexed;        /* compared; records with keys that no entry has */
	uint64_t first_at;                  /* of the first entry of all */
	uint64_t lonely;                    /* findings of entries without a record, this file's */
	bool begun;
};

void index_check_begin(struct index_check *check, const struct store_places *places,
		       const struct segments *log, uint32_t slots, struct report *report);
void index_check_record(struct index_check *check, const struct queue_check *holes,
			const struct log_walk *walk);
void index_check_end(struct index_check *check, const struct queue_check *holes);
void index_check_free(struct index_check *check);

GANTRY_END
#endif
