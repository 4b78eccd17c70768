/* SPDX-License-Identifier: Apache-2.0 */
/* gantry store verify: every record, unit and small file, each against the others. */
#include <json/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "survey.h"

enum { FINDINGS_DEFAULT = 1000 };

static const char help[] =
	"DIR is storePathRootDir of a Java or Gantry broker. Nothing is written. A broker may "
	"run:\n"
	"then what it writes meanwhile is left out. Each finding is one line: file, byte, what is\n"
	"wrong. With --output json each is an object: kind is damage (a start does not mend it),\n"
	"behind (a start does) or note (nothing is wrong).\n\n"
	"Ends with 0 if nothing is wrong, 1 if something is, 2 if something could not be read.";

static void print_text(const struct survey *survey)
{
	const struct log_end *seen = &survey->seen;
	const struct report *report = &survey->report;
	if (report->found > report->max)
		printf("%llu findings more are not shown (--max-findings)\n",
		       (unsigned long long)(report->found - report->max));
	printf("%llu records in %u files, log offsets %llu to %llu; %llu messages in %zu queues; "
	       "%llu findings, %llu of them damage\n",
	       (unsigned long long)seen->records, survey->log.files->len,
	       (unsigned long long)seen->first, (unsigned long long)seen->end,
	       (unsigned long long)survey->queues.matched, survey->queues.queues.table.count,
	       (unsigned long long)report->found, (unsigned long long)report->damage);
}

static void print_json(const struct survey *survey)
{
	const struct log_end *seen = &survey->seen;
	struct json_writer w;
	char *text;
	size_t size;
	json_writer_init(&w, 1 << 16, 0);
	json_open_object(&w);
	json_member_string(&w, "kind", "summary");
	json_member_int(&w, "records", (int64_t)seen->records);
	json_member_int(&w, "files", survey->log.files->len);
	json_member_int(&w, "logStart", (int64_t)seen->first);
	json_member_int(&w, "logEnd", (int64_t)seen->end);
	json_member_int(&w, "queues", (int64_t)survey->queues.queues.table.count);
	json_member_int(&w, "queued", (int64_t)survey->queues.matched);
	json_member_int(&w, "missing", (int64_t)survey->queues.missing);
	json_member_int(&w, "findings", (int64_t)survey->report.found);
	json_member_int(&w, "damage", (int64_t)survey->report.damage);
	json_member_bool(&w, "running", survey->places.running);
	json_member_bool(&w, "unclean", survey->places.unclean);
	json_close_object(&w);
	if (json_writer_take(&w, &text, &size))
		return;
	puts(text);
	free(text);
}

static int verify(const struct store_places *places, const struct survey_options *options,
		  int64_t max)
{
	struct survey survey = {.report = {.max = (uint64_t)max}};
	int exit_code = survey_run(&survey, places, options);
	if (!exit_code) {
		if (cli_json())
			print_json(&survey);
		else
			print_text(&survey);
		exit_code = survey.report.found ? CLI_FAILED : CLI_DONE;
	}
	if (survey.report.unread)
		exit_code = CLI_USAGE;
	survey_free(&survey);
	return exit_code;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	gint64 max = FINDINGS_DEFAULT;
	struct survey_options options = {0};
	char *logs = NULL;
	const GOptionEntry entries[] = {
		STORE_PLACES_OPTION(&logs),
		SURVEY_OPTIONS(&options),
		{"max-findings", 0, 0, G_OPTION_ARG_INT64, &max, "Show N at most (1000)", "N"},
		{NULL},
	};
	struct store_places places;
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code)
		exit_code = cli_range("--max-findings", max, 0, INT64_MAX);
	if (!exit_code)
		exit_code = cli_range("--max-hash-slot-num", options.slots, 0, INT32_MAX);
	if (!exit_code) {
		exit_code = store_places_find(&places, argc, argv, logs);
		if (!exit_code)
			exit_code = verify(&places, &options, max);
		else
			store_places_free(&places);
	}
	g_free(options.levels);
	return exit_code;
}

const struct cli_command cli_store_verify = {
	.name = "verify",
	.arguments = "DIR",
	.summary = "Checks every file of a store against the others",
	.help = help,
	.run = run,
};
