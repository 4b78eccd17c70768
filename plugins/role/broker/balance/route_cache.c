/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of routes: asked for on the control loop, where the connections to name servers are. */
#include "balance/route_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/loop.h>

#include "call/fields.h"
#include "register/register.h"
#include "remoting/client.h"
#include "table/table.h"
#include "topics/topics.h"

enum { FRESH_MS = 30000, UNKNOWN_MS = 1000 };

struct route_node {
	struct table_entry entry; /* key: the topic */
	struct route_queues *queues;
	char name[];
};

struct route_cache {
	struct broker *broker;
	pthread_mutex_t lock;
	struct table table; /* guarded by lock */
};

struct route_ask {
	struct broker *broker;
	struct gantry_op *outer;
	struct gantry_task task;
	struct gantry_op op;
	struct remoting_request request;
	uint32_t server; /* how many were asked before */
	size_t size;
	char topic[];
};

int route_cache_new(struct broker *broker, struct route_cache **ret)
{
	struct route_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->broker = broker;
	pthread_mutex_init(&cache->lock, NULL);
	*ret = cache;
	return 0;
}

void route_cache_free(struct route_cache *cache)
{
	struct table_entry *next;

	if (!cache)
		return;
	for (struct table_entry *entry = table_next(&cache->table, NULL); entry; entry = next) {
		struct route_node *node = TABLE_HOLDER(entry, struct route_node, entry);

		next = table_next(&cache->table, entry);
		route_queues_release(node->queues);
		free(node);
	}
	table_clear(&cache->table);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* Takes queues over. At a limit, or without memory, it is just not kept. */
static void keep(struct route_cache *cache, struct gantry_str topic, struct route_queues *queues)
{
	struct table_entry *entry;
	struct route_node *node = NULL;

	pthread_mutex_lock(&cache->lock);
	entry = table_find(&cache->table, topic);
	if (entry)
		node = TABLE_HOLDER(entry, struct route_node, entry);
	else if ((int64_t)cache->table.count < cache->broker->conf->maxTopics)
		node = calloc(1, sizeof(*node) + topic.size);
	if (node && !entry) {
		memcpy(node->name, topic.at, topic.size);
		if (table_insert(&cache->table, (struct gantry_str){node->name, topic.size},
				 &node->entry)) {
			free(node);
			node = NULL;
		}
	}
	if (node) {
		route_queues_release(node->queues);
		node->queues = queues;
		queues = NULL;
	}
	pthread_mutex_unlock(&cache->lock);
	route_queues_release(queues);
}

static struct route_queues *look(struct route_cache *cache, struct gantry_str topic)
{
	struct route_queues *queues = NULL;
	struct table_entry *entry;

	pthread_mutex_lock(&cache->lock);
	entry = table_find(&cache->table, topic);
	if (entry) {
		queues = TABLE_HOLDER(entry, struct route_node, entry)->queues;
		__atomic_fetch_add(&queues->refs, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&cache->lock);
	return queues;
}

/* ---- asking; on the control loop */

static void ask_next(struct route_ask *ask);

static void ask_end(struct route_ask *ask)
{
	struct gantry_op *outer = ask->outer;

	remoting_request_clear(&ask->request);
	free(ask);
	gantry_op_finish(outer, 0, 0);
}

static void ask_answered(struct gantry_op *op)
{
	struct route_ask *ask = op->user;
	struct gantry_str topic = {ask->topic, ask->size};
	struct route_queues *queues;

	if (op->status) {
		remoting_request_clear(&ask->request);
		ask_next(ask);
		return;
	}
	if (ask->request.reply.code == GANTRY_SUCCESS)
		queues = route_queues_read(ask->request.ret_body);
	else if ((queues = route_queues_own("", 0)))
		queues->known = 0;
	if (queues)
		keep(ask->broker->route_cache, topic, queues);
	ask_end(ask);
}

static void ask_next(struct route_ask *ask)
{
	struct gantry_str topic = {ask->topic, ask->size};
	int result;

	do {
		ask->op = (struct gantry_op){.done = ask_answered,
					     .loop = gantry_loop_control(ask->broker->inst),
					     .user = ask};
		result = registrar_ask_route(ask->broker, topic, ask->server++, &ask->request,
					     &ask->op);
	} while (result < 0 && result != -ENOTCONN);
	if (result <= 0)
		ask_end(ask);
}

static void ask_begin(struct gantry_task *task)
{
	ask_next(task->user);
}

static int ask(struct broker *broker, struct gantry_str topic, struct gantry_op *op)
{
	struct route_ask *ask = calloc(1, sizeof(*ask) + topic.size);

	if (!ask)
		return -ENOMEM;
	ask->broker = broker;
	ask->outer = op;
	ask->size = topic.size;
	memcpy(ask->topic, topic.at, topic.size);
	ask->task = (struct gantry_task){.run = ask_begin, .user = ask};
	gantry_op_take(op, NULL, NULL);
	gantry_loop_post(gantry_loop_control(broker->inst), &ask->task);
	return GANTRY_PENDING;
}

static int own_queues(struct broker *broker, struct gantry_str name, struct route_queues **ret)
{
	struct topic *topic = topics_find(broker->topics, name);

	if (!topic)
		return -ENOENT;
	*ret = route_queues_own(broker->name,
				topic_perm(topic) & PERM_READ ? topic_read_queues(topic) : 0);
	return *ret ? 0 : -ENOMEM;
}

int route_cache_get(struct broker *broker, struct gantry_str topic, struct route_queues **ret,
		    struct gantry_op *op)
{
	struct route_queues *queues;
	uint64_t age;

	if (!topic.size || topic.size > TOPIC_NAME_ROOM)
		return -ENOENT;
	if (!registrar_has_servers(broker))
		return own_queues(broker, topic, ret);
	queues = look(broker->route_cache, topic);
	age = queues ? gantry_clock_ms() - queues->asked_ms : 0;
	if (op && (!queues || age > (queues->known ? FRESH_MS : UNKNOWN_MS))) {
		route_queues_release(queues);
		return ask(broker, topic, op);
	}
	if (!queues || !queues->known) {
		route_queues_release(queues);
		return -ENOENT;
	}
	*ret = queues;
	return 0;
}
