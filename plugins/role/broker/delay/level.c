/* SPDX-License-Identifier: Apache-2.0 */
/* One delay level: its queue is in the order in which its messages are due, so one place in it is
 * all that has to be known. What is due is put into its own topic, many messages at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "delay/delay_private.h"
#include "message/checksum.h"
#include "message/name.h"

/* ---- batches */

static struct delay_batch *take_batch(struct delay *delay)
{
	struct delay_batch *batch = delay->spare;

	if (batch)
		delay->spare = batch->next;
	else
		batch = calloc(1, sizeof(*batch));
	if (batch)
		batch->count = 0;
	return batch;
}

static void release(struct delay_batch *batch, uint32_t i)
{
	walk_release(&batch->sources[i]);
	free((struct store_multi *)batch->messages[i].multi);
	batch->messages[i].multi = NULL;
}

static void release_sources(struct delay_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		release(batch, i);
	batch->count = 0;
	batch->bytes = 0;
}

/* One is kept for the next level that needs it. */
static void give_batch(struct delay_level *level)
{
	struct delay *delay = level->delay;
	struct delay_batch *batch = level->batch;

	level->batch = NULL;
	if (!batch)
		return;
	release_sources(batch);
	if (delay->spare) {
		free(batch);
		return;
	}
	batch->next = NULL;
	delay->spare = batch;
}

void delay_level_free(struct delay_level *level)
{
	if (level->batch)
		release_sources(level->batch);
	free(level->batch);
	level->batch = NULL;
	level->begun = level->putting = false; /* who leads again begins at the offset of then */
	level->wake_ms = 0;
}

/* ---- waiting */

static void done(struct gantry_op *op);

static struct gantry_op *op_of(struct delay_level *level)
{
	level->op = (struct gantry_op){.done = done, .loop = level->delay->loop, .user = level};
	return &level->op;
}

static void wait_for_op(struct delay_level *level)
{
	level->waiting = true;
	level->delay->busy++;
}

static void wake_after(struct delay_level *level, uint64_t ms)
{
	level->wake_ms = gantry_clock_ms() + ms;
}

/* ---- from the schedule topic to the message's own */

static void set_offset(struct delay_level *level, int64_t offset)
{
	if (__atomic_load_n(&level->offset, __ATOMIC_RELAXED) == offset)
		return;
	__atomic_store_n(&level->offset, offset, __ATOMIC_RELEASE);
	__atomic_store_n(&level->delay->changed, true, __ATOMIC_RELEASE);
}

static void skip(struct delay_level *level, const struct queue_unit *unit, const char *why)
{
	struct delay *delay = level->delay;

	gantry_counter_add(delay->dropped, 1);
	gantry_log_limited(delay->broker->inst, &delay->skips, WARNING,
			   "delay level %d, offset %lld (log offset %lld): %s; it is left out",
			   level->number, (long long)level->walk.at,
			   (long long)unit->physical_offset, why);
}

/* RocketMQ keeps the properties as they are, DELAY and the REAL_ ones included; a checksum is of
 * the record and made anew. */
static struct gantry_str properties_of(const struct message_record *record)
{
	static const char name[] = MESSAGE_CHECKSUM "\1";
	struct gantry_str text = record->properties;
	size_t before = text.size - MESSAGE_CHECKSUM_BYTES;

	if (text.size >= MESSAGE_CHECKSUM_BYTES &&
	    memcmp(text.at + before, name, sizeof(name) - 1) == 0)
		text.size = before;
	return text;
}

static struct gantry_str find(const struct message_record *record, const char *key)
{
	return message_property_find(record->properties, str_of(key));
}

/* NULL, or why the message cannot be delivered. */
static const char *fill(const struct message_record *record, struct message_draft *draft)
{
	struct gantry_str topic = find(record, DELAY_REAL_TOPIC);
	int32_t queue;

	if (!topic.at)
		return "it has no REAL_TOPIC";
	if (str_int32(find(record, DELAY_REAL_QUEUE), &queue))
		return "its REAL_QID is no number";
	if (str_is(topic, "RMQ_SYS_TRANS_HALF_TOPIC"))
		return "it is half a transaction";
	*draft = (struct message_draft){
		.topic = topic,
		.queue = queue,
		.body = record->body,
		.properties = {properties_of(record)},
		.part_count = 1,
		.flag = record->flag,
		.sys_flag = record->sys_flag,
		.born_ms = record->born_ms,
		.born_host = record->born_host,
		.reconsume_times = record->reconsume_times,
	};
	return NULL;
}

/* Its light queues. A message that names what cannot be goes to its own topic alone: RocketMQ would
 * try it again for ever, and with it all that is behind it. */
static int add_light_queues(struct broker *broker, const struct message_record *record,
			    struct store_put *message)
{
	int status = put_add_multi(broker, find(record, MESSAGE_MULTI_DISPATCH), message);

	return status == -ENOMEM ? status : 0;
}

/* The message read last joins the batch, or is left out. -ENOMEM: it can do neither now. */
static int join(struct delay_level *level, const struct queue_unit *unit)
{
	struct delay_batch *batch = level->batch;
	struct walk_message *source = &batch->sources[batch->count];
	struct store_put *message = &batch->messages[batch->count];
	const char *why = fill(&source->record, &message->draft);
	int status = 0;

	message->multi = NULL;
	if (!why)
		status = add_light_queues(level->delay->broker, &source->record, message);
	if (!why && !status)
		status = put_prepare(level->delay->broker, message);
	if (status == -ENOMEM) {
		release(batch, batch->count);
		return status;
	}
	if (status)
		why = "its REAL_TOPIC and REAL_QID are of no queue that can be, or it is too long";
	if (why) {
		skip(level, unit, why);
		release(batch, batch->count);
		return 0;
	}
	batch->at[batch->count++] = level->walk.at;
	batch->bytes += message->draft.size;
	return 0;
}

/* ---- collecting */

/* In how many ms the entry is due; 0: it is. A time that its level cannot give is a clock's
 * mistake, or another messageDelayLevel's: such a message is due at once, as in RocketMQ. */
static uint64_t due_in(const struct delay_level *level, const struct queue_unit *unit)
{
	int64_t now = broker_wall_ms(), left = unit->tags_code - now;

	return left <= 0 || left > level->ms + DELAY_SKEW_MS ? 0 : (uint64_t)left;
}

static void tell_correction(const struct delay_level *level, int64_t from, int64_t to)
{
	gantry_log(level->delay->broker->inst, WARNING,
		   "delay level %d: offset %lld is past the end of its queue: goes on at %lld",
		   level->number, (long long)from, (long long)to);
}

void delay_level_correct(struct delay_level *level)
{
	struct queue *queue;
	int64_t min, max;

	if (level->offset <= 0)
		return;
	queue = store_queue_named(level->delay->broker->store, str_of(MESSAGE_SCHEDULE_TOPIC),
				  level->number - 1);
	if (!queue)
		return;
	queue_bounds(queue, &min, &max);
	if (level->offset <= max)
		return;
	tell_correction(level, level->offset, max);
	set_offset(level, max);
}

/* The queue was cut, and ends before the place. */
static void go_back(struct delay_level *level)
{
	int64_t min, max;

	queue_bounds(level->walk.queue, &min, &max);
	tell_correction(level, level->walk.at, max);
	walk_begin(&level->walk, level->walk.store, level->walk.queue, max);
}

static void look_failed(struct delay_level *level, int status)
{
	struct delay *delay = level->delay;

	if (status == -ERANGE)
		go_back(level);
	else if (status != -ENOENT)
		gantry_log_limited(delay->broker->inst, &delay->failures, WARNING,
				   "delay level %d: its queue cannot be read at %lld: %s",
				   level->number, (long long)level->walk.at, strerror(-status));
	wake_after(level, status == -ENOENT ? level->look_ms : DELAY_RETRY_MS);
}

enum collected { NONE_NOW, GOES_ON, WAITS };

/* Whether the entry is not due yet. */
static bool is_early(struct delay_level *level, const struct queue_unit *unit)
{
	uint64_t left = due_in(level, unit);

	if (!left)
		return false;
	wake_after(level, left < level->look_ms ? left : level->look_ms);
	if (!level->batch->count)
		set_offset(level, level->walk.at);
	return true;
}

/* The same if its time was lost with its unit of ConsumeQueueExt: the record tells it. */
static bool is_early_after_all(struct delay_level *level, struct queue_unit *unit,
			       struct walk_message *source)
{
	uint64_t address;

	if (!message_unit_ext_address(unit->tags_code, &address))
		return false;
	unit->tags_code = message_record_tags_code(&source->record, &level->delay->delays);
	if (!is_early(level, unit))
		return false;
	walk_release(source);
	return true;
}

/* The next message, if it is due, joins the batch. */
static enum collected collect_one(struct delay_level *level)
{
	struct delay *delay = level->delay;
	struct delay_batch *batch = level->batch;
	struct walk_message *source = &batch->sources[batch->count];
	struct queue_unit unit;
	int status = walk_entry(&level->walk, &unit, op_of(level));

	if (status < 0) {
		look_failed(level, status);
		return NONE_NOW;
	}
	if (status > 0)
		return WAITS;
	if (is_early(level, &unit))
		return NONE_NOW;
	status = walk_read(delay->broker->store, (uint64_t)unit.physical_offset, source,
			   op_of(level));
	if (status > 0)
		return WAITS;
	if (!status && is_early_after_all(level, &unit, source))
		return NONE_NOW;
	if (!status)
		status = join(level, &unit);
	else if (status == -ENOENT || status == -EIO)
		skip(level, &unit, status == -EIO ? "it cannot be read" : "it is gone");
	if (status == -ENOMEM || status == -EAGAIN) {
		wake_after(level, DELAY_RETRY_MS);
		return NONE_NOW;
	}
	walk_next(&level->walk);
	return GOES_ON;
}

static enum collected collect(struct delay_level *level)
{
	struct delay_batch *batch = level->batch;
	enum collected status = GOES_ON;

	while (status == GOES_ON && batch->count < DELAY_BATCH && batch->bytes < DELAY_BATCH_BYTES)
		status = collect_one(level);
	return status;
}

/* ---- delivering */

/* What is in its topic now is behind us; what is not is tried again, in the same order. True: all
 * is. */
static bool delivered(struct delay_level *level, int status)
{
	struct delay *delay = level->delay;
	struct delay_batch *batch = level->batch;
	uint32_t placed = batch->put.placed;

	level->putting = false;
	gantry_counter_add(delay->delivered, placed);
	__atomic_fetch_add(&delay->changes, placed, __ATOMIC_RELEASE);
	if (status) {
		/* -EROFS: another node leads now, and delivers */
		if (status != -EROFS)
			gantry_log_limited(delay->broker->inst, &delay->failures, WARNING,
					   "delay level %d: a message that is due cannot be "
					   "stored (%s); it is tried again",
					   level->number, strerror(-status));
		walk_begin(&level->walk, level->walk.store, level->walk.queue, batch->at[placed]);
		wake_after(level, DELAY_RETRY_MS);
	}
	set_offset(level, level->walk.at);
	release_sources(batch);
	return !status;
}

/* True: all are in their topics. */
static bool put(struct delay_level *level)
{
	struct delay_batch *batch = level->batch;
	int status;

	batch->put = (struct put){
		.messages = batch->messages,
		.records = batch->records,
		.count = batch->count,
		.no_wait = true, /* the message is on the disk already, under the other topic */
	};
	level->putting = true;
	status = put_messages(level->delay->broker, &batch->put, op_of(level));
	if (status <= 0)
		return delivered(level, status);
	wait_for_op(level);
	return false;
}

/* What was waited for has come: a put is over, or something can be read. */
static void done(struct gantry_op *op)
{
	struct delay_level *level = op->user;

	level->waiting = false;
	level->delay->busy--;
	wake_after(level, 0);
	if (level->putting)
		delivered(level, op->status);
	else if (op->status < 0)
		look_failed(level, op->status);
	delay_look(level->delay);
}

static void begin(struct delay_level *level)
{
	struct store *store = level->delay->broker->store;
	struct queue *queue =
		store_queue_named(store, str_of(MESSAGE_SCHEDULE_TOPIC), level->number - 1);
	int64_t offset = level->offset > 0 ? level->offset : 0;

	if (!queue)
		return;
	walk_begin(&level->walk, store, queue, offset);
	level->begun = true;
}

/* One batch. True: there may be more that is due. */
static bool run_batch(struct delay_level *level)
{
	enum collected status = collect(level);

	if (status == WAITS) {
		wait_for_op(level);
		return false;
	}
	if (level->batch->count)
		return put(level) && status == GOES_ON;
	if (level->walk.at > 0)
		set_offset(level, level->walk.at); /* behind what was left out */
	return status == GOES_ON;
}

void delay_level_run(struct delay_level *level)
{
	bool more = true;

	wake_after(level, 0);
	if (!level->begun)
		begin(level);
	if (level->begun && !level->batch)
		level->batch = take_batch(level->delay);
	if (!level->batch) {
		wake_after(level, DELAY_RETRY_MS);
		return;
	}
	for (int i = 0; more && i < DELAY_BATCHES_A_TURN; i++)
		more = run_batch(level);
	if (!level->waiting && !more)
		give_batch(level);
}
