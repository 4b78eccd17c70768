/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: the whole, and which of the sources of a value is the strongest. */
#include "conf/private.h"
#include "conf/known.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void role_free(void *at)
{
	struct gk_role *role = at;

	gk_table_free(role->overrides);
	gk_table_free(role->file);
	gk_table_free(role->environment);
	g_free(role);
}

static void instance_free(void *at)
{
	struct gk_instance *instance = at;

	g_free(instance->settings);
	g_free(instance);
}

struct gk_conf *gk_conf_new(void)
{
	struct gk_conf *conf = g_new0(struct gk_conf, 1);

	conf->texts = g_string_chunk_new(4096);
	conf->blocks = g_ptr_array_new_with_free_func(g_free);
	conf->roles = g_ptr_array_new_with_free_func(role_free);
	conf->sections = g_ptr_array_new_with_free_func((GDestroyNotify)gk_section_free);
	conf->instances = g_ptr_array_new_with_free_func(instance_free);
	conf->directories = g_ptr_array_new();
	conf->notes = g_ptr_array_new_with_free_func(g_free);
	conf->defaults = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       (GDestroyNotify)gk_table_free);
	conf->kernel = gk_table_new();
	conf->kernel_instance.chosen =
		(struct gk_chosen){.plugin = "kernel", .name = "kernel", .role = "kernel"};
	return conf;
}

void gk_conf_free(struct gk_conf *conf)
{
	if (!conf)
		return;
	g_free(conf->kernel_instance.settings);
	gk_table_free(conf->kernel);
	g_hash_table_destroy(conf->defaults);
	g_ptr_array_free(conf->notes, TRUE);
	g_ptr_array_free(conf->directories, TRUE);
	g_ptr_array_free(conf->instances, TRUE);
	g_ptr_array_free(conf->sections, TRUE);
	g_ptr_array_free(conf->roles, TRUE);
	g_ptr_array_free(conf->blocks, TRUE);
	g_string_chunk_free(conf->texts);
	g_free(conf);
}

const char *gk_keep_text(struct gk_conf *conf, const char *text)
{
	return g_string_chunk_insert_const(conf->texts, text);
}

void *gk_keep_block(struct gk_conf *conf, size_t size)
{
	void *block = g_malloc0(size);

	g_ptr_array_add(conf->blocks, block);
	return block;
}

void gk_note(struct gk_conf *conf, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	g_ptr_array_add(conf->notes, g_strdup_vprintf(format, list));
	va_end(list);
}

struct gk_role *gk_role_of(const struct gk_conf *conf, const char *name)
{
	for (guint i = 0; i < conf->roles->len; i++) {
		struct gk_role *role = conf->roles->pdata[i];

		if (strcmp(role->name, name) == 0)
			return role;
	}
	return NULL;
}

struct gk_table *gk_defaults_of(struct gk_conf *conf, const char *kind)
{
	struct gk_table *table = g_hash_table_lookup(conf->defaults, kind);

	if (!table) {
		table = gk_table_new();
		g_hash_table_insert(conf->defaults, g_strdup(kind), table);
	}
	return table;
}

/* RocketMQ reads a few defaults from the environment. */
static void read_environment(struct gk_conf *conf, struct gk_role *role)
{
	for (const struct gk_known_env *env = gk_known_envs; env->kind; env++) {
		const char *value = getenv(env->name);
		g_autofree char *origin = g_strconcat("$", env->name, NULL);
		struct gk_pair pair = {.key = (char *)env->key, .value = (char *)value};

		if (strcmp(env->kind, role->kind) == 0 && value && *value)
			gk_table_put(conf, role->environment, &pair, origin, 0);
	}
}

int gk_conf_add_role(struct gk_conf *conf, const char *kind, const char **ret_role)
{
	struct gk_role *role;
	g_autofree char *name = g_strdup(kind);
	unsigned number = 1;

	if (!*kind || !g_str_is_ascii(kind))
		return -EINVAL;
	while (gk_role_of(conf, name)) {
		g_free(name);
		name = g_strdup_printf("%s-%u", kind, ++number);
	}
	role = g_new0(struct gk_role, 1);
	role->name = gk_keep_text(conf, name);
	role->kind = gk_keep_text(conf, kind);
	role->overrides = gk_table_new();
	role->file = gk_table_new();
	role->environment = gk_table_new();
	read_environment(conf, role);
	g_ptr_array_add(conf->roles, role);
	*ret_role = role->name;
	return 0;
}

int gk_conf_override(struct gk_conf *conf, const char *role_name, const char *key,
		     const char *value, const char *origin)
{
	struct gk_role *role = gk_role_of(conf, role_name);
	struct gk_pair pair = {.key = (char *)key, .value = (char *)value};

	if (!role || !*key)
		return -EINVAL;
	gk_table_put(conf, role->overrides, &pair, origin, 0);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of a directory's fragments, sorted; hidden files are none. */
static int list_fragments(const char *path, GPtrArray *names, struct gk_error *error)
{
	g_autoptr(GError) why = NULL;
	GDir *directory = g_dir_open(path, 0, &why);
	const char *name;

	if (!directory)
		return gk_conf_fail(error, -ENOENT, "%s", why->message);
	while ((name = g_dir_read_name(directory)))
		if (*name != '.' && g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(names, g_strdup(name));
	g_dir_close(directory);
	if (names->len > GK_FRAGMENTS_MAX)
		return gk_conf_fail(error, -E2BIG, "%s: more than %d fragments", path,
				    GK_FRAGMENTS_MAX);
	g_ptr_array_sort(names, by_name);
	return 0;
}

int gk_directory_load(struct gk_conf *conf, const char *path, const char *shown,
		      struct gk_error *error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	struct gk_source *source = gk_keep_block(conf, sizeof(*source));
	int code = list_fragments(path, names, error);

	*source = (struct gk_source){gk_keep_text(conf, path), gk_keep_text(conf, shown)};
	g_ptr_array_add(conf->directories, source);
	for (guint i = 0; i < names->len && !code; i++) {
		g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
		g_autofree char *file_shown = g_build_filename(shown, names->pdata[i], NULL);
		struct gk_text text;

		code = gk_text_read(file, file_shown, &text, error);
		if (!code) {
			code = gk_fragment_parse(conf, &text, file_shown, error);
			free(text.at);
		}
	}
	return code;
}

int gk_conf_read_directory(struct gk_conf *conf, const char *path, struct gk_error *error)
{
	g_autofree char *whole = g_canonicalize_filename(path, NULL);

	return gk_directory_load(conf, whole, path, error);
}

unsigned gk_conf_chosen_count(const struct gk_conf *conf)
{
	return conf->instances->len;
}

const struct gk_chosen *gk_conf_chosen(const struct gk_conf *conf, unsigned i)
{
	const struct gk_instance *instance;

	if (i >= conf->instances->len)
		return NULL;
	instance = conf->instances->pdata[i];
	return &instance->chosen;
}

struct gk_instance *gk_instance_of(const struct gk_conf *conf, const struct gk_chosen *chosen)
{
	if (!chosen)
		return (struct gk_instance *)&conf->kernel_instance;
	for (guint i = 0; i < conf->instances->len; i++) {
		struct gk_instance *instance = conf->instances->pdata[i];

		if (strcmp(instance->chosen.name, chosen->name) == 0 &&
		    strcmp(instance->chosen.role, chosen->role) == 0)
			return instance;
	}
	return NULL;
}

const struct gk_entry *gk_role_entry(const struct gk_conf *conf, const struct gk_role *role,
				     const char *key)
{
	const struct gk_entry *entry = gk_table_get(role->overrides, key);

	if (!entry)
		entry = gk_table_get(role->file, key);
	if (!entry)
		entry = gk_table_get(role->environment, key);
	if (!entry)
		entry = gk_table_get(g_hash_table_lookup(conf->defaults, role->kind), key);
	return entry;
}

const struct gk_entry *gk_instance_entry(const struct gk_conf *conf,
					 const struct gk_instance *instance, const char *key)
{
	const struct gk_entry *entry;

	if (!instance->role)
		return gk_table_get(conf->kernel, key);
	entry = gk_table_get(instance->role->overrides, key);
	if (!entry && !gk_key_reserved(key))
		entry = gk_table_get(instance->section->keys, key);
	return entry ? entry : gk_role_entry(conf, instance->role, key);
}

const struct gk_setting *gk_instance_setting(const struct gk_instance *instance, const char *key)
{
	for (unsigned i = 0; i < instance->setting_count; i++)
		if (strcmp(instance->settings[i].item->key, key) == 0)
			return &instance->settings[i];
	return NULL;
}
