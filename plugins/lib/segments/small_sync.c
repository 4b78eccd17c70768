/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs of small logs: a list of logs that have asks, worked off by one worker. */
#include "small.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct small_syncs *syncs_of(const struct small_log *log)
{
	return &segments_engine(log->base.inst)->syncs;
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

	pthread_mutex_lock(&syncs->lock);
	bool names = log->unsynced_names;
	log->unsynced_names = false;
	pthread_mutex_unlock(&syncs->lock);
	for (uint64_t at = small_start(log, from); at < to && rc == 0; at += log->segment_bytes) {
		struct descriptor file;

		rc = small_file(log, at, false, &file);
		if (rc < 0)
			break;
		rc = fdatasync(file.fd) ? -errno : 0;
		descriptors_put(segments_engine(log->base.inst)->descriptors, &file);
	}
	return rc == 0 && names ? files_sync_directory_at(log->directory) : rc;
}

/* The logs that have asks, as a round; how many. */
static unsigned take_round(struct small_syncs *syncs, struct small_log **ret)
{
	struct small_log **link = ret;
	unsigned count = 0;

	pthread_mutex_lock(&syncs->lock);
	for (struct small_log *log = syncs->first; log; log = log->next, ++count) {
		log->listed = false;
		log->asking = log->asks;
		log->asks = NULL;
		*link = log;
		link = &log->batch;
	}
	*link = NULL;
	syncs->first = NULL;
	syncs->last = &syncs->first;
	pthread_mutex_unlock(&syncs->lock);
	return count;
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

static int sync_one(struct small_log *log)
{
	int rc;

	if (atomic_load(&log->fenced))
		return -EIO;
	rc = log->synced ? 0 : small_sync_now(log, atomic_load(&log->durable), log->upto);
	if (rc == 0)
		atomic_store(&log->durable, log->upto);
	else
		small_fence(log, "cannot sync", rc);
	return rc;
}

/* Syncs a log of the round and answers. It may be closed as soon as its last op is finished. */
static void end_round(struct small_log *log)
{
	struct gantry_op *asking = log->asking;
	int rc = sync_one(log);
	uint64_t durable = atomic_load(&log->durable);

	small_sync_resume(log);
	while (asking) {
		struct gantry_op *op = asking;

		asking = op->next;
		gantry_op_finish(op, rc < 0 ? -EIO : 0, durable);
	}
}

/* For those that are synced together: whether their directories must be synced. */
static void set_names(struct small_syncs *syncs, struct small_log *round, bool unsynced)
{
	pthread_mutex_lock(&syncs->lock);
	for (struct small_log *log = round; log; log = log->batch) {
		if (log->synced)
			log->unsynced_names = unsynced;
	}
	pthread_mutex_unlock(&syncs->lock);
}

/* Asked for once: it is where the folder is. */
static dev_t device_of(struct small_log *log)
{
	struct stat st;

	if (!log->device && stat(log->directory, &st) == 0)
		log->device = st.st_dev;
	return log->device;
}

/* Syncs all of them that are on the first one's file system with one call: each fdatasync would
 * cost a flush of the disk. If it fails, they are synced one by one, to see whose error it is. */
static void sync_together(struct small_syncs *syncs, struct small_log *round)
{
	int fd = open(round->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dev_t device = device_of(round);

	if (fd < 0)
		return;
	for (struct small_log *log = round; log; log = log->batch)
		log->synced = device_of(log) == device;
	/* Before, so that a name which is made meanwhile is noted. */
	set_names(syncs, round, false);
	if (syncfs(fd)) {
		set_names(syncs, round, true);
		for (struct small_log *log = round; log; log = log->batch)
			log->synced = false;
	}
	close(fd);
}

static void syncs_run(struct job *job)
{
	enum { MANY = 32 };
	struct small_syncs *syncs = &segments_engine(job->user)->syncs;
	struct small_log *round;
	unsigned count;

	while ((count = take_round(syncs, &round))) {
		for (struct small_log *log = round; log; log = log->batch) {
			small_sync_pause(log);
			log->synced = false;
			log->upto = atomic_load_explicit(&log->end, memory_order_acquire);
		}
		if (count >= MANY)
			sync_together(syncs, round);
		while (round) {
			struct small_log *log = round;

			round = log->batch;
			end_round(log);
		}
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
	struct small_syncs *syncs = &segments_engine(inst)->syncs;

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
