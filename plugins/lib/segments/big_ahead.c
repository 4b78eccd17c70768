/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead. Who reads cold bytes in order, as a consumer does that catches up, would wait for
 * the disk at every run, and the disk for him. Each place that is read in order is a stream: from
 * its second cold read on the disk is asked, by a worker, for what follows, and again before a
 * reader has come to the end of that. Consumers of several queues that stand mixed in the log share
 * a stream; consumers at different places have one each. */
#include "big.h"

#include <fcntl.h>

enum { IDLE_LOOKS = 50 }; /* a stream that was not read for so long counts no more */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The one whose bytes these follow, or are among. Under the lock. */
static struct big_stream *find(struct big_ahead *ahead, uint64_t at)
{
	for (uint32_t i = 0; i < BIG_STREAMS; ++i) {
		struct big_stream *stream = &ahead->stream[i];

		if (stream->used && at >= stream->from && at <= stream->want + BIG_LOOK)
			return stream;
	}
	return NULL;
}

static bool is_idle(const struct big_stream *stream, uint32_t now)
{
	return now - stream->used > IDLE_LOOKS;
}

/* A share of what all may have. Under the lock. */
static uint64_t most(const struct big_ahead *ahead, uint32_t now)
{
	uint64_t active = 0;

	for (uint32_t i = 0; i < BIG_STREAMS; ++i)
		active += ahead->stream[i].step && !is_idle(&ahead->stream[i], now);
	return smaller(BIG_AHEAD_MOST, ahead->bytes_max / (active ? active : 1));
}

/* A reader came to upto. Under the lock; whether the disk is to be asked. */
static bool extend(struct big_log *log, struct big_stream *stream, uint64_t upto)
{
	uint64_t next = stream->step ? 2 * stream->step : BIG_AHEAD_FIRST;
	uint64_t end = atomic_load_explicit(&log->end, memory_order_relaxed);
	uint64_t want;

	stream->step = smaller(next, most(&log->ahead, stream->used));
	want = smaller(upto + stream->step, end);
	if (want <= stream->want || !stream->step)
		return false;
	if (stream->asked < upto)
		stream->asked = smaller(upto, want);
	stream->want = want;
	if (want - stream->from > 2 * BIG_AHEAD_MOST)
		stream->from = want - 2 * BIG_AHEAD_MOST;
	atomic_store(&log->ahead.any, true);
	atomic_store(&log->ahead.due, true);
	return true;
}

static struct big_stream *oldest(struct big_ahead *ahead, uint32_t now)
{
	struct big_stream *oldest = &ahead->stream[0];

	for (uint32_t i = 0; i < BIG_STREAMS && oldest->used; ++i) {
		struct big_stream *stream = &ahead->stream[i];

		if (!stream->used || now - stream->used > now - oldest->used)
			oldest = stream;
	}
	return oldest;
}

bool ahead_cold(struct big_log *log, uint64_t at, uint64_t size)
{
	struct big_ahead *ahead = &log->ahead;
	struct big_stream *stream;
	uint32_t now = clock_look();
	bool in_order;

	if (!ahead->bytes_max)
		return false;
	pthread_mutex_lock(&ahead->lock);
	stream = find(ahead, at);
	in_order = stream && !is_idle(stream, now);
	if (in_order) {
		stream->used = now;
		extend(log, stream, at + size);
	} else {
		stream = stream ? stream : oldest(ahead, now);
		*stream = (struct big_stream){
			.from = at, .asked = at + size, .want = at + size, .used = now};
	}
	pthread_mutex_unlock(&ahead->lock);
	return in_order;
}

void ahead_of(struct big_log *log, uint64_t at, uint64_t size)
{
	struct big_ahead *ahead = &log->ahead;
	struct big_stream *stream;
	bool due = false;

	if (!atomic_load_explicit(&ahead->any, memory_order_relaxed))
		return;
	pthread_mutex_lock(&ahead->lock);
	stream = find(ahead, at);
	if (stream && stream->step) {
		stream->used = clock_look();
		if (at + size + stream->step / 2 > stream->want)
			due = extend(log, stream, at + size);
	}
	pthread_mutex_unlock(&ahead->lock);
	if (due)
		readers_start(log);
}

/* ---- on a worker */

/* In pieces: of more than its read_ahead_kb, 128 at least, the kernel reads only the beginning.
 * What fails is met again by who loads it. */
void ahead_ask(struct segment *segment, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t piece = smaller(BIG_ASK - from % BIG_ASK, to - from);

		posix_fadvise(segment->fd, (off_t)from, (off_t)piece, POSIX_FADV_WILLNEED);
		from += piece;
	}
}

static void ask_over_segments(struct big_log *log, uint64_t from, uint64_t to)
{
	gantry_counter_add(segments_engine(log->base.inst)->bytes_ahead, to - from);
	while (from < to) {
		struct segment *segment = segment_get(log, from, 0);
		uint64_t end;

		if (!segment) /* it has expired, or was cut off */
			return;
		end = smaller(to, segment_end(segment));
		if (segment_map(segment) == 0)
			ahead_ask(segment, from - segment->start, end - segment->start);
		segment_put(segment);
		from = end;
	}
}

/* One stream's due bytes. */
static bool take(struct big_ahead *ahead, uint64_t *ret_from, uint64_t *ret_to)
{
	bool found = false;

	pthread_mutex_lock(&ahead->lock);
	for (uint32_t i = 0; i < BIG_STREAMS && !found; ++i) {
		struct big_stream *stream = &ahead->stream[i];

		found = stream->asked < stream->want;
		if (!found)
			continue;
		*ret_from = stream->asked;
		*ret_to = stream->asked = stream->want;
	}
	if (!found)
		atomic_store(&ahead->due, false);
	pthread_mutex_unlock(&ahead->lock);
	return found;
}

void ahead_run(struct big_log *log)
{
	uint64_t from, to;

	while (take(&log->ahead, &from, &to))
		ask_over_segments(log, from, to);
}
