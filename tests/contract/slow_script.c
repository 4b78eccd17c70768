/* SPDX-License-Identifier: Apache-2.0 */
/* The slow engine's script: which ops are held, and what becomes of them. */
#include "slow_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool slow_is_warm(const struct gantry_log *log, uint64_t at)
{
	for (unsigned i = 0; i < SLOW_WARM; ++i) {
		if (log->warm[i] == at)
			return true;
	}
	return false;
}

static void end_held(struct slow *slow, struct slow_held *held)
{
	struct gantry_log *log = held->log;
	uint64_t result = 0;
	int status = 0;

	if (held->read) {
		log->warm[log->warm_next++ % SLOW_WARM] = held->at;
	} else if (log->fenced || slow->fail_sync) {
		log->fenced = true;
		slow->fail_sync = false;
		status = -EIO;
	} else {
		/* A cut may have come between. */
		uint64_t upto = held->at < log->end ? held->at : log->end;

		if (log->durable < upto)
			log->durable = upto;
		slow_note(slow, SLOW_SYNC, log->durable, NULL, 0);
		result = log->durable;
	}
	gantry_op_finish(held->op, status, result);
	free(held);
}

void slow_wait(struct slow *slow, struct gantry_log *log, struct gantry_op *op, uint64_t at,
	       bool read)
{
	struct slow_held *held = calloc(1, sizeof(*held)), **link = &slow->held;

	*held = (struct slow_held){op, log, at, read, NULL};
	gantry_op_take(op, NULL, held);
	if (!(slow->hold & (read ? SLOW_READS : SLOW_SYNCS))) {
		end_held(slow, held);
		return;
	}
	while (*link)
		link = &(*link)->next;
	*link = held;
}

unsigned slow_let(struct gantry_inst *inst, unsigned count, int newest_first)
{
	struct slow *slow = slow_of(inst);
	unsigned done = 0;

	pthread_mutex_lock(&slow->lock);
	for (; done < count && slow->held; ++done) {
		struct slow_held **link = &slow->held, *held;

		while (newest_first && (*link)->next)
			link = &(*link)->next;
		held = *link;
		*link = held->next;
		end_held(slow, held);
	}
	pthread_mutex_unlock(&slow->lock);
	return done;
}

void slow_hold(struct gantry_inst *inst, unsigned what)
{
	struct slow *slow = slow_of(inst);

	pthread_mutex_lock(&slow->lock);
	slow->hold = what;
	pthread_mutex_unlock(&slow->lock);
	if (!what)
		slow_let(inst, UINT32_MAX, 0);
}

unsigned slow_held(struct gantry_inst *inst)
{
	struct slow *slow = slow_of(inst);
	unsigned count = 0;

	pthread_mutex_lock(&slow->lock);
	for (struct slow_held *held = slow->held; held; held = held->next)
		++count;
	pthread_mutex_unlock(&slow->lock);
	return count;
}

void slow_refuse_windows(struct gantry_inst *inst, unsigned after, unsigned count, int status)
{
	struct slow *slow = slow_of(inst);

	pthread_mutex_lock(&slow->lock);
	slow->refuse_after = after;
	slow->refusals = count;
	slow->refuse_status = status;
	pthread_mutex_unlock(&slow->lock);
}

void slow_fail_sync(struct gantry_inst *inst)
{
	struct slow *slow = slow_of(inst);

	pthread_mutex_lock(&slow->lock);
	slow->fail_sync = true;
	pthread_mutex_unlock(&slow->lock);
}

void slow_record(struct gantry_inst *inst)
{
	struct slow *slow = slow_of(inst);

	pthread_mutex_lock(&slow->lock);
	slow->record = true;
	pthread_mutex_unlock(&slow->lock);
}

size_t slow_events(struct gantry_inst *inst)
{
	struct slow *slow = slow_of(inst);

	pthread_mutex_lock(&slow->lock);
	size_t events = slow->events;
	pthread_mutex_unlock(&slow->lock);
	return events;
}

void slow_note(struct slow *slow, enum slow_act act, uint64_t at, const void *data, uint64_t bytes)
{
	uint8_t *copy = NULL;

	if (!slow->record)
		return;
	if (slow->events == slow->room) {
		slow->room = slow->room ? slow->room * 2 : 64;
		slow->event = realloc(slow->event, slow->room * sizeof(*slow->event));
	}
	if (data) {
		copy = malloc(bytes);
		memcpy(copy, data, bytes);
	}
	slow->event[slow->events++] = (struct slow_event){act, at, bytes, copy};
}
