/* SPDX-License-Identifier: Apache-2.0 */
/* From the memory of a staged log to its files. */
#include "stage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "big.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The ring is as it was before those bytes. */
static void clear(struct stage *stage, uint64_t from, uint64_t to)
{
	if (to > from)
		memset(stage->ring + from % stage->bytes, 0, smaller(to - from, stage->bytes));
}

/* lock is held; all of it is in the files, or nobody wants it any more. */
static void written_to(struct big_log *log, struct stage *stage, uint64_t at)
{
	clear(stage, atomic_load_explicit(&log->written, memory_order_relaxed), at);
	atomic_store_explicit(&log->written, at, memory_order_release);
}

static struct stage_skip *first_skip(struct stage *stage)
{
	uint32_t taken = atomic_load_explicit(&stage->skips_taken, memory_order_relaxed);

	if (atomic_load_explicit(&stage->skips_made, memory_order_acquire) == taken)
		return NULL;
	return &stage->skip[taken % STAGE_SKIPS];
}

static void take_skip(struct stage *stage)
{
	atomic_fetch_add_explicit(&stage->skips_taken, 1, memory_order_release);
}

/* What stands together in one file, from written on; 0: a skip was passed, or what expired. */
static int next_piece(struct big_log *log, struct stage *stage, uint64_t upto,
		      struct segment **ret_segment, uint64_t *ret_to)
{
	uint64_t at = atomic_load_explicit(&log->written, memory_order_relaxed);
	uint64_t first = atomic_load(&log->first);
	struct stage_skip *skip = first_skip(stage);
	struct segment *segment;
	int rc;

	if (at < first) {
		written_to(log, stage, first);
		return 0;
	}
	if (skip && at >= skip->from) {
		/* Its part of the ring may hold what follows it by now: it is not cleared. */
		if (at < skip->to)
			atomic_store_explicit(&log->written, skip->to, memory_order_release);
		take_skip(stage);
		return 0;
	}
	segment = segment_get(log, at, 0);
	if (!segment) /* it may just have expired */
		return atomic_load(&log->first) > at ? 0 : -EIO;
	rc = segment_map(segment);
	if (rc < 0) {
		segment_put(segment);
		return rc;
	}
	*ret_to = smaller(skip ? skip->from : upto, smaller(upto, segment_end(segment)));
	*ret_segment = segment;
	return 1;
}

/* A write that found the disk full has lost nothing: the bytes are staged still. */
static bool is_full(int rc)
{
	return rc == -ENOSPC || rc == -EDQUOT;
}

/* Nobody else says why senders wait and are answered late. */
static int tell_full(struct big_log *log)
{
	gantry_log_limited(log->base.inst, &log->full_limit, WARNING,
			   "%s: the disk is full, what was sent waits in memory",
			   log->directory[0].path);
	return -ENOSPC;
}

/* What [at, to) lacks of whole pages, so that the disk is never asked for the rest of one. None if
 * the ring is full, which has nothing behind to then. */
static uint64_t pad_of(const struct stage *stage, const struct segment *segment, uint64_t at,
		       uint64_t to)
{
	uint64_t until =
		smaller(segment->start + files_page_up(to - segment->start), segment_end(segment));

	return until - at <= stage->bytes ? until - to : 0;
}

/* lock is held. */
static int commit_locked(struct big_log *log, struct stage *stage, uint64_t upto)
{
	int rc = 0;

	upto = smaller(upto, atomic_load_explicit(&log->end, memory_order_acquire));
	while (rc >= 0 && atomic_load_explicit(&log->written, memory_order_relaxed) < upto) {
		uint64_t at, to;
		struct segment *segment;

		if (atomic_load(&log->fenced))
			return -EIO;
		rc = next_piece(log, stage, upto, &segment, &to);
		if (rc <= 0)
			continue;
		at = atomic_load_explicit(&log->written, memory_order_relaxed);
		rc = files_write_padded(segment->fd, at - segment->start,
					stage->ring + at % stage->bytes, to - at,
					pad_of(stage, segment, at, to));
		if (rc == 0)
			written_to(log, stage, to);
		segment_put(segment);
	}
	return rc < 0 ? rc : 0;
}

int stage_commit(struct big_log *log, uint64_t upto)
{
	struct stage *stage = atomic_load_explicit(&log->stage, memory_order_acquire);
	int rc;

	if (!stage || upto <= atomic_load_explicit(&log->written, memory_order_acquire))
		return 0;
	pthread_mutex_lock(&stage->lock);
	/* Up to an end that the writer published: a kill would leave half of what it published. */
	rc = commit_locked(log, stage, UINT64_MAX);
	pthread_mutex_unlock(&stage->lock);
	if (is_full(rc))
		return tell_full(log);
	if (rc < 0 && rc != -ENOMEM && rc != -EMFILE && rc != -ENFILE)
		big_fence(log, "cannot write", rc);
	return rc;
}

/* ---- sync */

struct flush { /* what is staged of one segment, and its sync */
	struct segments_flush base;
	struct big_log *log;
	struct stage *stage;
	uint64_t to;
	bool written;
};

static void flush_written(struct segments_flush *base)
{
	struct flush *flush = base->user;

	written_to(flush->log, flush->stage, flush->to);
	flush->written = true;
	/* Reading and writing go on while the disk works. */
	pthread_mutex_unlock(&flush->stage->lock);
}

static int flush_plainly(struct segments_flush *flush)
{
	int rc = flush->bytes ? files_write_padded(flush->fd, flush->at, flush->from, flush->bytes,
						   flush->pad)
			      : 0;

	if (rc < 0)
		return rc;
	flush->written(flush);
	return fdatasync(flush->fd) ? -errno : 0;
}

/* The rest is staged and stands in segment. lock is held, and not any more on return. */
static int flush_rest(struct big_log *log, struct stage *stage, struct segment *segment,
		      uint64_t end)
{
	const struct segments_flusher *flusher = segments_engine(log->base.inst)->flusher;
	uint64_t at = atomic_load_explicit(&log->written, memory_order_relaxed);
	struct flush flush = {
		.base = {.fd = segment->fd,
			 .file = segment->number,
			 .written = flush_written,
			 .user = &flush},
		.log = log,
		.stage = stage,
		.to = end > at ? end : at,
	};
	int rc;

	if (end > at) {
		flush.base.at = at - segment->start;
		flush.base.from = stage->ring + at % stage->bytes;
		flush.base.bytes = end - at;
		flush.base.pad = pad_of(stage, segment, at, end);
	}
	rc = stage->flusher ? flusher->flush(stage->flusher, &flush.base)
			    : flush_plainly(&flush.base);
	if (!flush.written)
		pthread_mutex_unlock(&stage->lock);
	else if (rc < 0)
		rc = -EIO; /* of the sync: nobody knows what it lost */
	return is_full(rc) ? tell_full(log) : rc;
}

/* What a flush of the last segment leaves: its name, and the segments before. */
static int sync_rest(struct big_log *log, struct segment *segment, uint64_t durable)
{
	int rc = segment_sync_name(segment);

	if (rc == 0 && durable < segment->start)
		rc = big_sync_range(log, durable, segment->start);
	return rc < 0 ? -EIO : 0;
}

/* -ENOSPC: it is staged still, and can be tried again. Segments before the last are written and
 * synced like any other's: seldom are there any. */
int stage_sync(struct big_log *log, uint64_t durable, uint64_t end)
{
	struct stage *stage = atomic_load_explicit(&log->stage, memory_order_acquire);
	struct segment *segment = NULL;
	int rc;

	if (!stage || end == durable) {
		rc = big_sync_range(log, durable, end);
		return rc < 0 ? -EIO : 0;
	}
	segment = segment_get(log, end - 1, 0);
	if (!segment)
		return -EIO;
	pthread_mutex_lock(&stage->lock);
	rc = segment_map(segment);
	if (rc == 0)
		rc = commit_locked(log, stage,
				   first_skip(stage) ? end : smaller(end, segment->start));
	if (rc == 0) {
		rc = flush_rest(log, stage, segment, end);
	} else {
		pthread_mutex_unlock(&stage->lock);
		rc = is_full(rc) ? tell_full(log) : rc;
	}
	if (rc == 0)
		rc = sync_rest(log, segment, durable);
	segment_put(segment);
	return rc;
}

/* ---- cut and reset */

static void drop_locked(struct big_log *log, struct stage *stage, uint64_t at)
{
	uint64_t from = atomic_load(&log->written);

	if (from < stage->granted)
		clear(stage, from, stage->granted);
	stage->granted = at;
	atomic_store(&stage->skips_taken, atomic_load(&stage->skips_made));
	atomic_store(&log->written, at);
}

int stage_cut(struct big_log *log, uint64_t at)
{
	struct stage *stage = atomic_load_explicit(&log->stage, memory_order_acquire);
	int rc;

	if (!stage) {
		stage_reset(log, at);
		return 0;
	}
	pthread_mutex_lock(&stage->lock);
	rc = commit_locked(log, stage, at);
	if (rc == 0)
		drop_locked(log, stage, at);
	pthread_mutex_unlock(&stage->lock);
	return rc;
}

void stage_reset(struct big_log *log, uint64_t at)
{
	struct stage *stage = atomic_load_explicit(&log->stage, memory_order_acquire);

	if (stage) {
		pthread_mutex_lock(&stage->lock);
		drop_locked(log, stage, at);
		pthread_mutex_unlock(&stage->lock);
	} else if (log->stage_bytes) {
		atomic_store(&log->written, at);
	}
}
