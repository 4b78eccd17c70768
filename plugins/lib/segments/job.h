/* SPDX-License-Identifier: Apache-2.0 */
/* Work on the kernel's workers, counted, so that the plugin's stop can wait for it. */
#ifndef SEGMENTS_JOB_H
#define SEGMENTS_JOB_H

#include <gantry/loop.h>
#include <pthread.h>

struct jobs { /* of one engine */
	pthread_mutex_t lock;
	unsigned count;         /* lock; started, done not called yet */
	struct gantry_op *stop; /* lock; waits for count to be 0 */
};

struct job { /* the caller's memory, until done is called */
	struct gantry_op op;
	struct gantry_work work;
	struct jobs *jobs;
	void (*run)(struct job *job); /* on a worker */
	void (*done)(
		struct job *job); /* then on an event loop; may free the job or start it again */
	void *user;               /* the caller's */
};

void jobs_init(struct jobs *jobs);
void jobs_quit(struct jobs *jobs);
/* 0: there are none; positive: op finishes when there are none. No more are started. */
int jobs_wait(struct jobs *jobs, struct gantry_op *op);

/* Any thread; allocates nothing. run, done and user are set. */
void job_start(struct gantry_inst *inst, struct job *job);

#endif
