/* SPDX-License-Identifier: Apache-2.0 */
/* Reading messages of a queue: entries are judged one by one, the messages of those that pass are
 * taken from the log, neighbours together, until one of RocketMQ's limits is reached. */
#include <errno.h>

#include "offsets/offsets.h"
#include "pull/private.h"

enum {
	MAX_BYTES_LEAST = 100,
	MAX_BYTES_MOST = 128 * 1024 * 1024,
	EXPECTED_BYTES = 4096, /* what follows them in a row the processor foresees itself */
	CACHE_LINE = 64,
};

struct reading {
	struct pull_context *context;
	struct pull_wait *wait;
	struct pull_result *result;
	const struct subscription *subscription;
	uint64_t log_end;
	int64_t window_end; /* queue offset */
	uint64_t bytes_max;
	uint32_t messages_max;
	struct pull_run run;
	struct gantry_slice window;     /* of the log; size 0: none */
	bool window_used;               /* the last of the result's slices stands in it */
	const struct queue_unit *ahead; /* entries from the run's on, as far as they are known */
	uint32_t ahead_count;
	bool full, needs_record;
	bool by_origin; /* a record is judged by the filter of the topic it came from */
	struct pull_retry retry;
	bool alone, again; /* alone: a run is one message; again: judge these entries anew */
	int status;        /* what the read has to wait for, or -EAGAIN */
};

static struct store *store_of(const struct reading *reading)
{
	return reading->context->puller->broker->store;
}

/* ---- limits */

/* Whether one more message would be too much; the first never is. */
static bool is_full(const struct reading *reading, const struct queue_unit *unit)
{
	const struct puller *puller = reading->context->puller;
	const struct broker_conf *conf = puller->broker->conf;
	const struct pull_result *result = reading->result;
	bool in_memory = reading->log_end - (uint64_t)unit->physical_offset <= puller->memory;
	uint64_t bytes = result->bytes + (uint32_t)unit->size;
	int64_t bytes_max = in_memory ? conf->maxTransferBytesOnMessageInMemory
				      : conf->maxTransferBytesOnMessageInDisk;
	int64_t count_max = in_memory ? conf->maxTransferCountOnMessageInMemory
				      : conf->maxTransferCountOnMessageInDisk;

	if (!result->message_count)
		return false;
	return result->message_count + (uint32_t)unit->count > reading->messages_max ||
	       bytes > reading->bytes_max || bytes > (uint64_t)bytes_max ||
	       result->message_count >= (uint64_t)count_max ||
	       result->slice_count >= puller->slices_max - 1;
}

/* ---- messages */

static bool match_record(struct reading *reading, const struct gantry_slice *slice,
			 int64_t tag_code)
{
	struct message_record record;
	struct gantry_record_view view = {.size = sizeof(view), .tag_code = tag_code};

	if (message_record_read(slice->bytes, slice->size, false, &record) != MESSAGE_WHOLE)
		return false;
	view.sys_flag = record.sys_flag;
	view.topic = record.topic;
	view.properties = record.properties;
	view.body = record.body;
	view.store_ms = record.store_ms;
	view.born_ms = record.born_ms;
	if (reading->by_origin)
		return pull_retry_match(&reading->retry, reading->context, &view);
	return reading->subscription->filter_ops->match_record(reading->subscription->filter,
							       &view);
}

/* The run is not part of the answer. */
static void forget_run(struct reading *reading, enum pull_status why)
{
	struct pull_result *result = reading->result;

	result->message_count -= reading->run.messages;
	result->bytes -= reading->run.bytes;
	reading->run.count = reading->run.messages = 0;
	if (!result->message_count)
		result->status = why;
}

/* The answer ends before the run, which is not at hand. */
static void stop_before_run(struct reading *reading, int status)
{
	reading->result->next = reading->run.first;
	forget_run(reading, PULL_NO_MATCHED_MESSAGE);
	reading->full = true;
	if (!reading->result->message_count)
		reading->status = status;
}

/* ---- the window: a slice of the log that several runs stand in, so that a lease is taken once for
 * all of them. It goes with the last of their slices. */

static void close_window(struct reading *reading)
{
	struct pull_result *result = reading->result;

	if (reading->window_used) {
		struct gantry_slice *last = &result->slices[result->slice_count - 1];

		last->lease = reading->window.lease;
		last->release = reading->window.release;
	} else {
		gantry_slice_release(&reading->window);
	}
	reading->window = (struct gantry_slice){0};
	reading->window_used = false;
}

/* How far the window should reach that begins with the run: over the messages that the answer is
 * going to have, as far as they stand close together. */
static uint64_t window_bytes(const struct reading *reading)
{
	const struct pull_run *run = &reading->run;
	const struct pull_result *result = reading->result;
	uint64_t end = run->at + run->bytes;

	for (uint32_t i = 0;
	     i < reading->ahead_count && i + result->message_count < reading->messages_max; i++) {
		const struct queue_unit *unit = &reading->ahead[i];
		uint64_t at = (uint64_t)unit->physical_offset;

		if (unit->size <= 0 || unit->size == INT32_MAX || at < end)
			continue;
		if (at + (uint32_t)unit->size - run->at > PULL_WINDOW_BYTES)
			break;
		end = at + (uint32_t)unit->size;
	}
	return end - run->at;
}

static bool in_window(const struct reading *reading)
{
	const struct gantry_slice *window = &reading->window;
	const struct pull_run *run = &reading->run;

	return run->at >= window->offset && run->at + run->bytes <= window->offset + window->size;
}

/* Opens a window that the run stands in. As store_read(), and -EIO if less can be read. */
static int open_window(struct reading *reading)
{
	const struct pull_run *run = &reading->run;
	struct gantry_op *op = NULL;
	int status;

	/* what there is to answer with does not wait for more */
	if (reading->wait && reading->result->message_count == run->messages)
		op = &reading->wait->op;
	close_window(reading);
	status =
		store_read(store_of(reading), run->at, window_bytes(reading), &reading->window, op);
	if (status || in_window(reading))
		return status;
	close_window(reading);
	return -EIO;
}

/* The system copies slice after slice into the socket, and where messages of other queues stand
 * between them it would wait for memory at each. Asked for here they come together, while the
 * answer is being made. A page that is not there is not fetched, and nothing fails. */
static void expect_bytes(const uint8_t *bytes, size_t size)
{
	if (size > EXPECTED_BYTES)
		size = EXPECTED_BYTES;
	for (size_t i = 0; i < size; i += CACHE_LINE)
		__builtin_prefetch(bytes + i);
	__builtin_prefetch(bytes + size - 1);
}

static void take_run(struct reading *reading, int64_t tag_code)
{
	const struct pull_run *run = &reading->run;
	struct pull_result *result = reading->result;
	struct gantry_slice *slice = &result->slices[result->slice_count];

	/* in place: read back at once in wider pieces, a copy waits for each of its stores */
	slice->bytes = reading->window.bytes + (run->at - reading->window.offset);
	slice->size = run->bytes;
	slice->offset = run->at;
	slice->lease = NULL;
	slice->release = NULL;
	expect_bytes(slice->bytes, slice->size);
	if (reading->needs_record && !match_record(reading, slice, tag_code)) {
		forget_run(reading, PULL_NO_MATCHED_MESSAGE);
		return;
	}
	result->slice_count++;
	result->status = PULL_FOUND;
	reading->window_used = true;
	reading->run.count = reading->run.messages = 0;
}

/* Not all of the run can be read, perhaps some of its messages can. */
static void take_one_by_one(struct reading *reading)
{
	reading->result->next = reading->run.first;
	forget_run(reading, PULL_NO_MATCHED_MESSAGE);
	reading->alone = reading->again = true;
	reading->full = false;
}

/* It may have expired; if not, somebody should know. */
static void leave_out(struct reading *reading)
{
	uint64_t first, end;

	store_bounds(store_of(reading), &first, &end);
	if (reading->run.at >= first)
		pull_tell_damage(reading->context, &reading->run);
	forget_run(reading, PULL_MESSAGE_WAS_REMOVING);
}

/* Takes the messages of the run from the log. As RocketMQ does, leaves out what is not there any
 * more, or cannot be read. */
static void flush_run(struct reading *reading, int64_t tag_code)
{
	struct pull_run *run = &reading->run;
	int status;

	if (!run->count)
		return;
	status = in_window(reading) ? 0 : open_window(reading);
	if (!status && !pull_is_whole(reading->context, run,
				      reading->window.bytes + (run->at - reading->window.offset)))
		status = -EIO;
	if (status > 0 || status == -EAGAIN)
		stop_before_run(reading, status);
	else if (status == -EIO && run->count > 1)
		take_one_by_one(reading);
	else if (status)
		leave_out(reading);
	else
		take_run(reading, tag_code);
}

static void add_message(struct reading *reading, int64_t at, const struct queue_unit *unit)
{
	struct pull_run *run = &reading->run;

	if (!run->count)
		*run = (struct pull_run){.first = at, .at = (uint64_t)unit->physical_offset};
	run->bytes += (uint32_t)unit->size;
	run->count++;
	run->messages += (uint32_t)unit->count;
	reading->result->bytes += (uint32_t)unit->size;
	reading->result->message_count += (uint32_t)unit->count;
	if (reading->needs_record || reading->alone)
		flush_run(reading, unit->tags_code);
}

/* ---- entries */

static bool continues_run(const struct pull_run *run, const struct queue_unit *unit)
{
	return run->count && run->at + run->bytes == (uint64_t)unit->physical_offset &&
	       run->bytes + (uint32_t)unit->size <= PULL_RUN_BYTES;
}

static bool match_code(const struct subscription *subscription, int64_t tag_code)
{
	uint64_t address;

	/* an address is left if its unit is lost: the client looks at the tag itself */
	return !subscription->filter || message_unit_ext_address(tag_code, &address) ||
	       subscription->filter_ops->match_code(subscription->filter, tag_code);
}

static void judge(struct reading *reading, int64_t at, const struct queue_unit *unit)
{
	if (!continues_run(&reading->run, unit))
		flush_run(reading, 0);
	if (reading->full || reading->again)
		return;
	if (at >= reading->window_end || is_full(reading, unit)) {
		reading->full = true;
		return;
	}
	reading->result->next = at + 1;
	reading->result->last_at = (uint64_t)unit->physical_offset;
	if (unit->count > 1 && unit->offset + unit->count > at)
		reading->result->next = unit->offset + unit->count;
	if (unit->size <= 0 || unit->size == INT32_MAX || unit->count <= 0 || /* no message */
	    !match_code(reading->subscription, unit->tags_code))
		return;
	add_message(reading, at, unit);
}

/* How many entries to look at together: if all that are there match, one more than is wanted, which
 * tells that the answer is full. */
static uint32_t units_wanted(const struct reading *reading)
{
	uint32_t left = reading->messages_max - reading->result->message_count;

	return reading->subscription->filter || left >= PULL_UNITS ? PULL_UNITS : left + 1;
}

/* The entries from result->next on; returns as queue_read(). */
static int judge_some(struct reading *reading)
{
	struct queue_unit units[PULL_UNITS];
	int64_t at = reading->result->next;
	struct queue *queue = reading->context->queue;
	int count = pull_pages_read(reading->context->loop->pages, queue, at, units_wanted(reading),
				    units);

	for (int i = 0; i < count && !reading->full && !reading->again; i++) {
		reading->ahead = &units[i];
		reading->ahead_count = (uint32_t)(count - i);
		/* the first batch may begin before what is asked for */
		judge(reading, units[i].offset > at ? units[i].offset : at, &units[i]);
	}
	reading->ahead_count = 0;
	return count;
}

/* Entries are on disk and have to be fetched, unless there is something to answer with. */
static void wait_for_units(struct reading *reading)
{
	struct pull_wait *wait = reading->wait;

	if (reading->status || reading->result->message_count)
		return;
	reading->status = wait ? queue_fetch(reading->context->queue, reading->result->next,
					     &wait->fetch, &wait->op)
			       : -EAGAIN;
}

/* Returns as queue_read(), 0 at the end. */
static int read_some(struct reading *reading)
{
	struct pull_result *result = reading->result;
	int count = 0;

	reading->again = false;
	if (!reading->full && result->next < result->max)
		count = judge_some(reading);
	if (count <= 0)
		flush_run(reading, 0);
	return count;
}

static void read_units(struct reading *reading)
{
	struct pull_result *result = reading->result;
	int count;

	do
		count = read_some(reading);
	while (count > 0 || reading->again);
	if (count == -EAGAIN)
		wait_for_units(reading);
	else if (result->next < result->max && !reading->full && !result->message_count &&
		 !reading->status)
		result->status = PULL_OFFSET_FOUND_NULL;
}

/* ---- the whole */

static void begin(struct reading *reading, uint64_t log_end)
{
	const struct gantry_pull *pull = reading->context->pull;
	const struct broker_conf *conf = reading->context->puller->broker->conf;
	int64_t messages = pull->max_messages > 0 ? pull->max_messages : 1;
	int64_t window =
		conf->maxFilterMessageSize /
		(queue_is_batch(reading->context->queue) ? MESSAGE_BATCH_UNIT_SIZE : STORE_UNIT);

	reading->log_end = log_end;
	reading->messages_max = (uint32_t)messages;
	reading->window_end = reading->context->from + (window > messages ? window : messages);
	reading->bytes_max = MAX_BYTES_MOST;
	if (pull->max_bytes >= 0)
		reading->bytes_max = pull->max_bytes > MAX_BYTES_LEAST ? (uint64_t)pull->max_bytes
								       : (uint64_t)MAX_BYTES_LEAST;
	reading->subscription = reading->context->subscription;
	reading->needs_record = reading->subscription->filter &&
				reading->subscription->filter_caps & GANTRY_FILTER_NEEDS_RECORD;
	reading->by_origin = reading->needs_record && pull_retry_wanted(reading->context);
}

/* Whether an operator has set the group's offset: it goes on there, whatever it asked for. */
static bool take_reset(const struct pull_context *context, struct pull_result *result)
{
	int64_t offset = offsets_reset_take(context->puller->broker->offsets, context->group->name,
					    context->topic->name, context->pull->queue);

	if (offset < 0)
		return false;
	result->status = PULL_OFFSET_RESET;
	result->next = offset;
	return true;
}

/* Whether a member of a broadcasting group has to go on elsewhere. */
static bool take_broadcast(const struct pull_context *context, struct pull_result *result)
{
	int64_t offset = pull_broadcast_start(context);

	if (offset < 0)
		return false;
	result->status = PULL_OFFSET_RESET;
	result->next = offset;
	result->min = result->max = 0; /* as in RocketMQ's answer */
	return true;
}

/* RocketMQ's answer when there is nothing to read at that offset; false: there is. */
static bool judge_offset(const struct pull_context *context, struct pull_result *result)
{
	const struct broker *broker = context->puller->broker;
	bool correct = !broker_is_slave(broker) || broker->conf->offsetCheckInSlave;
	int64_t from = context->from, next = from;

	if (result->max == 0) {
		result->status = PULL_NO_MESSAGE_IN_QUEUE;
		next = 0;
	} else if (from < result->min) {
		result->status = PULL_OFFSET_TOO_SMALL;
		next = result->min;
	} else if (from == result->max) {
		result->status = PULL_OFFSET_OVERFLOW_ONE;
	} else if (from > result->max) {
		result->status = PULL_OFFSET_OVERFLOW_BADLY;
		next = result->max;
	} else {
		return false;
	}
	result->next = correct ? next : from;
	return true;
}

int pull_read(struct pull_context *context, struct pull_wait *wait, struct pull_result *ret)
{
	struct store *store = context->puller->broker->store;
	struct reading reading = {.context = context, .wait = wait, .result = ret};
	uint64_t first, end;

	*ret = (struct pull_result){.slices = context->loop->slices};
	if (!queue_is_open(context->queue)) {
		int status = wait ? store_queues_open(store, &context->queue, 1, &wait->opening,
						      &wait->op)
				  : -EAGAIN;

		if (status)
			return status;
	}
	store_bounds(store, &first, &end);
	queue_bounds(context->queue, &ret->min, &ret->max);
	if (take_reset(context, ret) || take_broadcast(context, ret) || judge_offset(context, ret))
		return 0;
	begin(&reading, end);
	ret->status = PULL_NO_MATCHED_MESSAGE;
	ret->next = context->from;
	read_units(&reading);
	close_window(&reading);
	pull_retry_end(&reading.retry);
	/* as RocketMQ: by what was looked at, whether it matched or not */
	ret->far_behind = ret->next > context->from && end > ret->last_at &&
			  end - ret->last_at > context->puller->memory;
	return reading.status;
}
