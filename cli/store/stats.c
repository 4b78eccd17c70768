/* SPDX-License-Identifier: Apache-2.0 */
/* gantry store stats: what is in each queue, read from the ConsumeQueues: the log is only asked for
 * the first and the last message of each. */
#include <json/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store.h"

static const char help[] =
	"Columns: topic, queue, messages, their bytes in the log, offsets from and to, store time "
	"of\n"
	"the first and the last. The density is the part of the log that these messages take; the\n"
	"rest is of deleted topics, half messages, ends of files and room that is not written yet.";

struct count {
	uint64_t messages, bytes, min, max; /* min, max: queue offsets [min, max) */
	int64_t first_at, last_at;          /* log offsets; -1: none */
	int64_t first_ms, last_ms;
};

struct stats {
	struct segments log;
	struct store_queues queues;
	struct log_walk walk; /* for single records */
	struct count sum;
	bool unread;
};

/* ---- counting */

static void add_unit(struct count *count, const struct queue_unit *unit, uint64_t messages)
{
	if (unit->size == MESSAGE_UNIT_FILLER)
		return;
	if (count->first_at < 0)
		count->first_at = unit->physical_offset;
	count->last_at = unit->physical_offset;
	count->messages += messages;
	count->bytes += (uint64_t)unit->size;
}

/* One unit of either kind; false: the queue has no more. */
static bool count_unit(const struct stats *stats, const struct store_queue *queue, uint64_t index,
		       const uint8_t *bytes, struct count *count)
{
	struct queue_unit unit;
	struct batch_unit batch;
	message_unit_read(bytes, &unit);
	if (unit.size <= 0 || unit.physical_offset < 0 ||
	    (unit.size != MESSAGE_UNIT_FILLER &&
	     (uint64_t)unit.physical_offset >= segments_end(&stats->log)))
		return false;
	if (!queue->batch) {
		add_unit(count, &unit, 1);
		count->max = index + 1;
		return true;
	}
	message_batch_unit_read(bytes, &batch);
	if (batch.count <= 0 || batch.base_offset < 0)
		return false;
	if (count->first_at < 0)
		count->min = (uint64_t)batch.base_offset;
	add_unit(count, &unit, (uint64_t)batch.count);
	count->max = (uint64_t)batch.base_offset + (uint64_t)batch.count;
	return true;
}

static int64_t store_ms(struct stats *stats, int64_t at)
{
	return at >= 0 && log_walk_read(&stats->walk, (uint64_t)at) ? stats->walk.record.store_ms
								    : 0;
}

static struct count count_queue(struct stats *stats, struct store_queue *queue)
{
	struct count count = {.first_at = -1, .last_at = -1};
	const uint8_t *bytes;
	uint64_t index;
	int found = store_queue_search(&stats->queues, queue, segments_first(&stats->log), &index);
	count.min = count.max = index;
	for (; !found && !cli_interrupted(); index++) {
		int got = store_queue_unit(&stats->queues, queue, index, &bytes);
		found = got < 0 ? got : 0;
		if (got <= 0 || !count_unit(stats, queue, index, bytes, &count))
			break;
	}
	if (found) {
		cli_error("cannot read %s-%d: %s", queue->key, queue->id, g_strerror(-found));
		stats->unread = true;
	}
	count.first_ms = store_ms(stats, count.first_at);
	count.last_ms = store_ms(stats, count.last_at);
	free(queue->window);
	queue->window = NULL;
	queue->filled = 0;
	return count;
}

static void add(struct count *sum, const struct count *count)
{
	sum->messages += count->messages;
	sum->bytes += count->bytes;
	if (count->first_ms && (!sum->first_ms || count->first_ms < sum->first_ms))
		sum->first_ms = count->first_ms;
	if (count->last_ms > sum->last_ms)
		sum->last_ms = count->last_ms;
}

/* ---- printing */

static void print_time(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;
	char text[32];
	if (!ms || !gmtime_r(&seconds, &parts) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts))
		printf(" %24s", "-");
	else
		printf(" %s.%03dZ", text, (int)(ms % 1000));
}

static double density(const struct stats *stats)
{
	uint64_t all = 0;
	for (guint i = 0; i < stats->log.files->len; i++)
		all += segments_at(&stats->log, i)->size;
	return all ? (double)stats->sum.bytes / (double)all : 0;
}

static void print_text(const struct store_queue *queue, const struct count *count)
{
	printf("%-32s %5d %12llu %14llu %12llu %12llu", queue->key, queue->id,
	       (unsigned long long)count->messages, (unsigned long long)count->bytes,
	       (unsigned long long)count->min, (unsigned long long)count->max);
	print_time(count->first_ms);
	print_time(count->last_ms);
	putchar('\n');
}

static void print_json(const struct stats *stats, const struct store_queue *queue,
		       const struct count *count)
{
	struct json_writer w;
	char *text;
	size_t size;
	json_writer_init(&w, 1 << 16, 0);
	json_open_object(&w);
	json_member_string(&w, "kind", queue ? "queue" : "total");
	if (queue) {
		json_member_string(&w, "topic", queue->key);
		json_member_int(&w, "queue", queue->id);
		json_member_int(&w, "minOffset", (int64_t)count->min);
		json_member_int(&w, "maxOffset", (int64_t)count->max);
	} else {
		json_member_int(&w, "queues", (int64_t)stats->queues.table.count);
		json_member_int(&w, "logFiles", stats->log.files->len);
		json_member_int(&w, "logStart", (int64_t)segments_first(&stats->log));
		json_put_key(&w, "density");
		json_put_double(&w, density(stats));
	}
	json_member_int(&w, "messages", (int64_t)count->messages);
	json_member_int(&w, "bytes", (int64_t)count->bytes);
	json_member_int(&w, "firstStoreTimestamp", count->first_ms);
	json_member_int(&w, "lastStoreTimestamp", count->last_ms);
	json_close_object(&w);
	if (json_writer_take(&w, &text, &size))
		return;
	puts(text);
	free(text);
}

static void print_sum(const struct stats *stats)
{
	if (cli_json()) {
		print_json(stats, NULL, &stats->sum);
		return;
	}
	printf("%llu messages of %llu bytes in %zu queues; %u log files from %llu on; density "
	       "%.3f\n",
	       (unsigned long long)stats->sum.messages, (unsigned long long)stats->sum.bytes,
	       stats->queues.table.count, stats->log.files->len,
	       (unsigned long long)segments_first(&stats->log), density(stats));
}

/* ---- the command */

static void print_queues(struct stats *stats)
{
	struct table_entry **sorted = store_queues_sorted(&stats->queues);
	if (!cli_json())
		printf("%-32s %5s %12s %14s %12s %12s %24s %24s\n", "topic", "queue", "messages",
		       "bytes", "from", "to", "first stored", "last stored");
	for (size_t i = 0; sorted[i] && !cli_interrupted(); i++) {
		struct store_queue *queue = STORE_QUEUE(sorted[i]);
		struct count count = count_queue(stats, queue);
		add(&stats->sum, &count);
		cli_progress_end();
		if (cli_json())
			print_json(stats, queue, &count);
		else
			print_text(queue, &count);
	}
	g_free(sorted);
}

static int stats(const struct store_places *places)
{
	struct stats stats = {0};
	struct report report = {0};
	int exit_code = CLI_DONE;
	cli_catch_interrupts();
	segments_list(places->logs, 1, NULL, &stats.log);
	log_walk_init(&stats.walk, &stats.log, 0);
	stats.walk.reach = 4096;
	if (store_queues_list(&stats.queues, places, &report))
		exit_code = CLI_FAILED;
	if (!exit_code)
		print_queues(&stats);
	if (!exit_code && !cli_interrupted())
		print_sum(&stats);
	if (stats.unread || report.unread || cli_interrupted())
		exit_code = CLI_USAGE;
	log_walk_free(&stats.walk);
	store_queues_free(&stats.queues);
	segments_free(&stats.log);
	return exit_code;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	char *logs = NULL;
	const GOptionEntry entries[] = {STORE_PLACES_OPTION(&logs), {NULL}};
	struct store_places places;
	int exit_code = cli_options(self, entries, &argc, argv);
	if (exit_code)
		return exit_code;
	exit_code = store_places_find(&places, argc, argv, logs);
	if (!exit_code)
		exit_code = stats(&places);
	store_places_free(&places);
	return exit_code;
}

const struct cli_command cli_store_stats = {
	.name = "stats",
	.arguments = "DIR",
	.summary = "Counts the messages of each queue of a store",
	.help = help,
	.run = run,
};
