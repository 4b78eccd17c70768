/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's life, and which kind of log a call is for. */
#include "big.h"
#include "small.h"

#include <errno.h>
#include <gantry/counter.h>
#include <string.h>
#include <sys/resource.h>

enum { SMALL_DESCRIPTORS_MIN = 16 };

/* Every log begins with struct gantry_log. */
static struct big_log *big(const struct gantry_log *log)
{
	return (struct big_log *)log;
}

static struct small_log *small(const struct gantry_log *log)
{
	return (struct small_log *)log;
}

static int log_open(struct gantry_inst *inst, const struct gantry_shape *shape,
		    struct gantry_log **ret)
{
	bool is_small = shape->flags & GANTRY_LOG_SMALL;

	if (shape->segment_bytes == 0 || shape->directory_count == 0)
		return -EINVAL;
	if (is_small && shape->directory_count > 1)
		return -EINVAL;
	return is_small ? small_open(inst, shape, ret) : big_open(inst, shape, ret);
}

static void log_close(struct gantry_log *log)
{
	if (log && log->small)
		small_close(small(log));
	else if (log)
		big_close(big(log));
}

static void log_bounds(const struct gantry_log *log, struct gantry_bounds *ret)
{
	bool is_small = log->small;

	ret->first = atomic_load_explicit(is_small ? &small(log)->first : &big(log)->first,
					  memory_order_relaxed);
	ret->durable = atomic_load_explicit(is_small ? &small(log)->durable : &big(log)->durable,
					    memory_order_acquire);
	ret->end = atomic_load_explicit(is_small ? &small(log)->end : &big(log)->end,
					memory_order_acquire);
	ret->segment_bytes = is_small ? small(log)->segment_bytes : big(log)->segment_bytes;
	/* They are read one after the other while others move them. */
	if (ret->durable < ret->first)
		ret->durable = ret->first;
	if (ret->end < ret->durable)
		ret->end = ret->durable;
}

static int log_window(struct gantry_log *log, uint64_t need, struct gantry_window *ret)
{
	return log->small ? -ENOTSUP : big_window(big(log), need, ret);
}

static void log_advance(struct gantry_log *log, uint64_t used)
{
	if (!log->small)
		big_advance(big(log), used);
}

static int log_append(struct gantry_log *log, const void *from, uint64_t bytes)
{
	return log->small ? small_append(small(log), from, bytes) : -ENOTSUP;
}

static int log_read(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op)
{
	return log->small ? -ENOTSUP : big_read(big(log), at, max, ret, op);
}

static int log_fetch(struct gantry_log *log, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	return log->small ? -ENOTSUP : big_fetch(big(log), at, max, ret);
}

static int64_t copy(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes, bool hot)
{
	return log->small ? small_copy(small(log), at, to, bytes, hot)
			  : big_copy(big(log), at, to, bytes, hot);
}

static int64_t log_copy(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	return copy(log, at, to, bytes, false);
}

static int64_t log_copy_hot(struct gantry_log *log, uint64_t at, void *to, uint64_t bytes)
{
	return copy(log, at, to, bytes, true);
}

static int log_sync(struct gantry_log *log, uint64_t upto, struct gantry_op *op)
{
	return log->small ? small_sync(small(log), upto, op) : big_sync(big(log), upto, op);
}

static int log_reset(struct gantry_log *log, uint64_t at)
{
	return log->small ? small_reset(small(log), at) : big_reset(big(log), at);
}

static int log_cut(struct gantry_log *log, uint64_t at)
{
	return log->small ? small_cut(small(log), at) : big_cut(big(log), at);
}

static int log_expire(struct gantry_log *log, uint64_t before)
{
	return log->small ? small_expire(small(log), before) : big_expire(big(log), before);
}

static int64_t log_modified_ms(struct gantry_log *log, uint64_t at)
{
	struct gantry_bounds bounds;

	log_bounds(log, &bounds);
	if (at < bounds.first || at >= bounds.end)
		return -ERANGE;
	return log->small ? small_modified_ms(small(log), at) : big_modified_ms(big(log), at);
}

/* ---- life */

const char *const segments_flush_types[] = {"ASYNC_FLUSH", "SYNC_FLUSH", NULL};
const char *const segments_roles[] = {"ASYNC_MASTER", "SYNC_MASTER", "SLAVE", NULL};

static int define_counters(struct segments_engine *engine)
{
	int rc = gantry_counter_define(engine->inst, "cold_reads",
				       "reads of a log that waited for the disk",
				       &engine->cold_reads);

	if (rc == 0)
		rc = gantry_counter_define(engine->inst, "bytes_ahead",
					   "bytes of logs asked for ahead of their readers",
					   &engine->bytes_ahead);
	return rc;
}

/* As DefaultMessageStore.isTransientStorePoolEnable, store 5.5.0. */
static bool has_pool(const struct segments_conf *conf)
{
	return conf->transient_pool &&
	       (conf->broker_role != SEGMENTS_SLAVE || conf->controller_mode);
}

/* Small files are opened again when they are needed, but a log that cannot open its next file takes
 * no message. So they get an eighth of the process's descriptors at most: half of what front-ends
 * leave. */
static uint32_t small_descriptors(const struct segments_conf *conf)
{
	uint64_t wanted = (uint64_t)conf->small_descriptors, most;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return (uint32_t)wanted;
	most = limit.rlim_cur / 8 < SMALL_DESCRIPTORS_MIN ? SMALL_DESCRIPTORS_MIN
							  : limit.rlim_cur / 8;
	return (uint32_t)(wanted < most ? wanted : most);
}

/* Whoever writes by way of memory of his own must not be believed before the disk has it: without
 * SYNC_FLUSH only the transient pool may, which says so. */
int segments_setup(struct gantry_inst *inst)
{
	const struct segments_conf *conf = gantry_conf(inst);
	struct segments_engine *engine = gantry_data(inst);

	engine->inst = inst;
	engine->staged = conf->flush_disk_type == SEGMENTS_SYNC_FLUSH || has_pool(conf);
	pthread_mutex_init(&engine->staged_lock, NULL);
	jobs_init(&engine->jobs);
	small_syncs_init(&engine->syncs);
	int rc = define_counters(engine);
	return rc < 0 ? rc : descriptors_new(small_descriptors(conf), &engine->descriptors);
}

void segments_cleanup(struct gantry_inst *inst)
{
	struct segments_engine *engine = gantry_data(inst);

	if (!engine->inst)
		return;
	descriptors_free(engine->descriptors);
	pthread_mutex_destroy(&engine->staged_lock);
	small_syncs_quit(&engine->syncs);
	jobs_quit(&engine->jobs);
}

int segments_stop(struct gantry_inst *inst, struct gantry_op *op)
{
	return jobs_wait(&segments_engine(inst)->jobs, op);
}

static const struct gantry_log_ops log_ops = {
	.size = sizeof(log_ops),
	.open = log_open,
	.close = log_close,
	.bounds = log_bounds,
	.window = log_window,
	.advance = log_advance,
	.append = log_append,
	.read = log_read,
	.copy = log_copy,
	.sync = log_sync,
	.reset = log_reset,
	.cut = log_cut,
	.expire = log_expire,
	.modified_ms = log_modified_ms,
	.copy_hot = log_copy_hot,
	.fetch = log_fetch,
};

const struct gantry_storage_ops segments_ops = {
	.size = sizeof(segments_ops),
	.log = &log_ops,
	.area = &segments_area_ops,
};
