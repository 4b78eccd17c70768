/* SPDX-License-Identifier: Apache-2.0 */
/* From a route to a sorted list of queues. */
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "json/json.h"
#include "metadata/topic_config.h"
#include "balance/route_cache.h"
#include "topics/topics.h"

static int compare(const void *a, const void *b)
{
	const struct gantry_alloc_queue *x = a, *y = b;
	int order = strcmp(x->broker, y->broker);

	return order ? order : (x->queue > y->queue) - (x->queue < y->queue);
}

struct queue_data {
	struct gantry_str broker;
	int64_t queues; /* 0: none may be read */
};

static struct queue_data read_data(struct json_value object)
{
	struct queue_data data = {{NULL, 0}, 0};

	if (!json_raw(json_get(object, "brokerName"), &data.broker) ||
	    !(json_int64_or(json_get(object, "perm"), 0) & PERM_READ))
		return data;
	data.queues = json_int64_or(json_get(object, "readQueueNums"), 0);
	if (data.queues < 0 || data.queues > TOPIC_QUEUES_MAX)
		data.queues = 0;
	return data;
}

static struct route_queues *allocate(size_t count, size_t names)
{
	struct route_queues *queues;

	queues = calloc(1, sizeof(*queues) + count * sizeof(struct gantry_alloc_queue) + names);
	if (!queues)
		return NULL;
	queues->refs = 1;
	queues->known = 1;
	queues->asked_ms = gantry_clock_ms();
	return queues;
}

static void fill(struct route_queues *queues, const char *broker, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		queues->at[queues->count++] = (struct gantry_alloc_queue){
			.broker = broker, .backlog = -1, .queue = (int32_t)i};
}

static struct route_queues *build(struct json_value datas)
{
	struct json_iter it = json_iter(datas);
	size_t count = 0, names = 0;
	struct route_queues *queues;
	char *to;

	while (json_next(&it)) {
		struct queue_data data = read_data(it.value);

		count += (size_t)data.queues;
		names += data.broker.size + 1;
	}
	if (count > TOPIC_QUEUES_MAX)
		return NULL;
	queues = allocate(count, names);
	if (!queues)
		return NULL;
	to = (char *)&queues->at[count];
	it = json_iter(datas);
	while (json_next(&it)) {
		struct queue_data data = read_data(it.value);

		if (!data.queues)
			continue;
		memcpy(to, data.broker.at, data.broker.size);
		fill(queues, to, data.queues);
		to += data.broker.size + 1;
	}
	qsort(queues->at, queues->count, sizeof(queues->at[0]), compare);
	return queues;
}

struct route_queues *route_queues_read(struct gantry_str json)
{
	struct route_queues *queues;
	struct json_doc doc;

	if (!json.size || json_parse(json.at, json.size, JSON_LENIENT, NULL, &doc, NULL))
		return NULL;
	queues = build(json_get(json_root(&doc), "queueDatas"));
	json_free(&doc);
	return queues;
}

struct route_queues *route_queues_own(const char *broker, int32_t count)
{
	size_t size = strlen(broker) + 1;
	struct route_queues *queues = allocate((size_t)count, size);

	if (!queues)
		return NULL;
	memcpy(&queues->at[count], broker, size);
	fill(queues, (const char *)&queues->at[count], count);
	return queues;
}

void route_queues_release(struct route_queues *queues)
{
	if (queues && __atomic_sub_fetch(&queues->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(queues);
}
