/* SPDX-License-Identifier: Apache-2.0 */
/* One ConsumeQueue: entries in a file, a run on its way there, and a tail in memory, which readers
 * see as one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/bytes.h"
#include "store/queue_ext.h"
#include "store/queue_room.h"

enum {
	FILL_BYTES = 200 * STORE_UNIT,
	ROOM_FIRST = 8 * STORE_UNIT,
	FETCH_ENTRIES = 256,
	FETCHES = 16,
};

_Static_assert(sizeof(struct queue) == 256, "an idle queue is to stay small");

struct queue *queue_new(struct store *store, struct topic_queues *topic, int32_t id)
{
	struct queue *queue = queue_room_take(store);

	if (!queue)
		return NULL;
	queue->store = store;
	queue->topic = topic;
	queue->id = id;
	queue->unit = STORE_UNIT;
	pthread_mutex_init(&queue->lock, NULL);
	return queue;
}

void queue_close(struct queue *queue)
{
	if (queue->file)
		queue->store->engine->log->close(queue->file);
	if (queue->ext)
		queue->store->engine->log->close(queue->ext);
	queue->file = queue->ext = NULL;
}

static void drop(struct queue *queue, struct units *units)
{
	if (!units->at)
		return;
	writer_hold(queue->store, -(int64_t)units->room);
	free(units->at);
	*units = (struct units){0};
}

void queue_forget(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	drop(queue, &queue->run);
	drop(queue, &queue->tail);
	queue->min = queue->filed = queue->end = 0;
	queue->cuts++;
	queue->first_message = queue->end_message = 0;
	pthread_mutex_unlock(&queue->lock);
}

void queue_unopen(struct queue *queue)
{
	queue_close(queue);
	drop(queue, &queue->run);
	drop(queue, &queue->tail);
	queue->min = queue->filed = queue->end = queue->next = 0;
	queue->cuts++;
	queue->first_message = queue->end_message = queue->near = 0;
	queue->dirty = queue->urgent = queue->unsynced = queue->ext_off = false;
	__atomic_store_n(&queue->state, QUEUE_UNOPENED, __ATOMIC_RELEASE);
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	queue_close(queue);
	free(queue->run.at);
	free(queue->tail.at);
	pthread_mutex_destroy(&queue->lock);
	queue_room_give(queue);
}

void **queue_hold_slot(struct queue *queue)
{
	return &queue->hold_slot;
}

bool queue_is_open(const struct queue *queue)
{
	return __atomic_load_n(&queue->state, __ATOMIC_ACQUIRE) == QUEUE_OPEN;
}

/* ---- appending */

/* Makes room for one more entry, by halves: what is unused of thousands of tails counts as well.
 * -EAGAIN: the tail is as large as it may be. */
static int make_room(struct queue *queue, struct units *tail)
{
	uint32_t room =
		tail->room ? tail->room + tail->room / (2 * STORE_UNIT) * STORE_UNIT : ROOM_FIRST;
	uint8_t *at;

	if (tail->used + queue_stride(queue) <= tail->room)
		return 0;
	if (tail->room >= (queue->store->unwritable ? TAIL_UNWRITTEN : TAIL_MAX))
		return -EAGAIN;
	at = realloc(tail->at, room);
	if (!at)
		return -EAGAIN;
	writer_hold(queue->store, (int64_t)room - tail->room);
	tail->at = at;
	tail->room = room;
	return 0;
}

/* Under the queue's lock. */
static int push(struct queue *queue, const struct queue_unit *unit)
{
	int status = make_room(queue, &queue->tail);
	uint8_t *to = queue->tail.at + queue->tail.used;

	if (status)
		return status;
	if (queue->batch)
		batch_unit_put(to, unit);
	else
		message_unit_write(to, unit);
	if (queue->ext_writes)
		message_put64(to + STORE_UNIT, (uint64_t)unit->store_ms);
	queue->tail.used += queue_stride(queue);
	__atomic_store_n(&queue->next_entry, to + queue_stride(queue), __ATOMIC_RELAXED);
	queue->end++;
	if (!queue->dirty) {
		queue->dirty = true;
		writer_add(queue);
	}
	return 0;
}

/* Entries that stand for no message, up to offset. Under the queue's lock. */
static int fill_gap(struct queue *queue, int64_t offset)
{
	const struct queue_unit filler = {.size = FILLER_SIZE};
	int status = 0;

	while (!status && queue->end < offset)
		status = push(queue, &filler);
	return status;
}

/* Entries of batches stand one behind the other, whatever their offsets are. */
static int append_batch(struct queue *queue, const struct queue_unit *unit)
{
	int status;

	if (unit->offset < 0 || unit->count <= 0 || unit->offset > INT64_MAX - INT16_MAX)
		return -ERANGE;
	if (unit->offset < queue->end_message)
		return 0;
	if (unit->offset > queue->end_message && queue->store->trusting)
		return -ESTALE;
	status = push(queue, unit);
	if (status)
		return status;
	if (queue->end - 1 == queue->min)
		queue->first_message = unit->offset;
	queue->end_message = unit->offset + unit->count;
	return 0;
}

static int append(struct queue *queue, int64_t offset, const struct queue_unit *unit)
{
	int64_t gap_max = queue->store->kind_bytes[KIND_PLAIN] / STORE_UNIT;
	int status = 0;

	if (offset < 0 || offset > INT64_MAX / STORE_UNIT - gap_max)
		return -ERANGE;
	if (offset < queue->end)
		return 0;
	if (offset > queue->end && queue->store->trusting)
		return -ESTALE;
	if (!queue->end) {
		queue->min = queue->filed = queue->end = offset;
	} else if (offset - queue->end > gap_max) {
		return -ERANGE;
	} else if (offset > queue->end) {
		gantry_log_limited(queue->store->inst, &queue->store->dispatcher.limit, WARNING,
				   "queue %s-%d has no entries from %lld to %lld: filled",
				   queue->topic->name, queue->id, (long long)queue->end,
				   (long long)offset - 1);
		status = fill_gap(queue, offset);
	}
	return status ? status : push(queue, unit);
}

int queue_add(struct queue *queue, int64_t offset, const struct queue_unit *unit, bool *ret_write)
{
	int status;

	pthread_mutex_lock(&queue->lock);
	status = queue->batch ? append_batch(queue, unit) : append(queue, offset, unit);
	*ret_write = queue->tail.used >= TAIL_WRITE;
	if (*ret_write && !queue->urgent && queue_is_open(queue)) {
		queue->urgent = true;
		writer_urge(queue);
	}
	pthread_mutex_unlock(&queue->lock);
	*ret_write |= writer_is_full(queue->store);
	return status;
}

int queue_append(struct queue *queue, int64_t offset, const struct queue_unit *unit,
		 bool *ret_write)
{
	return queue_is_open(queue) ? queue_add(queue, offset, unit, ret_write) : -EAGAIN;
}

/* ---- writing behind */

/* The file begins where the queue does: whole segments are left out, and what is left of the first
 * one before the first entry is filled, since RocketMQ reads a segment from its start. */
static int start_file(struct queue *queue, uint64_t segment)
{
	const struct gantry_log_ops *ops = queue->store->engine->log;
	const struct queue_unit filler = {.size = FILLER_SIZE};
	uint64_t at = (uint64_t)queue->filed * queue->unit;
	uint64_t from = at - at % segment;
	uint8_t fill[FILL_BYTES];
	int status;

	for (uint32_t i = 0; i < sizeof(fill); i += STORE_UNIT)
		message_unit_write(fill + i, &filler);
	status = ops->reset(queue->file, from);
	while (!status && from < at) {
		uint64_t bytes = at - from < sizeof(fill) ? at - from : sizeof(fill);

		status = ops->append(queue->file, fill, bytes);
		from += bytes;
	}
	return status;
}

static int write_run(struct queue *queue)
{
	const struct gantry_log_ops *ops = queue->store->engine->log;
	struct gantry_bounds bounds;
	int status = 0;

	ops->bounds(queue->file, &bounds);
	if (bounds.end != (uint64_t)queue->filed * queue->unit)
		status = bounds.end == bounds.first ? start_file(queue, bounds.segment_bytes)
						    : -EUCLEAN;
	__atomic_fetch_add(&queue->store->writer.runs, 1, __ATOMIC_RELAXED);
	if (status)
		return status;
	point_has(queue->store, queue_kind_of(queue));
	return queue->ext_writes ? queue_ext_write(queue)
				 : ops->append(queue->file, queue->run.at, queue->run.used);
}

/* The tail becomes the run, unless one is left over from a write that failed. */
static void take_tail(struct queue *queue, bool listed)
{
	pthread_mutex_lock(&queue->lock);
	if (!listed)
		queue->urgent = false;
	if (!queue->run.used) {
		struct units empty = queue->run;

		queue->run = queue->tail;
		queue->tail = empty;
	}
	pthread_mutex_unlock(&queue->lock);
}

static void drop_run(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->filed += queue->run.used / queue_stride(queue);
	drop(queue, &queue->run);
	pthread_mutex_unlock(&queue->lock);
}

/* It was taken off the dirty list, and may have got new entries since. */
static void look_again(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->dirty = queue->tail.used > 0;
	if (queue->dirty)
		writer_add(queue);
	pthread_mutex_unlock(&queue->lock);
}

int queue_write(struct queue *queue, bool listed)
{
	bool left_over;

	do {
		int status = 0;

		left_over = queue->run.used;
		take_tail(queue, listed);
		if (queue->run.used && queue->state != QUEUE_GONE)
			status = write_run(queue);
		if (status)
			return status;
		drop_run(queue);
	} while (left_over);
	if (listed)
		look_again(queue);
	return 0;
}

/* ---- reading */

void queue_bounds(struct queue *queue, int64_t *ret_min, int64_t *ret_max)
{
	if (!queue_is_open(queue))
		queue_open_now(queue);
	pthread_mutex_lock(&queue->lock);
	*ret_min = queue->batch ? queue->first_message : queue->min;
	*ret_max = queue->batch ? queue->end_message : queue->end;
	pthread_mutex_unlock(&queue->lock);
}

/* Entries from memory; under the queue's lock. at is not before filed. */
static uint32_t read_memory(const struct queue *queue, int64_t at, uint32_t count,
			    struct queue_unit *ret)
{
	uint64_t skip = (uint64_t)(at - queue->filed) * queue_stride(queue);

	for (uint32_t i = 0; i < count; i++, skip += queue_stride(queue))
		unit_get(queue,
			 skip < queue->run.used ? queue->run.at + skip
						: queue->tail.at + (skip - queue->run.used),
			 &ret[i]);
	return count;
}

static int read_file(struct queue *queue, int64_t at, uint32_t count, uint8_t *ret)
{
	uint32_t unit = queue->unit;
	int64_t got = queue->store->engine->log->copy_hot(queue->file, (uint64_t)at * unit, ret,
							  (uint64_t)count * unit);
	int entries = got < 0 ? (int)got : (int)(got / unit);
	int status = entries > 0 ? queue_ext_resolve(queue, ret, (uint32_t)entries, false) : 0;

	return status ? status : entries;
}

static bool is_in_page(const struct queue_page *page, const struct queue *queue, uint32_t cuts,
		       int64_t at)
{
	return page->queue == queue && page->cuts == cuts && at >= page->at &&
	       at < page->at + page->count;
}

static uint32_t page_entries(const struct queue *queue)
{
	return sizeof(((struct queue_page *)NULL)->bytes) / queue->unit;
}

/* Entries [from, end) of the file, as many as a page has, so that at is among them; if they are not
 * all in memory, as few as are wanted. Returns how many it has. */
static int turn_page(struct queue_page *page, struct queue *queue, int64_t from, int64_t end,
		     int64_t at, uint32_t wanted)
{
	uint32_t room = page_entries(queue);
	int64_t most = end - from < room ? end - from : room;
	int got = read_file(queue, from, (uint32_t)most, page->bytes);

	page->queue = NULL;
	if (got == -EAGAIN) {
		from = at;
		got = read_file(queue, at, wanted < room ? wanted : room, page->bytes);
	}
	if (got <= at - from)
		return got < 0 ? got : 0;
	page->queue = queue;
	page->at = from;
	page->count = (uint32_t)got;
	return got;
}

/* count entries from at on, all of them in the file, which has [from, end). */
static int read_page(struct queue_page *page, struct queue *queue, uint32_t cuts, int64_t from,
		     int64_t end, int64_t at, uint32_t count, struct queue_unit *ret)
{
	int left;

	if (!is_in_page(page, queue, cuts, at)) {
		int got = turn_page(page, queue, from, end, at, count);

		if (got <= 0)
			return got;
		page->cuts = cuts;
	}
	left = (int)(page->at + page->count - at);
	if (count > (uint32_t)left)
		count = (uint32_t)left;
	for (uint32_t i = 0; i < count; i++)
		unit_get(queue, page->bytes + (at - page->at + i) * queue->unit, &ret[i]);
	return (int)count;
}

/* Says of which messages the entries are, the first being the one at that place. */
static int number(const struct queue *queue, int64_t at, int count, struct queue_unit *units)
{
	for (int i = 0; i < count && !queue->batch; i++)
		units[i].offset = at + i;
	return count;
}

/* The entries at that place, one of the queue's. */
static int read_at(struct queue *queue, int64_t at, uint32_t count, struct queue_page *page,
		   struct queue_unit *ret)
{
	int64_t from = at - at % page_entries(queue), there, end;
	struct queue_page own;
	uint32_t cuts;

	pthread_mutex_lock(&queue->lock);
	if (at < queue->min || at >= queue->end) {
		pthread_mutex_unlock(&queue->lock);
		return 0;
	}
	there = (at < queue->filed ? queue->filed : queue->end) - at;
	if (count > there)
		count = (uint32_t)there;
	queue->near = at;
	if (at >= queue->filed) {
		count = read_memory(queue, at, count, ret);
		pthread_mutex_unlock(&queue->lock);
		return (int)count;
	}
	cuts = queue->cuts;
	end = queue->filed;
	if (from < queue->min)
		from = queue->min;
	pthread_mutex_unlock(&queue->lock);
	if (page)
		return read_page(page, queue, cuts, from, end, at, count, ret);
	own.queue = NULL;
	return read_page(&own, queue, cuts, at, at + count, at, count, ret);
}

int queue_read_paged(struct queue *queue, int64_t at, uint32_t count, struct queue_page *page,
		     struct queue_unit *ret)
{
	int64_t place = at, min, max;
	int got;

	if (queue->batch) {
		queue_bounds(queue, &min, &max);
		if (at < min || at >= max)
			return 0;
		place = batch_find(queue, at, false);
		if (place < 0)
			return (int)place;
	}
	got = read_at(queue, place, count, page, ret);
	return got > 0 ? number(queue, place, got, ret) : got;
}

int queue_read(struct queue *queue, int64_t at, uint32_t count, struct queue_unit *ret)
{
	return queue_read_paged(queue, at, count, NULL, ret);
}

/* On a worker: what is read once is in the page cache for queue_read(). */
static int fetch(struct gantry_work *work)
{
	struct queue_fetch *fetch = work->user;
	struct queue *queue = fetch->queue;
	uint8_t bytes[FETCH_ENTRIES * UNIT_MAX];
	uint32_t piece = FETCH_ENTRIES * queue->unit;
	int64_t place = queue->batch ? batch_find(queue, fetch->at, true) : fetch->at;
	uint64_t at = (uint64_t)place * queue->unit;

	if (place < 0)
		return (int)place;
	for (uint32_t i = 0; i < FETCHES; i++) {
		int64_t got = queue->store->engine->log->copy(queue->file, at, bytes, piece);

		if (got < 0)
			return (int)got;
		queue_ext_resolve(queue, bytes, (uint32_t)got / queue->unit, true);
		if (got < (int64_t)piece)
			break;
		at += piece;
	}
	return 0;
}

int queue_fetch(struct queue *queue, int64_t at, struct queue_fetch *room, struct gantry_op *op)
{
	*room = (struct queue_fetch){
		.work = {.run = fetch, .user = room}, .queue = queue, .at = at};
	return gantry_work(queue->store->inst, &room->work, op);
}
