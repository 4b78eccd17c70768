/* SPDX-License-Identifier: Apache-2.0 */
/* Writing behind: one job at a time, on a worker, moves the tails of queues to their files. */
#include <errno.h>

#include "store/internal.h"

enum { TICK_MS = 1000 };

void writer_add(struct queue *queue)
{
	struct writer *writer = &queue->store->writer;

	pthread_mutex_lock(&writer->list_lock);
	queue->next_dirty = writer->dirty;
	writer->dirty = queue;
	pthread_mutex_unlock(&writer->list_lock);
}

static struct queue *take_dirty(struct writer *writer)
{
	struct queue *queue;

	pthread_mutex_lock(&writer->list_lock);
	queue = writer->dirty;
	writer->dirty = NULL;
	pthread_mutex_unlock(&writer->list_lock);
	return queue;
}

static void write_one(struct store *store, struct queue *queue)
{
	struct writer *writer = &store->writer;
	int status;

	pthread_mutex_lock(&store->file_lock);
	status = queue_write(queue);
	pthread_mutex_unlock(&store->file_lock);
	if (status == -EIO || status == -EUCLEAN) {
		queue_break(queue);
	} else if (status) {
		writer->failed = true;
		gantry_log_limited(store->inst, &writer->limit, ERROR,
				   "cannot write queue %s-%d: error %d; tried again",
				   queue->topic->name, queue->id, -status);
	} else if (!queue->unsynced) {
		queue->unsynced = true;
		queue->next_unsynced = writer->unsynced;
		writer->unsynced = queue;
	}
}

int writer_write_all(struct store *store)
{
	struct queue *queue = take_dirty(&store->writer);

	store->writer.failed = false;
	while (queue) {
		struct queue *next = queue->next_dirty;

		write_one(store, queue);
		queue = next;
	}
	return store->writer.failed ? -EAGAIN : 0;
}

void writer_forget(struct store *store)
{
	take_dirty(&store->writer);
	store->writer.unsynced = NULL;
}

static int run_on_worker(struct gantry_work *work)
{
	struct store *store = work->user;
	const struct writer *writer = &store->writer;
	int status = writer_write_all(store);

	if (!status)
		point_note(store, writer->pass_turn, writer->pass_end, writer->pass_at,
			   writer->pass_ms);
	return status;
}

static void wrote(struct gantry_op *op)
{
	struct store *store = op->user;
	struct writer *writer = &store->writer;

	writer->running = false;
	if (!op->status)
		round_begin(store);
	if (store->dispatcher.tail_full && !op->status)
		store->dispatcher.tail_full = false;
	if (writer->again)
		writer_run(store);
	dispatcher_go(store);
}

void writer_run(struct store *store)
{
	struct writer *writer = &store->writer;

	writer->again = writer->running;
	writer->wanted = false;
	if (writer->running)
		return;
	writer->running = true;
	writer->pass_turn = point_turn(&store->point);
	writer->pass_end = store->dispatcher.at;
	writer->pass_at = store->dispatcher.record_at;
	writer->pass_ms = store->dispatcher.record_ms;
	writer->op =
		(struct gantry_op){.done = wrote, .loop = store->dispatcher.loop, .user = store};
	gantry_work(store->inst, &writer->work, &writer->op);
}

/* Whether a job would have anything to do. */
static bool has_work(struct store *store)
{
	struct writer *writer = &store->writer;
	bool dirty;

	pthread_mutex_lock(&writer->list_lock);
	dirty = writer->dirty != NULL;
	pthread_mutex_unlock(&writer->list_lock);
	return dirty || writer->saved_end != store->dispatcher.at ||
	       (store->dispatcher.record_ms && point_is_behind(store, store->dispatcher.at));
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct store *store = user;

	(void)timer;
	if (has_work(store))
		writer_run(store);
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
	store->writer.work = (struct gantry_work){.run = run_on_worker, .user = store};
}
