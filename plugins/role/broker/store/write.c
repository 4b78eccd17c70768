/* SPDX-License-Identifier: Apache-2.0 */
/* Writing behind: one job at a time, on a worker, moves the tails of queues to their files. */
#include <errno.h>

#include "store/internal.h"

enum {
	TICK_MS = 1000,
	PAUSE_MS = 100, /* between two passes, unless a second is over */
	AT_ONCE = 2048, /* queues that a pass writes at once */
	PASS_TICKS = 6, /* or else it takes so many seconds */
	SLICE_ALL = INT32_MAX,
};

void writer_add(struct queue *queue)
{
	struct writer *writer = &queue->store->writer;

	pthread_mutex_lock(&writer->list_lock);
	queue->next_dirty = writer->dirty;
	writer->dirty = queue;
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

/* What is dirty now becomes the pass, before what is left of the last one. */
static void take_dirty(struct writer *writer)
{
	struct queue *rest = writer->pass, **end = &writer->pass;

	pthread_mutex_lock(&writer->list_lock);
	writer->pass = writer->dirty;
	writer->pass_count = writer->dirty_count;
	writer->dirty = NULL;
	writer->dirty_count = 0;
	pthread_mutex_unlock(&writer->list_lock);
	if (!rest) {
		writer->failed = false;
		return;
	}
	while (*end)
		end = &(*end)->next_dirty;
	*end = rest;
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
		writer->failed = writer->stuck = true;
		gantry_log_limited(store->inst, &writer->limit, ERROR,
				   "cannot write queue %s-%d: error %d; tried again",
				   queue->topic->name, queue->id, -status);
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

/* Writes so many queues of the pass. */
static void write_slice(struct store *store, uint32_t count)
{
	struct writer *writer = &store->writer;

	while (writer->pass && count--) {
		struct queue *queue = writer->pass;

		writer->pass = queue->next_dirty;
		write_one(store, queue, true);
	}
}

int writer_write_all(struct store *store)
{
	write_urgent(store);
	take_dirty(&store->writer);
	write_slice(store, SLICE_ALL);
	return store->writer.failed ? -EAGAIN : 0;
}

void writer_forget(struct store *store)
{
	take_urgent(&store->writer);
	take_dirty(&store->writer);
	store->writer.pass = NULL;
	store->writer.unsynced = NULL;
}

/* The slice of the pass that is due: all of it, or with very many queues what spreads them over
 * some seconds. A file is then written half as often with twice as much. */
static uint32_t slice_of(const struct writer *writer)
{
	uint32_t share = writer->pass_count / PASS_TICKS + 1;

	return writer->final ? SLICE_ALL : share > AT_ONCE ? share : AT_ONCE;
}

static int run_on_worker(struct gantry_work *work)
{
	struct store *store = work->user;
	struct writer *writer = &store->writer;

	writer->stuck = false;
	write_urgent(store);
	if (writer->slice && (!writer->pass || writer->final))
		take_dirty(writer);
	if (writer->slice)
		write_slice(store, slice_of(writer));
	writer->passed = writer->slice && !writer->pass;
	if (writer->passed && !writer->failed)
		point_note(store, writer->pass_turn, writer->pass_end, writer->pass_at,
			   writer->pass_ms);
	return writer->stuck ? -EAGAIN : 0;
}

static void wrote(struct gantry_op *op)
{
	struct store *store = op->user;
	struct writer *writer = &store->writer;

	writer->running = false;
	if (writer->passed && !writer->failed)
		round_begin(store);
	writer->passed = false;
	if (!op->status)
		store->dispatcher.tail_full = false;
	if (writer->again)
		writer_run(store);
	dispatcher_go(store);
}

static void run(struct store *store, bool slice)
{
	struct writer *writer = &store->writer;

	writer->running = true;
	writer->again = writer->wanted = false;
	writer->slice = slice;
	if (slice && (!writer->pass || writer->final)) {
		writer->pass_turn = point_turn(&store->point);
		writer->pass_end = store->dispatcher.at;
		writer->pass_at = store->dispatcher.record_at;
		writer->pass_ms = store->dispatcher.record_ms;
		writer->pass_began_ms = gantry_clock_ms();
	}
	writer->op =
		(struct gantry_op){.done = wrote, .loop = store->dispatcher.loop, .user = store};
	gantry_work(store->inst, &writer->work, &writer->op);
}

/* Whether a pass over all queues now is cheap. */
static bool is_time(struct writer *writer)
{
	uint32_t count;

	pthread_mutex_lock(&writer->list_lock);
	count = writer->dirty_count;
	pthread_mutex_unlock(&writer->list_lock);
	return count <= AT_ONCE && gantry_clock_ms() >= writer->pass_began_ms + PAUSE_MS;
}

void writer_run(struct store *store)
{
	struct writer *writer = &store->writer;

	writer->again = writer->running;
	writer->wanted = false;
	if (!writer->running)
		run(store, writer->final || (!writer->pass && is_time(writer)));
}

/* Whether a pass would have anything to do. */
static bool has_work(struct store *store)
{
	struct writer *writer = &store->writer;
	bool dirty;

	pthread_mutex_lock(&writer->list_lock);
	dirty = writer->dirty != NULL;
	pthread_mutex_unlock(&writer->list_lock);
	return dirty || writer->pass || writer->saved_end != store->dispatcher.at ||
	       (store->dispatcher.record_ms && point_is_behind(store, store->dispatcher.at));
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct store *store = user;

	(void)timer;
	if (!store->writer.running && has_work(store))
		run(store, true);
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
	for (uint32_t i = 0; i < SYNCS_AT_ONCE; i++) {
		writer->syncs[i].next_free = writer->free_syncs;
		writer->free_syncs = &writer->syncs[i];
	}
}
