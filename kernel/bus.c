/* SPDX-License-Identifier: Apache-2.0 */
/* Topics, subscriptions, delivery. */
#include "bus.h"
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_MAX = 65536 };
static const unsigned DEAD = 1u << 31; /* in gantry_subscription.calls */

/* an event in an asynchronous subscriber's queue; its payload follows */
struct entry {
	uint64_t sequence;
};

struct gantry_subscription {
	struct gk_link link; /* the instance's lock */
	struct gantry_inst *inst;
	struct gk_bus *bus;
	struct gk_topic *topic; /* the bus's lock; NULL once it is out of the topic's list */
	struct gantry_subscribe_spec spec;
	unsigned refs;  /* atomic; lists that hold it, and 1 until its end */
	unsigned calls; /* atomic; event calls that run now; DEAD: none begins any more */

	/* asynchronous only */
	const struct gantry_topic *def;
	pthread_mutex_t lock;
	char *queue;                   /* lock; a ring of queue_max entries */
	uint32_t first, waiting, lost; /* lock */
	int scheduled;                 /* lock; task is under way */
	struct gantry_task task;
};

/* immutable but for refs: synchronous ones by priority, then the asynchronous */
struct subscribers {
	unsigned refs; /* atomic */
	unsigned count;
	struct gantry_subscription *at[];
};

struct gk_topic {
	const struct gantry_topic *def;
	const struct gantry_inst *owner;
	uint64_t sequence;               /* the bus's lock */
	struct subscribers *subscribers; /* the bus's lock */
};

/* ---- counted memory */

static void subscription_release(struct gantry_subscription *sub)
{
	if (__atomic_sub_fetch(&sub->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (sub->spec.loop)
		pthread_mutex_destroy(&sub->lock);
	free(sub->queue);
	free(sub);
}

static struct subscribers *subscribers_new(unsigned room)
{
	struct subscribers *list = g_malloc0(sizeof(*list) + room * sizeof(list->at[0]));
	list->refs = 1;
	return list;
}

static void subscribers_add(struct subscribers *list, struct gantry_subscription *sub)
{
	__atomic_add_fetch(&sub->refs, 1, __ATOMIC_RELAXED);
	list->at[list->count++] = sub;
}

static void subscribers_release(struct subscribers *list)
{
	if (!list || __atomic_sub_fetch(&list->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (unsigned i = 0; i < list->count; i++)
		subscription_release(list->at[i]);
	g_free(list);
}

static int comes_before(const struct gantry_subscription *a, const struct gantry_subscription *b)
{
	if (!a->spec.loop != !b->spec.loop)
		return !a->spec.loop;
	return !a->spec.loop && a->spec.priority < b->spec.priority;
}

/* Copies of a list with one more, or one less; under the bus's lock. */
static struct subscribers *with(const struct subscribers *old, struct gantry_subscription *added)
{
	struct subscribers *list = subscribers_new(old->count + 1);
	unsigned i = 0;
	for (; i < old->count && !comes_before(added, old->at[i]); i++)
		subscribers_add(list, old->at[i]);
	subscribers_add(list, added);
	for (; i < old->count; i++)
		subscribers_add(list, old->at[i]);
	return list;
}

static struct subscribers *without(const struct subscribers *old,
				   const struct gantry_subscription *gone)
{
	struct subscribers *list = subscribers_new(old->count);
	for (unsigned i = 0; i < old->count; i++) {
		if (old->at[i] != gone)
			subscribers_add(list, old->at[i]);
	}
	return list;
}

/* ---- a call begins, a call ends, the end */

static int call_begin(struct gantry_subscription *sub)
{
	unsigned calls = __atomic_load_n(&sub->calls, __ATOMIC_RELAXED);
	do {
		if (calls & DEAD)
			return 0;
	} while (!__atomic_compare_exchange_n(&sub->calls, &calls, calls + 1, 1, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return 1;
}

static void end(struct gantry_subscription *sub)
{
	struct gk_kernel *kernel = sub->inst->kernel;
	if (sub->spec.end)
		sub->spec.end(sub->spec.user);
	__atomic_sub_fetch(&sub->inst->subscribed, 1, __ATOMIC_RELEASE);
	subscription_release(sub);
	gk_control_wake(kernel);
}

/* A synchronous subscription ends with its last call; an asynchronous one on its loop. */
static void call_end(struct gantry_subscription *sub)
{
	unsigned calls = __atomic_sub_fetch(&sub->calls, 1, __ATOMIC_ACQ_REL);
	if (calls == DEAD && !sub->spec.loop)
		end(sub);
}

static void schedule(struct gantry_subscription *sub)
{
	if (!sub->scheduled)
		gantry_loop_post(sub->spec.loop, &sub->task);
	sub->scheduled = 1;
}

/* Once for each subscription: whoever took it off its instance's list. */
static void retire(struct gantry_subscription *sub)
{
	struct gk_bus *bus = sub->bus;
	struct subscribers *old = NULL;
	pthread_mutex_lock(&bus->lock);
	if (sub->topic) {
		old = sub->topic->subscribers;
		sub->topic->subscribers = without(old, sub);
		sub->topic = NULL;
	}
	pthread_mutex_unlock(&bus->lock);
	if (sub->spec.loop) {
		pthread_mutex_lock(&sub->lock);
		__atomic_or_fetch(&sub->calls, DEAD, __ATOMIC_ACQ_REL);
		schedule(sub);
		pthread_mutex_unlock(&sub->lock);
	} else if (__atomic_or_fetch(&sub->calls, DEAD, __ATOMIC_ACQ_REL) == DEAD) {
		end(sub);
	}
	subscribers_release(old);
}

/* ---- asynchronous delivery */

static struct entry *entry_at(struct gantry_subscription *sub, uint32_t i)
{
	size_t each = sizeof(struct entry) + (sub->def->payload_size + 7u) / 8 * 8;
	return (struct entry *)(void *)(sub->queue + (i % sub->spec.queue_max) * each);
}

/* A full queue loses its oldest event: the newest state is what a subscriber must hear. */
static void enqueue(struct gantry_subscription *sub, const struct gantry_event *event)
{
	pthread_mutex_lock(&sub->lock);
	if (sub->waiting == sub->spec.queue_max) {
		sub->first = (sub->first + 1) % sub->spec.queue_max;
		sub->waiting--;
		sub->lost++;
	}
	struct entry *entry = entry_at(sub, sub->first + sub->waiting++);
	entry->sequence = event->sequence;
	if (sub->def->payload_size)
		memcpy(entry + 1, event->payload, sub->def->payload_size);
	schedule(sub);
	pthread_mutex_unlock(&sub->lock);
}

/* Takes the oldest event out of the queue, or says that there is none. */
static int dequeue(struct gantry_subscription *sub, struct gantry_event *event, char *payload)
{
	pthread_mutex_lock(&sub->lock);
	int dead = (__atomic_load_n(&sub->calls, __ATOMIC_RELAXED) & DEAD) != 0;
	int some = !dead && sub->waiting;
	if (some) {
		const struct entry *entry = entry_at(sub, sub->first);
		memcpy(payload, entry + 1, sub->def->payload_size);
		*event = (struct gantry_event){.topic = sub->def,
					       .payload = payload,
					       .sequence = entry->sequence,
					       .lost = sub->lost};
		sub->lost = 0;
		sub->first = (sub->first + 1) % sub->spec.queue_max;
		sub->waiting--;
	} else if (!dead) {
		sub->scheduled = 0;
	}
	pthread_mutex_unlock(&sub->lock);
	return some ? 1 : dead ? -ECANCELED : 0;
}

static void deliver(struct gantry_task *task)
{
	struct gantry_subscription *sub = GK_OF(struct gantry_subscription, task, task);
	_Alignas(16) char payload[GANTRY_PAYLOAD_MAX];
	struct gantry_event event;
	int some = 1;
	for (uint32_t i = 0; some == 1 && i < sub->spec.queue_max; i++) {
		some = dequeue(sub, &event, payload);
		if (some == 1 && call_begin(sub)) {
			sub->spec.event(&event, sub->spec.user);
			call_end(sub);
		}
	}
	if (some == 1)
		gantry_loop_post(sub->spec.loop, task); /* others have their turn first */
	else if (some < 0)
		end(sub);
}

/* ---- publishing */

int gk_bus_publish(struct gk_bus *bus, const struct gantry_topic *def, const void *payload,
		   const void *live)
{
	struct gantry_event event = {.topic = def, .payload = payload, .live = live};
	struct subscribers *list = NULL;
	int veto = 0;
	pthread_mutex_lock(&bus->lock);
	struct gk_topic *topic = g_hash_table_lookup(bus->topics, def->name);
	if (topic && topic->def == def) {
		event.sequence = ++topic->sequence;
		list = topic->subscribers;
		__atomic_add_fetch(&list->refs, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&bus->lock);
	if (!list)
		return -ENOENT;
	for (unsigned i = 0; i < list->count && veto >= 0; i++) {
		struct gantry_subscription *sub = list->at[i];
		if (sub->spec.loop) {
			enqueue(sub, &event);
		} else if (call_begin(sub)) {
			int answer = sub->spec.event(&event, sub->spec.user);
			veto = def->flags & GANTRY_TOPIC_VETO ? answer : 0;
			call_end(sub);
		}
	}
	subscribers_release(list);
	return veto < 0 ? veto : 0;
}

int gantry_publish(struct gantry_inst *inst, const struct gantry_topic *topic, const void *payload,
		   const void *live)
{
	return gk_bus_publish(&inst->kernel->bus, topic, payload, live);
}

/* ---- subscribing */

static int spec_is_good(const struct gantry_subscribe_spec *spec)
{
	return spec->size >= sizeof(*spec) && spec->event &&
	       (!spec->loop || (spec->queue_max > 0 && spec->queue_max <= QUEUE_MAX));
}

static struct gantry_subscription *subscription_new(struct gantry_inst *inst,
						    const struct gantry_subscribe_spec *spec,
						    const struct gantry_topic *def)
{
	struct gantry_subscription *sub = calloc(1, sizeof(*sub));
	if (!sub)
		return NULL;
	sub->inst = inst;
	sub->bus = &inst->kernel->bus;
	sub->spec = *spec;
	sub->refs = 1;
	sub->def = def;
	sub->task.run = deliver;
	if (spec->loop) {
		size_t each = sizeof(struct entry) + (def->payload_size + 7u) / 8 * 8;
		sub->queue = calloc(spec->queue_max, each);
		pthread_mutex_init(&sub->lock, NULL);
		if (!sub->queue) {
			subscription_release(sub);
			return NULL;
		}
	}
	return sub;
}

/* Under the bus's lock. */
static int attach(struct gantry_inst *inst, struct gk_topic *topic,
		  const struct gantry_subscribe_spec *spec, struct subscribers **ret_old,
		  struct gantry_subscription **ret)
{
	struct gantry_subscription *sub = subscription_new(inst, spec, topic->def);
	if (!sub)
		return -ENOMEM;
	sub->topic = topic;
	*ret_old = topic->subscribers;
	topic->subscribers = with(topic->subscribers, sub);
	__atomic_add_fetch(&inst->subscribed, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&inst->lock);
	gk_list_append(&inst->subscriptions, &sub->link);
	pthread_mutex_unlock(&inst->lock);
	*ret = sub;
	return 0;
}

int gantry_subscribe(struct gantry_inst *inst, const char *name, uint32_t version_min,
		     const struct gantry_subscribe_spec *spec, struct gantry_subscription **ret)
{
	struct gk_bus *bus = &inst->kernel->bus;
	struct subscribers *old = NULL;
	int bad = 0;
	if (!spec_is_good(spec))
		return -EINVAL;
	pthread_mutex_lock(&bus->lock);
	struct gk_topic *topic = g_hash_table_lookup(bus->topics, name);
	if (!topic)
		bad = -ENOENT;
	else if (topic->def->version < version_min)
		bad = -EPROTO;
	else
		bad = attach(inst, topic, spec, &old, ret);
	pthread_mutex_unlock(&bus->lock);
	subscribers_release(old);
	return bad;
}

void gantry_unsubscribe(struct gantry_subscription *sub)
{
	if (!sub)
		return;
	pthread_mutex_lock(&sub->inst->lock);
	int mine = gk_list_remove(&sub->link);
	pthread_mutex_unlock(&sub->inst->lock);
	if (mine)
		retire(sub);
}

static struct gantry_subscription *take_first(struct gantry_inst *inst)
{
	struct gantry_subscription *sub = NULL;
	pthread_mutex_lock(&inst->lock);
	if (!gk_list_empty(&inst->subscriptions)) {
		sub = GK_OF(struct gantry_subscription, link, inst->subscriptions.next);
		gk_list_remove(&sub->link);
	}
	pthread_mutex_unlock(&inst->lock);
	return sub;
}

unsigned gk_bus_unsubscribe_all(struct gantry_inst *inst)
{
	struct gantry_subscription *sub;
	unsigned count = 0;
	for (; (sub = take_first(inst)); count++)
		retire(sub);
	return count;
}

/* ---- topics */

static void topic_free(void *user)
{
	struct gk_topic *topic = user;
	for (unsigned i = 0; i < topic->subscribers->count; i++)
		topic->subscribers->at[i]->topic = NULL;
	subscribers_release(topic->subscribers);
	g_free(topic);
}

void gk_bus_open(struct gk_bus *bus)
{
	pthread_mutex_init(&bus->lock, NULL);
	bus->topics = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, topic_free);
}

void gk_bus_close(struct gk_bus *bus)
{
	if (!bus->topics)
		return;
	g_hash_table_unref(bus->topics);
	bus->topics = NULL;
	pthread_mutex_destroy(&bus->lock);
}

int gk_bus_define(struct gk_bus *bus, struct gantry_inst *owner, const struct gantry_topic *def)
{
	if (def->size < sizeof(*def) || !def->name || def->payload_size > GANTRY_PAYLOAD_MAX)
		return -EINVAL;
	pthread_mutex_lock(&bus->lock);
	int taken = g_hash_table_contains(bus->topics, def->name);
	if (!taken) {
		struct gk_topic *topic = g_new0(struct gk_topic, 1);
		topic->def = def;
		topic->owner = owner;
		topic->subscribers = subscribers_new(0);
		g_hash_table_insert(bus->topics, (char *)def->name, topic);
	}
	pthread_mutex_unlock(&bus->lock);
	return taken ? -EEXIST : 0;
}

int gantry_topic_define(struct gantry_inst *inst, const struct gantry_topic *topic)
{
	return gk_bus_define(&inst->kernel->bus, inst, topic);
}

/* The subscriptions of a topic that goes away, referenced; ended outside of the lock. */
static void collect(struct gk_topic *topic, GPtrArray *ret)
{
	for (unsigned i = 0; i < topic->subscribers->count; i++) {
		struct gantry_subscription *sub = topic->subscribers->at[i];
		__atomic_add_fetch(&sub->refs, 1, __ATOMIC_RELAXED);
		g_ptr_array_add(ret, sub);
	}
}

void gk_bus_undefine_all(struct gk_bus *bus, const struct gantry_inst *inst)
{
	GPtrArray *subs = g_ptr_array_new();
	GHashTableIter iter;
	void *value;
	pthread_mutex_lock(&bus->lock);
	g_hash_table_iter_init(&iter, bus->topics);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct gk_topic *topic = value;
		if (topic->owner == inst) {
			collect(topic, subs);
			g_hash_table_iter_remove(&iter);
		}
	}
	pthread_mutex_unlock(&bus->lock);
	for (unsigned i = 0; i < subs->len; i++) {
		gantry_unsubscribe(subs->pdata[i]);
		subscription_release(subs->pdata[i]);
	}
	g_ptr_array_free(subs, TRUE);
}
