/* SPDX-License-Identifier: Apache-2.0 */
/* The folders of queues, and reading units from their files. No file stays open: 50,000 queues
 * are looked at in turns. */
#include <errno.h>
#include <fcntl.h>
#include <message/bytes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

enum {
	WINDOW_FIRST = 16, /* units */
	WINDOW_MAX = 1024,
	ROOM_MAX = 64 << 20, /* bytes of all windows; beyond it they do not grow */
	KEY_ROOM = 1 << 10,
};

static size_t make_key(char *key, struct gantry_str topic, int32_t id)
{
	memcpy(key, topic.at, topic.size);
	key[topic.size] = '\0';
	message_put32((uint8_t *)key + topic.size + 1, (uint32_t)id);
	return topic.size + 1 + sizeof(id);
}

struct store_queue *store_queues_find(const struct store_queues *queues, struct gantry_str topic,
				      int32_t id)
{
	char key[KEY_ROOM];
	struct table_entry *found;
	size_t size;
	if (topic.size + 1 + sizeof(id) > sizeof(key))
		return NULL;
	size = make_key(key, topic, id);
	found = table_find(&queues->table, (struct gantry_str){key, size});
	return found ? STORE_QUEUE(found) : NULL;
}

static const char *folder_name(bool batch)
{
	return batch ? "batchconsumequeue" : "consumequeue";
}

static char *folder_of(const struct store_queues *queues, const struct store_queue *queue)
{
	return g_strdup_printf("%s/%s/%s/%d", queues->places->root, folder_name(queue->batch),
			       queue->key, queue->id);
}

/* ---- listing */

static int add_queue(struct store_queues *queues, const char *topic, int32_t id, bool batch,
		     struct report *report)
{
	struct gantry_str name = {topic, strlen(topic)};
	struct store_queue *queue;
	struct segments files = {0};
	size_t size;
	if (name.size + 1 + sizeof(id) > KEY_ROOM)
		return 0;
	queue = g_new0(struct store_queue, 1);
	queue->key = g_malloc(name.size + 1 + sizeof(id));
	size = make_key(queue->key, name, id);
	queue->topic_size = name.size;
	queue->id = id;
	queue->batch = batch;
	queue->unit = batch ? MESSAGE_BATCH_UNIT_SIZE : MESSAGE_UNIT_SIZE;
	queue->want = WINDOW_FIRST * queue->unit;
	g_autofree char *folder = folder_of(queues, queue);
	segments_list((char *[]){folder, NULL}, queue->unit, report, &files);
	queue->first = segments_first(&files);
	queue->end = segments_end(&files);
	queue->file_bytes = files.bytes;
	segments_free(&files);
	if (!table_find(&queues->table, (struct gantry_str){queue->key, size}))
		return table_insert(&queues->table, (struct gantry_str){queue->key, size},
				    &queue->entry);
	report_add(report, FINDING_DAMAGE, folder, 0,
		   "the queue is in consumequeue and in batchconsumequeue: a Java broker does not "
		   "start");
	g_free(queue->key);
	g_free(queue);
	return 0;
}

static bool read_id(const char *name, int32_t *ret)
{
	gint64 value;
	if (!g_ascii_string_to_signed(name, 10, 0, INT32_MAX, &value, NULL))
		return false;
	*ret = (int32_t)value;
	return true;
}

static int list_topic(struct store_queues *queues, const char *root, const char *topic, bool batch,
		      struct report *report)
{
	g_autofree char *folder = g_build_filename(root, topic, NULL);
	GPtrArray *names = list_names(folder);
	int status = 0;
	if (!names) {
		if (errno != ENOTDIR && errno != ENOENT)
			report_unread(report, folder, -errno);
		return 0;
	}
	for (guint i = 0; !status && i < names->len; i++) {
		int32_t id;
		if (read_id(names->pdata[i], &id))
			status = add_queue(queues, topic, id, batch, report);
		else
			report_note(report, folder, "%s is no queue id",
				    (const char *)names->pdata[i]);
	}
	g_ptr_array_unref(names);
	return status;
}

static int list_kind(struct store_queues *queues, bool batch, struct report *report)
{
	g_autofree char *root = g_build_filename(queues->places->root, folder_name(batch), NULL);
	GPtrArray *topics = list_names(root);
	int status = 0;
	if (!topics) {
		if (errno != ENOENT)
			report_unread(report, root, -errno);
		return 0;
	}
	for (guint i = 0; !status && i < topics->len && !cli_interrupted(); i++) {
		cli_progress("listing queues: %zu", queues->table.count);
		status = list_topic(queues, root, topics->pdata[i], batch, report);
	}
	g_ptr_array_unref(topics);
	return status;
}

int store_queues_list(struct store_queues *queues, const struct store_places *places,
		      struct report *report)
{
	int status;
	*queues = (struct store_queues){.places = places};
	status = list_kind(queues, false, report);
	return status ? status : list_kind(queues, true, report);
}

int store_queues_list_topic(struct store_queues *queues, const char *topic)
{
	int status = 0;
	for (int batch = 0; !status && batch < 2; batch++) {
		g_autofree char *root =
			g_build_filename(queues->places->root, folder_name(batch), NULL);
		status = list_topic(queues, root, topic, batch, NULL);
	}
	return status;
}

void store_queues_free(struct store_queues *queues)
{
	struct table_entry *at = table_next(&queues->table, NULL);
	while (at) {
		struct store_queue *queue = STORE_QUEUE(at);
		at = table_next(&queues->table, at);
		g_free(queue->key);
		free(queue->window);
		g_free(queue);
	}
	table_clear(&queues->table);
}

static int by_name(const void *a, const void *b)
{
	const struct store_queue *x = STORE_QUEUE(*(struct table_entry *const *)a);
	const struct store_queue *y = STORE_QUEUE(*(struct table_entry *const *)b);
	int order = strcmp(x->key, y->key);
	return order ? order : x->id - y->id;
}

struct table_entry **store_queues_sorted(const struct store_queues *queues)
{
	struct table_entry **sorted = g_new0(struct table_entry *, queues->table.count + 1);
	size_t count = 0;
	for (struct table_entry *at = table_next(&queues->table, NULL); at;
	     at = table_next(&queues->table, at))
		sorted[count++] = at;
	qsort(sorted, count, sizeof(*sorted), by_name);
	return sorted;
}

/* ---- units */

uint64_t store_queue_first(const struct store_queue *queue)
{
	return queue->first / queue->unit;
}

uint64_t store_queue_count(const struct store_queue *queue)
{
	return queue->end / queue->unit;
}

char *store_queue_file(const struct store_queues *queues, const struct store_queue *queue,
		       uint64_t index, uint64_t *ret_offset)
{
	g_autofree char *folder = folder_of(queues, queue);
	uint64_t at = index * queue->unit;
	uint64_t base = queue->first;
	if (queue->file_bytes && at >= queue->first)
		base += (at - queue->first) / queue->file_bytes * queue->file_bytes;
	if (at >= queue->end && queue->end > queue->first)
		base = queue->end - queue->file_bytes;
	*ret_offset = at > base ? at - base : 0;
	return g_strdup_printf("%s/%020llu", folder, (unsigned long long)base);
}

static int make_window(struct store_queue *queue)
{
	uint8_t *window = realloc(queue->window, queue->want);
	if (!window)
		return -ENOMEM;
	queue->window = window;
	return 0;
}

/* Windows of busy queues grow as long as all of them together stay small. */
static void grow(struct store_queues *queues, struct store_queue *queue)
{
	if (queue->want >= WINDOW_MAX * queue->unit || queues->room >= ROOM_MAX)
		return;
	queues->room += queue->want;
	queue->want *= 2;
}

/* Reads the window anew from that place on; a larger one the next time. */
static int fill(struct store_queues *queues, struct store_queue *queue, uint64_t index)
{
	uint64_t offset, left;
	g_autofree char *path = store_queue_file(queues, queue, index, &offset);
	int64_t got;
	int fd, status = make_window(queue);
	if (status)
		return status;
	queue->filled = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	left = queue->file_bytes - offset;
	got = read_at(fd, queue->window, left < queue->want ? (size_t)left : queue->want, offset);
	close(fd);
	if (got < 0)
		return (int)got;
	queue->window_at = index * queue->unit;
	queue->filled = (uint32_t)got;
	grow(queues, queue);
	return 0;
}

int store_queue_unit(struct store_queues *queues, struct store_queue *queue, uint64_t index,
		     const uint8_t **ret)
{
	uint64_t at = index * queue->unit;
	if (index > INT64_MAX / queue->unit || at < queue->first || at + queue->unit > queue->end)
		return 0;
	if (at < queue->window_at || at + queue->unit > queue->window_at + queue->filled) {
		int status = fill(queues, queue, index);
		if (status)
			return status;
		if (queue->filled < queue->unit)
			return 0;
	}
	*ret = queue->window + (at - queue->window_at);
	return 1;
}

/* One unit, past the window. As store_queue_unit(). */
static int read_one(const struct store_queues *queues, const struct store_queue *queue,
		    uint64_t index, struct queue_unit *ret)
{
	uint8_t bytes[MESSAGE_UNIT_SIZE];
	uint64_t offset;
	g_autofree char *path = store_queue_file(queues, queue, index, &offset);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t got;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	got = read_at(fd, bytes, sizeof(bytes), offset);
	close(fd);
	if (got < (int64_t)sizeof(bytes))
		return got < 0 ? (int)got : 0;
	message_unit_read(bytes, ret);
	return 1;
}

static bool is_before(const struct queue_unit *unit, uint64_t log_at)
{
	return unit->size > 0 &&
	       (unit->size == MESSAGE_UNIT_FILLER || (uint64_t)unit->physical_offset < log_at);
}

int store_queue_search(struct store_queues *queues, struct store_queue *queue, uint64_t log_at,
		       uint64_t *ret)
{
	uint64_t low = store_queue_first(queue), high = store_queue_count(queue);
	uint64_t middle = low; /* mostly it is the first */
	while (low < high) {
		struct queue_unit unit;
		int found = read_one(queues, queue, middle, &unit);
		if (found < 0)
			return found;
		if (found && is_before(&unit, log_at))
			low = middle + 1;
		else
			high = middle;
		middle = low + (high - low) / 2;
	}
	*ret = low;
	return 0;
}
