/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs of small logs: a list of logs that have asks, worked off by one worker. */
#include "small.h"

#include <errno.h>
#include <gantry/plugin.h>
#include <unistd.h>

static struct small_syncs *syncs_of(const struct small_log *log)
{
	return &mmap_engine(log->base.inst)->syncs;
}

void small_syncs_init(struct small_syncs *syncs)
{
	pthread_mutex_init(&syncs->lock, NULL);
	pthread_cond_init(&syncs->quiet, NULL);
	syncs->last = &syncs->first;
}

void small_syncs_quit(struct small_syncs *syncs)
{
	pthread_cond_destroy(&syncs->quiet);
	pthread_mutex_destroy(&syncs->lock);
}

int small_sync_now(struct small_log *log, uint64_t from, uint64_t to)
{
	struct small_syncs *syncs = syncs_of(log);
	int rc = 0;

	if (from < atomic_load(&log->first))
		from = atomic_load(&log->first);
	for (uint64_t at = small_start(log, from); at < to && rc == 0; at += log->segment_bytes) {
		struct descriptor file;

		rc = small_file(log, at, false, &file);
		if (rc == -ENOENT && at < atomic_load(&log->first)) { /* expired meanwhile */
			rc = 0;
			continue;
		}
		if (rc < 0)
			break;
		rc = fdatasync(file.fd) ? -errno : 0;
		descriptors_put(mmap_engine(log->base.inst)->descriptors, &file);
	}
	pthread_mutex_lock(&syncs->lock);
	bool names = rc == 0 && log->unsynced_names;
	if (names)
		log->unsynced_names = false;
	pthread_mutex_unlock(&syncs->lock);
	return names ? files_sync_directory_at(log->directory) : rc;
}

static int sync_round(struct small_log *log)
{
	uint64_t end = atomic_load_explicit(&log->end, memory_order_acquire);
	int rc;

	if (atomic_load(&log->fenced))
		return -EIO;
	rc = small_sync_now(log, atomic_load(&log->durable), end);
	if (rc == 0)
		atomic_store(&log->durable, end);
	else
		small_fence(log, "cannot sync", rc);
	return rc;
}

/* The next log to sync, with its asks. */
static struct small_log *next_log(struct small_syncs *syncs, struct gantry_op **ret_asks)
{
	pthread_mutex_lock(&syncs->lock);
	struct small_log *log = syncs->first;
	if (log) {
		syncs->first = log->next;
		if (!syncs->first)
			syncs->last = &syncs->first;
		log->listed = false;
		log->syncing = true;
		*ret_asks = log->asks;
		log->asks = NULL;
	}
	pthread_mutex_unlock(&syncs->lock);
	return log;
}

void small_sync_resume(struct small_log *log)
{
	struct small_syncs *syncs = syncs_of(log);

	pthread_mutex_lock(&syncs->lock);
	log->syncing = false;
	pthread_cond_broadcast(&syncs->quiet);
	pthread_mutex_unlock(&syncs->lock);
}

void small_sync_pause(struct small_log *log)
{
	struct small_syncs *syncs = syncs_of(log);

	pthread_mutex_lock(&syncs->lock);
	while (log->syncing)
		pthread_cond_wait(&syncs->quiet, &syncs->lock);
	log->syncing = true;
	pthread_mutex_unlock(&syncs->lock);
}

static void answer(struct gantry_op *asks, int status, uint64_t durable)
{
	while (asks) {
		struct gantry_op *op = asks;

		asks = op->next;
		gantry_op_finish(op, status, durable);
	}
}

static void syncs_run(struct job *job)
{
	struct small_syncs *syncs = &mmap_engine(job->user)->syncs;
	struct gantry_op *asks;
	struct small_log *log;

	while ((log = next_log(syncs, &asks))) {
		int rc = sync_round(log);
		uint64_t durable = atomic_load(&log->durable);

		/* The log may be closed as soon as its last op is finished. */
		small_sync_resume(log);
		answer(asks, rc < 0 ? -EIO : 0, durable);
	}
}

static void syncs_done(struct job *job);

static void syncs_start(struct small_syncs *syncs, struct gantry_inst *inst)
{
	syncs->job.run = syncs_run;
	syncs->job.done = syncs_done;
	syncs->job.user = inst;
	job_start(inst, &syncs->job);
}

static void syncs_done(struct job *job)
{
	struct gantry_inst *inst = job->user;
	struct small_syncs *syncs = &mmap_engine(inst)->syncs;

	pthread_mutex_lock(&syncs->lock);
	syncs->busy = syncs->first != NULL;
	bool again = syncs->busy;
	pthread_cond_broadcast(&syncs->quiet);
	pthread_mutex_unlock(&syncs->lock);
	if (again)
		syncs_start(syncs, inst);
}

int small_sync(struct small_log *log, uint64_t upto, struct gantry_op *op)
{
	struct small_syncs *syncs = syncs_of(log);

	if (upto <= atomic_load_explicit(&log->durable, memory_order_acquire))
		return GANTRY_OK;
	if (upto > atomic_load_explicit(&log->end, memory_order_acquire))
		return -ERANGE;
	if (atomic_load(&log->fenced))
		return -EIO;
	gantry_op_take(op, NULL, log);
	pthread_mutex_lock(&syncs->lock);
	op->next = log->asks;
	log->asks = op;
	if (!log->listed) {
		log->listed = true;
		log->next = NULL;
		*syncs->last = log;
		syncs->last = &log->next;
	}
	bool start = !syncs->busy;
	syncs->busy = true;
	pthread_mutex_unlock(&syncs->lock);
	if (start)
		syncs_start(syncs, log->base.inst);
	return GANTRY_PENDING;
}
