/* SPDX-License-Identifier: Apache-2.0 */
/* What every sub-command of `gantry` shares: the table they stand in, exit codes, options, errors
 * and progress. One thread. */
#ifndef CLI_H
#define CLI_H

#include <gantry/base.h>
#include <glib.h>
#include <stdbool.h>

GANTRY_BEGIN

enum cli_exit { /* documented in cli_exit_help, which every --help shows */
		CLI_DONE = 0,
		CLI_FAILED = 1,
		CLI_USAGE = 2,
		CLI_UNREACHABLE = 3,
		CLI_REFUSED = 4,
		CLI_TIMEOUT = 5,
};

extern const char cli_exit_help[];

struct cli_command {
	const char *name;
	const char *arguments; /* "[BODY]", as --help shows them */
	const char *summary;   /* one line */
	const char *help;      /* what --help says below the options; may be NULL */
	int (*run)(const struct cli_command *self, int argc, char **argv); /* returns cli_exit */
};

/* Each in the file of its name; an entry with name NULL ends a table. */
extern const struct cli_command cli_send, cli_consume, cli_bench, cli_plugin, cli_store,
	cli_cluster;

/* Runs the command of the table that argv[1] names, or prints the table for --help. program is
 * the text before the command's name: "gantry", "gantry plugin". */
int cli_dispatch(const char *program, const char *about, const struct cli_command *const *table,
		 int argc, char **argv);

/* Parses argv by entries and the option --output json|text, which every command has. Returns 0,
 * or CLI_USAGE when it has said what is wrong. The words that are no options stay in argv[1] up to
 * argv[*argc - 1]. Strings in entries' variables belong to the caller (g_free). */
int cli_options(const struct cli_command *self, const GOptionEntry *entries, int *argc,
		char **argv);

/* Whether --output json was given. */
bool cli_json(void);

/* Says what is wrong on standard error, as "gantry: ...". */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for an option's value; returns CLI_USAGE. */
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Overwrites one line on standard error, at most ten times a second and only when that is a
 * terminal. cli_progress_end wipes it. */
void cli_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_progress_end(void);

/* Whether an interrupt (Ctrl-C, SIGTERM) asks the command to end early; cli_catch_interrupts
 * makes it so. A second one ends the process. */
void cli_catch_interrupts(void);
bool cli_interrupted(void);

/* Checks that min <= value <= max; says so and returns CLI_USAGE if not. option: "--count". */
int cli_range(const char *option, int64_t value, int64_t min, int64_t max);

/* Milliseconds of wall-clock time. */
int64_t cli_now_ms(void);

GANTRY_END
#endif
