/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds of removing old files: short jobs on a worker, one at a time, with pauses between them. */
#include "store/expire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/disk.h"
#include "store/expire_queues.h"

enum {
	FIRST_LOOK_MS = 60000, /* as RocketMQ */
	ASKED_ROUNDS = 20,     /* MAX_MANUAL_DELETE_FILE_TIMES */
	WALK_PAUSE_MS = 10,
	NOTHING_LEFT = -1,
};

struct expiry {
	struct store *store;
	pthread_mutex_t lock; /* one step at a time; guards the next lines */
	struct expiry_senses senses;
	struct disk disk; /* but for what is atomic there */
	uint32_t left;    /* files that this round may still remove */
	int64_t hanged_until_ms;
	uint64_t queues_first; /* where the log began at the last walk over the queues */
	struct queue_walk walk;
	uint32_t asked; /* atomic; rounds */
	bool posted;    /* atomic: ask_task is on its way */
	struct gantry_task ask_task;
	/* the dispatcher's loop */
	struct gantry_timer *tick, *pause;
	struct gantry_work work;
	struct gantry_op op;
	bool running, stopped;
	bool look; /* this job begins with a look at disk and clock */
	bool only_measure;
	int64_t pause_ms; /* what the job says comes next; NOTHING_LEFT */
};

static void asked(struct gantry_task *task);

static int64_t wall_ms(void *user)
{
	(void)user;
	return broker_wall_ms();
}

int expiry_new(struct store *store, struct expiry **ret)
{
	struct expiry *expiry = calloc(1, sizeof(*expiry));
	int status;

	if (!expiry)
		return -ENOMEM;
	expiry->store = store;
	expiry->senses =
		(struct expiry_senses){.now_ms = wall_ms, .used_percent = disk_used_percent};
	expiry->ask_task = (struct gantry_task){.run = asked, .user = expiry};
	status = disk_open(store, &expiry->disk);
	if (status) {
		free(expiry);
		return status;
	}
	pthread_mutex_init(&expiry->lock, NULL);
	*ret = expiry;
	return 0;
}

void expiry_free(struct expiry *expiry)
{
	if (!expiry)
		return;
	queue_walk_end(&expiry->walk);
	disk_close(&expiry->disk);
	pthread_mutex_destroy(&expiry->lock);
	free(expiry);
}

struct expiry *store_expiry(struct store *store)
{
	return store->expiry;
}

bool expiry_is_full(const struct expiry *expiry)
{
	return __atomic_load_n(&expiry->disk.level, __ATOMIC_ACQUIRE) == GANTRY_DISK_FULL;
}

static double ratio(const int32_t *percent)
{
	int32_t value = __atomic_load_n(percent, __ATOMIC_RELAXED);

	return value < 0 ? -1 : value / 100.0;
}

void expiry_describe(const struct expiry *expiry, char *to, size_t size)
{
	const struct disk *disk = &expiry->disk;

	snprintf(to, size, "CL: %5.2f CQ: %5.2f INDEX: %5.2f", ratio(&disk->log),
		 ratio(&disk->queues), ratio(&disk->index));
}

void expiry_set_senses(struct expiry *expiry, const struct expiry_senses *senses)
{
	pthread_mutex_lock(&expiry->lock);
	expiry->senses = *senses;
	pthread_mutex_unlock(&expiry->lock);
}

/* ---- a step; under lock, on a worker */

static const struct broker_conf *conf_of(const struct expiry *expiry)
{
	return gantry_conf(expiry->store->inst);
}

static int64_t now_of(const struct expiry *expiry)
{
	return expiry->senses.now_ms(expiry->senses.user);
}

static bool take_asked(struct expiry *expiry)
{
	uint32_t asked = __atomic_load_n(&expiry->asked, __ATOMIC_RELAXED);

	while (asked && !__atomic_compare_exchange_n(&expiry->asked, &asked, asked - 1, false,
						     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return asked;
}

/* Whether it is time to remove files, and how many. */
static void look(struct expiry *expiry)
{
	const struct broker_conf *conf = conf_of(expiry);
	time_t now = (time_t)(now_of(expiry) / 1000);
	struct tm local;
	bool hour, asked;

	disk_measure(&expiry->disk, &expiry->senses);
	disk_judge(&expiry->disk);
	localtime_r(&now, &local);
	hour = expire_is_hour(conf->deleteWhen, local.tm_hour);
	asked = take_asked(expiry);
	expiry->left = 0;
	if (hour || asked || expiry->disk.verdict.clean)
		/* RocketMQ counts after it has removed one */
		expiry->left =
			conf->deleteFileBatchMax > 0 ? (uint32_t)conf->deleteFileBatchMax : 1;
}

/* Whether the log's first file may go; ret_end: where it ends. */
static bool may_go(struct expiry *expiry, uint64_t *ret_end)
{
	const struct store *store = expiry->store;
	const struct broker_conf *conf = conf_of(expiry);
	int64_t reserved_ms = conf->fileReservedTime * 60 * 60 * 1000, now = now_of(expiry);
	int64_t modified_ms;
	struct gantry_bounds log;
	uint64_t end;

	store->door->bounds(store->door_inst, &log);
	end = log.first - log.first % log.segment_bytes + log.segment_bytes;
	/* never the last one, and none whose messages are not in their queues */
	if (end >= log.end || end > store_dispatched(store))
		return false;
	*ret_end = end;
	if (conf->cleanFileForciblyEnable && expiry->disk.verdict.at_once)
		return true;
	modified_ms = store->door->modified_ms(store->door_inst, log.first);
	return modified_ms >= 0 && now >= modified_ms + reserved_ms;
}

/* 1: a file of the log is gone; 0: none is left for this round. */
static int remove_one(struct expiry *expiry)
{
	const struct store *store = expiry->store;
	uint64_t end = 0;
	int status;

	if (!expiry->left || now_of(expiry) < expiry->hanged_until_ms || !may_go(expiry, &end)) {
		expiry->left = 0;
		return 0;
	}
	status = store->door->expire(store->door_inst, end);
	if (status <= 0) {
		expiry->left = 0;
		expiry->hanged_until_ms =
			now_of(expiry) + conf_of(expiry)->redeleteHangedFileInterval;
		gantry_log(store->inst, ERROR,
			   "the log's first file, which ends at %llu, cannot be removed: %s; "
			   "tried again in %lld ms",
			   (unsigned long long)end, strerror(-status),
			   (long long)conf_of(expiry)->redeleteHangedFileInterval);
		return 0;
	}
	expiry->left--;
	gantry_log(store->inst, NOTICE, "the log begins at %llu now: %d old files were removed",
		   (unsigned long long)end, status);
	return 1;
}

/* Whether there are queues to be looked at: the log begins later than at the last walk. */
static bool walk_is_due(struct expiry *expiry)
{
	const struct store *store = expiry->store;
	struct gantry_bounds log;

	if (expiry->walk.running)
		return true;
	store->door->bounds(store->door_inst, &log);
	if (log.first <= expiry->queues_first)
		return false;
	return queue_walk_begin(expiry->store, &expiry->walk, log.first) == 0;
}

static void walk_is_over(struct expiry *expiry)
{
	expiry->queues_first = expiry->walk.first;
	store_index_expire(expiry->store, expiry->walk.first);
	queue_walk_end(&expiry->walk);
}

/* Does a little. Returns the pause before the next step, or NOTHING_LEFT. */
static int64_t step(struct expiry *expiry)
{
	const struct broker_conf *conf = conf_of(expiry);
	int status;

	if (remove_one(expiry) && expiry->left)
		return conf->deleteCommitLogFilesInterval;
	if (!walk_is_due(expiry))
		return NOTHING_LEFT;
	status = queue_walk_step(expiry->store, &expiry->walk);
	if (status >= 0)
		return status ? conf->deleteConsumeQueueFilesInterval : WALK_PAUSE_MS;
	walk_is_over(expiry);
	return NOTHING_LEFT;
}

int expiry_round(struct expiry *expiry)
{
	struct store *store = expiry->store;
	struct gantry_bounds before, after;

	pthread_mutex_lock(&expiry->lock);
	store->door->bounds(store->door_inst, &before);
	look(expiry);
	while (step(expiry) != NOTHING_LEFT)
		;
	store->door->bounds(store->door_inst, &after);
	pthread_mutex_unlock(&expiry->lock);
	return (int)(after.first / after.segment_bytes - before.first / after.segment_bytes);
}

/* ---- rounds; the dispatcher's loop */

static int run(struct gantry_work *work)
{
	struct expiry *expiry = work->user;

	pthread_mutex_lock(&expiry->lock);
	if (expiry->only_measure) {
		disk_measure(&expiry->disk, &expiry->senses);
		expiry->pause_ms = NOTHING_LEFT;
	} else {
		if (expiry->look)
			look(expiry);
		expiry->pause_ms = step(expiry);
	}
	pthread_mutex_unlock(&expiry->lock);
	return 0;
}

static void stepped(struct gantry_op *op);

static void begin(struct expiry *expiry)
{
	expiry->running = true;
	expiry->work = (struct gantry_work){.run = run, .user = expiry};
	expiry->op = (struct gantry_op){
		.done = stepped, .loop = expiry->store->dispatcher.loop, .user = expiry};
	gantry_work(expiry->store->inst, &expiry->work, &expiry->op);
}

static void paused(struct gantry_timer *timer, void *user)
{
	struct expiry *expiry = user;

	gantry_timer_stop(timer);
	expiry->pause = NULL;
	if (!expiry->running)
		begin(expiry);
}

static void stepped(struct gantry_op *op)
{
	struct expiry *expiry = op->user;
	struct store *store = expiry->store;

	expiry->running = expiry->look = expiry->only_measure = false;
	if (expiry->stopped) {
		dispatcher_go(store); /* the drain waits */
		return;
	}
	if (expiry->pause_ms != NOTHING_LEFT)
		gantry_timer_start(store->inst, store->dispatcher.loop, (uint64_t)expiry->pause_ms,
				   0, paused, expiry, &expiry->pause);
}

static void begin_round(struct expiry *expiry)
{
	if (expiry->running || expiry->stopped)
		return;
	gantry_timer_stop(expiry->pause);
	expiry->pause = NULL;
	expiry->look = true;
	begin(expiry);
}

static void tick(struct gantry_timer *timer, void *user)
{
	(void)timer;
	begin_round(user);
}

static void asked(struct gantry_task *task)
{
	struct expiry *expiry = task->user;

	__atomic_store_n(&expiry->posted, false, __ATOMIC_RELEASE);
	begin_round(expiry);
	if (expiry->stopped)
		dispatcher_go(expiry->store);
}

void expiry_ask(struct expiry *expiry)
{
	__atomic_store_n(&expiry->asked, ASKED_ROUNDS, __ATOMIC_RELAXED);
	if (!__atomic_exchange_n(&expiry->posted, true, __ATOMIC_ACQ_REL))
		gantry_loop_post(expiry->store->dispatcher.loop, &expiry->ask_task);
}

int expiry_start(struct expiry *expiry)
{
	struct store *store = expiry->store;
	uint64_t period = (uint64_t)store->broker->conf->cleanResourceInterval;

	/* answers of a broker that is young shall know how full it is, too */
	expiry->only_measure = true;
	begin(expiry);
	return gantry_timer_start(store->inst, store->dispatcher.loop, FIRST_LOOK_MS, period, tick,
				  expiry, &expiry->tick);
}

void expiry_stop(struct expiry *expiry)
{
	expiry->stopped = true;
	gantry_timer_stop(expiry->tick);
	gantry_timer_stop(expiry->pause);
	expiry->tick = expiry->pause = NULL;
}

bool expiry_is_quiet(const struct expiry *expiry)
{
	return !expiry->running && !__atomic_load_n(&expiry->posted, __ATOMIC_ACQUIRE);
}
