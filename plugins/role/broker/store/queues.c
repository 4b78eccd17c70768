/* SPDX-License-Identifier: Apache-2.0 */
/* The queues of all topics. They are made in memory when first asked for and stay; from a topic
 * to its queue the way is two pointers, without a lock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/name.h"
#include "store/queue_room.h"

enum { NAME_MAX_BYTES = 255 };

/* It becomes the name of a folder. */
static bool is_safe_name(struct gantry_str name)
{
	if (!name.size || name.size > NAME_MAX_BYTES || name.at[0] == '.')
		return false;
	return !memchr(name.at, '/', name.size) && !memchr(name.at, '\0', name.size);
}

bool store_queue_is_possible(struct gantry_str topic, int32_t queue)
{
	return queue >= 0 && queue < STORE_QUEUES_MAX && is_safe_name(topic);
}

struct topic_queues *topic_queues_new(struct gantry_str name)
{
	struct topic_queues *topic = calloc(1, sizeof(*topic) + name.size + 1);

	if (topic)
		memcpy(topic->name, name.at, name.size);
	return topic;
}

/* Under table_lock. */
static struct topic_queues *find_topic(struct store *store, struct gantry_str name)
{
	struct table_entry *entry = table_find(&store->topics, name);
	struct topic_queues *topic;

	if (entry)
		return TABLE_HOLDER(entry, struct topic_queues, entry);
	topic = topic_queues_new(name);
	if (!topic)
		return NULL;
	name.at = topic->name;
	if (table_insert(&store->topics, name, &topic->entry)) {
		free(topic);
		return NULL;
	}
	store->light_count += message_topic_is_light(name);
	return topic;
}

static struct queue *peek(const struct topic_queues *topic, int32_t id)
{
	const struct queue_array *array = __atomic_load_n(&topic->array, __ATOMIC_ACQUIRE);

	if (!array || (uint32_t)id >= array->count)
		return NULL;
	return __atomic_load_n(&array->at[id], __ATOMIC_ACQUIRE);
}

/* Publishes an array that has a place for id. Under table_lock. */
static int grow(struct topic_queues *topic, int32_t id)
{
	struct queue_array *old = topic->array, *array;
	uint32_t count = old ? old->count : 4;

	if (old && (uint32_t)id < old->count)
		return 0;
	while (count <= (uint32_t)id)
		count *= 2;
	array = calloc(1, sizeof(*array) + count * sizeof(array->at[0]));
	if (!array)
		return -ENOMEM;
	array->older = old;
	array->count = count;
	if (old)
		memcpy(array->at, old->at, old->count * sizeof(old->at[0]));
	__atomic_store_n(&topic->array, array, __ATOMIC_RELEASE);
	return 0;
}

/* Under table_lock. */
static struct queue *make(struct store *store, struct topic_queues *topic, int32_t id)
{
	struct queue *queue = peek(topic, id);
	bool first = !topic->array;

	if (queue || grow(topic, id))
		return queue;
	store->begun_count += first;
	queue = queue_new(store, topic, id);
	__atomic_store_n(&topic->array->at[id], queue, __ATOMIC_RELEASE);
	return queue;
}

struct queue *store_queue_named(struct store *store, struct gantry_str topic, int32_t queue)
{
	struct topic_queues *queues;
	struct queue *found = NULL;

	if (!store_queue_is_possible(topic, queue))
		return NULL;
	pthread_mutex_lock(&store->table_lock);
	queues = find_topic(store, topic);
	if (queues)
		found = make(store, queues, queue);
	pthread_mutex_unlock(&store->table_lock);
	return found;
}

struct queue *store_queue_light(struct store *store, struct gantry_str name)
{
	struct topic_queues *queues = NULL;
	struct queue *found = NULL;

	if (!store_queue_is_possible(name, 0))
		return NULL;
	pthread_mutex_lock(&store->table_lock);
	if (store->light_count < store->broker->conf->maxLmqConsumeQueueNum ||
	    table_find(&store->topics, name))
		queues = find_topic(store, name);
	if (queues)
		found = make(store, queues, 0);
	pthread_mutex_unlock(&store->table_lock);
	return found;
}

struct queue *store_queue(struct store *store, struct topic *topic, int32_t queue)
{
	struct topic_queues *queues = __atomic_load_n(&topic->store_private, __ATOMIC_ACQUIRE);
	struct queue *found = queues && queue >= 0 ? peek(queues, queue) : NULL;

	if (found && !topic_queues_gone(queues))
		return found;
	found = store_queue_named(store, topic->name, queue);
	if (found)
		__atomic_store_n(&topic->store_private, found->topic, __ATOMIC_RELEASE);
	return found;
}

struct queue *store_queue_of(struct store *store, struct topic *topic, int32_t queue)
{
	struct topic_queues *queues;

	if (queue < 0)
		return NULL;
	if (queue < topic_read_queues(topic) || queue < topic_write_queues(topic))
		return store_queue(store, topic, queue);
	queues = store_find_topic(store, topic->name);
	return queues ? peek(queues, queue) : NULL;
}

uint64_t store_topics_begun(struct store *store)
{
	uint64_t count;

	pthread_mutex_lock(&store->table_lock);
	count = store->begun_count;
	pthread_mutex_unlock(&store->table_lock);
	return count;
}

struct topic_queues *store_find_topic(struct store *store, struct gantry_str name)
{
	struct table_entry *entry;

	pthread_mutex_lock(&store->table_lock);
	entry = table_find(&store->topics, name);
	pthread_mutex_unlock(&store->table_lock);
	return entry ? TABLE_HOLDER(entry, struct topic_queues, entry) : NULL;
}

int store_replace_topic(struct store *store, struct topic_queues *old, struct topic_queues *fresh)
{
	struct gantry_str name = {fresh->name, strlen(fresh->name)};
	struct table_entry *entry;
	int status;

	pthread_mutex_lock(&store->table_lock);
	entry = table_find(&store->topics, name);
	status = entry == (old ? &old->entry : NULL) ? 0 : -EAGAIN;
	if (!status && old) {
		table_remove(&store->topics, entry);
		old->next_gone = store->gone;
		store->gone = old;
	}
	if (!status)
		status = table_insert(&store->topics, name, &fresh->entry);
	pthread_mutex_unlock(&store->table_lock);
	return status;
}

int32_t store_queue_of_folder(const char *name)
{
	char *end;
	long id = strtol(name, &end, 10);

	return *name < '0' || *name > '9' || *end || id >= STORE_QUEUES_MAX ? -1 : (int32_t)id;
}

bool store_queue_has_file(struct store *store, const char *topic, int32_t id)
{
	struct gantry_str name = {topic, strlen(topic)};
	struct table_entry *entry;
	struct queue *queue = NULL;

	pthread_mutex_lock(&store->table_lock);
	entry = table_find(&store->topics, name);
	if (entry)
		queue = peek(TABLE_HOLDER(entry, struct topic_queues, entry), id);
	pthread_mutex_unlock(&store->table_lock);
	return queue && queue->file;
}

void store_each_queue(struct store *store, void (*each)(struct queue *queue, void *user),
		      void *user)
{
	struct table_entry *entry = NULL;

	pthread_mutex_lock(&store->table_lock);
	while ((entry = table_next(&store->topics, entry))) {
		struct queue_array *array = TABLE_HOLDER(entry, struct topic_queues, entry)->array;

		for (uint32_t i = 0; array && i < array->count; i++)
			if (array->at[i])
				each(array->at[i], user);
	}
	pthread_mutex_unlock(&store->table_lock);
}

static void close_queue(struct queue *queue, void *user)
{
	(void)user;
	queue_close(queue);
}

void store_close_queues(struct store *store)
{
	store_each_queue(store, close_queue, NULL);
	for (struct topic_queues *topic = store->gone; topic; topic = topic->next_gone)
		for (uint32_t i = 0; topic->array && i < topic->array->count; i++)
			if (topic->array->at[i])
				queue_close(topic->array->at[i]);
}

void topic_queues_free(struct topic_queues *topic)
{
	struct queue_array *array = topic->array;

	for (uint32_t i = 0; array && i < array->count; i++)
		queue_free(array->at[i]);
	while (array) {
		struct queue_array *older = array->older;

		free(array);
		array = older;
	}
	free(topic);
}

void store_free_queues(struct store *store)
{
	struct table_entry *entry = table_next(&store->topics, NULL);

	while (entry) {
		struct table_entry *next = table_next(&store->topics, entry);

		topic_queues_free(TABLE_HOLDER(entry, struct topic_queues, entry));
		entry = next;
	}
	table_clear(&store->topics);
	while (store->gone) {
		struct topic_queues *topic = store->gone;

		store->gone = topic->next_gone;
		topic_queues_free(topic);
	}
	queue_rooms_free(store);
}

static int open_all(struct gantry_work *work)
{
	struct queue_opening *opening = work->user;
	int status = 0;

	/* A topic that was just made is in its file before a message of it is acknowledged. */
	topics_settle(opening->queues[0]->store->broker->topics);
	for (uint32_t i = 0; i < opening->count; i++) {
		int one = queue_open_now(opening->queues[i]);

		if (one && !status)
			status = one;
	}
	return status;
}

int store_queues_open(struct store *store, struct queue *const *queues, uint32_t count,
		      struct queue_opening *room, struct gantry_op *op)
{
	uint32_t open = 0;

	while (open < count && queue_is_open(queues[open]))
		open++;
	if (open == count)
		return 0;
	*room = (struct queue_opening){
		.work = {.run = open_all, .user = room}, .queues = queues, .count = count};
	return gantry_work(store->inst, &room->work, op);
}
