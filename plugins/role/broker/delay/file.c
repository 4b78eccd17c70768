/* SPDX-License-Identifier: Apache-2.0 */
/* delayOffset.json: {"dataVersion":{...},"offsetTable":{1:12,3:9}}, with the levels as bare keys;
 * and the calls that tell of it.
 *
 * It never says that a message is delivered which a power cut could still take from its topic: the
 * offsets of one moment are noted, and written when the log of that moment is durable. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "requests/call.h"
#include "delay/delay_private.h"
#include "json/json.h"
#include "message/name.h"
#include "paths.h"
#include "store/store.h"

enum { TEXT_MAX = 1024 * 1024 };

/* ---- text */

static int encode(struct delay *delay, const int64_t *offsets, uint64_t changes, unsigned flags,
		  char **ret, size_t *ret_size)
{
	struct data_version version;
	struct json_writer writer;

	pthread_mutex_lock(&delay->lock);
	version = delay->version;
	pthread_mutex_unlock(&delay->lock);
	version.counter +=
		(int64_t)(changes / (uint64_t)delay->broker->conf->delayOffsetUpdateVersionStep);
	json_writer_init(&writer, TEXT_MAX, flags);
	json_open_object(&writer);
	json_put_key(&writer, "dataVersion");
	data_version_write(&writer, &version);
	json_put_key(&writer, "offsetTable");
	json_open_object(&writer);
	for (int i = 0; i < DELAY_LEVELS; i++) {
		int64_t offset = __atomic_load_n(&offsets[i], __ATOMIC_RELAXED);

		if (offset < 0)
			continue;
		json_put_key_int(&writer, i + 1);
		json_put_int(&writer, offset);
	}
	json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

static int encode_file(void *user, char **ret, size_t *ret_size)
{
	struct delay *delay = user;

	return encode(delay, delay->noted, __atomic_load_n(&delay->noted_changes, __ATOMIC_RELAXED),
		      JSON_PRETTY, ret, ret_size);
}

static int read_offsets(struct json_value root, int64_t offsets[DELAY_LEVELS], char *why,
			size_t why_size)
{
	struct json_value table = json_get(root, "offsetTable");
	struct json_iter it = json_iter(table);

	for (int i = 0; i < DELAY_LEVELS; i++)
		offsets[i] = -1;
	if (!json_is(table, JSON_OBJECT)) {
		snprintf(why, why_size, "it has no offsetTable");
		return -EINVAL;
	}
	while (json_next(&it)) {
		int64_t level, offset;

		if (json_int64(it.key, &level) || json_int64(it.value, &offset) || level < 1 ||
		    level > DELAY_LEVELS || offset < 0) {
			snprintf(why, why_size,
				 "offsetTable has something that is no level from 1 to %d and its "
				 "offset",
				 DELAY_LEVELS);
			return -EINVAL;
		}
		offsets[level - 1] = offset;
	}
	return 0;
}

static void set_version(struct delay *delay, struct data_version version)
{
	pthread_mutex_lock(&delay->lock);
	delay->version = version;
	pthread_mutex_unlock(&delay->lock);
}

/* True: it says something else than what is there. */
static bool set_offsets(struct delay *delay, const int64_t offsets[DELAY_LEVELS])
{
	bool changed = false;

	for (int i = 0; i < DELAY_LEVELS; i++) {
		if (__atomic_load_n(&delay->noted[i], __ATOMIC_RELAXED) == offsets[i])
			continue;
		changed = true;
		__atomic_store_n(&delay->levels[i].offset, offsets[i], __ATOMIC_RELEASE);
		__atomic_store_n(&delay->noted[i], offsets[i], __ATOMIC_RELAXED);
	}
	return changed;
}

static int take_document(void *user, struct json_value root, char *why, size_t why_size)
{
	struct delay *delay = user;
	int64_t offsets[DELAY_LEVELS];
	int err = read_offsets(root, offsets, why, why_size);

	if (err)
		return err;
	set_version(delay, data_version_read(json_get(root, "dataVersion")));
	set_offsets(delay, offsets);
	return 0;
}

int delay_adopt(struct broker *broker, const struct json_doc *page, char *why, size_t why_size)
{
	struct delay *delay = feature_data(broker, &delay_feature);
	struct data_version version = data_version_read(json_get(json_root(page), "dataVersion"));
	uint64_t changes = __atomic_load_n(&delay->changes, __ATOMIC_RELAXED);
	int64_t offsets[DELAY_LEVELS];
	int err = read_offsets(json_root(page), offsets, why, why_size);

	if (err)
		return err;
	version.counter -=
		(int64_t)(changes / (uint64_t)broker->conf->delayOffsetUpdateVersionStep);
	set_version(delay, version);
	if (set_offsets(delay, offsets))
		state_changed(delay->file);
	return 0;
}

static int decode_file(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	return broker_decode(text, size, take_document, user, why, why_size);
}

int delay_file_load(struct delay *delay)
{
	int result = broker_state_new(delay->broker, "delayOffset.json", encode_file, decode_file,
				      delay, &delay->file);

	if (!result)
		result = state_read(delay->file);
	return result < 0 ? result : 0;
}

/* ---- writing; on the control loop */

/* False: the file says it already. */
static bool note(struct delay *delay)
{
	if (!__atomic_exchange_n(&delay->changed, false, __ATOMIC_ACQ_REL))
		return false;
	__atomic_store_n(&delay->noted_changes, __atomic_load_n(&delay->changes, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELAXED);
	for (int i = 0; i < DELAY_LEVELS; i++)
		__atomic_store_n(&delay->noted[i],
				 __atomic_load_n(&delay->levels[i].offset, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELAXED);
	return true;
}

static void flushed(struct gantry_op *op)
{
	struct delay *delay = op->user;
	int status;

	delay->flushing = false;
	if (!op->status)
		state_changed(delay->file);
	else
		__atomic_store_n(&delay->changed, true, __ATOMIC_RELEASE);
	if (!delay->close_op)
		return;
	op = delay->close_op;
	delay->close_op = NULL;
	status = delay_file_close(delay, op);
	if (status <= 0)
		gantry_op_finish(op, status, 0);
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct delay *delay = user;
	struct store *store = delay->broker->store;
	uint64_t first, end;
	int status;

	(void)timer;
	if (delay->flushing || !note(delay))
		return;
	store_bounds(store, &first, &end);
	delay->flushed_op = (struct gantry_op){
		.done = flushed,
		.loop = gantry_loop_control(delay->broker->inst),
		.user = delay,
		.deadline_ms =
			gantry_clock_ms() + (uint64_t)delay->broker->conf->flushDelayOffsetInterval,
	};
	status = store_wait_durable(store, end, &delay->flushed_op);
	if (status > 0)
		delay->flushing = true;
	else if (!status)
		state_changed(delay->file);
	else
		__atomic_store_n(&delay->changed, true, __ATOMIC_RELEASE);
}

int delay_file_serve(struct delay *delay)
{
	struct gantry_inst *inst = delay->broker->inst;
	uint64_t period = (uint64_t)delay->broker->conf->flushDelayOffsetInterval;

	return gantry_timer_start(inst, gantry_loop_control(inst), period, period, tick, delay,
				  &delay->file_timer);
}

void delay_file_rest(struct delay *delay)
{
	gantry_timer_stop(delay->file_timer);
	delay->file_timer = NULL;
}

/* The log is synced when the store closes, so what is delivered now may be said. */
int delay_file_close(struct delay *delay, struct gantry_op *op)
{
	delay_file_rest(delay);
	if (delay->flushing) {
		if (!delay->close_op)
			gantry_op_take(op, NULL, delay);
		delay->close_op = op;
		return GANTRY_PENDING;
	}
	if (delay->file && note(delay))
		state_changed(delay->file);
	return delay->file ? state_close(delay->file, op) : 0;
}

/* ---- calls */

static int get_offsets(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct delay *delay = feature_data(broker, &delay_feature);
	int64_t offsets[DELAY_LEVELS];
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	for (int i = 0; i < DELAY_LEVELS; i++)
		offsets[i] = __atomic_load_n(&delay->levels[i].offset, __ATOMIC_ACQUIRE);
	err = encode(delay, offsets, __atomic_load_n(&delay->changes, __ATOMIC_RELAXED), 0, &text,
		     &size);
	return call_reply_made(call, err, text, size);
}

void delay_write_runtime(const struct broker *broker, struct json_writer *writer)
{
	struct delay *delay = feature_data(broker, &delay_feature);

	for (uint32_t i = 0; delay && i < delay->delays.count; i++) {
		int64_t offset = __atomic_load_n(&delay->levels[i].offset, __ATOMIC_ACQUIRE);
		struct queue *queue = store_queue_named(broker->store,
							str_of(MESSAGE_SCHEDULE_TOPIC), (int32_t)i);
		char name[48], value[48];
		int64_t min, max;

		if (offset < 0 || !queue || !queue_is_open(queue))
			continue;
		queue_bounds(queue, &min, &max);
		snprintf(name, sizeof(name), "scheduleMessageOffset_%" PRIu32, i + 1);
		snprintf(value, sizeof(value), "%" PRId64 ",%" PRId64, offset, max);
		json_member_string(writer, name, value);
	}
}

const struct call_row delay_calls[] = {
	{45, "GET_ALL_DELAY_OFFSET", get_offsets},
	{0, NULL, NULL},
};
