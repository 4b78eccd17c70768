/* SPDX-License-Identifier: Apache-2.0 */
#include "segments.h"

void jobs_init(struct jobs *jobs)
{
	pthread_mutex_init(&jobs->lock, NULL);
}

void jobs_quit(struct jobs *jobs)
{
	pthread_mutex_destroy(&jobs->lock);
}

int jobs_wait(struct jobs *jobs, struct gantry_op *op)
{
	pthread_mutex_lock(&jobs->lock);
	bool wait = jobs->count > 0;
	if (wait) {
		gantry_op_take(op, NULL, jobs);
		jobs->stop = op;
	}
	pthread_mutex_unlock(&jobs->lock);
	return wait ? GANTRY_PENDING : GANTRY_OK;
}

static int work_run(struct gantry_work *work)
{
	struct job *job = work->user;

	job->run(job);
	return 0;
}

static void work_done(struct gantry_op *op)
{
	struct job *job = op->user;
	struct jobs *jobs = job->jobs;
	struct gantry_op *stop = NULL;

	if (op->status < 0) /* not one thread can be had: better here than never */
		job->run(job);
	job->done(job);
	pthread_mutex_lock(&jobs->lock);
	if (--jobs->count == 0) {
		stop = jobs->stop;
		jobs->stop = NULL;
	}
	pthread_mutex_unlock(&jobs->lock);
	if (stop)
		gantry_op_finish(stop, 0, 0);
}

void job_start(struct gantry_inst *inst, struct job *job)
{
	job->jobs = &segments_engine(inst)->jobs;
	job->op =
		(struct gantry_op){.done = work_done, .loop = gantry_loop_at(inst, 0), .user = job};
	job->work = (struct gantry_work){.run = work_run, .user = job};
	pthread_mutex_lock(&job->jobs->lock);
	++job->jobs->count;
	pthread_mutex_unlock(&job->jobs->lock);
	gantry_work(inst, &job->work, &job->op);
}
