/* SPDX-License-Identifier: Apache-2.0 */
/* An instance: one configured use of one plugin, its memory, and everything it owns. */
#ifndef GK_INSTANCE_H
#define GK_INSTANCE_H

#include "list.h"
#include <gantry/plugin.h>
#include <glib.h>
#include <pthread.h>

GANTRY_BEGIN

struct gk_kernel;
struct gk_module;

/* a lifecycle call that may finish later; control thread */
struct gk_call {
	struct gantry_op op;
	struct gantry_inst *inst;
	int done, cancelled;
};

struct gantry_inst {
	/* fixed when it is made */
	struct gk_kernel *kernel;
	const struct gk_module *module;
	const struct gantry_plugin *plugin;
	const char *name, *role; /* the kernel's */
	unsigned index;          /* among the chosen ones of pass one */

	/* made before setup */
	void *data;
	char *loop_data;
	size_t loop_stride;

	const void *conf;     /* atomic; the snapshot in force */
	GPtrArray *snapshots; /* control thread; every one that ever was */

	/* control thread */
	unsigned visit; /* resolve: 0 not yet, 1 on the path, 2 in the order */
	int was_setup, was_started, was_serving;
	struct gk_call start, drain, stop;
	struct gk_link listeners;

	pthread_mutex_t lock;
	struct gk_link subscriptions, timers; /* lock */
	unsigned subscribed;                  /* atomic; subscriptions whose end has not come */
	unsigned working;                     /* the pool's lock; work that has not finished */
	unsigned unanswered;                  /* atomic; that has not finished its op */
};

/* name and role must outlive it. */
struct gantry_inst *gk_inst_new(struct gk_kernel *kernel, const struct gk_module *module,
				const struct gantry_plugin *plugin, const char *name,
				const char *role, unsigned index);

/* Makes the memory that setup expects. -ENOMEM. */
int gk_inst_make_memory(struct gantry_inst *inst);

/* Remembers a snapshot (from malloc; the instance frees it) without putting it in force. */
void gk_inst_keep(struct gantry_inst *inst, void *snapshot);
void gk_inst_put_in_force(struct gantry_inst *inst, const void *snapshot);
size_t gk_inst_conf_size(const struct gantry_plugin *plugin);

/* Takes back what the stopped instance left: listeners, timers, subscriptions, work. On the
 * control thread, outside of its loop's callbacks. Returns how many things there were. */
unsigned gk_inst_take_back(struct gantry_inst *inst);

/* Counters and topics go with it. NULL is fine. */
void gk_inst_free(struct gantry_inst *inst);

GANTRY_END
#endif
