/* SPDX-License-Identifier: Apache-2.0 */
/* Reading messages of a queue: entries are judged one by one, the messages of those that pass are
 * taken from the log, neighbours together, until one of RocketMQ's limits is reached. */
#include <errno.h>

#include "pull_private.h"

enum { MAX_BYTES_LEAST = 100, MAX_BYTES_MOST = 128 * 1024 * 1024 };

/* Entries in a row whose messages are neighbours in the log. */
struct run {
	int64_t first; /* queue offset */
	uint64_t at, bytes;
	uint32_t count;
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
	struct run run;
	bool full, needs_record;
	int status; /* what the read has to wait for, or -EAGAIN */
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
	return result->message_count >= reading->messages_max || bytes > reading->bytes_max ||
	       bytes > (uint64_t)bytes_max || result->message_count >= (uint64_t)count_max ||
	       result->slice_count >= puller->slices_max - 1;
}

/* ---- messages */

static bool match_record(const struct reading *reading, const struct gantry_slice *slice,
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
	return reading->subscription->filter_ops->match_record(reading->subscription->filter,
							       &view);
}

/* The run is not part of the answer. */
static void forget_run(struct reading *reading, enum pull_status why)
{
	struct pull_result *result = reading->result;

	result->message_count -= reading->run.count;
	result->bytes -= reading->run.bytes;
	reading->run.count = 0;
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

static void take_slice(struct reading *reading, struct gantry_slice *slice, int64_t tag_code)
{
	struct pull_result *result = reading->result;

	if (reading->needs_record && !match_record(reading, slice, tag_code)) {
		gantry_slice_release(slice);
		forget_run(reading, PULL_NO_MATCHED_MESSAGE);
		return;
	}
	result->slices[result->slice_count++] = *slice;
	result->status = PULL_FOUND;
	reading->run.count = 0;
}

/* Takes the messages of the run from the log. */
static void flush_run(struct reading *reading, int64_t tag_code)
{
	struct run *run = &reading->run;
	struct gantry_slice slice;
	int status;

	if (!run->count)
		return;
	status = store_read(store_of(reading), run->at, run->bytes, &slice,
			    reading->result->message_count > run->count || !reading->wait
				    ? NULL
				    : &reading->wait->op);
	if (status > 0 || status == -EAGAIN) {
		stop_before_run(reading, status);
	} else if (status) {
		forget_run(reading, PULL_MESSAGE_WAS_REMOVING);
	} else if (slice.offset != run->at || slice.size != run->bytes) {
		gantry_slice_release(&slice);
		forget_run(reading, PULL_MESSAGE_WAS_REMOVING);
	} else {
		take_slice(reading, &slice, tag_code);
	}
}

static void add_message(struct reading *reading, int64_t at, const struct queue_unit *unit)
{
	struct run *run = &reading->run;

	if (!run->count)
		*run = (struct run){.first = at, .at = (uint64_t)unit->physical_offset};
	run->bytes += (uint32_t)unit->size;
	run->count++;
	reading->result->bytes += (uint32_t)unit->size;
	reading->result->message_count++;
	if (reading->needs_record)
		flush_run(reading, unit->tags_code);
}

/* ---- entries */

static bool continues_run(const struct run *run, const struct queue_unit *unit)
{
	return run->count && run->at + run->bytes == (uint64_t)unit->physical_offset &&
	       run->bytes + (uint32_t)unit->size <= PULL_RUN_BYTES;
}

static bool match_code(const struct subscription *subscription, int64_t tag_code)
{
	return !subscription->filter ||
	       subscription->filter_ops->match_code(subscription->filter, tag_code);
}

static void judge(struct reading *reading, int64_t at, const struct queue_unit *unit)
{
	if (!continues_run(&reading->run, unit))
		flush_run(reading, 0);
	if (reading->full)
		return;
	if (at >= reading->window_end || is_full(reading, unit)) {
		reading->full = true;
		return;
	}
	reading->result->next = at + 1;
	if (unit->size <= 0 || unit->size == INT32_MAX || /* there is no message */
	    !match_code(reading->subscription, unit->tags_code))
		return;
	add_message(reading, at, unit);
}

/* The entries from result->next on; returns as queue_read(). */
static int judge_some(struct reading *reading)
{
	struct queue_unit units[PULL_UNITS];
	int64_t at = reading->result->next;
	int count = queue_read(reading->context->queue, at, PULL_UNITS, units);

	for (int i = 0; i < count && !reading->full; i++)
		judge(reading, at + i, &units[i]);
	return count;
}

/* Entries are on disk and have to be fetched, unless there is something to answer with. */
static void wait_for_units(struct reading *reading)
{
	struct pull_wait *wait = reading->wait;

	flush_run(reading, 0);
	if (reading->status || reading->result->message_count)
		return;
	reading->status = wait ? queue_fetch(reading->context->queue, reading->result->next,
					     &wait->fetch, &wait->op)
			       : -EAGAIN;
}

static void read_units(struct reading *reading)
{
	struct pull_result *result = reading->result;

	while (!reading->full && result->next < result->max) {
		int count = judge_some(reading);

		if (count == -EAGAIN) {
			wait_for_units(reading);
			return;
		}
		if (count <= 0) {
			flush_run(reading, 0);
			if (!result->message_count && !reading->status)
				result->status = PULL_OFFSET_FOUND_NULL;
			return;
		}
	}
	flush_run(reading, 0);
}

/* ---- the whole */

static void begin(struct reading *reading, uint64_t log_end)
{
	const struct gantry_pull *pull = reading->context->pull;
	const struct broker_conf *conf = reading->context->puller->broker->conf;
	int64_t messages = pull->max_messages > 0 ? pull->max_messages : 1;
	int64_t window = conf->maxFilterMessageSize / STORE_UNIT;

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
	if (judge_offset(context, ret))
		return 0;
	begin(&reading, end);
	ret->status = PULL_NO_MATCHED_MESSAGE;
	ret->next = context->from;
	read_units(&reading);
	ret->far_behind = ret->slice_count &&
			  end - ret->slices[ret->slice_count - 1].offset > context->puller->memory;
	return reading.status;
}
