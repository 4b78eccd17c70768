/* SPDX-License-Identifier: Apache-2.0 */
/* The state files in config/: whether they are JSON, and whether those of topics, groups and
 * offsets say what a broker can use. */
#include <errno.h>
#include <json/json.h>
#include <metadata/topic_config.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

enum { TEXT_MAX = 512 << 20 };

struct state_file {
	const char *path;
	struct report *report;
	const struct json_doc *doc;
};

static uint64_t place_of(struct json_value value)
{
	return value.doc ? value.doc->nodes[value.node].start : 0;
}

static void found(const struct state_file *file, struct json_value at, const char *what)
{
	report_add(file->report, FINDING_DAMAGE, file->path, place_of(at), "%s", what);
}

/* ---- what each file holds */

static void check_topics(const struct state_file *file, struct json_value root)
{
	struct json_value table = json_get(root, "topicConfigTable");
	struct json_iter it = json_iter(table);
	struct topic_config config;
	if (!json_is(table, JSON_OBJECT))
		found(file, root, "it has no topicConfigTable");
	while (json_next(&it)) {
		g_autofree char *name = NULL;
		if (topic_config_read(it.value, &config, NULL)) {
			found(file, it.value, "the entry is no topic");
			continue;
		}
		name = g_strndup(config.name.at, config.name.size);
		if (!json_equals(it.key, name))
			found(file, it.key, "the entry's name is not its topicName");
		if (config.read_queues < 0 || config.write_queues < 0 || config.perm < 0)
			found(file, it.value, "the topic has less than no queues or permissions");
	}
}

static void check_groups(const struct state_file *file, struct json_value root)
{
	struct json_value table = json_get(root, "subscriptionGroupTable");
	struct json_iter it = json_iter(table);
	if (!json_is(table, JSON_OBJECT))
		found(file, root, "it has no subscriptionGroupTable");
	while (json_next(&it)) {
		char *name = json_strdup(json_get(it.value, "groupName"));
		if (!json_is(it.value, JSON_OBJECT))
			found(file, it.value, "the entry is no group");
		else if (name && !json_equals(it.key, name))
			found(file, it.key, "the entry's name is not its groupName");
		free(name);
	}
}

static void check_queue_offsets(const struct state_file *file, struct json_value queues)
{
	struct json_iter it = json_iter(queues);
	int64_t queue, offset;
	if (!json_is(queues, JSON_OBJECT))
		found(file, queues, "the entry is no map from queue to offset");
	while (json_next(&it)) {
		if (json_int64(it.key, &queue) || queue < 0)
			found(file, it.key, "the key is no queue");
		if (json_int64(it.value, &offset))
			found(file, it.value, "the value is no offset");
	}
}

static void check_offsets(const struct state_file *file, struct json_value root)
{
	struct json_value table = json_get(root, "offsetTable");
	struct json_iter it = json_iter(table);
	if (!json_is(table, JSON_OBJECT))
		found(file, root, "it has no offsetTable");
	while (json_next(&it)) {
		char *key = json_strdup(it.key);
		if (!key || !strchr(key, '@'))
			found(file, it.key, "the key is not TOPIC@GROUP");
		free(key);
		check_queue_offsets(file, it.value);
	}
}

static void check_delay(const struct state_file *file, struct json_value root)
{
	struct json_value table = json_get(root, "offsetTable");
	if (!json_is(table, JSON_OBJECT))
		found(file, root, "it has no offsetTable");
	else
		check_queue_offsets(file, table);
}

/* ---- files */

static const struct known {
	const char *name;
	void (*check)(const struct state_file *file, struct json_value root);
} known[] = {
	{"topics.json", check_topics},
	{"subscriptionGroup.json", check_groups},
	{"consumerOffset.json", check_offsets},
	{"delayOffset.json", check_delay},
};

static void check_text(const char *name, const char *path, const char *text, size_t size,
		       struct report *report)
{
	struct json_limits limits = {.nodes = (uint32_t)(size / 2 + 16)};
	struct state_file file = {.path = path, .report = report};
	struct json_error error = {0};
	struct json_doc doc;
	int status = json_parse(text, size, JSON_LENIENT, &limits, &doc, &error);
	if (status == -EINVAL) {
		report_add(report, FINDING_DAMAGE, path, error.offset, "%s", error.why);
		return;
	}
	if (status) {
		report_unread(report, path, status);
		return;
	}
	file.doc = &doc;
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (!strncmp(name, known[i].name, strlen(known[i].name)))
			known[i].check(&file, json_root(&doc));
	json_free(&doc);
}

static void check_file(const char *folder, const char *name, struct report *report)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
	g_autofree char *text = NULL;
	gsize size = 0;
	if (file && g_mapped_file_get_length(file) > TEXT_MAX) {
		report_unread(report, path, -EFBIG);
		return;
	}
	/* a copy: the file may be cut while it is read */
	if (!g_file_get_contents(path, &text, &size, NULL))
		return; /* replaced meanwhile */
	if (size)
		check_text(name, path, text, size, report);
	else if (g_str_has_suffix(name, ".json"))
		report_note(report, path, "it is empty: a start takes its .bak");
}

static bool is_state(const char *name)
{
	return g_str_has_suffix(name, ".json") || g_str_has_suffix(name, ".json.bak");
}

void config_check(const struct store_places *places, struct report *report)
{
	g_autofree char *folder = g_build_filename(places->root, "config", NULL);
	GPtrArray *names = list_names(folder);
	if (!names) {
		report_note(report, folder,
			    "there is none: a start makes it anew, without topics, "
			    "groups and offsets");
		return;
	}
	for (guint i = 0; i < names->len; i++)
		if (is_state(names->pdata[i]))
			check_file(folder, names->pdata[i], report);
	g_ptr_array_unref(names);
}
