/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel: one lifecycle from what was configured to the last free. Several kernels may live in
 * one process; what they share is only the log. A kernel belongs to the thread that made it, its
 * control thread; gk_kernel_ask alone may come from another. */
#ifndef GK_KERNEL_H
#define GK_KERNEL_H

#include "bus.h"
#include "conf/conf.h"
#include "counter.h"
#include "instance.h"
#include "loader.h"
#include "loop.h"
#include "notify.h"
#include "registry.h"
#include "signals.h"
#include "work.h"
#include <gantry/log.h>

GANTRY_BEGIN

/* What gantryd exits with, and the stages return. Errors are logged where they are found. */
enum gk_exit {
	GK_EXIT_CLEAN = 0,
	GK_EXIT_USAGE = 2,
	GK_EXIT_CONFIG = 3, /* a wrong file, key or value */
	GK_EXIT_PLUGIN = 4, /* a plugin was refused */
	GK_EXIT_START = 5,  /* a port in use, a store that cannot be opened */
	GK_EXIT_FORCED = 6, /* the stop was cut short: a second signal, or drainTimeout passed */
};

/* the [kernel] section */
struct gk_settings {
	int64_t event_loops, workers, drain_ms;
	int32_t log_level, log_form; /* indices into the tables of settings.c */
	struct gantry_conf_list plugin_dirs;
};

/* borrowed; as long-lived as the kernel */
struct gk_options {
	char **plugin_dirs;                      /* NULL ends; NULL: what [kernel] says */
	const char *default_plugin_dir;          /* if nobody says anything */
	const struct gk_static_plugin *builtins; /* name NULL ends; may be NULL */
	int signals;                             /* take SIGTERM, SIGINT and SIGHUP */
};

enum gk_ask {
	GK_ASK_STOP,   /* the first drains, the second hurries, the third gives up */
	GK_ASK_RELOAD, /* read the files again */
};

struct gk_kernel {
	struct gk_options options;
	struct gk_settings settings; /* control thread */
	struct gk_conf *conf;        /* atomic; the newest reading */
	GPtrArray *old_confs;        /* earlier ones: snapshots point into them */
	GPtrArray *modules;          /* struct gk_module *, in the order opened */
	GPtrArray *insts;            /* struct gantry_inst *, in the order configured */
	GPtrArray *order;            /* the same, those that others need first */

	struct gantry_loop *loops; /* loop_count event loops, then the control loop */
	unsigned loop_count;
	uv_timer_t alarm; /* ends gk_control_until() */
	struct gk_bus bus;
	struct gk_pool pool;
	struct gk_counters counters;
	struct gk_notify notify;
	struct gk_signals signals;

	unsigned stops, reloads; /* atomic; how often each was asked for */
	int forced;              /* control thread; a drain was cut short */
	int abandoned;           /* control thread; a call never came back: nothing can be freed */
	unsigned left;           /* libuv handles that plugins left behind */
};

/* conf, for which pass one is done, becomes the kernel's. */
struct gk_kernel *gk_kernel_new(struct gk_conf *conf, const struct gk_options *options);

/* Load, configure, resolve: all that can be said without starting anything. Logs every fault, not
 * just the first. */
enum gk_exit gk_kernel_prepare(struct gk_kernel *kernel);

/* One line for each plugin that can be found: what it offers, or why it is refused. Fills the
 * settings; nothing else may follow but gk_kernel_free. */
enum gk_exit gk_kernel_list_plugins(struct gk_kernel *kernel, FILE *to);
/* Every key of the kernel and of these plugins, as a commented sample. */
enum gk_exit gk_kernel_print_keys(struct gk_kernel *kernel, FILE *to);

/* Start and serve; returns when every instance serves. After a failure what was done is undone,
 * and only gk_kernel_free may follow. */
enum gk_exit gk_kernel_up(struct gk_kernel *kernel);

/* Serves, and reloads when asked, until a stop is asked for. */
void gk_kernel_wait(struct gk_kernel *kernel);

/* Drain, stop, unload. GK_EXIT_FORCED if something was cut short; if kernel->abandoned is set
 * too, a plugin may still be running and the process should _exit. */
enum gk_exit gk_kernel_down(struct gk_kernel *kernel);

/* NULL is fine; an abandoned one is left alone. */
void gk_kernel_free(struct gk_kernel *kernel);

/* Any thread, from the time that gk_kernel_up has begun until gk_kernel_down has ended. */
void gk_kernel_ask(struct gk_kernel *kernel, enum gk_ask what);

/* ---- shared by the kernel's own files */

/* settings.c */
int gk_settings_fill(struct gk_conf *conf, struct gk_settings *ret, struct gk_error *error);
void gk_settings_apply_log(const struct gk_settings *settings);
unsigned gk_settings_loops(const struct gk_settings *settings);
extern const struct gantry_conf_item gk_settings_items[];

/* configure.c: the values of one instance, parsed and checked, from conf. *ret from malloc. */
int gk_configure(struct gk_conf *conf, const struct gantry_inst *inst, void **ret,
		 struct gk_error *error);
/* Reads the files again; validates everything, then swaps. 0, or what was wrong (logged). */
int gk_kernel_reload(struct gk_kernel *kernel);
/* The same, with the sentence. */
int gk_kernel_reload_why(struct gk_kernel *kernel, struct gk_error *error);

/* lifecycle.c: each stage over all instances; the first failure is logged and returned. */
int gk_stage_setup(struct gk_kernel *kernel);
int gk_stage_start(struct gk_kernel *kernel);
int gk_stage_serve(struct gk_kernel *kernel);
void gk_stage_drain(struct gk_kernel *kernel);
void gk_stage_stop(struct gk_kernel *kernel);
void gk_stage_free(struct gk_kernel *kernel);

/* the kernel's own topics */
extern const struct gantry_topic gk_topic_stage, gk_topic_reloaded;

GANTRY_END
#endif
