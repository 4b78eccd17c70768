/* SPDX-License-Identifier: Apache-2.0 */
/* Queues against the log: as the log's records come by, each is compared with the unit that is next
 * in its queue, so that both sides are read once and in order. */
#include <message/name.h>
#include <message/properties.h>
#include <stdio.h>
#include <string.h>

#include "store.h"

/* What RocketMQ has when messageDelayLevel is not set. */
#define DELAY_LEVELS "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"

/* A record's place in one queue; with multi-dispatch it has several. */
struct due {
	struct store_queue *queue;
	uint64_t index;
	struct queue_unit unit;
	const struct message_record *record;
};

int queue_check_begin(struct queue_check *check, const struct store_places *places,
		      const struct segments *log, const char *delay_levels, struct report *report)
{
	*check = (struct queue_check){
		.report = report, .log = log, .log_first = segments_first(log)};
	check->folderless = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	check->holes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	if (message_delays_read(delay_levels ? delay_levels : DELAY_LEVELS, &check->delays))
		return cli_usage("--message-delay-level is %s: levels like 1s 5m are due",
				 delay_levels);
	if (!store_queues_list(&check->queues, places, report))
		return 0;
	cli_error("no memory for the queues");
	return CLI_FAILED;
}

void queue_check_free(struct queue_check *check)
{
	store_queues_free(&check->queues);
	if (check->folderless)
		g_hash_table_unref(check->folderless);
	if (check->holes)
		g_array_unref(check->holes);
}

void queue_found(struct queue_check *check, const struct store_queue *queue, uint64_t index,
		 enum finding kind, const char *format, ...)
{
	uint64_t offset;
	g_autofree char *file = store_queue_file(&check->queues, queue, index, &offset);
	va_list args;
	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);
	va_end(args);
	report_add(check->report, kind, file, offset, "%s", what);
}

static void unread(struct queue_check *check, struct store_queue *queue, int error)
{
	uint64_t offset;
	g_autofree char *file = store_queue_file(&check->queues, queue, queue->next, &offset);
	report_unread(check->report, file, error);
	queue->ended = true;
}

void queue_check_hole(struct queue_check *check, uint64_t from, uint64_t to)
{
	enum { HOLES_MAX = 2 * 65536 };
	if (check->holes->len >= HOLES_MAX)
		return;
	g_array_append_val(check->holes, from);
	g_array_append_val(check->holes, to);
}

bool queue_check_is_hole(const struct queue_check *check, uint64_t at)
{
	guint low = 0, high = check->holes->len / 2;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (g_array_index(check->holes, uint64_t, 2 * middle + 1) <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < check->holes->len / 2 && g_array_index(check->holes, uint64_t, 2 * low) <= at;
}

/* ---- units */

enum unit_state { UNIT_NONE, UNIT_FILLER, UNIT_THERE };

/* The unit at next. Zeros and what is behind the files are none. */
static enum unit_state look(struct queue_check *check, struct store_queue *queue,
			    struct queue_unit *ret)
{
	const uint8_t *bytes;
	int found = store_queue_unit(&check->queues, queue, queue->next, &bytes);
	if (found < 0)
		unread(check, queue, found);
	if (found <= 0)
		return UNIT_NONE;
	message_unit_read(bytes, ret);
	if (ret->size == MESSAGE_UNIT_FILLER && ret->physical_offset == 0)
		return UNIT_FILLER;
	return ret->size == 0 && ret->physical_offset == 0 && ret->tags_code == 0 ? UNIT_NONE
										  : UNIT_THERE;
}

/* A unit that no record belongs to. */
static void check_lonely(struct queue_check *check, struct store_queue *queue,
			 const struct queue_unit *unit)
{
	if (unit->physical_offset < 0 || unit->size <= 0)
		queue_found(check, queue, queue->next, FINDING_DAMAGE,
			    "unit %llu says log offset %lld, size %d: that cannot be",
			    (unsigned long long)queue->next, (long long)unit->physical_offset,
			    unit->size);
	else if ((uint64_t)unit->physical_offset >= check->log_first &&
		 !queue_check_is_hole(check, (uint64_t)unit->physical_offset))
		queue_found(check, queue, queue->next, FINDING_DAMAGE,
			    "unit %llu points to log offset %lld, size %d, where no message of "
			    "this queue begins",
			    (unsigned long long)queue->next, (long long)unit->physical_offset,
			    unit->size);
}

/* ---- one record */

static void note_missing(struct store_queue *queue, const struct due *due)
{
	if (!queue->missing++) {
		queue->missing_from = due->index;
		queue->missing_at = (uint64_t)due->unit.physical_offset;
	}
	queue->ended = true;
	if (due->index >= queue->next)
		queue->next = due->index + 1;
}

static void compare_tags(struct queue_check *check, const struct due *due, int64_t said)
{
	uint64_t address;
	if (said == due->unit.tags_code)
		return;
	if (message_unit_ext_address(said, &address))
		ext_check_unit(check, due->queue, due->index, address, due->record,
			       due->unit.tags_code);
	else
		queue_found(check, due->queue, due->index, FINDING_DAMAGE,
			    "unit %llu has the tags code %lld, the record at log offset %lld has "
			    "%lld%s",
			    (unsigned long long)due->index, (long long)said,
			    (long long)due->unit.physical_offset, (long long)due->unit.tags_code,
			    strcmp(due->queue->key, MESSAGE_SCHEDULE_TOPIC)
				    ? ""
				    : " (by --message-delay-level)");
}

static void compare(struct queue_check *check, const struct due *due, const struct queue_unit *unit)
{
	struct store_queue *queue = due->queue;
	queue->next++;
	queue->matched++;
	if (unit->physical_offset != due->unit.physical_offset)
		queue_found(check, queue, due->index, FINDING_DAMAGE,
			    "unit %llu points to log offset %lld, its message is at %lld",
			    (unsigned long long)due->index, (long long)unit->physical_offset,
			    (long long)due->unit.physical_offset);
	else if (unit->size != due->unit.size)
		queue_found(check, queue, due->index, FINDING_DAMAGE,
			    "unit %llu says size %d, the record at log offset %lld has %d",
			    (unsigned long long)due->index, unit->size,
			    (long long)due->unit.physical_offset, due->unit.size);
	compare_tags(check, due, unit->tags_code);
}

static void begin(struct queue_check *check, struct store_queue *queue)
{
	int status = store_queue_search(&check->queues, queue, check->log_first, &queue->next);
	queue->begun = true;
	if (status)
		unread(check, queue, status);
}

/* Units before the record's own: fillers, or units of messages that are not there. */
static enum unit_state pass_to(struct queue_check *check, const struct due *due,
			       struct queue_unit *unit)
{
	struct store_queue *queue = due->queue;
	while (!queue->ended) {
		enum unit_state state = look(check, queue, unit);
		if (state == UNIT_NONE || queue->next >= due->index)
			return state;
		if (state == UNIT_FILLER)
			queue->filler++;
		else
			check_lonely(check, queue, unit);
		queue->next++;
	}
	return UNIT_NONE;
}

/* A message of an older topic with the same name, which was deleted: the queue begins later. */
static bool is_stale(struct queue_check *check, const struct due *due)
{
	struct store_queue *queue = due->queue;
	struct queue_unit unit;
	return !queue->matched && !queue->ended && due->index >= store_queue_first(queue) &&
	       look(check, queue, &unit) == UNIT_THERE &&
	       unit.physical_offset > due->unit.physical_offset &&
	       (uint64_t)unit.physical_offset < segments_end(check->log);
}

/* The queue is already past the record's offset. */
static void check_passed(struct queue_check *check, const struct due *due)
{
	struct store_queue *queue = due->queue;
	uint64_t offset;
	const char *file;
	if (due->index < store_queue_first(queue)) {
		if (!queue->early++)
			queue->early_at = (uint64_t)due->unit.physical_offset;
		return;
	}
	if (!queue->matched) {
		queue->stale++;
		return;
	}
	file = log_place(check->log, (uint64_t)due->unit.physical_offset, &offset);
	report_add(check->report, FINDING_DAMAGE, file, offset,
		   "the record says that it is offset %llu of %s-%d, where %llu is next",
		   (unsigned long long)due->index, queue->key, queue->id,
		   (unsigned long long)queue->next);
}

static void check_filler(struct queue_check *check, const struct due *due)
{
	queue_found(check, due->queue, due->index, FINDING_DAMAGE,
		    "unit %llu stands for no message, the one at log offset %lld is due",
		    (unsigned long long)due->index, (long long)due->unit.physical_offset);
	due->queue->next++;
}

static void check_due(struct queue_check *check, const struct due *due)
{
	struct store_queue *queue = due->queue;
	struct queue_unit unit = {0};
	enum unit_state state;
	if (!queue->begun)
		begin(check, queue);
	if (is_stale(check, due)) {
		queue->stale++;
		return;
	}
	state = pass_to(check, due, &unit);
	if (due->index < queue->next && (state != UNIT_NONE || !queue->ended))
		check_passed(check, due);
	else if (state == UNIT_NONE)
		note_missing(queue, due);
	else if (state == UNIT_FILLER)
		check_filler(check, due);
	else
		compare(check, due, &unit);
}

/* ---- which queues a record is in */

static void note_folderless(struct queue_check *check, struct gantry_str topic)
{
	enum { TOPICS_MAX = 100000 };
	g_autofree char *name = g_strndup(topic.at, topic.size);
	guint count = GPOINTER_TO_UINT(g_hash_table_lookup(check->folderless, name));
	if (count || g_hash_table_size(check->folderless) < TOPICS_MAX)
		g_hash_table_replace(check->folderless, g_steal_pointer(&name),
				     GUINT_TO_POINTER(count + 1));
}

static void check_queue(struct queue_check *check, const struct log_walk *walk,
			struct gantry_str topic, int32_t id, uint64_t index)
{
	const struct message_record *record = &walk->record;
	struct due due = {
		.queue = store_queues_find(&check->queues, topic, id),
		.index = index,
		.record = record,
		.unit = {.physical_offset = (int64_t)walk->record_at,
			 .size = (int32_t)record->size,
			 .tags_code = message_record_tags_code(record, &check->delays)},
	};
	if (!due.queue)
		note_folderless(check, topic);
	else if (due.queue->batch)
		batch_check_record(check, due.queue, record, walk->record_at);
	else
		check_due(check, &due);
}

static struct gantry_str find(const struct message_record *record, const char *name)
{
	return message_property_find(record->properties, (struct gantry_str){name, strlen(name)});
}

/* Multi-dispatch: the names of more queues, and in the same order the offsets in them. */
static void check_more_queues(struct queue_check *check, const struct log_walk *walk)
{
	struct gantry_str names = find(&walk->record, MESSAGE_MULTI_DISPATCH);
	struct gantry_str offsets = find(&walk->record, MESSAGE_MULTI_OFFSETS);
	struct gantry_str name, offset;
	while (message_list_next(&names, &name) && message_list_next(&offsets, &offset)) {
		bool lmq = message_topic_is_light(name);
		g_autofree char *number = g_strndup(offset.at, offset.size);
		guint64 index;
		if (g_ascii_string_to_unsigned(number, 10, 0, INT64_MAX, &index, NULL))
			check_queue(check, walk, name, lmq ? 0 : walk->record.queue, index);
	}
}

void queue_check_record(struct queue_check *check, const struct log_walk *walk)
{
	const struct message_record *record = &walk->record;
	if (!message_record_is_queued(record) || record->queue_offset < 0)
		return;
	check_queue(check, walk, record->topic, record->queue, (uint64_t)record->queue_offset);
	check_more_queues(check, walk);
}
