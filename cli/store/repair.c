/* SPDX-License-Identifier: Apache-2.0 */
/* gantry store repair --dry-run: what the recovery of a start would do, and what it would not. */
#include "survey.h"

static const char help[] = "Only --dry-run is there: repairing is what a broker does when it "
			   "starts. This says what it\n"
			   "would do, and what stays damaged then.\n\n"
			   "Ends with 0 if a start would change nothing, 1 if it would or damage "
			   "stays, 2 if something\n"
			   "could not be read.";

enum { FINDINGS_SHOWN = 100 };

/* The log: where it ends, and what is behind. */
static bool tell_log(const struct survey *survey)
{
	uint64_t offset;
	const char *file = log_place(&survey->log, survey->end_at, &offset);
	uint64_t after = 0;
	if (!survey->dirty)
		return false;
	for (guint i = 0; i < survey->log.files->len; i++)
		after += segments_at(&survey->log, i)->base > survey->end_at;
	report_would("cut the log at %llu (byte %llu of %s), because what follows is no record: %s",
		     (unsigned long long)survey->end_at, (unsigned long long)offset, file,
		     log_why(survey->why));
	if (after)
		report_would("remove %llu log files behind it", (unsigned long long)after);
	return true;
}

static bool tell_queues(const struct survey *survey)
{
	const struct queue_check *queues = &survey->queues;
	bool none = !queues->queues.table.count && survey->seen.records;
	if (queues->behind)
		report_would(
			"cut %llu units of messages that the log does not have from their queues",
			(unsigned long long)queues->behind);
	if (queues->missing)
		report_would("append units of %llu messages to their queues",
			     (unsigned long long)queues->missing);
	if (none)
		report_would("make every queue from the log, since there is none");
	return queues->behind || queues->missing || none;
}

static void tell_start(const struct survey *survey)
{
	int64_t confirm = survey->seen.confirm;
	if (!survey->places.unclean)
		report_would(
			"the last stop was clean: the log is checked from its last records on");
	else if (confirm > 0 && survey->seen.confirm_met)
		report_would("the last stop was not clean: the log is checked from %lld on if that "
			     "is old "
			     "enough by the checkpoint, else from an earlier file on",
			     (long long)confirm);
	else
		report_would("the last stop was not clean, and the checkpoint names no record: the "
			     "log is "
			     "checked from the last file on that is old enough by the checkpoint");
}

static int tell(const struct survey *survey)
{
	uint64_t damage = survey->report.damage;
	bool would;
	tell_start(survey);
	would = tell_log(survey);
	would |= tell_queues(survey);
	if (!would)
		report_would("nothing has to be cut or appended");
	if (damage)
		report_would(
			"%llu findings of damage stay, those above: messages that are lost stay "
			"lost; "
			"queues alone are made anew by a start after consumequeue was moved away",
			(unsigned long long)damage);
	return would || damage ? CLI_FAILED : CLI_DONE;
}

static int repair(const struct store_places *places, const struct survey_options *options)
{
	struct survey survey = {.report = {.max = FINDINGS_SHOWN, .damage_only = true}};
	int exit_code = survey_run(&survey, places, options);
	if (!exit_code)
		exit_code = tell(&survey);
	if (survey.report.unread)
		exit_code = CLI_USAGE;
	survey_free(&survey);
	return exit_code;
}

static int find_and_repair(int argc, char **argv, char *logs, const struct survey_options *options)
{
	struct store_places places;
	int exit_code = store_places_find(&places, argc, argv, logs);
	if (!exit_code && places.running) {
		cli_error("a broker works in %s: there is nothing to repair", places.root);
		exit_code = CLI_USAGE;
	}
	if (!exit_code)
		return repair(&places, options);
	store_places_free(&places);
	return exit_code;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct survey_options options = {0};
	gboolean dry = FALSE;
	char *logs = NULL;
	const GOptionEntry entries[] = {
		{"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry, "Only say what would be done", NULL},
		STORE_PLACES_OPTION(&logs),
		SURVEY_OPTIONS(&options),
		{NULL},
	};
	int exit_code = cli_options(self, entries, &argc, argv);
	if (!exit_code && !dry)
		exit_code = cli_usage("a store is repaired by starting the broker on it; --dry-run "
				      "tells what that would do");
	if (!exit_code)
		exit_code = cli_range("--max-hash-slot-num", options.slots, 0, INT32_MAX);
	if (!exit_code)
		exit_code = find_and_repair(argc, argv, logs, &options);
	g_free(options.levels);
	return exit_code;
}

const struct cli_command cli_store_repair = {
	.name = "repair",
	.arguments = "DIR",
	.summary = "Tells what a start would repair",
	.help = help,
	.run = run,
};
