/* SPDX-License-Identifier: Apache-2.0 */
/* From configuration text to an instance's snapshot, at start and when the files are read again. */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gk_configure(struct gk_conf *conf, const struct gantry_inst *inst, void **ret,
		 struct gk_error *error)
{
	const struct gk_chosen *chosen = gk_conf_chosen(conf, inst->index);
	const struct gantry_plugin *plugin = inst->plugin;
	size_t size = gk_inst_conf_size(plugin);
	char why[256] = "";
	void *snapshot = calloc(1, size);
	if (!snapshot) {
		snprintf(error->text, sizeof(error->text), "%s: out of memory", chosen->name);
		return -ENOMEM;
	}
	int bad = gk_conf_fill(conf, chosen, plugin->keys, snapshot, size, error);
	if (!bad && plugin->check && (bad = plugin->check(snapshot, why, sizeof(why))) < 0)
		snprintf(error->text, sizeof(error->text), "%s:%u: %s in role %s: %s", chosen->file,
			 chosen->line, chosen->name, chosen->role, *why ? why : strerror(-bad));
	if (bad < 0) {
		free(snapshot);
		return bad;
	}
	*ret = snapshot;
	return 0;
}

/* ---- reload */

/* a reading that is not in force yet */
struct fresh {
	struct gk_conf *conf;
	struct gk_settings settings;
	GPtrArray *snapshots; /* one for each instance, in kernel->insts' order */
};

static void warn(const char *line, void *user)
{
	(void)user;
	gantry_log(NULL, WARNING, "%s", line);
}

/* Everything is validated before anything changes. */
static int read_fresh(struct gk_kernel *kernel, struct fresh *fresh, struct gk_error *error)
{
	int bad = gk_conf_reread(kernel->conf, &fresh->conf, warn, NULL, error);
	if (!bad)
		bad = gk_settings_fill(fresh->conf, &fresh->settings, error);
	for (unsigned i = 0; i < kernel->insts->len && !bad; i++) {
		void *snapshot = NULL;
		bad = gk_configure(fresh->conf, kernel->insts->pdata[i], &snapshot, error);
		if (!bad)
			g_ptr_array_add(fresh->snapshots, snapshot);
	}
	return bad;
}

/* Returns whether the instance goes on with the new values. */
static int swap(struct gantry_inst *inst, void *snapshot)
{
	const struct gantry_lifecycle *life = inst->plugin->life;
	int refused = 0;
	gk_inst_keep(inst, snapshot);
	if (life && GANTRY_HAS(life, reload))
		refused = life->reload(inst, snapshot);
	if (refused < 0) {
		gantry_log(inst, ERROR, "keeps its old values: %s", strerror(-refused));
		return 0;
	}
	gk_inst_put_in_force(inst, snapshot);
	return 1;
}

static uint32_t swap_all(struct gk_kernel *kernel, struct fresh *fresh)
{
	struct gk_conf *old = kernel->conf;
	uint32_t changed = 0;
	g_ptr_array_add(kernel->old_confs, old);
	__atomic_store_n(&kernel->conf, fresh->conf, __ATOMIC_RELEASE);
	kernel->settings.drain_ms = fresh->settings.drain_ms;
	gk_settings_apply_log(&fresh->settings);
	for (unsigned i = 0; i < kernel->insts->len; i++) {
		struct gantry_inst *inst = kernel->insts->pdata[i];
		if (!gk_conf_changed(old, fresh->conf, gk_conf_chosen(old, inst->index),
				     inst->plugin->keys))
			continue;
		changed += swap(inst, g_steal_pointer(&fresh->snapshots->pdata[i])) ? 1 : 0;
	}
	return changed;
}

int gk_kernel_reload(struct gk_kernel *kernel)
{
	struct gk_error error = {""};
	return gk_kernel_reload_why(kernel, &error);
}

int gk_kernel_reload_why(struct gk_kernel *kernel, struct gk_error *error)
{
	struct fresh fresh = {.snapshots = g_ptr_array_new_with_free_func(free)};
	uint32_t changed = 0;
	gk_notify_reloading(&kernel->notify);
	int bad = read_fresh(kernel, &fresh, error);
	if (bad) {
		gantry_log(NULL, ERROR, "not reloaded: %s", error->text);
		gk_conf_free(fresh.conf);
	} else {
		changed = swap_all(kernel, &fresh);
		gantry_log(NULL, NOTICE, "reloaded: %u instances changed", changed);
		gk_bus_publish(&kernel->bus, &gk_topic_reloaded, &changed, NULL);
	}
	g_ptr_array_free(fresh.snapshots, TRUE);
	gk_notify_send(&kernel->notify, "READY=1");
	return bad;
}
