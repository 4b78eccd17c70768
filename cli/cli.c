/* SPDX-License-Identifier: Apache-2.0 */
/* Command table, options, errors and progress of the command line. */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char cli_exit_help[] = "Exit codes:\n"
			     "  0  done\n"
			     "  1  failed (a file, a socket, a plugin)\n"
			     "  2  wrong usage\n"
			     "  3  nobody answered: name server or broker not reached\n"
			     "  4  refused: no such topic, no permission, an error answer\n"
			     "  5  the time was up before everything was done";

static bool json_wanted;
static volatile sig_atomic_t interrupts;

static void print_table(const char *program, const char *about,
			const struct cli_command *const *table)
{
	printf("Usage: %s COMMAND [OPTION...]\n\n%s\n\nCommands:\n", program, about);
	for (; *table; table++)
		printf("  %-10s %s\n", (*table)->name, (*table)->summary);
	printf("\n`%s COMMAND --help` shows a command's options.\n\n%s\n", program, cli_exit_help);
}

int cli_dispatch(const char *program, const char *about, const struct cli_command *const *table,
		 int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "--help";
	if (!strcmp(wanted, "--help") || !strcmp(wanted, "-h") || !strcmp(wanted, "help")) {
		print_table(program, about, table);
		return argc > 1 ? CLI_DONE : CLI_USAGE;
	}
	if (!strcmp(wanted, "--version")) {
		printf("gantry " GANTRY_VERSION "\n");
		return CLI_DONE;
	}
	for (const struct cli_command *const *c = table; *c; c++) {
		if (strcmp((*c)->name, wanted))
			continue;
		g_autofree char *name = g_strdup_printf("%s %s", program, wanted);
		g_set_prgname(name);
		return (*c)->run(*c, argc - 1, argv + 1);
	}
	cli_error("there is no command %s; `%s --help` lists them", wanted, program);
	return CLI_USAGE;
}

static gboolean parse_output(const gchar *option, const gchar *value, gpointer data, GError **error)
{
	(void)option, (void)data;
	json_wanted = !strcmp(value, "json");
	if (json_wanted || !strcmp(value, "text"))
		return TRUE;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		    "--output takes json or text, not %s", value);
	return FALSE;
}

int cli_options(const struct cli_command *self, const GOptionEntry *entries, int *argc, char **argv)
{
	static const GOptionEntry common[] = {
		{"output", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer)parse_output,
		 "How to print: text (default) or json", "json|text"},
		{NULL},
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(GOptionContext) context = g_option_context_new(self->arguments);
	g_autofree char *below = g_strconcat(self->help ? self->help : "", self->help ? "\n\n" : "",
					     cli_exit_help, NULL);
	g_option_context_set_summary(context, self->summary);
	g_option_context_set_description(context, below);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	if (g_option_context_parse(context, argc, &argv, &error))
		return 0;
	return cli_usage("%s", error->message);
}

bool cli_json(void)
{
	return json_wanted;
}

static void say(const char *format, va_list args)
{
	cli_progress_end();
	fputs("gantry: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void cli_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

int cli_usage(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(format, args);
	va_end(args);
	fprintf(stderr, "gantry: `%s --help` shows the options\n", g_get_prgname());
	return CLI_USAGE;
}

int cli_range(const char *option, int64_t value, int64_t min, int64_t max)
{
	if (value >= min && value <= max)
		return 0;
	return cli_usage("%s is %lld, must be from %lld to %lld", option, (long long)value,
			 (long long)min, (long long)max);
}

static bool progress_shown;

void cli_progress(const char *format, ...)
{
	enum { PAUSE_US = 100000, WIPE_LINE = 2 };
	static int64_t last_us;
	int64_t now_us = g_get_monotonic_time();
	if (now_us - last_us < PAUSE_US || !isatty(STDERR_FILENO))
		return;
	last_us = now_us;
	progress_shown = true;
	va_list args;
	va_start(args, format);
	fprintf(stderr, "\r\033[%dK", WIPE_LINE);
	vfprintf(stderr, format, args);
	fflush(stderr);
	va_end(args);
}

void cli_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[2K", stderr);
	progress_shown = false;
}

static void on_interrupt(int number)
{
	(void)number;
	interrupts = 1;
}

void cli_catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
	return interrupts != 0;
}

int64_t cli_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}
