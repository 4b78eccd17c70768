/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what is in force, for people (--print-config) and for plugins. */
#include "conf/private.h"
#include "conf/known.h"

#include <string.h>

static const char hidden[] = "******";

static int sounds_secret(const char *key)
{
	static const char *const words[] = {"password", "secret", "credential", "accesskey",
					    "initauthenticationuser"};
	g_autofree char *small = g_ascii_strdown(key, -1);

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (strstr(small, words[i]))
			return 1;
	return 0;
}

int gk_key_secret(const struct gk_conf *conf, const struct gk_role *role, const char *key)
{
	int named = 0;

	for (guint i = 0; i < conf->instances->len; i++) {
		const struct gk_instance *instance = conf->instances->pdata[i];
		const struct gk_setting *setting =
			instance->role == role ? gk_instance_setting(instance, key) : NULL;

		if (setting && (setting->item->flags & GANTRY_CONF_SECRET))
			return 1;
		named |= setting != NULL;
	}
	return !named && sounds_secret(key);
}

void gk_escape(const char *value, GString *to)
{
	if (*value == ' ')
		g_string_append_c(to, '\\');
	for (; *value; value++) {
		static const char codes[] = "\t\n\r\f\\", names[] = "tnrf\\";
		const char *code = strchr(codes, *value);

		if (code)
			g_string_append_printf(to, "\\%c", names[code - codes]);
		else if ((unsigned char)*value < ' ' || *value == 0x7f)
			g_string_append_printf(to, "\\u%04x", (unsigned char)*value);
		else
			g_string_append_c(to, *value);
	}
}

/* `role name key = value  # file:line` */
static void add_line(GPtrArray *lines, const char *role, const char *name, const char *key,
		     const char *value, const char *origin)
{
	GString *line = g_string_new(NULL);

	g_string_printf(line, "%s %s ", role, name);
	gk_escape(key, line);
	g_string_append(line, " = ");
	gk_escape(value, line);
	g_string_append_printf(line, "  # %s", origin);
	g_ptr_array_add(lines, g_string_free(line, FALSE));
}

static void add_settings(GPtrArray *lines, const struct gk_instance *instance)
{
	const char *name = instance->role ? instance->chosen.name : "-";

	for (unsigned i = 0; i < instance->setting_count; i++) {
		const struct gk_setting *setting = &instance->settings[i];
		int secret = (setting->item->flags & GANTRY_CONF_SECRET) && setting->text;
		g_autoptr(GString) origin = g_string_new(NULL);
		struct gk_origin from;

		if (setting->from)
			g_string_append(origin, gk_origin(setting->from, &from));
		else
			g_string_append(origin, setting->text ? "default" : "not set");
		if (setting->kept)
			g_string_append(origin, ", changed since, needs a restart");
		add_line(lines, instance->chosen.role, name, setting->item->key,
			 secret          ? hidden
			 : setting->text ? setting->text
					 : "",
			 origin->str);
	}
}

/* The keys that only chose plugins. */
static void add_choices(GPtrArray *lines, const struct gk_conf *conf, const struct gk_role *role)
{
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < conf->sections->len; i++) {
		const struct gk_section *section = conf->sections->pdata[i];

		for (guint k = 0; k < section->when->len; k++) {
			const struct gk_condition *condition = section->when->pdata[k];
			const struct gk_entry *entry = gk_role_entry(conf, role, condition->key);
			struct gk_origin origin;

			if (entry && g_hash_table_add(done, (void *)condition->key))
				add_line(lines, role->name, "-", entry->key,
					 gk_key_secret(conf, role, entry->key) ? hidden
									       : entry->value,
					 gk_origin(entry, &origin));
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void gk_conf_print(const struct gk_conf *conf, FILE *to)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

	add_settings(lines, &conf->kernel_instance);
	for (guint i = 0; i < conf->roles->len; i++)
		add_choices(lines, conf, conf->roles->pdata[i]);
	for (guint i = 0; i < conf->instances->len; i++)
		add_settings(lines, conf->instances->pdata[i]);
	g_ptr_array_sort(lines, by_text);
	for (guint i = 0; i < lines->len; i++)
		fprintf(to, "%s\n", (const char *)lines->pdata[i]);
}

const char *gk_conf_text(const struct gk_conf *conf, const struct gk_chosen *chosen,
			 const char *key)
{
	const struct gk_instance *instance = gk_instance_of(conf, chosen);
	const struct gk_setting *setting;
	const struct gk_entry *entry;

	if (!instance)
		return NULL;
	setting = gk_instance_setting(instance, key);
	if (setting)
		return setting->text;
	entry = gk_instance_entry(conf, instance, key);
	return entry ? entry->value : NULL;
}

/* The first text that a key gets stays. */
static void collect_settings(GHashTable *texts, const struct gk_instance *instance)
{
	for (unsigned i = 0; i < instance->setting_count; i++) {
		const struct gk_setting *setting = &instance->settings[i];

		if (setting->text && !g_hash_table_contains(texts, setting->item->key))
			g_hash_table_insert(texts, (void *)setting->item->key,
					    (void *)setting->text);
	}
}

static void collect_table(GHashTable *texts, const struct gk_table *table)
{
	for (guint i = 0; table && i < table->all->len; i++) {
		const struct gk_entry *entry = table->all->pdata[i];

		if (gk_table_get(table, entry->key) == entry &&
		    !g_hash_table_contains(texts, entry->key))
			g_hash_table_insert(texts, (void *)entry->key, (void *)entry->value);
	}
}

static void collect_role(GHashTable *texts, const struct gk_conf *conf,
			 const struct gk_instance *of)
{
	for (guint i = 0; i < conf->instances->len; i++) {
		const struct gk_instance *instance = conf->instances->pdata[i];

		if (instance->role == of->role && instance != of)
			collect_settings(texts, instance);
	}
	collect_table(texts, of->role->overrides);
	collect_table(texts, of->role->file);
	collect_table(texts, of->role->environment);
	collect_table(texts, g_hash_table_lookup(conf->defaults, of->role->kind));
}

void gk_conf_each(const struct gk_conf *conf, const struct gk_chosen *chosen,
		  void (*each)(const char *key, const char *value, void *user), void *user)
{
	const struct gk_instance *instance = gk_instance_of(conf, chosen);
	g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	GHashTableIter iter;
	void *key;

	if (!instance)
		return;
	collect_settings(texts, instance);
	if (instance->role)
		collect_role(texts, conf, instance);
	g_hash_table_iter_init(&iter, texts);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, by_text);
	for (guint i = 0; i < keys->len; i++) {
		int secret = gk_key_secret(conf, instance->role, keys->pdata[i]);

		each(keys->pdata[i], secret ? hidden : g_hash_table_lookup(texts, keys->pdata[i]),
		     user);
	}
}
