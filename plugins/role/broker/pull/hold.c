/* SPDX-License-Identifier: Apache-2.0 */
/* Pulls whose answer comes later. Such a pull reads what is not in memory, or is parked at its
 * queue until messages come, its time is up or its client goes; between these it may change over
 * several times. */
#include <errno.h>
#include <stdlib.h>

#include "pull/private.h"

/* Ten thousand waiting consumers are to be cheap. */
_Static_assert(sizeof(struct hold) <= 320, "a held pull is to stay small");

static void read_on(struct gantry_op *op);

/* ---- making */

static void join_session(struct hold *hold, struct broker_session *session)
{
	hold->link_of_session = &session->holds;
	hold->next_of_session = session->holds;
	if (session->holds)
		session->holds->link_of_session = &hold->next_of_session;
	session->holds = hold;
}

static int refuse_busy(const struct pull_context *context)
{
	struct pull_context answer = *context;

	pull_refuse(&answer, GANTRY_SYSTEM_BUSY, 0, "too many pulls are held");
	return 0;
}

/* Takes over the context, its subscription and the op. NULL: there are too many already. */
static struct hold *hold_new(const struct pull_context *context, struct gantry_op *op)
{
	struct puller *puller = context->puller;
	struct broker_session *session = broker_session(context->pull->session);
	struct hold *hold;

	if (!session || puller_held(puller) >= HOLDS_MAX)
		return NULL;
	hold = calloc(1, sizeof(*hold));
	if (!hold)
		return NULL;
	hold->context = *context;
	hold->op = op;
	hold->wait.op = (struct gantry_op){.loop = context->loop->loop, .user = hold};
	pull_link_init(&hold->in_queue);
	pull_link_init(&hold->in_wheel);
	join_session(hold, session);
	__atomic_add_fetch(&context->loop->held, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&puller->busy, 1, __ATOMIC_ACQ_REL);
	gantry_op_take(op, NULL, hold);
	return hold;
}

bool hold_is_allowed(const struct pull_context *context)
{
	return context->pull->flags & GANTRY_PULL_SUSPEND &&
	       !__atomic_load_n(&context->puller->draining, __ATOMIC_ACQUIRE);
}

static uint64_t hold_ms(const struct pull_context *context)
{
	const struct broker_conf *conf = context->puller->broker->conf;
	int64_t ms =
		conf->longPollingEnable ? context->pull->suspend_ms : conf->shortPollingTimeMills;

	return ms <= 0 ? 0 : ms < HOLD_MS_MAX ? (uint64_t)ms : HOLD_MS_MAX;
}

/* Begins its time, and parks it. */
static int park(struct hold *hold)
{
	int status = 0;

	hold->state = HOLD_PARKED;
	hold_unqueue(hold);
	if (!hold->deadline_ms) {
		hold->deadline_ms = gantry_clock_ms() + hold_ms(&hold->context);
		status = wheel_add(hold->context.loop, hold, hold->deadline_ms);
	}
	if (!status && hold->context.puller->broker->conf->longPollingEnable)
		status = queue_holds_add(hold);
	return status;
}

int hold_park(const struct pull_context *context, struct gantry_op *op)
{
	struct hold *hold = hold_new(context, op);

	if (!hold)
		return refuse_busy(context);
	if (park(hold))
		hold_expire(hold);
	return GANTRY_PENDING;
}

/* ---- reading */

/* What comes of a read. 1: the hold goes on. */
static int use(struct hold *hold, const struct pull_result *result)
{
	struct pull_context *context = &hold->context;
	bool first = !hold->deadline_ms; /* it has not been parked yet */

	if (!hold->op) { /* the client went meanwhile */
		for (uint32_t i = 0; i < result->slice_count; i++)
			gantry_slice_release(&result->slices[i]);
		hold_finish(hold, 0);
		return 0;
	}
	if (first) {
		pull_answer(context, result, true);
		if (context->pull->code != GANTRY_PULL_NOT_FOUND || !hold_is_allowed(context) ||
		    park(hold)) {
			hold_answer(hold, result);
			return 0;
		}
		return 1;
	}
	if (result->status == PULL_NO_MATCHED_MESSAGE)
		context->from = result->next; /* nobody has to look at these again */
	else if (result->status != PULL_OFFSET_OVERFLOW_ONE &&
		 result->status != PULL_NO_MESSAGE_IN_QUEUE) {
		pull_answer(context, result, false);
		hold_answer(hold, result);
		return 0;
	}
	return 1;
}

/* Reads until it has to wait for something. 1: nothing has come that it waits for, or it waits for
 * what is read; 0: it is no longer held. */
int hold_look(struct hold *hold)
{
	struct pull_context *context = &hold->context;
	struct pull_result result;
	int status;

	do {
		hold->wait.op.done = read_on;
		status = pull_read(context, &hold->wait, &result);
		if (status > 0) {
			hold->state = HOLD_READING;
			return 1;
		}
		if (status) {
			hold_expire(hold);
			return 0;
		}
		if (!use(hold, &result))
			return 0;
	} while (result.status == PULL_NO_MATCHED_MESSAGE && context->from < result.max);
	return 1;
}

static bool is_over(const struct hold *hold)
{
	return hold->deadline_ms <= gantry_clock_ms() ||
	       __atomic_load_n(&hold->context.puller->draining, __ATOMIC_ACQUIRE);
}

/* What it waited for can be read now. */
static void read_on(struct gantry_op *op)
{
	struct hold *hold = op->user;
	bool parked = hold->deadline_ms;

	if (!hold->op) {
		hold_finish(hold, 0);
		return;
	}
	hold->state = HOLD_PARKED;
	if (op->status) {
		hold_expire(hold);
		return;
	}
	if (!hold_look(hold) || hold->state == HOLD_READING || !parked)
		return;
	if (is_over(hold) || park(hold))
		hold_expire(hold);
}

int hold_read(const struct pull_context *context, struct gantry_op *op)
{
	struct hold *hold = hold_new(context, op);

	if (!hold)
		return refuse_busy(context);
	if (!hold_queue(hold))
		hold_look(hold);
	return GANTRY_PENDING;
}

/* ---- the client goes */

void puller_gone(struct broker *broker, struct gantry_session *session)
{
	struct broker_session *own = session->role_data;

	(void)broker;
	while (own && own->holds)
		hold_finish(own->holds, -EPIPE);
}
