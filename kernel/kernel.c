/* SPDX-License-Identifier: Apache-2.0 */
/* The stage machine: load, configure, resolve, start, serve; drain, stop, unload. */
#include "kernel.h"
#include "listen.h"
#include <gantry/frontend.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct gantry_topic gk_topic_stage = {.size = sizeof(gk_topic_stage),
					    .version = 1,
					    .payload_size = sizeof(struct gantry_stage_event),
					    .name = GANTRY_TOPIC_STAGE};
const struct gantry_topic gk_topic_reloaded = {.size = sizeof(gk_topic_reloaded),
					       .version = 1,
					       .payload_size = sizeof(uint32_t),
					       .name = GANTRY_TOPIC_RELOADED};

static void reached(struct gk_kernel *kernel, enum gantry_stage stage)
{
	struct gantry_stage_event event = {.stage = stage};
	gk_bus_publish(&kernel->bus, &gk_topic_stage, &event, NULL);
}

struct gk_kernel *gk_kernel_new(struct gk_conf *conf, const struct gk_options *options)
{
	struct gk_kernel *kernel = g_new0(struct gk_kernel, 1);
	kernel->conf = conf;
	kernel->options = *options;
	kernel->old_confs = g_ptr_array_new_with_free_func((GDestroyNotify)gk_conf_free);
	kernel->modules = g_ptr_array_new();
	kernel->insts = g_ptr_array_new();
	kernel->order = g_ptr_array_new();
	kernel->notify.fd = -1;
	gk_counters_open(&kernel->counters);
	gk_bus_open(&kernel->bus);
	gk_bus_define(&kernel->bus, NULL, &gk_topic_stage);
	gk_bus_define(&kernel->bus, NULL, &gk_topic_reloaded);
	return kernel;
}

/* ---- load, configure, resolve */

static int complain(const struct gk_error *error)
{
	gantry_log(NULL, ERROR, "%s", error->text);
	return 1;
}

static void warn(const char *line, void *user)
{
	(void)user;
	gantry_log(NULL, WARNING, "%s", line);
}

/* Returns how many plugins were refused. */
static int load(struct gk_kernel *kernel)
{
	int faults = 0;
	for (unsigned i = 0; i < gk_conf_chosen_count(kernel->conf); i++) {
		const struct gk_chosen *chosen = gk_conf_chosen(kernel->conf, i);
		const struct gk_module *module;
		struct gk_error error;
		if (gk_module_open(kernel, chosen->plugin, &module, &error) < 0)
			faults += complain(&error);
		else
			g_ptr_array_add(kernel->insts, gk_inst_new(kernel, module, module->plugin,
								   chosen->name, chosen->role, i));
	}
	if (!gk_conf_chosen_count(kernel->conf)) {
		gantry_log(NULL, ERROR, "no plugin is configured");
		faults++;
	}
	return faults;
}

/* A fill ends at its first wrong value; who looks for mistakes wants them all. Each key gets a
 * table of its own, at an address of its own: that is how gk_conf knows a table. */
static int complain_values(struct gk_kernel *kernel, const struct gk_chosen *chosen,
			   const struct gantry_conf_item *items, size_t size,
			   const struct gk_error *first)
{
	void *scratch = g_malloc(size);
	int count = 0, faults = 0;
	while (items && items[count].key)
		count++;
	struct gantry_conf_item *tables = g_new0(struct gantry_conf_item, 2 * count);
	for (int i = 0; i < count; i++) {
		struct gk_error error;
		tables[2 * i] = items[i];
		if (gk_conf_fill(kernel->conf, chosen, &tables[2 * i], scratch, size, &error) < 0)
			faults += complain(&error);
	}
	gk_conf_fill(kernel->conf, chosen, NULL, scratch, 0, NULL); /* forget those tables */
	g_free(tables);
	g_free(scratch);
	return faults ? faults : complain(first); /* it was the plugin's own check */
}

/* Returns how many values are wrong. */
static int configure(struct gk_kernel *kernel)
{
	int faults = 0;
	for (unsigned i = 0; i < kernel->insts->len; i++) {
		struct gantry_inst *inst = kernel->insts->pdata[i];
		struct gk_error error;
		void *snapshot;
		if (gk_configure(kernel->conf, inst, &snapshot, &error) < 0) {
			faults += complain_values(kernel, gk_conf_chosen(kernel->conf, inst->index),
						  inst->plugin->keys,
						  gk_inst_conf_size(inst->plugin), &error);
			continue;
		}
		gk_inst_keep(inst, snapshot);
		gk_inst_put_in_force(inst, snapshot);
	}
	return faults;
}

enum gk_exit gk_kernel_prepare(struct gk_kernel *kernel)
{
	struct gk_error error;
	if (gk_settings_fill(kernel->conf, &kernel->settings, &error) < 0) {
		complain_values(kernel, NULL, gk_settings_items, sizeof(kernel->settings), &error);
		return GK_EXIT_CONFIG;
	}
	gk_settings_apply_log(&kernel->settings);
	int refused = load(kernel);
	int wrong = configure(kernel); /* even so: who checks wants to see all there is */
	if (!refused && !wrong)
		gk_conf_warn(kernel->conf, warn, NULL); /* every table is known: so are the keys */
	if (!refused && gk_registry_resolve(kernel) < 0)
		refused = 1;
	return wrong ? GK_EXIT_CONFIG : refused ? GK_EXIT_PLUGIN : GK_EXIT_CLEAN;
}

/* ---- start, serve */

static int open_runtime(struct gk_kernel *kernel)
{
	int bad = gk_loops_open(kernel, gk_settings_loops(&kernel->settings));
	gk_pool_open(&kernel->pool, (unsigned)kernel->settings.workers);
	if (!bad && kernel->options.signals)
		bad = gk_signals_take(kernel);
	if (!bad)
		bad = gk_loops_start(kernel);
	if (bad) {
		gantry_log(NULL, ERROR, "cannot start the event loops: %s", strerror(-bad));
		gk_loops_stop(kernel);
		gk_pool_close(&kernel->pool);
		gk_loops_close(kernel);
		return bad;
	}
	gk_notify_open(&kernel->notify);
	gk_watchdog_start(kernel);
	return 0;
}

/* One more " ADDRESS" for each front-end of this role that listens. */
static void print_role(const struct gk_kernel *kernel, const char *role, GString *text)
{
	const char *before = " on ";
	g_string_append_printf(text, "%s%s", text->len ? "; " : "", role);
	for (unsigned i = 0; i < kernel->insts->len; i++) {
		const struct gantry_inst *inst = kernel->insts->pdata[i];
		const struct gantry_service *at = inst->plugin->offers;
		for (; strcmp(inst->role, role) == 0 && at && at->kind; at++) {
			const struct gantry_frontend_ops *ops = at->ops;
			unsigned port = at->kind == GANTRY_FRONTEND && GANTRY_HAS(ops, port)
						? ops->port(inst)
						: 0;
			char name[80];
			if (!port)
				continue;
			gk_listener_name(inst, port, name, sizeof(name));
			g_string_append_printf(text, "%s%s", before, name);
			before = ", ";
		}
	}
}

/* "ready: namesrv on *:9876; broker on *:10911, *:10909" */
static void say_ready(struct gk_kernel *kernel)
{
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < kernel->insts->len; i++) {
		const char *role = ((struct gantry_inst *)kernel->insts->pdata[i])->role;
		unsigned seen = 0;
		while (strcmp(((struct gantry_inst *)kernel->insts->pdata[seen])->role, role) != 0)
			seen++;
		if (seen == i)
			print_role(kernel, role, text);
	}
	gantry_log(NULL, INFO, "ready: %s", text->str);
	gk_notify_send(&kernel->notify, "READY=1\nSTATUS=%s", text->str);
	g_string_free(text, TRUE);
}

enum gk_exit gk_kernel_up(struct gk_kernel *kernel)
{
	if (open_runtime(kernel) < 0)
		return GK_EXIT_START;
	int bad = gk_stage_setup(kernel);
	if (!bad) {
		reached(kernel, GANTRY_STAGE_RESOLVE);
		bad = gk_stage_start(kernel);
	}
	if (!bad) {
		reached(kernel, GANTRY_STAGE_START);
		bad = gk_stage_serve(kernel);
	}
	if (!bad) {
		reached(kernel, GANTRY_STAGE_SERVE);
		say_ready(kernel);
		return GK_EXIT_CLEAN;
	}
	int asked = __atomic_load_n(&kernel->stops, __ATOMIC_RELAXED) > 0;
	enum gk_exit down = gk_kernel_down(kernel);
	return asked ? down : GK_EXIT_START;
}

void gk_kernel_ask(struct gk_kernel *kernel, enum gk_ask what)
{
	__atomic_add_fetch(what == GK_ASK_STOP ? &kernel->stops : &kernel->reloads, 1,
			   __ATOMIC_RELEASE);
	gk_control_wake(kernel);
}

static int was_asked(void *user)
{
	const struct gk_kernel *kernel = user;
	return __atomic_load_n(&kernel->stops, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&kernel->reloads, __ATOMIC_ACQUIRE);
}

void gk_kernel_wait(struct gk_kernel *kernel)
{
	while (!__atomic_load_n(&kernel->stops, __ATOMIC_ACQUIRE)) {
		if (__atomic_exchange_n(&kernel->reloads, 0, __ATOMIC_ACQ_REL))
			gk_kernel_reload(kernel);
		gk_control_until(kernel, was_asked, kernel, 0);
	}
}

/* ---- drain, stop, unload */

static void close_runtime(struct gk_kernel *kernel)
{
	gk_watchdog_stop(kernel);
	gk_pool_close(&kernel->pool);
	gk_signals_leave(kernel);
	gk_loops_stop(kernel);
	kernel->left = gk_loops_sweep(kernel);
}

enum gk_exit gk_kernel_down(struct gk_kernel *kernel)
{
	gk_notify_send(&kernel->notify, "STOPPING=1\nSTATUS=draining");
	gk_stage_drain(kernel);
	reached(kernel, GANTRY_STAGE_DRAIN);
	gk_stage_stop(kernel);
	if (kernel->abandoned)
		return GK_EXIT_FORCED;
	reached(kernel, GANTRY_STAGE_STOP);
	close_runtime(kernel);
	gk_stage_free(kernel);
	for (unsigned i = kernel->order->len; i-- > 0;)
		gk_inst_free(kernel->order->pdata[i]);
	g_ptr_array_set_size(kernel->order, 0);
	g_ptr_array_set_size(kernel->insts, 0);
	gk_loops_close(kernel);
	gk_notify_close(&kernel->notify);
	return kernel->forced ? GK_EXIT_FORCED : GK_EXIT_CLEAN;
}

void gk_kernel_free(struct gk_kernel *kernel)
{
	if (!kernel || kernel->abandoned)
		return;
	for (unsigned i = kernel->insts->len; i-- > 0;)
		gk_inst_free(kernel->insts->pdata[i]); /* it never went up */
	gk_modules_close(kernel);
	gk_bus_close(&kernel->bus);
	gk_counters_close(&kernel->counters);
	g_ptr_array_free(kernel->order, TRUE);
	g_ptr_array_free(kernel->insts, TRUE);
	g_ptr_array_free(kernel->modules, TRUE);
	g_ptr_array_free(kernel->old_confs, TRUE);
	gk_conf_free(kernel->conf);
	g_free(kernel);
}
