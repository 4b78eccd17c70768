/* SPDX-License-Identifier: Apache-2.0 */
/* The door: its life, proposing, feeding, cutting. */
#include "door_impl.h"

#include <errno.h>
#include <gantry/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- making */

/* A mark that equals another stands for that one's source. */
static void set_sources(struct door *door)
{
	int follows[DOOR_MARKS] = {
		[GANTRY_APPENDED] = DOOR_BY_HAND,
		[GANTRY_DURABLE] = DOOR_BY_HAND,
		[GANTRY_REPLICATED] = door->rules.replicated,
		[GANTRY_VISIBLE] = door->rules.visible,
	};

	for (int i = 0; i < DOOR_MARKS; ++i) {
		int source = i;

		while (follows[source] != DOOR_BY_HAND && follows[source] < source)
			source = follows[source];
		door->source[i] = (uint8_t)source;
	}
}

int door_new(struct gantry_inst *inst, const struct door_rules *rules, struct door **ret)
{
	struct door *door = calloc(1, sizeof(*door));
	const struct gantry_storage_ops *storage;

	if (!door)
		return -ENOMEM;
	storage = gantry_find(inst, GANTRY_STORAGE, NULL, &door->storage);
	if (!storage) {
		free(door);
		return -ENOENT;
	}
	door->inst = inst;
	door->rules = *rules;
	door->ops = storage->log;
	door->loop = gantry_loop_at(inst, 0);
	set_sources(door);
	door_lists_init(door);
	pthread_mutex_init(&door->lock, NULL);
	pthread_mutex_init(&door->flush_lock, NULL);
	pthread_mutex_init(&door->wait_lock, NULL);
	pthread_cond_init(&door->flush_quiet, NULL);
	*ret = door;
	return 0;
}

void door_free(struct door *door)
{
	if (!door)
		return;
	pthread_cond_destroy(&door->flush_quiet);
	pthread_mutex_destroy(&door->wait_lock);
	pthread_mutex_destroy(&door->flush_lock);
	pthread_mutex_destroy(&door->lock);
	free(door);
}

/* ---- attaching */

static void set_state(struct door *door, enum door_state state)
{
	pthread_mutex_lock(&door->lock);
	door->state = state;
	pthread_mutex_unlock(&door->lock);
}

int door_attach(struct door *door, const struct gantry_shape *shape,
		const struct gantry_log_client *client, void *user)
{
	struct gantry_bounds bounds;
	int rc = door->log ? -EALREADY : door->ops->open(door->storage, shape, &door->log);

	if (rc < 0)
		return rc;
	door->ops->bounds(door->log, &bounds);
	door->segment_bytes = bounds.segment_bytes;
	door->client = client;
	door->client_user = user;
	door->waits_over = false;
	set_state(door, DOOR_READING);
	return 0;
}

/* ---- leading */

/* Proposals come in while this node leads, its client is ready and nothing is being cut. */
static void open_or_shut(struct door *door)
{
	if (door->state == DOOR_SHUT || door->state == DOOR_OPEN)
		door->state = door->leads && !door->ready_awaited ? DOOR_OPEN : DOOR_SHUT;
}

static void client_ready(struct gantry_op *op)
{
	struct door *door = op->user;

	pthread_mutex_lock(&door->lock);
	door->ready_awaited = false;
	if (op->status < 0)
		door->leads = false;
	open_or_shut(door);
	pthread_mutex_unlock(&door->lock);
	if (op->status < 0)
		gantry_log(door->inst, ERROR, "the log stays read-only: %s", strerror(-op->status));
}

static int begin_to_lead(struct door *door, uint64_t term)
{
	int rc = 0;

	pthread_mutex_lock(&door->lock);
	bool busy = door->ready_awaited;
	door->ready_awaited = true;
	door->leads = door->leads || !busy;
	pthread_mutex_unlock(&door->lock);
	if (busy)
		return -EBUSY;
	door->ready = (struct gantry_op){
		.done = client_ready, .loop = gantry_loop_control(door->inst), .user = door};
	if (GANTRY_HAS(door->client, role))
		rc = door->client->role(door->client_user, 1, term, &door->ready);
	if (rc == GANTRY_PENDING)
		return 0;
	door->ready.status = rc;
	client_ready(&door->ready);
	return rc;
}

int door_role(struct door *door, bool leads, uint64_t term)
{
	if (leads)
		return begin_to_lead(door, term);
	pthread_mutex_lock(&door->lock);
	door->leads = false;
	open_or_shut(door);
	pthread_mutex_unlock(&door->lock);
	door_answer(door, GANTRY_TERM_LOST);
	if (GANTRY_HAS(door->client, role))
		door->client->role(door->client_user, 0, term, NULL);
	return 0;
}

/* ---- recovering, detaching */

/* Marks after opening and after a cut: what is there is durable. */
static void restart_marks(struct door *door, uint64_t end)
{
	for (int i = 0; i < DOOR_MARKS; ++i) {
		bool moved = i == GANTRY_APPENDED || i == GANTRY_DURABLE;

		if (moved || door_value(door, i) > end)
			atomic_store(&door->mark[i], end);
	}
}

int door_recovered(struct door *door, uint64_t end, int64_t store_ms)
{
	struct gantry_window window;
	int rc = door->ops->cut(door->log, end);

	if (rc < 0)
		return rc;
	door->store_ms = store_ms;
	restart_marks(door, end);
	door_flush_resume(door);
	/* The first room before the first record; a full disk is the writer's affair. */
	door->ops->window(door->log, 1, &window);
	rc = door_flush_start(door);
	if (rc < 0)
		return rc;
	set_state(door, DOOR_SHUT);
	for (int i = 0; i < DOOR_MARKS; ++i)
		door_publish(door, i, door_value(door, i));
	return door->rules.leads_always ? door_role(door, true, 0) : 0;
}

void door_detach(struct door *door)
{
	if (!door->log)
		return;
	set_state(door, DOOR_DOWN);
	gantry_timer_stop(door->timer);
	door->timer = NULL;
	door_fail(door, -ESHUTDOWN);
	door_flush_pause(door);
	door->ops->close(door->log);
	door->log = NULL;
}

bool door_fenced(const struct door *door)
{
	return atomic_load(&door->fenced);
}

/* ---- proposing */

static int admit(const struct door *door)
{
	if (door->state == DOOR_OPEN)
		return atomic_load(&door->fenced) ? -EIO : 0;
	if (door->state == DOOR_CUTTING)
		return -EAGAIN;
	return door->state == DOOR_DOWN ? -ESHUTDOWN : -EROFS;
}

static int64_t store_time(struct door *door)
{
	struct timespec now;
	int64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (ms > door->store_ms)
		door->store_ms = ms;
	return door->store_ms;
}

static uint64_t end_of(const struct door *door)
{
	struct gantry_bounds bounds;

	door->ops->bounds(door->log, &bounds);
	return bounds.end;
}

int door_propose(struct door *door, struct gantry_batch *batch, struct gantry_op *op)
{
	bool waits = door->rules.flush_wait_ms || door->rules.replica_wait_ms;
	uint64_t wait = 0, end = 0;
	int rc;

	batch->placed = 0;
	batch->end = 0;
	pthread_mutex_lock(&door->lock);
	rc = admit(door);
	if (rc == 0) {
		batch->store_ms = store_time(door);
		rc = door_place(door, batch, &wait);
		/* A pad may have been placed without a record. */
		end = end_of(door);
		if (batch->end == 0)
			batch->end = end;
	}
	pthread_mutex_unlock(&door->lock);
	if (end)
		door_publish(door, GANTRY_APPENDED, end);
	if (rc < 0)
		return rc;
	if (waits && wait && op)
		rc = door_park(door, wait, op);
	/* Also if nobody waits: it is not visible before. */
	if (door->rules.flush_wait_ms)
		door_flush_ask(door);
	return rc;
}

/* ---- following */

static int feed_locked(struct door *door, uint64_t at, const uint8_t *bytes, uint64_t size)
{
	struct gantry_bounds bounds;
	int rc = 0;

	door->ops->bounds(door->log, &bounds);
	if (at != bounds.end && bounds.first == bounds.end)
		rc = door->ops->reset(door->log, at);
	else if (at != bounds.end)
		rc = -ERANGE;
	while (size && rc == 0) {
		struct gantry_window window;
		uint64_t piece;

		rc = door->ops->window(door->log, size, &window);
		if (rc < 0)
			break;
		piece = size < window.usable ? size : window.usable;
		memcpy(window.to, bytes, piece);
		door->ops->advance(door->log, piece);
		bytes += piece;
		size -= piece;
	}
	return rc;
}

int door_feed(struct door *door, uint64_t at, const void *bytes, uint64_t size)
{
	uint64_t end;
	int rc;

	pthread_mutex_lock(&door->lock);
	rc = door->state == DOOR_SHUT ? 0 : door->state == DOOR_OPEN ? -EROFS : -EAGAIN;
	if (rc == 0 && atomic_load(&door->fenced))
		rc = -EIO;
	if (rc == 0)
		rc = feed_locked(door, at, bytes, size);
	end = end_of(door);
	pthread_mutex_unlock(&door->lock);
	door_publish(door, GANTRY_APPENDED, end);
	if (door->rules.flush_wait_ms)
		door_flush_ask(door);
	return rc;
}

/* ---- cutting */

int door_cut(struct door *door, uint64_t at)
{
	int rc;

	pthread_mutex_lock(&door->lock);
	bool may = door->state == DOOR_SHUT || door->state == DOOR_OPEN;
	if (may)
		door->state = DOOR_CUTTING;
	pthread_mutex_unlock(&door->lock);
	if (!may)
		return -EAGAIN;
	door_flush_pause(door);
	rc = door->ops->cut(door->log, at);
	if (rc == 0) {
		restart_marks(door, at);
		door_answer_behind(door, at, GANTRY_TERM_LOST);
		if (GANTRY_HAS(door->client, cut))
			rc = door->client->cut(door->client_user, at);
		if (rc < 0)
			door_fence(door);
	}
	door_flush_resume(door);
	pthread_mutex_lock(&door->lock);
	door->state = DOOR_SHUT;
	open_or_shut(door);
	pthread_mutex_unlock(&door->lock);
	return rc;
}

/* ---- small calls */

uint64_t door_mark(const struct door *door, enum gantry_mark mark)
{
	return door_value(door, door->source[mark]);
}

void door_move(struct door *door, enum gantry_mark mark, uint64_t upto)
{
	if (door->source[mark] == mark && mark >= GANTRY_REPLICATED)
		door_publish(door, mark, upto);
}

void door_answer(struct door *door, enum gantry_ack answer)
{
	door_answer_behind(door, 0, answer);
}

void door_bounds(const struct door *door, struct gantry_bounds *ret)
{
	door->ops->bounds(door->log, ret);
}

int door_expire(struct door *door, uint64_t before)
{
	return door->ops->expire(door->log, before);
}

int64_t door_modified_ms(struct door *door, uint64_t at)
{
	return door->ops->modified_ms(door->log, at);
}

struct gantry_log *door_log(const struct door *door, const struct gantry_log_ops **ret_ops)
{
	*ret_ops = door->ops;
	return door->log;
}
