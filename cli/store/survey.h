/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over a store, with all checks: what verify and repair share. */
#ifndef CLI_STORE_SURVEY_H
#define CLI_STORE_SURVEY_H

#include "index_check.h"

GANTRY_BEGIN

struct survey {
	struct store_places places;
	struct segments log;
	struct queue_check queues;
	struct index_check index;
	struct log_end seen;
	struct report report;
	/* how the log ends */
	bool dirty, interrupted;
	uint64_t dirty_at, end_at;
	enum message_scan why;
};

/* What the broker's configuration says, where it matters. */
struct survey_options {
	char *levels; /* messageDelayLevel; NULL: RocketMQ's own */
	gint slots;   /* maxHashSlotNum; 0: as the files' size tells */
};

#define SURVEY_OPTIONS(options)                                                                    \
	{"message-delay-level",                                                                    \
	 0,                                                                                        \
	 0,                                                                                        \
	 G_OPTION_ARG_STRING,                                                                      \
	 &(options)->levels,                                                                       \
	 "The broker's messageDelayLevel, if it is not RocketMQ's own",                            \
	 "LEVELS"},                                                                                \
	{                                                                                          \
		"max-hash-slot-num", 0, 0, G_OPTION_ARG_INT, &(options)->slots,                    \
			"The broker's maxHashSlotNum, if it is not RocketMQ's own", "N"            \
	}

/* Walks over everything. Returns 0 or an exit code, said. places is taken over. */
int survey_run(struct survey *survey, const struct store_places *places,
	       const struct survey_options *options);
void survey_free(struct survey *survey);

GANTRY_END
#endif
