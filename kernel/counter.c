/* SPDX-License-Identifier: Apache-2.0 */
/* Counters: a slot of its own for each loop, on a cache line of its own, and one for all other
 * threads together. */
#include "counter.h"
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	_Alignas(64) uint64_t value; /* atomic; written by its loop alone */
};

struct gantry_counter {
	struct gk_link link; /* the lock of gk_counters */
	const struct gantry_inst *inst;
	char *name, *help;
	int64_t (*read)(void *user); /* of a gauge */
	void *user;
	struct slot *slots; /* the event loops', the control loop's, everybody else's */
};

static unsigned slot_count(const struct gk_kernel *kernel)
{
	return kernel->loop_count + 2;
}

static int name_is_good(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.");
	return size > 0 && !name[size];
}

static void counter_free(struct gantry_counter *counter)
{
	free(counter->name);
	free(counter->help);
	free(counter->slots);
	free(counter);
}

static struct gantry_counter *counter_new(struct gantry_inst *inst, const char *name,
					  const char *help)
{
	struct gantry_counter *counter = calloc(1, sizeof(*counter));
	size_t size = slot_count(inst->kernel) * sizeof(struct slot);
	if (!counter)
		return NULL;
	counter->inst = inst;
	counter->name = strdup(name);
	counter->help = strdup(help ? help : "");
	counter->slots = aligned_alloc(_Alignof(struct slot), size);
	if (!counter->name || !counter->help || !counter->slots) {
		counter_free(counter);
		return NULL;
	}
	memset(counter->slots, 0, size);
	return counter;
}

/* Under the lock. */
static int is_defined(const struct gk_counters *counters, const struct gantry_inst *inst,
		      const char *name)
{
	for (struct gk_link *at = counters->list.next; at != &counters->list; at = at->next) {
		const struct gantry_counter *counter = GK_OF(struct gantry_counter, link, at);
		if (counter->inst == inst && strcmp(counter->name, name) == 0)
			return 1;
	}
	return 0;
}

static int define(struct gantry_inst *inst, const char *name, const char *help,
		  int64_t (*read)(void *user), void *user, struct gantry_counter **ret)
{
	struct gk_counters *counters = &inst->kernel->counters;
	if (!name_is_good(name))
		return -EINVAL;
	struct gantry_counter *counter = counter_new(inst, name, help);
	if (!counter)
		return -ENOMEM;
	counter->read = read;
	counter->user = user;
	pthread_rwlock_wrlock(&counters->lock);
	int taken = is_defined(counters, inst, name);
	if (!taken)
		gk_list_append(&counters->list, &counter->link);
	pthread_rwlock_unlock(&counters->lock);
	if (taken) {
		counter_free(counter);
		return -EEXIST;
	}
	*ret = counter;
	return 0;
}

int gantry_counter_define(struct gantry_inst *inst, const char *name, const char *help,
			  struct gantry_counter **ret)
{
	return define(inst, name, help, NULL, NULL, ret);
}

int gantry_gauge_define(struct gantry_inst *inst, const char *name, const char *help,
			int64_t (*read)(void *user), void *user)
{
	struct gantry_counter *gauge;
	return read ? define(inst, name, help, read, user, &gauge) : -EINVAL;
}

void gantry_counter_add(struct gantry_counter *counter, uint64_t n)
{
	const struct gk_kernel *kernel = counter->inst->kernel;
	const struct gantry_loop *loop = gantry_loop_here();
	if (loop && loop->kernel == kernel) {
		uint64_t *value = &counter->slots[loop->index].value;
		__atomic_store_n(value, __atomic_load_n(value, __ATOMIC_RELAXED) + n,
				 __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_add(&counter->slots[slot_count(kernel) - 1].value, n,
				   __ATOMIC_RELAXED);
	}
}

uint64_t gantry_counter_read(const struct gantry_counter *counter)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < slot_count(counter->inst->kernel); i++)
		sum += __atomic_load_n(&counter->slots[i].value, __ATOMIC_RELAXED);
	return sum;
}

/* The lock keeps a gauge's owner from being freed while it is asked. */
void gantry_counter_each(const struct gantry_inst *inst,
			 void (*each)(const char *instance, const char *name, const char *help,
				      int64_t value, void *user),
			 void *user)
{
	struct gk_counters *counters = &inst->kernel->counters;
	pthread_rwlock_rdlock(&counters->lock);
	for (struct gk_link *at = counters->list.next; at != &counters->list; at = at->next) {
		const struct gantry_counter *counter = GK_OF(struct gantry_counter, link, at);
		int64_t value = counter->read ? counter->read(counter->user)
					      : (int64_t)gantry_counter_read(counter);
		each(counter->inst->name, counter->name, counter->help, value, user);
	}
	pthread_rwlock_unlock(&counters->lock);
}

void gk_counters_open(struct gk_counters *counters)
{
	pthread_rwlock_init(&counters->lock, NULL);
	gk_list_init(&counters->list);
}

void gk_counters_close(struct gk_counters *counters)
{
	pthread_rwlock_destroy(&counters->lock);
}

unsigned gk_counters_free(struct gk_counters *counters, const struct gantry_inst *inst)
{
	unsigned count = 0;
	pthread_rwlock_wrlock(&counters->lock);
	for (struct gk_link *next, *at = counters->list.next; at != &counters->list; at = next) {
		struct gantry_counter *counter = GK_OF(struct gantry_counter, link, at);
		next = at->next;
		if (counter->inst == inst) {
			gk_list_remove(at);
			counter_free(counter);
			count++;
		}
	}
	pthread_rwlock_unlock(&counters->lock);
	return count;
}
