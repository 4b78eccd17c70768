/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own keys: the [kernel] section. */
#include "kernel.h"
#include "log.h"

#include <sched.h>
#include <string.h>

enum { LOOPS_MAX = 16 };

static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const forms[] = {"text", "json", NULL};

const struct gantry_conf_item gk_settings_items[] = {
	GANTRY_KEY(INT, struct gk_settings, event_loops, "eventLoopThreads", .min = 0, .max = 128,
		   .dflt = "0", .unit = "threads",
		   .help = "Threads that serve connections; 0: one for each processor that the "
			   "process may use, at most 16"),
	GANTRY_KEY(INT, struct gk_settings, workers, "workerThreads", .min = 1,
		   .max = GK_WORKERS_MAX, .dflt = "4", .unit = "threads",
		   .help = "Most threads for slow work; they start when there is some"),
	GANTRY_KEY(ENUM, struct gk_settings, log_level, "logLevel", .choices = levels,
		   .dflt = "info", .flags = GANTRY_CONF_RELOAD,
		   .help = "What is logged: this and what is more serious"),
	GANTRY_KEY(ENUM, struct gk_settings, log_form, "logFormat", .choices = forms,
		   .dflt = "text", .flags = GANTRY_CONF_RELOAD,
		   .help = "A line of text, or a JSON object a line"),
	GANTRY_KEY(
		PATH, struct gk_settings, plugin_dirs, "pluginDirs", .flags = GANTRY_CONF_LIST,
		.help = "Directories where plugins are looked for, instead of the installed one"),
	GANTRY_KEY(DURATION, struct gk_settings, drain_ms, "drainTimeout", .min = 100,
		   .max = 3600000, .dflt = "30s", .unit = "ms", .flags = GANTRY_CONF_RELOAD,
		   .help = "How long a stop waits for work under way"),
	{.key = NULL},
};

int gk_settings_fill(struct gk_conf *conf, struct gk_settings *ret, struct gk_error *error)
{
	return gk_conf_fill(conf, NULL, gk_settings_items, ret, sizeof(*ret), error);
}

void gk_settings_apply_log(const struct gk_settings *settings)
{
	gk_log_setup(GANTRY_LOG_ERROR + settings->log_level,
		     settings->log_form ? GK_LOG_JSON : GK_LOG_TEXT);
}

unsigned gk_settings_loops(const struct gk_settings *settings)
{
	cpu_set_t set;
	int count = 1;
	if (settings->event_loops > 0)
		return (unsigned)settings->event_loops;
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	return count < 1 ? 1 : count > LOOPS_MAX ? LOOPS_MAX : (unsigned)count;
}
