/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool. */
#include "work.h"
#include "kernel.h"

#include <errno.h>
#include <stdio.h>

/* The op goes back first and the count after it: who waits for the count may close the loops. Who
 * hears of the op may look for what is left, and must not find this. */
static void run_one(struct gk_pool *pool, struct gantry_work *work)
{
	struct gantry_inst *inst = work->inst;
	struct gantry_op *op = work->op;
	int status = work->run(work);
	__atomic_sub_fetch(&inst->unanswered, 1, __ATOMIC_ACQ_REL);
	gantry_op_finish(op, status, 0);
	pthread_mutex_lock(&pool->lock);
	if (--inst->working == 0)
		pthread_cond_broadcast(&pool->quiet);
}

static void *run_worker(void *user)
{
	struct gk_pool *pool = user;
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct gantry_work *work = pool->first;
		if (work) {
			pool->first = work->next;
			pool->queued--;
			if (!pool->first)
				pool->end = &pool->first;
			pthread_mutex_unlock(&pool->lock);
			run_one(pool, work); /* locks again */
		} else if (pool->closing) {
			break;
		} else {
			pool->idle++;
			pthread_cond_wait(&pool->some, &pool->lock);
			pool->idle--;
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* One more thread if all are busy and there may be more. Under the lock. Fails only when there is
 * no thread at all. */
static int ensure_worker(struct gk_pool *pool)
{
	char name[16];
	if (pool->idle > pool->queued || pool->started == pool->max)
		return 0;
	snprintf(name, sizeof(name), "gantry-work-%u", pool->started % 100);
	int bad = gk_thread_start(&pool->threads[pool->started], name, run_worker, pool);
	if (!bad)
		pool->started++;
	return pool->started ? 0 : bad;
}

int gantry_work(struct gantry_inst *inst, struct gantry_work *work, struct gantry_op *op)
{
	struct gk_pool *pool = &inst->kernel->pool;
	work->inst = inst;
	work->op = op;
	work->next = NULL;
	gantry_op_take(op, NULL, work);
	pthread_mutex_lock(&pool->lock);
	int bad = ensure_worker(pool);
	if (!bad) {
		*pool->end = work;
		pool->end = &work->next;
		pool->queued++;
		inst->working++;
		__atomic_add_fetch(&inst->unanswered, 1, __ATOMIC_RELAXED);
		pthread_cond_signal(&pool->some);
	}
	pthread_mutex_unlock(&pool->lock);
	if (bad)
		gantry_op_finish(op, bad, 0);
	return GANTRY_PENDING;
}

unsigned gk_pool_working(const struct gantry_inst *inst)
{
	return __atomic_load_n(&inst->unanswered, __ATOMIC_ACQUIRE);
}

void gk_pool_wait(struct gk_pool *pool, const struct gantry_inst *inst)
{
	pthread_mutex_lock(&pool->lock);
	while (inst->working > 0)
		pthread_cond_wait(&pool->quiet, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

void gk_pool_open(struct gk_pool *pool, unsigned max)
{
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->some, NULL);
	pthread_cond_init(&pool->quiet, NULL);
	pool->first = NULL;
	pool->end = &pool->first;
	pool->max = max < GK_WORKERS_MAX ? max : GK_WORKERS_MAX;
}

void gk_pool_close(struct gk_pool *pool)
{
	if (!pool->end)
		return; /* never opened */
	pthread_mutex_lock(&pool->lock);
	pool->closing = 1;
	pthread_cond_broadcast(&pool->some);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->started; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->some);
	pthread_cond_destroy(&pool->quiet);
	pthread_mutex_destroy(&pool->lock);
	pool->end = NULL;
}
