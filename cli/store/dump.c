/* SPDX-License-Identifier: Apache-2.0 */
/* gantry store dump: records, by queue, by place in the log, by key. */
#include <message/properties.h>
#include <stdio.h>
#include <string.h>

#include "../message_print.h"
#include "store.h"

static const char help[] =
	"Without a choice all records are printed, in the log's order. With --topic and --queue "
	"the\n"
	"ConsumeQueue finds them; any other choice reads the log from --offset, or its beginning, "
	"on.\n\n"
	"Examples:\n"
	"  gantry store dump /data/store --topic TopicTest --queue 0 --from 100 --max 10 --body\n"
	"  gantry store dump /data/store --offset 4096 --max 1 --output json";

struct dump {
	char *topic, *key;
	gint queue;  /* -1: any */
	gint64 from; /* queue offset */
	gint64 at;   /* log offset; -1: from the beginning */
	gint64 max;  /* 0: no limit */
	gboolean body;
	int64_t printed;
	bool damaged;
};

/* ---- choosing */

static bool is(struct gantry_str text, const char *wanted)
{
	return text.size == strlen(wanted) && memcmp(text.at, wanted, text.size) == 0;
}

static bool has_word(struct gantry_str words, const char *wanted)
{
	while (words.size) {
		const char *end = memchr(words.at, ' ', words.size);
		size_t size = end ? (size_t)(end - words.at) : words.size;
		if (is((struct gantry_str){words.at, size}, wanted))
			return true;
		size += end != NULL;
		words.at += size;
		words.size -= size;
	}
	return false;
}

static struct gantry_str find(const struct message_record *record, const char *name)
{
	return message_property_find(record->properties, (struct gantry_str){name, strlen(name)});
}

static bool is_chosen(const struct dump *dump, const struct message_record *record)
{
	if (dump->topic && !is(record->topic, dump->topic))
		return false;
	if (dump->queue >= 0 && record->queue != dump->queue)
		return false;
	if (record->queue_offset < dump->from)
		return false;
	return !dump->key || is(find(record, MESSAGE_UNIQ_KEY), dump->key) ||
	       has_word(find(record, MESSAGE_KEYS), dump->key);
}

static void print(struct dump *dump, const struct message_record *record)
{
	print_message(&(struct message_print){.body = dump->body}, record);
	dump->printed++;
}

static bool is_enough(const struct dump *dump)
{
	return (dump->max && dump->printed >= dump->max) || cli_interrupted();
}

/* ---- by the log */

static void dump_log(struct dump *dump, const struct segments *log)
{
	struct log_walk walk;
	enum log_step step;
	uint64_t count = 0;
	log_walk_init(&walk, log, dump->at > 0 ? (uint64_t)dump->at : 0);
	while (!is_enough(dump) && (step = log_walk_next(&walk)) != LOG_END) {
		if (step == LOG_RECORD && is_chosen(dump, &walk.record))
			print(dump, &walk.record);
		if (step == LOG_DAMAGE) {
			cli_error("log offsets %llu to %llu are left out: %s",
				  (unsigned long long)walk.record_at, (unsigned long long)walk.at,
				  log_why(walk.why));
			dump->damaged = true;
		}
		if (count++ % 4096 == 0)
			cli_progress("log offset %llu of %llu", (unsigned long long)walk.at,
				     (unsigned long long)segments_end(log));
	}
	log_walk_free(&walk);
}

/* ---- by a queue */

static bool read_unit(struct store_queues *queues, struct store_queue *queue, uint64_t index,
		      struct queue_unit *ret)
{
	const uint8_t *bytes;
	if (store_queue_unit(queues, queue, index, &bytes) <= 0)
		return false;
	message_unit_read(bytes, ret);
	return ret->size > 0;
}

static void dump_units(struct dump *dump, struct store_queues *queues, struct store_queue *queue,
		       const struct segments *log)
{
	uint64_t index = store_queue_first(queue);
	struct queue_unit unit;
	struct log_walk walk;
	log_walk_init(&walk, log, 0);
	walk.reach = 64 * 1024;
	if ((uint64_t)dump->from > index && !queue->batch)
		index = (uint64_t)dump->from;
	for (; !is_enough(dump) && read_unit(queues, queue, index, &unit); index++) {
		if (unit.size == MESSAGE_UNIT_FILLER ||
		    unit.physical_offset < (int64_t)segments_first(log))
			continue;
		if (log_walk_read(&walk, (uint64_t)unit.physical_offset)) {
			if (!queue->batch || is_chosen(dump, &walk.record))
				print(dump, &walk.record);
			continue;
		}
		cli_error("unit %llu points to log offset %lld, where no record begins",
			  (unsigned long long)index, (long long)unit.physical_offset);
		dump->damaged = true;
	}
	log_walk_free(&walk);
}

static int dump_queue(struct dump *dump, const struct store_places *places,
		      const struct segments *log)
{
	struct gantry_str topic = {dump->topic, strlen(dump->topic)};
	struct store_queues queues = {.places = places};
	struct store_queue *queue;
	int exit_code = CLI_DONE;
	if (store_queues_list_topic(&queues, dump->topic))
		exit_code = CLI_FAILED;
	queue = exit_code ? NULL : store_queues_find(&queues, topic, dump->queue);
	if (queue)
		dump_units(dump, &queues, queue, log);
	else
		cli_error("there is no queue %d of topic %s", dump->queue, dump->topic);
	store_queues_free(&queues);
	return queue ? exit_code : CLI_FAILED;
}

static int dump(struct dump *dump, const struct store_places *places)
{
	struct segments log;
	int exit_code = CLI_DONE;
	cli_catch_interrupts();
	segments_list(places->logs, 1, NULL, &log);
	if (dump->topic && dump->queue >= 0 && !dump->key && dump->at < 0)
		exit_code = dump_queue(dump, places, &log);
	else
		dump_log(dump, &log);
	segments_free(&log);
	cli_progress_end();
	return exit_code ? exit_code : dump->damaged ? CLI_FAILED : CLI_DONE;
}

/* ---- options */

static int check_options(const struct dump *dump)
{
	int exit_code = cli_range("--queue", dump->queue, -1, INT32_MAX);
	if (!exit_code)
		exit_code = cli_range("--from", dump->from, 0, INT64_MAX / MESSAGE_UNIT_SIZE);
	if (!exit_code)
		exit_code = cli_range("--offset", dump->at, -1, INT64_MAX);
	if (!exit_code)
		exit_code = cli_range("--max", dump->max, 0, INT64_MAX);
	if (!exit_code && dump->topic && strchr(dump->topic, '/'))
		exit_code = cli_usage("--topic is %s: a topic has no /", dump->topic);
	return exit_code;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct dump to = {.queue = -1, .at = -1};
	char *logs = NULL;
	const GOptionEntry entries[] = {
		{"topic", 't', 0, G_OPTION_ARG_STRING, &to.topic, "Of this topic", "TOPIC"},
		{"queue", 'q', 0, G_OPTION_ARG_INT, &to.queue, "Of this queue", "ID"},
		{"from", 0, 0, G_OPTION_ARG_INT64, &to.from, "From this queue offset on", "N"},
		{"offset", 0, 0, G_OPTION_ARG_INT64, &to.at, "From this log offset on", "N"},
		{"key", 'k', 0, G_OPTION_ARG_STRING, &to.key, "With this key or unique key", "KEY"},
		{"max", 0, 0, G_OPTION_ARG_INT64, &to.max, "N at most", "N"},
		{"body", 0, 0, G_OPTION_ARG_NONE, &to.body, "Bodies as well", NULL},
		STORE_PLACES_OPTION(&logs),
		{NULL},
	};
	struct store_places places;
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code)
		exit_code = check_options(&to);
	if (!exit_code) {
		exit_code = store_places_find(&places, argc, argv, logs);
		if (!exit_code)
			exit_code = dump(&to, &places);
		store_places_free(&places);
	}
	g_free(to.topic);
	g_free(to.key);
	return exit_code;
}

const struct cli_command cli_store_dump = {
	.name = "dump",
	.arguments = "DIR",
	.summary = "Prints records of a store",
	.help = help,
	.run = run,
};
