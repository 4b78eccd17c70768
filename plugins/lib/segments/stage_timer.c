/* SPDX-License-Identifier: Apache-2.0 */
/* When staged bytes are written though nobody asks: as RocketMQ's CommitRealTimeService, store
 * 5.5.0, and before the memory is used up. */
#include <gantry/conf.h>

#include "big.h"
#include "stage.h"

static void commit_run(struct job *job)
{
	struct big_log *log = job->user;

	/* What it may fail with is noted, and met again by whoever waits for these bytes. */
	stage_commit(log, UINT64_MAX);
	big_job_ran(log);
}

static void commit_done(struct job *job)
{
	struct big_log *log = job->user;

	atomic_store(&log->committing, false);
	big_job_done(log);
}

void stage_commit_behind(struct big_log *log)
{
	if (atomic_load_explicit(&log->committing, memory_order_relaxed) ||
	    atomic_exchange(&log->committing, true))
		return;
	big_job(log, &log->commit_job, commit_run, commit_done);
}

/* Few pages wait until commitCommitLogThoroughInterval is over. */
static void look_at(struct big_log *log, const struct segments_conf *conf, uint64_t now_ms)
{
	uint64_t written = atomic_load_explicit(&log->written, memory_order_relaxed);
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed);
	bool thorough = now_ms >= log->committed_ms + (uint64_t)conf->commit_thorough_ms;

	if (end <= written || atomic_load_explicit(&log->fenced, memory_order_relaxed))
		return;
	if (!thorough && end - written < (uint64_t)conf->commit_least_pages * FILES_PAGE)
		return;
	log->committed_ms = now_ms;
	stage_commit_behind(log);
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct segments_engine *engine = user;
	uint64_t now_ms = gantry_clock_ms();

	(void)timer;
	pthread_mutex_lock(&engine->staged_lock);
	for (struct big_log *log = engine->staged_logs; log; log = log->next_staged)
		look_at(log, gantry_conf(engine->inst), now_ms);
	pthread_mutex_unlock(&engine->staged_lock);
}

int stage_watch(struct big_log *log)
{
	struct segments_engine *engine = segments_engine(log->base.inst);
	const struct segments_conf *conf = gantry_conf(engine->inst);
	uint64_t every_ms = (uint64_t)conf->commit_interval_ms;
	int rc = 0;

	pthread_mutex_lock(&engine->staged_lock);
	if (!engine->commit_timer)
		rc = gantry_timer_start(engine->inst, gantry_loop_at(engine->inst, 0), every_ms,
					every_ms, tick, engine, &engine->commit_timer);
	if (rc == 0) {
		log->next_staged = engine->staged_logs;
		engine->staged_logs = log;
	}
	pthread_mutex_unlock(&engine->staged_lock);
	return rc;
}

void stage_unwatch(struct big_log *log)
{
	struct segments_engine *engine = segments_engine(log->base.inst);

	pthread_mutex_lock(&engine->staged_lock);
	for (struct big_log **at = &engine->staged_logs; *at; at = &(*at)->next_staged) {
		if (*at == log) {
			*at = log->next_staged;
			break;
		}
	}
	pthread_mutex_unlock(&engine->staged_lock);
}
