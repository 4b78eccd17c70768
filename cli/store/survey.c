/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over the log, with everything that is compared with it. */
#include "survey.h"

static void note_record(struct survey *survey, const struct log_walk *walk)
{
	struct log_end *seen = &survey->seen;
	if (!seen->records)
		seen->first_ms = walk->record.store_ms;
	if (walk->record.store_ms > seen->last_ms)
		seen->last_ms = walk->record.store_ms;
	if (walk->record.store_ms < seen->first_ms)
		seen->first_ms = walk->record.store_ms;
	seen->records++;
	seen->bytes += walk->record.size;
	seen->last_at = walk->record_at;
	seen->confirm_met |= seen->confirm == (int64_t)walk->record_at;
}

static void report_damage(struct survey *survey, const struct log_walk *walk)
{
	uint64_t offset;
	const char *file = log_place(&survey->log, walk->record_at, &offset);
	if (walk->error)
		report_unread(&survey->report, file, walk->error);
	report_add(
		&survey->report, FINDING_DAMAGE, file, offset,
		"%s (size %u): log offsets %llu to %llu are lost, the next record is behind them",
		log_why(walk->why), walk->said_size, (unsigned long long)walk->record_at,
		(unsigned long long)walk->at);
	queue_check_hole(&survey->queues, walk->record_at, walk->at);
}

/* Zeros behind the last record are room that was prepared; anything else is what a crash left. */
static void report_end(struct survey *survey, const struct log_walk *walk)
{
	uint64_t offset;
	const char *file = log_place(&survey->log, walk->dirty_at, &offset);
	survey->end_at = walk->record_at;
	survey->dirty = walk->dirty;
	survey->dirty_at = walk->dirty_at;
	survey->why = walk->why;
	survey->seen.end = walk->record_at;
	if (walk->dirty && !survey->places.running)
		report_add(&survey->report, FINDING_BEHIND, file, offset,
			   "the log ends at %llu, but bytes that are no record follow (%s, size "
			   "%u): a start cuts them off",
			   (unsigned long long)walk->record_at, log_why(walk->why),
			   walk->said_size);
}

static void show_progress(const struct survey *survey, const struct log_walk *walk)
{
	uint64_t first = segments_first(&survey->log), all = segments_end(&survey->log) - first;
	if (survey->seen.records % 4096 == 0)
		cli_progress("%llu of %llu MiB, %llu records, %llu findings",
			     (unsigned long long)((walk->record_at - first) >> 20),
			     (unsigned long long)(all >> 20),
			     (unsigned long long)survey->seen.records,
			     (unsigned long long)survey->report.found);
}

static void walk_log(struct survey *survey)
{
	struct log_walk walk;
	enum log_step step;
	log_walk_init(&walk, &survey->log, 0);
	while (!cli_interrupted() && (step = log_walk_next(&walk)) != LOG_END) {
		if (step == LOG_DAMAGE)
			report_damage(survey, &walk);
		if (step != LOG_RECORD)
			continue;
		note_record(survey, &walk);
		record_check(&walk, &survey->report);
		queue_check_record(&survey->queues, &walk);
		index_check_record(&survey->index, &survey->queues, &walk);
		show_progress(survey, &walk);
	}
	survey->interrupted = cli_interrupted();
	if (!survey->interrupted)
		report_end(survey, &walk);
	log_walk_free(&walk);
}

int survey_run(struct survey *survey, const struct store_places *places,
	       const struct survey_options *options)
{
	int exit_code;
	survey->places = *places;
	cli_catch_interrupts();
	segments_list(survey->places.logs, 1, &survey->report, &survey->log);
	exit_code = queue_check_begin(&survey->queues, &survey->places, &survey->log,
				      options->levels, &survey->report);
	if (exit_code)
		return exit_code;
	index_check_begin(&survey->index, &survey->places, &survey->log, (uint32_t)options->slots,
			  &survey->report);
	survey->seen.first = segments_first(&survey->log);
	survey->seen.confirm = checkpoint_confirm(&survey->places);
	walk_log(survey);
	if (!survey->interrupted) {
		queue_check_end(&survey->queues, survey->end_at);
		index_check_end(&survey->index, &survey->queues);
		small_files_check(&survey->places, &survey->seen, &survey->report);
		config_check(&survey->places, &survey->report);
	}
	cli_progress_end();
	if (!survey->interrupted)
		return CLI_DONE;
	cli_error("interrupted: the rest was not looked at");
	return CLI_USAGE;
}

void survey_free(struct survey *survey)
{
	index_check_free(&survey->index);
	queue_check_free(&survey->queues);
	segments_free(&survey->log);
	store_places_free(&survey->places);
}
