/* SPDX-License-Identifier: Apache-2.0 */
/* Writing behind: one job at a time, on a worker, moves the tails of queues to their files. A run
 * costs an open, a write and a close whatever its length, so with very many queues they are written
 * as late as memory, a restart and a while allow, the longest dirty first. */
#include <errno.h>
#include <string.h>

#include "store/internal.h"

enum {
	TICK_MS = 1000,
	PAUSE_MS = 100,    /* between two jobs that write all, unless a second is over */
	FEW = 2048,        /* so many queues are written without delay */
	TURN_MS = 500,     /* a turn of the writer, at least, if not all is written */
	AGE_MS = 30000,    /* entries stay in memory so long */
	LOOK_URGENT = 128, /* queues that are written before urgent ones are looked for again */
};

static const uint64_t LAG_MAX = 1 << 30; /* of the log: what a start after a kill reads again */

/* ---- lists */

/* Under list_lock. */
static void append(struct writer *writer, struct queue *first, struct queue **end)
{
	*writer->dirty_end = first;
	writer->dirty_end = end;
	*end = NULL;
}

void writer_add(struct queue *queue)
{
	struct writer *writer = &queue->store->writer;

	pthread_mutex_lock(&writer->list_lock);
	queue->dirty_turn = writer->turn;
	append(writer, queue, &queue->next_dirty);
	writer->dirty_count++;
	pthread_mutex_unlock(&writer->list_lock);
}

void writer_urge(struct queue *queue)
{
	struct writer *writer = &queue->store->writer;

	pthread_mutex_lock(&writer->list_lock);
	queue->next_urgent = writer->urgent;
	writer->urgent = queue;
	pthread_mutex_unlock(&writer->list_lock);
}

void writer_hold(struct store *store, int64_t bytes)
{
	__atomic_fetch_add(&store->writer.held, (uint64_t)bytes, __ATOMIC_RELAXED);
}

static struct queue *take_urgent(struct writer *writer)
{
	struct queue *queue;

	pthread_mutex_lock(&writer->list_lock);
	queue = writer->urgent;
	writer->urgent = NULL;
	pthread_mutex_unlock(&writer->list_lock);
	return queue;
}

/* Whether queues of that turn should stay in memory no longer. Under list_lock. */
static bool is_due(const struct writer *writer, uint32_t turn)
{
	const struct writer_mark *mark = &writer->marks[turn % WRITER_MARKS];
	const struct writer_mark *now = &writer->marks[writer->turn % WRITER_MARKS];

	return now->began_ms - mark->began_ms >= AGE_MS || now->end - mark->end > LAG_MAX;
}

/* The longest dirty queue, or NULL: if not all are to be written, it may be in memory longer while
 * that holds at most so many bytes. */
static struct queue *take_dirty(struct writer *writer, bool all, uint64_t held_max)
{
	struct queue *queue;

	pthread_mutex_lock(&writer->list_lock);
	queue = writer->dirty;
	if (queue && !all && __atomic_load_n(&writer->held, __ATOMIC_RELAXED) <= held_max &&
	    !is_due(writer, queue->dirty_turn))
		queue = NULL;
	if (queue) {
		writer->dirty = queue->next_dirty;
		writer->dirty_count--;
		if (!writer->dirty)
			writer->dirty_end = &writer->dirty;
	}
	pthread_mutex_unlock(&writer->list_lock);
	return queue;
}

/* What could not be written comes first again: nothing has been dirty for longer. Returns how many
 * are dirty now. */
static uint32_t take_retries(struct writer *writer)
{
	uint32_t count;

	pthread_mutex_lock(&writer->list_lock);
	for (struct queue *queue = writer->retry; queue; queue = queue->next_dirty)
		writer->dirty_count++;
	if (writer->retry) {
		*writer->retry_end = writer->dirty;
		if (!writer->dirty)
			writer->dirty_end = writer->retry_end;
		writer->dirty = writer->retry;
	}
	count = writer->dirty_count;
	pthread_mutex_unlock(&writer->list_lock);
	writer->retry = NULL;
	writer->retry_end = &writer->retry;
	return count;
}

/* ---- writing */

static void keep_for_later(struct writer *writer, struct queue *queue)
{
	queue->next_dirty = NULL;
	*writer->retry_end = queue;
	writer->retry_end = &queue->next_dirty;
}

static void write_one(struct store *store, struct queue *queue, bool listed)
{
	struct writer *writer = &store->writer;
	int status;

	pthread_mutex_lock(&store->file_lock);
	status = queue_write(queue, listed);
	pthread_mutex_unlock(&store->file_lock);
	if (status == -EIO || status == -EUCLEAN) {
		queue_break(queue);
	} else if (status) {
		writer->stuck = true;
		if (listed)
			keep_for_later(writer, queue);
		gantry_log_limited(store->inst, &writer->limit, ERROR,
				   "cannot write queue %s-%d: %s; tried again", queue->topic->name,
				   queue->id, strerror(-status));
	} else if (!queue->unsynced) {
		queue->unsynced = true;
		queue->next_unsynced = writer->unsynced;
		writer->unsynced = queue;
	}
}

static void write_urgent(struct store *store)
{
	struct queue *queue = take_urgent(&store->writer);

	while (queue) {
		struct queue *next = queue->next_urgent;

		write_one(store, queue, false);
		queue = next;
	}
}

/* Writes what is dirty now; all of it, or what is due. */
static void write_dirty(struct store *store, bool all)
{
	struct writer *writer = &store->writer;
	uint64_t held_max = writer_is_full(store) ? TAILS_LOW : TAILS_MAX;
	struct queue *queue;
	uint32_t count;

	write_urgent(store);
	count = take_retries(writer);
	while (count-- && (queue = take_dirty(writer, all, held_max))) {
		write_one(store, queue, true);
		if (count % LOOK_URGENT == 0)
			write_urgent(store);
	}
	writer->failed = writer->retry != NULL;
}

int writer_write_all(struct store *store)
{
	write_dirty(store, true);
	return store->writer.failed ? -EAGAIN : 0;
}

void writer_forget(struct store *store)
{
	struct writer *writer = &store->writer;

	take_urgent(writer);
	pthread_mutex_lock(&writer->list_lock);
	writer->dirty = NULL;
	writer->dirty_end = &writer->dirty;
	writer->dirty_count = 0;
	pthread_mutex_unlock(&writer->list_lock);
	writer->retry = NULL;
	writer->retry_end = &writer->retry;
	writer->unsynced = NULL;
}

void writer_cut(struct store *store, uint64_t at)
{
	struct writer *writer = &store->writer;

	pthread_mutex_lock(&writer->list_lock);
	for (uint32_t i = 0; i < WRITER_MARKS; i++)
		if (writer->marks[i].end > at)
			writer->marks[i].record_ms = 0;
	pthread_mutex_unlock(&writer->list_lock);
}

/* ---- the job */

/* The turn of what is longest dirty, and what its mark says. */
static uint32_t oldest_turn(struct writer *writer, struct writer_mark *ret)
{
	uint32_t turn;

	pthread_mutex_lock(&writer->list_lock);
	turn = writer->retry   ? writer->retry->dirty_turn
	       : writer->dirty ? writer->dirty->dirty_turn
			       : writer->turn;
	*ret = writer->marks[turn % WRITER_MARKS];
	pthread_mutex_unlock(&writer->list_lock);
	return turn;
}

static int run_on_worker(struct gantry_work *work)
{
	struct store *store = work->user;
	struct writer *writer = &store->writer;
	struct writer_mark mark;
	uint32_t turn;

	writer->stuck = false;
	write_dirty(store, writer->all);
	turn = oldest_turn(writer, &mark);
	writer->passed = turn != writer->reached;
	writer->reached = turn;
	if (writer->passed) {
		writer->reached_end = mark.end;
		writer->reached_at = mark.record_at;
		writer->reached_ms = mark.record_ms;
		point_note(store, mark.point_turn, mark.end, mark.record_at, mark.record_ms);
	}
	return writer->stuck ? -EAGAIN : 0;
}

static void wrote(struct gantry_op *op)
{
	struct store *store = op->user;
	struct writer *writer = &store->writer;

	writer->running = false;
	if (writer->passed)
		round_begin(store);
	writer->passed = false;
	if (!op->status)
		store->dispatcher.tail_full = false;
	if (writer->again)
		writer_run(store);
	dispatcher_go(store);
}

/* A new turn begins, unless too many are unwritten. */
static void next_turn(struct store *store)
{
	struct writer *writer = &store->writer;
	uint64_t now = gantry_clock_ms();
	struct writer_mark mark = {
		.end = store->dispatcher.at,
		.record_at = store->dispatcher.record_at,
		.record_ms = store->dispatcher.record_ms,
		.began_ms = now,
		.point_turn = point_turn(&store->point),
	};

	if (writer->turn - writer->reached >= WRITER_MARKS - 1)
		return;
	if (!writer->all && now < writer->marks[writer->turn % WRITER_MARKS].began_ms + TURN_MS)
		return;
	pthread_mutex_lock(&writer->list_lock);
	writer->turn++;
	writer->marks[writer->turn % WRITER_MARKS] = mark;
	pthread_mutex_unlock(&writer->list_lock);
}

static void run(struct store *store, bool all)
{
	struct writer *writer = &store->writer;

	writer->running = true;
	writer->again = writer->wanted = false;
	writer->all = all;
	next_turn(store);
	if (all)
		writer->all_began_ms = gantry_clock_ms();
	writer->op =
		(struct gantry_op){.done = wrote, .loop = store->dispatcher.loop, .user = store};
	gantry_work(store->inst, &writer->work, &writer->op);
}

static bool are_few(struct writer *writer)
{
	uint32_t count;

	pthread_mutex_lock(&writer->list_lock);
	count = writer->dirty_count;
	pthread_mutex_unlock(&writer->list_lock);
	return count <= FEW;
}

void writer_run(struct store *store)
{
	struct writer *writer = &store->writer;

	writer->again = writer->running;
	writer->wanted = false;
	if (!writer->running)
		run(store, writer->final || (are_few(writer) &&
					     gantry_clock_ms() >= writer->all_began_ms + PAUSE_MS));
}

/* Whether a job would have anything to do. */
static bool has_work(struct store *store)
{
	struct writer *writer = &store->writer;
	bool dirty;

	pthread_mutex_lock(&writer->list_lock);
	dirty = writer->dirty != NULL;
	pthread_mutex_unlock(&writer->list_lock);
	return dirty || writer->retry || writer->saved_end != store->dispatcher.at ||
	       (store->dispatcher.record_ms && point_is_behind(store, store->dispatcher.at));
}

/* When nothing is sent any more, nothing would make the runs longer. */
static void tick(struct gantry_timer *timer, void *user)
{
	struct store *store = user;
	struct writer *writer = &store->writer;
	bool idle = writer->tick_end == store->dispatcher.at;

	(void)timer;
	writer->tick_end = store->dispatcher.at;
	if (!writer->running && has_work(store))
		run(store, idle || are_few(writer));
	store_index_tick(store);
	dispatcher_go(store); /* what failed is tried again */
}

int writer_start(struct store *store)
{
	return gantry_timer_start(store->inst, store->dispatcher.loop, TICK_MS, TICK_MS, tick,
				  store, &store->writer.tick);
}

void writer_init(struct store *store)
{
	struct writer *writer = &store->writer;

	writer->work = (struct gantry_work){.run = run_on_worker, .user = store};
	writer->dirty_end = &writer->dirty;
	writer->retry_end = &writer->retry;
}
