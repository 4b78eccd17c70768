/* SPDX-License-Identifier: Apache-2.0 */
/* State files: small files that hold a table and are rewritten as a whole when it changes.
 *
 * Writing happens on a worker: the text is encoded there, goes to FILE.tmp, is synced and renamed
 * over FILE; the file before it stays as FILE.bak. Changes during a write end in one more write;
 * one that failed is tried again every second. Reading falls back from FILE to FILE.bak. */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <gantry/op.h>

#ifdef __cplusplus
extern "C" {
#endif

struct state;

struct state_spec {
	struct gantry_inst *inst;
	const char *path; /* copied; missing folders are made */
	/* The file's text, from malloc. On a worker: it takes the table's own lock. */
	int (*encode)(void *user, char **ret, size_t *ret_size);
	/* Fills the table from a file's text; -EINVAL or another negative errno with a sentence in
	 * why leaves the table as it was. May be NULL. */
	int (*decode)(void *user, const char *text, size_t size, char *why, size_t why_size);
	void *user;
};

int state_new(const struct state_spec *spec, struct state **ret);

/* Reads the file. 1: it was read; 0: there is none, or it is empty; -EUCLEAN: neither it nor its
 * .bak can be understood (logged), or another negative errno. Control thread; blocks. */
int state_read(struct state *state);

/* The table has changed. Any thread. */
void state_changed(struct state *state);

/* Whatever changed before the call is in the file when this returns 0. Blocks; on a worker. */
int state_settle(struct state *state);

/* Writes what is unwritten. 0: nothing was left to do; positive: op finishes when that is done,
 * with the write's own negative errno if it failed. Later changes are not written. Control thread.
 */
int state_close(struct state *state, struct gantry_op *op);
void state_free(struct state *state); /* after its close is done; NULL is fine */

/* The same writing, at once, for callers on a worker. */
int state_write_file(const char *path, const char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
