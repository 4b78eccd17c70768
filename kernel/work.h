/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool: a few threads for what would block a loop, started when there is work. */
#ifndef GK_WORK_H
#define GK_WORK_H

#include <gantry/loop.h>
#include <pthread.h>

GANTRY_BEGIN

enum { GK_WORKERS_MAX = 64 };

struct gk_pool {
	pthread_mutex_t lock;
	pthread_cond_t some;                 /* work came, or the end */
	pthread_cond_t quiet;                /* an instance's last work finished */
	struct gantry_work *first, **end;    /* lock */
	unsigned queued, idle, started, max; /* lock */
	int closing;                         /* lock */
	pthread_t threads[GK_WORKERS_MAX];
};

void gk_pool_open(struct gk_pool *pool, unsigned max);
/* How much of inst is queued or running. */
unsigned gk_pool_working(const struct gantry_inst *inst);
/* Waits until that is nothing. */
void gk_pool_wait(struct gk_pool *pool, const struct gantry_inst *inst);
/* Finishes what is queued and ends the threads. */
void gk_pool_close(struct gk_pool *pool);

GANTRY_END
#endif
