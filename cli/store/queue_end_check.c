/* SPDX-License-Identifier: Apache-2.0 */
/* What is left in the queues when the log has come to its end. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* How the units end that no record was compared with. */
struct rest {
	uint64_t behind, lonely, filler; /* units: behind the log's end, of no message */
	uint64_t first_behind, first_lonely;
	int64_t behind_to, lonely_to; /* where the first of them point */
	uint64_t zeros;               /* of units that are none; more units after them: */
	uint64_t after_zeros;
};

static bool is_zero(const uint8_t *bytes, uint32_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static void count_unit(const struct queue_check *check, uint64_t index,
		       const struct queue_unit *unit, struct rest *rest)
{
	if (unit->size == MESSAGE_UNIT_FILLER && unit->physical_offset == 0) {
		rest->filler++;
	} else if (unit->physical_offset >= 0 && unit->size > 0 &&
		   (uint64_t)unit->physical_offset >= check->log_end) {
		if (!rest->behind++) {
			rest->first_behind = index;
			rest->behind_to = unit->physical_offset;
		}
	} else if (unit->physical_offset < 0 || unit->size <= 0 ||
		   ((uint64_t)unit->physical_offset >= check->log_first &&
		    !queue_check_is_hole(check, (uint64_t)unit->physical_offset))) {
		if (!rest->lonely++) {
			rest->first_lonely = index;
			rest->lonely_to = unit->physical_offset;
		}
	}
}

/* Zeros end a queue; what is left of its file is looked at a little further. */
static void walk_rest(struct queue_check *check, struct store_queue *queue, struct rest *rest)
{
	enum { ZEROS_MAX = 200 };
	for (uint64_t i = queue->next; rest->zeros < ZEROS_MAX; i++) {
		const uint8_t *bytes;
		struct queue_unit unit;
		int found = store_queue_unit(&check->queues, queue, i, &bytes);
		if (found < 0)
			report_unread(check->report, queue->key, found);
		if (found <= 0)
			return;
		if (is_zero(bytes, queue->unit)) {
			rest->zeros++;
			continue;
		}
		message_unit_read(bytes, &unit);
		if (rest->zeros)
			rest->after_zeros++;
		count_unit(check, i, &unit, rest);
	}
}

static void report_rest(struct queue_check *check, const struct store_queue *queue,
			const struct rest *rest)
{
	if (rest->behind)
		queue_found(check, queue, rest->first_behind, FINDING_BEHIND,
			    "%llu units from %llu on point behind the log's end at %llu, the first "
			    "to %lld",
			    (unsigned long long)rest->behind,
			    (unsigned long long)rest->first_behind,
			    (unsigned long long)check->log_end, (long long)rest->behind_to);
	if (rest->lonely)
		queue_found(check, queue, rest->first_lonely, FINDING_DAMAGE,
			    "%llu units from %llu on point to no message of this queue, the first "
			    "to log offset %lld",
			    (unsigned long long)rest->lonely,
			    (unsigned long long)rest->first_lonely, (long long)rest->lonely_to);
}

/* Messages that have no unit: none at the end is what recovery makes; a zero unit with more behind
 * it is damage. */
static void report_missing(struct queue_check *check, const struct store_queue *queue,
			   const struct rest *rest)
{
	if (!queue->missing || check->queues.places->running)
		return;
	queue_found(check, queue, queue->missing_from,
		    rest->after_zeros ? FINDING_DAMAGE : FINDING_BEHIND,
		    "the queue ends with unit %llu, but the log has %llu messages more, the first "
		    "at log offset %llu",
		    (unsigned long long)queue->missing_from, (unsigned long long)queue->missing,
		    (unsigned long long)queue->missing_at);
}

/* Files before the queue's first are gone, though their messages are not. */
static void report_early(struct queue_check *check, const struct store_queue *queue)
{
	if (queue->early)
		queue_found(check, queue, store_queue_first(queue), FINDING_DAMAGE,
			    "the queue begins with unit %llu, but the log has %llu earlier "
			    "messages of it, the first at log offset %llu",
			    (unsigned long long)store_queue_first(queue),
			    (unsigned long long)queue->early, (unsigned long long)queue->early_at);
}

static void check_one(struct queue_check *check, struct store_queue *queue)
{
	struct rest rest = {0};
	if (!queue->begun) {
		if (store_queue_search(&check->queues, queue, check->log_first, &queue->next))
			return;
		queue->begun = true;
	}
	if (queue->missing)
		queue->next = queue->missing_from;
	if (queue->file_bytes && !check->queues.places->running)
		walk_rest(check, queue, &rest);
	if (queue->missing)
		rest.lonely = 0; /* the same again */
	report_rest(check, queue, &rest);
	report_early(check, queue);
	report_missing(check, queue, &rest);
	check->matched += queue->matched;
	check->missing += queue->missing;
	check->stale += queue->stale;
	check->filler += queue->filler + rest.filler;
	check->behind += rest.behind;
	free(queue->window);
	queue->window = NULL;
	queue->filled = 0;
}

static void report_folderless(struct queue_check *check)
{
	GHashTableIter iter;
	gpointer topic, count;
	if (!check->queues.table.count && g_hash_table_size(check->folderless)) {
		report_add(check->report, FINDING_BEHIND, "consumequeue", 0,
			   "there are messages and no queues at all: the next start makes them "
			   "from the log");
		return;
	}
	g_hash_table_iter_init(&iter, check->folderless);
	while (g_hash_table_iter_next(&iter, &topic, &count))
		report_note(check->report, topic,
			    "%u messages of the topic are in queues that have no folder: the topic "
			    "was deleted, or its queues were",
			    GPOINTER_TO_UINT(count));
}

void queue_check_end(struct queue_check *check, uint64_t log_end)
{
	struct table_entry **sorted = store_queues_sorted(&check->queues);
	check->log_end = log_end;
	for (size_t i = 0; sorted[i] && !cli_interrupted(); i++) {
		cli_progress("queue %zu of %zu", i, check->queues.table.count);
		check_one(check, STORE_QUEUE(sorted[i]));
	}
	g_free(sorted);
	report_folderless(check);
	if (check->stale)
		report_note(check->report, "consumequeue",
			    "%llu messages are older than their queue: it was deleted and made "
			    "again",
			    (unsigned long long)check->stale);
}
