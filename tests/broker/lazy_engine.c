/* SPDX-License-Identifier: Apache-2.0 */
/* The mmap engine as if everything were on a slow disk: the first read of a place is cold, and now
 * and then there is no room for the writer. What waits for the disk in the role is so tested by the
 * same tests as the rest. */
#include <errno.h>
#include <pthread.h>

#include <gantry/op.h>
#include <gantry/plugin.h>
#include <gantry/storage.h>

#include "plugins.h"

enum { PLACES = 4096, WARM_READS = 3, EVERY = 7 };

const struct gantry_plugin *gantry_plugin_storage_mmap(void);

static uint8_t warm[PLACES]; /* atomic; by place: so many reads find it in memory */
static uint32_t windows;     /* atomic */
static bool full;            /* atomic */
static bool all_warm;        /* atomic */
static uint64_t copies;      /* atomic */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the next two */
static bool stuck;
static struct gantry_op *waiting; /* reads that stick */

static const struct gantry_storage_ops *real(void)
{
	return gantry_plugin_storage_mmap()->offers[0].ops;
}

void lazy_engine_fill(bool is_full)
{
	__atomic_store_n(&full, is_full, __ATOMIC_RELAXED);
}

void lazy_engine_warm(bool is_warm)
{
	__atomic_store_n(&all_warm, is_warm, __ATOMIC_RELAXED);
}

uint64_t lazy_engine_copies(void)
{
	return __atomic_load_n(&copies, __ATOMIC_RELAXED);
}

void lazy_engine_stick(bool is_stuck)
{
	struct gantry_op *ready = NULL;

	pthread_mutex_lock(&lock);
	stuck = is_stuck;
	if (!stuck) {
		ready = waiting;
		waiting = NULL;
	}
	pthread_mutex_unlock(&lock);
	while (ready) {
		struct gantry_op *op = ready;

		ready = op->holder;
		gantry_op_finish(op, 0, 0);
	}
}

/* Whether a read is to come later; it is then taken. */
static bool stick(struct gantry_op *op)
{
	bool sticks;

	pthread_mutex_lock(&lock);
	sticks = stuck;
	if (sticks && op) {
		gantry_op_take(op, NULL, waiting);
		waiting = op;
	}
	pthread_mutex_unlock(&lock);
	return sticks;
}

static int is_cold(const struct gantry_log *log, uint64_t at)
{
	uint64_t place = (at ^ (uintptr_t)log) * UINT64_C(0x9E3779B97F4A7C15) >> 52;
	uint8_t left = __atomic_load_n(&warm[place], __ATOMIC_RELAXED);

	if (__atomic_load_n(&all_warm, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&warm[place], left ? left - 1 : WARM_READS, __ATOMIC_RELAXED);
	return !left;
}

static int lazy_read(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret,
		     struct gantry_op *op)
{
	if (stick(op))
		return op ? GANTRY_PENDING : -EAGAIN;
	if (!is_cold(log, at))
		return real()->log->read(log, at, max, ret, op);
	if (!op)
		return -EAGAIN;
	gantry_op_take(op, NULL, NULL);
	gantry_op_finish(op, 0, 0);
	return GANTRY_PENDING;
}

static int64_t lazy_copy_hot(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	__atomic_add_fetch(&copies, 1, __ATOMIC_RELAXED);
	return is_cold(log, at) ? -EAGAIN : real()->log->copy_hot(log, at, to, bytes);
}

static int lazy_window(struct gantry_log *log, uint64_t need, struct gantry_window *ret)
{
	if (__atomic_load_n(&full, __ATOMIC_RELAXED))
		return -EAGAIN;
	if (__atomic_add_fetch(&windows, 1, __ATOMIC_RELAXED) % EVERY == 0)
		return -EAGAIN;
	return real()->log->window(log, need, ret);
}

const struct gantry_plugin *gantry_plugin_storage_lazy(void)
{
	static struct gantry_plugin self;
	static struct gantry_log_ops log;
	static struct gantry_storage_ops ops;
	static struct gantry_service offers[2];

	log = *real()->log;
	log.read = lazy_read;
	log.copy_hot = lazy_copy_hot;
	log.window = lazy_window;
	ops = *real();
	ops.log = &log;
	offers[0] = gantry_plugin_storage_mmap()->offers[0];
	offers[0].ops = &ops;
	self = *gantry_plugin_storage_mmap();
	self.name = "storage-lazy";
	self.offers = offers;
	return &self;
}
