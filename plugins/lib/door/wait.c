/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for which mark, and telling them. */
#include "door_impl.h"

#include <errno.h>

/* Ops taken off a list; each carries its own status and result. */
struct chain {
	struct gantry_op *first, **last;
};

void door_lists_init(struct door *door)
{
	for (int i = 0; i < DOOR_LISTS; ++i)
		atomic_store(&door->list[i].due, UINT64_MAX);
}

static void note_due(struct door_list *list)
{
	atomic_store(&list->due, list->first ? list->first->result : UINT64_MAX);
}

static void insert(struct door_list *list, struct gantry_op *op)
{
	struct gantry_op **link = &list->first;

	/* Nearly always it belongs to the end: offsets grow. */
	if (list->last && list->last->result <= op->result)
		link = &list->last->next;
	while (*link && (*link)->result <= op->result)
		link = &(*link)->next;
	op->next = *link;
	*link = op;
	if (!op->next)
		list->last = op;
	note_due(list);
}

static void take_off(struct door_list *list, struct gantry_op **link, struct gantry_op *before,
		     struct chain *chain, int32_t status, uint64_t result)
{
	struct gantry_op *op = *link;

	*link = op->next;
	if (list->last == op)
		list->last = before;
	op->status = status;
	op->result = result;
	op->next = NULL;
	*chain->last = op;
	chain->last = &op->next;
}

static void finish(struct chain *chain)
{
	*chain->last = NULL;
	for (struct gantry_op *op = chain->first, *next; op; op = next) {
		next = op->next;
		gantry_op_finish(op, op->status, op->result);
	}
}

struct sieve { /* which ops to take off a list, and what to tell them */
	struct door *door;
	bool (*takes)(struct sieve *sieve, int which, const struct gantry_op *op);
	const struct gantry_op *op; /* what takes may look for */
	uint64_t now_ms, at;
	int32_t status; /* for the ones taken; takes may set both */
	uint64_t result;
};

static void sift(struct sieve *sieve, int which)
{
	struct door *door = sieve->door;
	struct door_list *list = &door->list[which];
	struct chain chain = {.last = &chain.first};
	struct gantry_op **link = &list->first, *before = NULL;

	pthread_mutex_lock(&door->wait_lock);
	while (*link) {
		if (sieve->takes(sieve, which, *link)) {
			take_off(list, link, before, &chain, sieve->status, sieve->result);
		} else {
			before = *link;
			link = &before->next;
		}
	}
	note_due(list);
	pthread_mutex_unlock(&door->wait_lock);
	finish(&chain);
}

/* ---- reaching a mark */

/* Up to where proposals have all that they wait for; less than what due is in an empty list. */
static uint64_t acknowledged(const struct door *door)
{
	uint64_t upto = UINT64_MAX - 1;

	if (door->rules.flush_wait_ms)
		upto = door_value(door, GANTRY_DURABLE);
	if (door->rules.replica_wait_ms && !atomic_load(&door->few)) {
		uint64_t replicated = door_mark(door, GANTRY_REPLICATED);

		upto = replicated < upto ? replicated : upto;
	}
	return upto;
}

/* What a proposal is told that has all it waits for. */
static uint64_t answer(const struct door *door, uint64_t upto)
{
	bool lacks = door->rules.replica_wait_ms && door_mark(door, GANTRY_REPLICATED) < upto;

	return lacks ? GANTRY_REPLICA_FEW : GANTRY_ACK;
}

static void sweep(struct door *door, int which, uint64_t value)
{
	struct door_list *list = &door->list[which];
	struct chain chain = {.last = &chain.first};

	pthread_mutex_lock(&door->wait_lock);
	while (list->first && list->first->result <= value) {
		uint64_t upto = list->first->result;

		take_off(list, &list->first, NULL, &chain, 0,
			 which == DOOR_PROPOSALS ? answer(door, upto) : value);
	}
	note_due(list);
	pthread_mutex_unlock(&door->wait_lock);
	finish(&chain);
}

static void sweep_proposals(struct door *door)
{
	if (atomic_load(&door->list[DOOR_PROPOSALS].due) <= acknowledged(door))
		sweep(door, DOOR_PROPOSALS, acknowledged(door));
}

void door_publish(struct door *door, enum gantry_mark mark, uint64_t value)
{
	uint64_t old = atomic_load_explicit(&door->mark[mark], memory_order_relaxed);

	while (old < value && !atomic_compare_exchange_weak(&door->mark[mark], &old, value))
		;
	if (old >= value)
		return;
	/* Waiters store what they wait for and then look at the mark; here it is the other way
	 * round. One of both sees the other. */
	if (atomic_load(&door->list[mark].due) <= value)
		sweep(door, mark, value);
	sweep_proposals(door);
}

void door_few(struct door *door, bool few)
{
	if (atomic_exchange(&door->few, few) != few && few)
		sweep_proposals(door);
}

/* ---- waiting */

static bool takes_op(struct sieve *sieve, int which, const struct gantry_op *op)
{
	(void)which;
	return op == sieve->op;
}

static void cancel(struct gantry_op *op)
{
	struct sieve sieve = {op->holder, takes_op, .op = op, .status = -ECANCELED};

	for (int i = 0; i < DOOR_MARKS; ++i)
		sift(&sieve, i);
}

/* Under wait_lock. Makes known what is going to be waited for, so that a mark that passes it from
 * here on comes and looks. */
static void announce(struct door_list *list, uint64_t upto)
{
	if (upto < atomic_load(&list->due))
		atomic_store(&list->due, upto);
}

/* Whether nothing will ever move the mark that far. */
static bool hopeless(struct door *door, int which, uint64_t upto)
{
	return atomic_load(&door->fenced) &&
	       (which == GANTRY_DURABLE || upto > door_value(door, GANTRY_APPENDED));
}

int door_wait(struct door *door, enum gantry_mark mark, uint64_t upto, struct gantry_op *op)
{
	int which = door->source[mark], rc = GANTRY_PENDING;
	struct door_list *list = &door->list[which];

	pthread_mutex_lock(&door->wait_lock);
	announce(list, upto);
	if (door_value(door, which) >= upto)
		rc = 0;
	else if (door->waits_over)
		rc = -ESHUTDOWN;
	else if (hopeless(door, which, upto))
		rc = -EIO;
	if (rc == GANTRY_PENDING) {
		gantry_op_take(op, cancel, door);
		op->result = upto;
		insert(list, op);
	} else {
		note_due(list);
	}
	pthread_mutex_unlock(&door->wait_lock);
	return rc;
}

int door_park(struct door *door, uint64_t upto, struct gantry_op *op)
{
	struct door_list *list = &door->list[DOOR_PROPOSALS];
	uint64_t now_ms = gantry_clock_ms();
	int rc = GANTRY_PENDING;
	bool told = false;

	pthread_mutex_lock(&door->wait_lock);
	announce(list, upto);
	if (acknowledged(door) >= upto) {
		told = answer(door, upto) != GANTRY_ACK;
		rc = told ? GANTRY_PENDING : 0;
		if (told)
			gantry_op_take(op, NULL, NULL);
		note_due(list);
	} else {
		/* It cannot be cancelled, so the holder may be the time of its placing. */
		gantry_op_take(op, NULL, (void *)(uintptr_t)now_ms);
		op->result = upto;
		insert(list, op);
	}
	pthread_mutex_unlock(&door->wait_lock);
	if (told)
		gantry_op_finish(op, 0, GANTRY_REPLICA_FEW);
	/* A fence that came in between found it not in the list. */
	else if (rc == GANTRY_PENDING && atomic_load(&door->fenced))
		door_fail_fenced(door);
	return rc;
}

/* ---- giving up */

static bool takes_late_wait(struct sieve *sieve, int which, const struct gantry_op *op)
{
	(void)which;
	return op->deadline_ms && op->deadline_ms <= sieve->now_ms;
}

static bool is_past(const struct gantry_op *op, uint64_t wait_ms, uint64_t now_ms)
{
	uint64_t until = (uint64_t)(uintptr_t)op->holder + wait_ms;

	if (op->deadline_ms && op->deadline_ms < until)
		until = op->deadline_ms;
	return now_ms >= until;
}

/* Each part has its own time; the answer waits for both, and replicas count for more. */
static bool takes_late_proposal(struct sieve *sieve, int which, const struct gantry_op *op)
{
	const struct door *door = sieve->door;
	uint64_t flush_ms = door->rules.flush_wait_ms, replica_ms = door->rules.replica_wait_ms;
	bool flush = flush_ms && door_value(door, GANTRY_DURABLE) < op->result;
	bool lacks = replica_ms && door_mark(door, GANTRY_REPLICATED) < op->result;
	bool few = atomic_load(&door->few), replica = lacks && !few;

	(void)which;
	if (flush && !is_past(op, flush_ms, sieve->now_ms))
		return false;
	if (replica && !is_past(op, replica_ms, sieve->now_ms))
		return false;
	if (lacks)
		sieve->result = few ? GANTRY_REPLICA_FEW : GANTRY_REPLICA_LATE;
	else
		sieve->result = flush ? GANTRY_FLUSH_LATE : GANTRY_ACK;
	return true;
}

void door_late(struct door *door, uint64_t now_ms)
{
	struct sieve wait = {door, takes_late_wait, .now_ms = now_ms, .status = -ETIMEDOUT};
	struct sieve proposal = {door, takes_late_proposal, .now_ms = now_ms};

	for (int i = 0; i < DOOR_MARKS; ++i) {
		if (atomic_load(&door->list[i].due) != UINT64_MAX)
			sift(&wait, i);
	}
	if (atomic_load(&door->list[DOOR_PROPOSALS].due) != UINT64_MAX)
		sift(&proposal, DOOR_PROPOSALS);
}

static bool takes_all(struct sieve *sieve, int which, const struct gantry_op *op)
{
	(void)sieve;
	(void)which;
	(void)op;
	return true;
}

void door_fail(struct door *door, int status)
{
	struct sieve sieve = {door, takes_all, .status = status};

	pthread_mutex_lock(&door->wait_lock);
	door->waits_over = true;
	pthread_mutex_unlock(&door->wait_lock);
	for (int i = 0; i < DOOR_LISTS; ++i)
		sift(&sieve, i);
}

static bool takes_hopeless(struct sieve *sieve, int which, const struct gantry_op *op)
{
	struct door *door = sieve->door;

	if (which == DOOR_PROPOSALS)
		return door->rules.flush_wait_ms && door_value(door, GANTRY_DURABLE) < op->result;
	return hopeless(door, which, op->result);
}

void door_fail_fenced(struct door *door)
{
	struct sieve sieve = {door, takes_hopeless, .status = -EIO};

	for (int i = 0; i < DOOR_LISTS; ++i)
		sift(&sieve, i);
}

static bool takes_behind(struct sieve *sieve, int which, const struct gantry_op *op)
{
	(void)which;
	return op->result > sieve->at;
}

void door_answer_behind(struct door *door, uint64_t at, enum gantry_ack answer)
{
	struct sieve sieve = {door, takes_behind, .at = at, .result = answer};

	sift(&sieve, DOOR_PROPOSALS);
}
