/* SPDX-License-Identifier: Apache-2.0 */
/* A round of the checkpoint: every queue that was written is synced, then the log is waited for,
 * then the checkpoint says so. All on the dispatcher's loop. */
#include <errno.h>
#include <string.h>

#include "store/queue_ext.h"

static void sync_more(struct store *store);

static void end_round(struct store *store)
{
	struct writer *writer = &store->writer;

	writer->in_round = false;
	writer->next_round_ms = gantry_clock_ms() + SYNC_ROUND_MS;
	dispatcher_go(store);
}

static void point_synced(struct gantry_op *op)
{
	struct store *store = op->user;

	if (!op->status)
		store->writer.saved_end = store->writer.round_end;
	end_round(store);
}

static void save_point(struct store *store)
{
	struct writer *writer = &store->writer;
	struct checkpoint *point = &store->checkpoint;
	int status;

	point->says.physic_ms = point->says.logics_ms = writer->round_ms;
	point->says.confirm = point->says.logics_at = (int64_t)writer->round_at;
	status = checkpoint_write(point);
	if (!status)
		point_follow_checkpoint(store);
	if (!status)
		status = checkpoint_sync(point, &writer->round_op);
	if (status > 0)
		return;
	if (status)
		gantry_log_limited(store->inst, &writer->limit, ERROR,
				   "cannot write the checkpoint: %s", strerror(-status));
	end_round(store);
}

static void log_durable(struct gantry_op *op)
{
	struct store *store = op->user;

	if (op->status) {
		end_round(store);
		return;
	}
	op->done = point_synced;
	save_point(store);
}

static void queues_synced(struct store *store)
{
	struct writer *writer = &store->writer;
	int status;

	if (writer->round_failed || __atomic_load_n(&store->hole, __ATOMIC_ACQUIRE)) {
		end_round(store);
		return;
	}
	writer->round_op = (struct gantry_op){
		.done = log_durable, .loop = store->dispatcher.loop, .user = store};
	status = store->door->wait(store->door_inst, GANTRY_DURABLE, writer->round_end,
				   &writer->round_op);
	if (status > 0)
		return;
	if (status) {
		end_round(store);
		return;
	}
	writer->round_op.done = point_synced;
	save_point(store);
}

static void synced(struct gantry_op *op);

/* Syncs the queue's file, or its units first and then the file. As the engine's sync. */
static int begin_sync(struct queue_sync *sync, struct queue *queue, bool ext)
{
	const struct gantry_log_ops *ops = queue->store->engine->log;
	struct gantry_bounds bounds;
	int status;

	sync->queue = queue;
	sync->ext = ext;
	ops->bounds(ext ? queue->ext : queue->file, &bounds);
	sync->op = (struct gantry_op){
		.done = synced, .loop = queue->store->dispatcher.loop, .user = queue->store};
	status = ops->sync(ext ? queue->ext : queue->file, bounds.end, &sync->op);
	return !status && ext ? begin_sync(sync, queue, false) : status;
}

static void synced(struct gantry_op *op)
{
	struct queue_sync *sync = TABLE_HOLDER(op, struct queue_sync, op);
	struct store *store = op->user;
	struct queue *queue = sync->queue;
	int status = op->status;

	if (!status && sync->ext) {
		status = begin_sync(sync, queue, false);
		if (status > 0)
			return;
	}
	sync->next_free = store->writer.free_syncs;
	store->writer.free_syncs = sync;
	store->writer.syncing--;
	if (status) {
		store->writer.round_failed = true;
		gantry_log_limited(store->inst, &store->writer.limit, ERROR,
				   "cannot sync queue %s-%d: %s", queue->topic->name, queue->id,
				   strerror(-status));
		queue_break(queue);
	}
	if (!store->writer.syncing) /* not one by one: they would be synced so */
		sync_more(store);
}

/* A stop does not wait for thousands of files: the next start then reads a little more. */
static bool is_too_late(const struct store *store)
{
	return store->writer.final && gantry_clock_ms() > store->drain_deadline_ms;
}

static struct queue_sync *free_sync(struct writer *writer)
{
	if (!writer->free_syncs && writer->syncs_used < SYNCS_AT_ONCE) {
		/* memory that a broker with few queues never touches */
		writer->free_syncs = &writer->syncs[writer->syncs_used++];
		writer->free_syncs->next_free = NULL;
	}
	return writer->free_syncs;
}

/* Begins syncs until enough are under way; when none is left, the round goes on. */
static void sync_more(struct store *store)
{
	struct writer *writer = &store->writer;
	struct queue_sync *sync;

	if (writer->round && is_too_late(store)) {
		writer->round = NULL;
		writer->round_failed = true;
	}
	while (writer->round && (sync = free_sync(writer))) {
		struct queue *queue = writer->round;
		int status;

		writer->round = queue->next_synced;
		status = begin_sync(sync, queue, queue->ext_writes && !queue_ext_is_off(queue));
		if (status > 0) {
			writer->free_syncs = sync->next_free;
			writer->syncing++;
		} else if (status) {
			writer->round_failed = true;
			queue_break(queue);
		}
	}
	if (!writer->round && !writer->syncing)
		queues_synced(store);
}

/* The worker's list becomes the round's: it may write these queues again meanwhile. */
static void take_unsynced(struct writer *writer)
{
	struct queue *queue = writer->unsynced;

	writer->unsynced = NULL;
	for (; queue; queue = queue->next_unsynced) {
		queue->unsynced = false;
		queue->next_synced = writer->round;
		writer->round = queue;
	}
}

void round_begin(struct store *store)
{
	struct writer *writer = &store->writer;

	if (writer->in_round || writer->running || writer->reached_end == writer->saved_end ||
	    !writer->reached_ms)
		return;
	if (!writer->final && gantry_clock_ms() < writer->next_round_ms)
		return;
	writer->in_round = true;
	writer->round_failed = false;
	writer->round_end = writer->reached_end;
	writer->round_at = writer->reached_at;
	writer->round_ms = writer->reached_ms;
	take_unsynced(writer);
	sync_more(store);
}
