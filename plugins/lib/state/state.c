/* SPDX-License-Identifier: Apache-2.0 */
/* When a state file is written: one write at a time, coalescing what changes meanwhile. */
#include "state/state.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/log.h>
#include <gantry/loop.h>

#include "state/file.h"

enum { RETRY_MS = 1000, FILE_MAX = 1 << 30 }; /* bytes; more than that is no state file */

struct state {
	struct state_spec spec;
	char *path;
	pthread_mutex_t lock;
	pthread_cond_t idle; /* busy ended */
	/* guarded by lock */
	bool busy;        /* somebody encodes and writes */
	uint64_t changes; /* how often the table has changed */
	uint64_t tried;   /* so many of them are in what was last encoded */
	uint64_t done;    /* and in what was last written, or could not be */
	bool writing;     /* work and op are in use */
	bool closed;
	struct gantry_log_limit limit; /* who is busy */
	struct gantry_timer *retry;    /* the last write failed; the control loop's */
	struct gantry_op *close;       /* to be finished when the last write is */
	int failed;                    /* what the last write came to */
	/* of the write under way */
	struct gantry_work work;
	struct gantry_op op;
};

int state_new(const struct state_spec *spec, struct state **ret)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->spec = *spec;
	state->path = strdup(spec->path);
	if (!state->path) {
		free(state);
		return -ENOMEM;
	}
	pthread_mutex_init(&state->lock, NULL);
	pthread_cond_init(&state->idle, NULL);
	*ret = state;
	return 0;
}

void state_free(struct state *state)
{
	if (!state)
		return;
	pthread_cond_destroy(&state->idle);
	pthread_mutex_destroy(&state->lock);
	free(state->path);
	free(state);
}

/* By who is busy. */
static int encode_and_write(struct state *state)
{
	char *text = NULL;
	size_t size = 0;
	int err = state->spec.encode(state->spec.user, &text, &size);

	if (!err)
		err = state_write_file(state->path, text, size);
	free(text);
	if (err)
		gantry_log_limited(state->spec.inst, &state->limit, ERROR,
				   "cannot write %s: %s; tried again", state->path, strerror(-err));
	return err;
}

/* With the lock held, which is given up for the time of the write. */
static void write_now(struct state *state)
{
	int err;

	state->busy = true;
	state->tried = state->changes;
	pthread_mutex_unlock(&state->lock);
	err = encode_and_write(state);
	pthread_mutex_lock(&state->lock);
	state->busy = false;
	state->done = state->tried;
	state->failed = err;
	pthread_cond_broadcast(&state->idle);
}

/* Returns when that many changes were written, or could not be; again: also what could not be
 * before. One write serves all who came while another was under way. */
static int write_changes(struct state *state, uint64_t upto, bool again)
{
	int err;

	pthread_mutex_lock(&state->lock);
	while (state->busy && (again || state->done < upto))
		pthread_cond_wait(&state->idle, &state->lock);
	if (state->done < upto || (again && state->failed))
		write_now(state);
	err = state->failed;
	pthread_mutex_unlock(&state->lock);
	return err;
}

static uint64_t changes_of(struct state *state)
{
	uint64_t changes;

	pthread_mutex_lock(&state->lock);
	changes = state->changes;
	pthread_mutex_unlock(&state->lock);
	return changes;
}

static int run(struct gantry_work *work)
{
	struct state *state = work->user;

	return write_changes(state, changes_of(state), true);
}

int state_settle(struct state *state)
{
	return write_changes(state, changes_of(state), false);
}

/* With the lock held. */
static void write_again(struct state *state);

/* Perhaps there is room on the disk now. */
static void retry(struct gantry_timer *timer, void *user)
{
	struct state *state = user;

	gantry_timer_stop(timer);
	pthread_mutex_lock(&state->lock);
	state->retry = NULL;
	if (!state->writing && !state->closed && state->failed)
		write_again(state);
	pthread_mutex_unlock(&state->lock);
}

/* With the lock held, on the control loop. */
static void retry_later(struct state *state)
{
	if (!state->retry && !state->closed)
		gantry_timer_start(state->spec.inst, gantry_loop_control(state->spec.inst),
				   RETRY_MS, 0, retry, state, &state->retry);
}

static void written(struct gantry_op *op)
{
	struct state *state = op->user;
	struct gantry_op *close = NULL;
	int failed;

	pthread_mutex_lock(&state->lock);
	state->writing = false;
	failed = op->status;
	if (state->tried < state->changes) {
		write_again(state);
	} else {
		close = state->close;
		state->close = NULL;
		if (failed)
			retry_later(state);
	}
	pthread_mutex_unlock(&state->lock);
	if (close)
		gantry_op_finish(close, failed, 0);
}

static void write_again(struct state *state)
{
	state->writing = true;
	state->work = (struct gantry_work){.run = run, .user = state};
	state->op = (struct gantry_op){
		.done = written, .loop = gantry_loop_control(state->spec.inst), .user = state};
	gantry_work(state->spec.inst, &state->work, &state->op);
}

void state_changed(struct state *state)
{
	pthread_mutex_lock(&state->lock);
	if (!state->closed) {
		state->changes++;
		if (!state->writing)
			write_again(state);
	}
	pthread_mutex_unlock(&state->lock);
}

int state_close(struct state *state, struct gantry_op *op)
{
	int result = 0;

	pthread_mutex_lock(&state->lock);
	if (!state->writing && (state->tried < state->changes || state->failed))
		write_again(state);
	state->closed = true;
	gantry_timer_stop(state->retry);
	state->retry = NULL;
	if (state->writing) {
		state->close = op;
		gantry_op_take(op, NULL, NULL);
		result = GANTRY_PENDING;
	}
	pthread_mutex_unlock(&state->lock);
	return result;
}

/* 1: decoded; 0: no such file, or nothing in it. */
static int read_one(struct state *state, const char *path)
{
	char why[256] = "";
	char *text;
	size_t size;
	int err = state_read_file(path, FILE_MAX, &text, &size);

	if (err == -ENOENT)
		return 0;
	if (err) {
		gantry_log(state->spec.inst, ERROR, "cannot read %s: %s", path, strerror(-err));
		return err;
	}
	err = size ? state->spec.decode(state->spec.user, text, size, why, sizeof(why)) : 0;
	free(text);
	if (err) {
		gantry_log(state->spec.inst, ERROR, "cannot understand %s: %s", path,
			   why[0] ? why : strerror(-err));
		return err == -ENOMEM ? err : -EUCLEAN;
	}
	return size > 0;
}

int state_read(struct state *state)
{
	size_t room = strlen(state->path) + sizeof(".bak");
	char *backup = malloc(room);
	int result, fallback;

	if (!backup)
		return -ENOMEM;
	memcpy(backup, state->path, room - sizeof(".bak"));
	memcpy(backup + room - sizeof(".bak"), ".bak", sizeof(".bak"));
	result = read_one(state, state->path);
	if (result <= 0 && result != -ENOMEM) {
		fallback = read_one(state, backup);
		if (fallback > 0)
			gantry_log(state->spec.inst, WARNING, "%s is %s; using %s", state->path,
				   result ? "damaged" : "missing", backup);
		if (fallback != 0)
			result = fallback;
	}
	free(backup);
	return result;
}
