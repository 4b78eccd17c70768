/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: memory, snapshots, and taking back what they own. */
#include "instance.h"
#include "kernel.h"
#include "listen.h"
#include "timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

struct gantry_inst *gk_inst_new(struct gk_kernel *kernel, const struct gk_module *module,
				const struct gantry_plugin *plugin, const char *name,
				const char *role, unsigned index)
{
	struct gantry_inst *inst = g_new0(struct gantry_inst, 1);
	inst->kernel = kernel;
	inst->module = module;
	inst->plugin = plugin;
	inst->name = name;
	inst->role = role;
	inst->index = index;
	inst->snapshots = g_ptr_array_new_with_free_func(free);
	gk_list_init(&inst->listeners);
	gk_list_init(&inst->subscriptions);
	gk_list_init(&inst->timers);
	pthread_mutex_init(&inst->lock, NULL);
	return inst;
}

static size_t rounded(size_t size)
{
	return (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

/* NULL for no bytes too. */
static void *zeroed(size_t size)
{
	void *memory = size ? aligned_alloc(CACHE_LINE, size) : NULL;
	return memory ? memset(memory, 0, size) : NULL;
}

int gk_inst_make_memory(struct gantry_inst *inst)
{
	const struct gantry_lifecycle *life = inst->plugin->life;
	size_t data = life ? rounded(life->inst_size) : 0;
	size_t all_loops = 0;
	inst->loop_stride = life ? rounded(life->loop_size) : 0;
	if (__builtin_mul_overflow(inst->loop_stride, (size_t)inst->kernel->loop_count + 1,
				   &all_loops))
		return -ENOMEM;
	inst->data = zeroed(data);
	inst->loop_data = zeroed(all_loops);
	return (data && !inst->data) || (all_loops && !inst->loop_data) ? -ENOMEM : 0;
}

size_t gk_inst_conf_size(const struct gantry_plugin *plugin)
{
	return plugin->life && plugin->life->conf_size ? plugin->life->conf_size : 1;
}

void gk_inst_keep(struct gantry_inst *inst, void *snapshot)
{
	g_ptr_array_add(inst->snapshots, snapshot);
}

void gk_inst_put_in_force(struct gantry_inst *inst, const void *snapshot)
{
	__atomic_store_n(&inst->conf, snapshot, __ATOMIC_RELEASE);
}

static void nothing(struct gantry_loop *loop, void *user)
{
	(void)loop;
	(void)user;
}

static int has_ended(void *user)
{
	const struct gantry_inst *inst = user;
	return __atomic_load_n(&inst->subscribed, __ATOMIC_ACQUIRE) == 0;
}

unsigned gk_inst_take_back(struct gantry_inst *inst)
{
	unsigned working = gk_pool_working(inst);
	unsigned listeners = gk_listeners_close(inst);
	unsigned timers = gk_timers_stop(inst);
	unsigned subscriptions = gk_bus_unsubscribe_all(inst);
	gk_pool_wait(&inst->kernel->pool, inst);
	gk_control_until(inst->kernel, has_ended, inst, 0);
	/* what had begun on a loop has ended when each has come round once */
	gk_loops_each(inst->kernel, nothing, NULL);
	if (listeners || timers || subscriptions)
		gantry_log(inst, DEBUG, "took back %u listeners, %u timers, %u subscriptions",
			   listeners, timers, subscriptions);
	if (working)
		gantry_log(inst, ERROR, "stopped with %u pieces of work under way", working);
	return listeners + timers + subscriptions + working;
}

void gk_inst_free(struct gantry_inst *inst)
{
	if (!inst)
		return;
	gk_counters_free(&inst->kernel->counters, inst);
	gk_bus_undefine_all(&inst->kernel->bus, inst);
	g_ptr_array_free(inst->snapshots, TRUE);
	free(inst->data);
	free(inst->loop_data);
	pthread_mutex_destroy(&inst->lock);
	g_free(inst);
}

/* ---- what plugins ask */

void *gantry_data(const struct gantry_inst *inst)
{
	return inst->data;
}

void *gantry_loop_data(const struct gantry_inst *inst, const struct gantry_loop *loop)
{
	return inst->loop_data ? inst->loop_data + loop->index * inst->loop_stride : NULL;
}

const char *gantry_inst_name(const struct gantry_inst *inst)
{
	return inst->name;
}

const char *gantry_inst_role(const struct gantry_inst *inst)
{
	return inst->role;
}

const void *gantry_conf(const struct gantry_inst *inst)
{
	return __atomic_load_n(&inst->conf, __ATOMIC_ACQUIRE);
}

static const struct gk_conf *newest_conf(const struct gantry_inst *inst)
{
	return __atomic_load_n(&inst->kernel->conf, __ATOMIC_ACQUIRE);
}

const char *gantry_conf_text(const struct gantry_inst *inst, const char *key)
{
	const struct gk_conf *conf = newest_conf(inst);
	return gk_conf_text(conf, gk_conf_chosen(conf, inst->index), key);
}

void gantry_conf_each(const struct gantry_inst *inst,
		      void (*each)(const char *key, const char *value, void *user), void *user)
{
	const struct gk_conf *conf = newest_conf(inst);
	gk_conf_each(conf, gk_conf_chosen(conf, inst->index), each, user);
}
