/* SPDX-License-Identifier: Apache-2.0 */
/* When the log is synced, and what happens if that fails. */
#include "door_impl.h"
#include "flush_conf.h"

#include <errno.h>

static bool is_behind(const struct door *door)
{
	return door_value(door, GANTRY_DURABLE) < door_value(door, GANTRY_APPENDED);
}

static void flush_done(struct gantry_op *op)
{
	struct door *door = op->user;
	int32_t status = op->status;
	uint64_t durable = op->result;

	pthread_mutex_lock(&door->flush_lock);
	door->flushing[op - door->flush] = false;
	if (!door->flush_closed && status == 0)
		door_publish(door, GANTRY_DURABLE, durable);
	else if (status == -ENOSPC) /* the next tick or proposal tries again */
		door->flush_asked = door_value(door, GANTRY_DURABLE);
	pthread_cond_broadcast(&door->flush_quiet);
	pthread_mutex_unlock(&door->flush_lock);
	if (status < 0 && status != -ENOSPC)
		door_fence(door);
	else if (status == 0 && door->rules.flush_wait_ms && is_behind(door))
		door_flush_ask(door);
}

/* Under flush_lock. Returns what sync says, or 0 if there is nothing to ask or nobody to ask. */
static int ask(struct door *door, uint64_t *ret_durable)
{
	uint64_t upto = door_value(door, GANTRY_APPENDED);
	int i = 0, rc;

	while (i < DOOR_FLUSHES && door->flushing[i])
		++i;
	if (door->flush_closed || upto <= door->flush_asked || i == DOOR_FLUSHES)
		return 0;
	door->flush[i] = (struct gantry_op){.done = flush_done, .loop = door->loop, .user = door};
	rc = door->ops->sync(door->log, upto, &door->flush[i]);
	door->flushing[i] = rc == GANTRY_PENDING;
	if (rc >= 0)
		door->flush_asked = upto;
	if (rc == 0)
		*ret_durable = upto;
	return rc;
}

void door_flush_ask(struct door *door)
{
	uint64_t durable = 0;

	pthread_mutex_lock(&door->flush_lock);
	int rc = ask(door, &durable);
	if (durable)
		door_publish(door, GANTRY_DURABLE, durable);
	pthread_mutex_unlock(&door->flush_lock);
	/* Whatever else it is, a later tick asks again. */
	if (rc == -EIO)
		door_fence(door);
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct door *door = user;

	(void)timer;
	if (is_behind(door) && !atomic_load(&door->fenced))
		door_flush_ask(door);
	door_late(door, gantry_clock_ms());
}

/* Often enough for the flush, and for answers that are late by a tenth of their time at most. */
static uint64_t tick_ms(const struct door_rules *rules)
{
	uint64_t ms = rules->flush_every_ms;

	if (rules->flush_wait_ms && rules->flush_wait_ms / 10 < ms)
		ms = rules->flush_wait_ms / 10;
	if (rules->replica_wait_ms && rules->replica_wait_ms / 10 < ms)
		ms = rules->replica_wait_ms / 10;
	return ms < 5 ? 5 : ms;
}

int door_flush_start(struct door *door)
{
	uint64_t ms = tick_ms(&door->rules);

	return gantry_timer_start(door->inst, door->loop, ms, ms, tick, door, &door->timer);
}

void door_flush_pause(struct door *door)
{
	pthread_mutex_lock(&door->flush_lock);
	door->flush_closed = true;
	for (int i = 0; i < DOOR_FLUSHES; ++i) {
		while (door->flushing[i])
			pthread_cond_wait(&door->flush_quiet, &door->flush_lock);
	}
	pthread_mutex_unlock(&door->flush_lock);
}

void door_flush_resume(struct door *door)
{
	pthread_mutex_lock(&door->flush_lock);
	door->flush_closed = false;
	door->flush_asked = door_value(door, GANTRY_DURABLE);
	pthread_mutex_unlock(&door->flush_lock);
}

void door_fence(struct door *door)
{
	if (!atomic_exchange(&door->fenced, true))
		gantry_log(door->inst, ERROR,
			   "the log cannot be synced: what waits for it fails, nothing is "
			   "written any more");
	door_fail_fenced(door);
}

const char *const door_flush_types[] = {"ASYNC_FLUSH", "SYNC_FLUSH", NULL};
