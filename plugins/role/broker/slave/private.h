/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a slave's copies share. Everything is the control loop's, but for what is
 * atomic and what a worker has while working is set. */
#ifndef SLAVE_PRIVATE_H
#define SLAVE_PRIVATE_H

#include <gantry/log.h>
#include <gantry/loop.h>

#include "json/json.h"
#include "remoting/client.h"
#include "slave/progress.h"
#include "slave/slave.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SLAVE_ADDRESS_ROOM = 320,
	SLAVE_PAGES_MAX = 256,
	SLAVE_PAGES_BYTES = 512 * 1024 * 1024, /* of one table */
	SLAVE_FRAME_MAX = 256 * 1024 * 1024,
	SLAVE_SENDS_MAX = 4096, /* of offsets, in one round */
	SLAVE_WHY_ROOM = 200,
};

struct slave;

/* A table of the master's. */
struct slave_table {
	const char *name;
	int32_t code;
	/* the fields of one that comes in pages; NULL: in one piece */
	const char *from_field, *max_field, *total_field;
	const char *entries; /* the member whose members are counted */
	/* Takes it over. Negative errno with a sentence in why. On a worker. */
	int (*adopt)(struct slave *slave, const struct json_doc *pages, uint32_t count, char *why,
		     size_t why_size);
};

extern const struct slave_table slave_tables[];
enum { SLAVE_TABLES = 5, SLAVE_DELAYS = 2 }; /* where the smallest of them stands */

struct slave_page {
	struct remoting_request request; /* what came; the document borrows from it */
	struct json_doc doc;
};

struct slave {
	struct broker *broker;
	struct progress *progress;
	struct remoting_client *client; /* NULL: this node is no slave, or has ended */
	struct gantry_timer *timer;
	char master[SLAVE_ADDRESS_ROOM], ha[SLAVE_ADDRESS_ROOM]; /* "": none */
	char next_master[SLAVE_ADDRESS_ROOM];                    /* from the next round on */
	bool hears;                                              /* the master answered last */
	/* when, on gantry_clock_ms() */
	uint64_t full_ms, look_ms;
	uint64_t topic_ms;     /* a new topic in the log is no reason to ask before */
	uint64_t topics_begun; /* in the store, when the last whole round began */
	/* the round */
	bool running, full, working, ending;
	bool failed; /* the connection did */
	uint32_t at; /* of slave_tables; behind them: sends of progress */
	struct gantry_op op;
	struct gantry_work work;
	struct slave_page pages[SLAVE_PAGES_MAX];
	struct json_doc docs[SLAVE_PAGES_MAX]; /* those of pages, in a row */
	uint32_t page_count;
	size_t page_bytes;
	uint64_t entries; /* of all pages */
	int64_t total;    /* as the master says; -1: it does not */
	bool more;        /* the worker's word: another page is to be asked for */
	char why[SLAVE_WHY_ROOM];
	struct progress_item *sends;
	uint32_t send_count, sent;
	struct remoting_request send;
	/* the way down */
	struct gantry_op close_op, *end_op;
	bool missing[SLAVE_TABLES]; /* the log says so */
};

/* round.c */
void slave_round(struct slave *slave, bool full);
/* The pages and sends that it has. */
void slave_round_clear(struct slave *slave);
/* slave.c: the master has answered, or has not; a round is over. */
void slave_heard(struct slave *slave, int status);
void slave_round_done(struct slave *slave);
/* On a worker: reads the last page, and takes the table over when it is whole. */
int slave_take_page(struct slave *slave);

#ifdef __cplusplus
}
#endif
#endif
