/* SPDX-License-Identifier: Apache-2.0 */
/* One topic: its queue data by broker, the mappings of static topics, its cached texts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "routes_private.h"

enum { MAPPINGS_MAX = 4096 };

void ns_topic_changed(struct ns_topic *topic)
{
	for (int i = 0; i < 2; i++) {
		free(topic->cached[i]);
		topic->cached[i] = NULL;
	}
}

static bool same(const struct ns_queue *a, const struct ns_queue *b)
{
	return a->read_queues == b->read_queues && a->write_queues == b->write_queues &&
	       a->perm == b->perm && a->sys_flag == b->sys_flag;
}

static void copy_values(struct ns_queue *to, const struct ns_queue *from)
{
	to->read_queues = from->read_queues;
	to->write_queues = from->write_queues;
	to->perm = from->perm;
	to->sys_flag = from->sys_flag;
}

int ns_topic_set_queue(struct ns_topic *topic, struct gantry_str broker,
		       const struct ns_queue *values)
{
	struct ns_queue *queue = ns_find_queue(topic, broker), *queues;

	if (queue && same(queue, values))
		return 0;
	if (!queue) {
		queues = realloc(topic->queues, (topic->queue_count + 1) * sizeof(*queues));
		if (!queues)
			return -ENOMEM;
		topic->queues = queues;
		queue = &queues[topic->queue_count];
		queue->broker = strndup(broker.at, broker.size);
		if (!queue->broker)
			return -ENOMEM;
		topic->queue_count++;
	}
	copy_values(queue, values);
	ns_topic_changed(topic);
	return 1;
}

static struct ns_topic_mapping *find_mapping(const struct ns_topic *topic, struct gantry_str broker)
{
	for (uint32_t i = 0; i < topic->mapping_count; i++)
		if (str_is(broker, topic->mappings[i].broker))
			return &topic->mappings[i];
	return NULL;
}

bool ns_topic_has_mapping(const struct ns_topic *topic, struct gantry_str broker)
{
	return find_mapping(topic, broker) != NULL;
}

int ns_topic_set_mapping(struct ns_topic *topic, const struct ns_mapping *mapping)
{
	struct ns_topic_mapping *found = find_mapping(topic, mapping->broker), *all;
	char *json = strdup(mapping->json);

	if (!json)
		return -ENOMEM;
	if (!found) {
		all = topic->mapping_count < MAPPINGS_MAX
			      ? realloc(topic->mappings, (topic->mapping_count + 1) * sizeof(*all))
			      : NULL;
		if (all)
			topic->mappings = all;
		found = all ? &all[topic->mapping_count] : NULL;
		if (found)
			*found = (struct ns_topic_mapping){
				.broker = strndup(mapping->broker.at, mapping->broker.size)};
		if (!found || !found->broker) {
			free(json);
			return -ENOMEM;
		}
		topic->mapping_count++;
	}
	free(found->json);
	found->json = json;
	ns_topic_changed(topic);
	return 0;
}

void ns_drop_topic(struct ns_routes *routes, struct ns_topic *topic)
{
	table_remove(&routes->topics, &topic->entry);
	ns_topic_changed(topic);
	for (uint32_t i = 0; i < topic->queue_count; i++)
		free(topic->queues[i].broker);
	for (uint32_t i = 0; i < topic->mapping_count; i++) {
		free(topic->mappings[i].broker);
		free(topic->mappings[i].json);
	}
	free(topic->queues);
	free(topic->mappings);
	free(topic);
}

bool ns_topic_drop_queue(struct ns_routes *routes, struct ns_topic *topic, struct gantry_str broker)
{
	struct ns_queue *queue = ns_find_queue(topic, broker);

	if (queue) {
		free(queue->broker);
		*queue = topic->queues[--topic->queue_count];
		ns_topic_changed(topic);
	}
	if (topic->queue_count)
		return false;
	ns_drop_topic(routes, topic);
	return true;
}
