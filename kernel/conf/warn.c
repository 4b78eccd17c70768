/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: warnings about keys that do nothing, and about lines that RocketMQ would read
 * otherwise. */
#include "conf/private.h"
#include "conf/known.h"

#include <stdarg.h>
#include <string.h>

struct warner {
	const struct gk_conf *conf;
	void (*warn)(const char *line, void *user);
	void *user;
	unsigned count;
};

static void say(struct warner *warner, const struct gk_entry *entry, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* FILE:LINE: KEY: what */
static void say(struct warner *warner, const struct gk_entry *entry, const char *format, ...)
{
	g_autoptr(GString) line = g_string_new(NULL);
	struct gk_origin origin;
	va_list list;

	g_string_printf(line, "%s: %s: ", gk_origin(entry, &origin), entry->key);
	va_start(list, format);
	g_string_append_vprintf(line, format, list);
	va_end(list);
	warner->warn(line->str, warner->user);
	warner->count++;
}

static void say_earlier(struct warner *warner, const struct gk_entry *entry)
{
	const struct gk_entry *earlier = entry->earlier;
	struct gk_origin origin;

	if (earlier && !gk_key_reserved(entry->key))
		say(warner, entry, "given again; this value is used, not the one of %s",
		    gk_origin(earlier, &origin));
}

/* The row of some table of this role that has the key. */
static const struct gantry_conf_item *item_of(const struct gk_conf *conf,
					      const struct gk_role *role, const char *key)
{
	for (guint i = 0; i < conf->instances->len; i++) {
		const struct gk_instance *instance = conf->instances->pdata[i];
		const struct gk_setting *setting =
			instance->role == role ? gk_instance_setting(instance, key) : NULL;

		if (setting)
			return setting->item;
	}
	return NULL;
}

static void offer_settings(struct gk_hint *hint, const struct gk_instance *instance)
{
	for (unsigned i = 0; i < instance->setting_count; i++)
		gk_hint_offer(hint, instance->settings[i].item->key);
}

static void offer_choices(struct gk_hint *hint, const struct gk_conf *conf)
{
	for (guint i = 0; i < conf->sections->len; i++) {
		const struct gk_section *section = conf->sections->pdata[i];

		for (guint k = 0; k < section->when->len; k++) {
			const struct gk_condition *condition = section->when->pdata[k];

			if (strcmp(condition->key, "role") != 0)
				gk_hint_offer(hint, condition->key);
		}
	}
}

/* Keys that do something come first, then those that RocketMQ has. */
static const char *nearest(const struct gk_conf *conf, const struct gk_role *role, const char *key)
{
	struct gk_hint hint = gk_hint_for(key);

	for (guint i = 0; i < conf->instances->len; i++) {
		const struct gk_instance *instance = conf->instances->pdata[i];

		if (instance->role == role)
			offer_settings(&hint, instance);
	}
	offer_choices(&hint, conf);
	for (const struct gk_known_list *list = gk_known_lists; list->kind; list++)
		if (strcmp(list->kind, role->kind) == 0)
			for (const struct gk_known *known = list->keys; known->key; known++)
				gk_hint_offer(&hint, known->key);
	return hint.best;
}

static void say_unknown(struct warner *warner, const struct gk_entry *entry, const char *best)
{
	if (best)
		say(warner, entry, "unknown, did you mean %s?", best);
	else
		say(warner, entry, "unknown");
}

/* "mappedFileSizeCommitLog = 1073741824", "/data/store/index" */
static void say_gone(struct warner *warner, const struct gk_role *role,
		     const struct gk_entry *entry, const struct gk_gone *gone)
{
	const struct gk_entry *given =
		gone->uses ? gk_role_entry(warner->conf, role, gone->uses) : NULL;
	const struct gk_known *known = gone->uses ? gk_known_find(role->kind, gone->uses) : NULL;
	const char *value = given ? given->value : known ? known->dflt : NULL;

	if (!gone->uses)
		say(warner, entry, "ignored by RocketMQ 5.5.0 as well");
	else if (gone->suffix && value)
		say(warner, entry, "ignored by RocketMQ 5.5.0 as well, which uses %s%s", value,
		    gone->suffix);
	else
		say(warner, entry, "ignored by RocketMQ 5.5.0 as well, which uses %s%s%s",
		    gone->uses, value ? " = " : "", value ? value : "");
}

/* A key that does nothing for this role. */
static void say_idle(struct warner *warner, const struct gk_role *role,
		     const struct gk_entry *entry)
{
	const struct gk_known *known = gk_known_find(role->kind, entry->key);
	const struct gk_gone *gone = gk_gone_find(entry->key);
	const char *other = gk_known_elsewhere(role->kind, entry->key);

	if (known && known->dflt && known->dflt[0] != '=')
		say(warner, entry, "known to RocketMQ (its default is \"%s\"), no effect here",
		    known->dflt);
	else if (known)
		say(warner, entry, "known to RocketMQ, no effect here");
	else if (gone)
		say_gone(warner, role, entry, gone);
	else if (other)
		say(warner, entry, "a key of RocketMQ's %s, no effect in a %s", other, role->kind);
	else
		say_unknown(warner, entry, nearest(warner->conf, role, entry->key));
}

/* What the line may not have meant, and what RocketMQ, which parses a number with its blanks and
 * reads ISO-8859-1, would make of it. */
static void say_otherwise(struct warner *warner, const struct gk_entry *entry,
			  const struct gantry_conf_item *item)
{
	if ((entry->flags & GK_ENTRY_BLANKS) && item && item->type < GANTRY_CONF_ENUM)
		say(warner, entry,
		    "blanks after the value, taken off here; RocketMQ 5.5.0 would use %s",
		    item->type == GANTRY_CONF_BOOL ? "false" : "its default");
	if (gk_has_comment(entry->value))
		say(warner, entry,
		    "# and what follows belongs to the value; a comment stands on a line of its "
		    "own");
	if (entry->flags & GK_ENTRY_UTF8)
		say(warner, entry,
		    "read as UTF-8 here, as ISO-8859-1 by RocketMQ 5.5.0; \\uXXXX escapes mean "
		    "the same to both");
}

static void warn_role_entry(struct warner *warner, const struct gk_role *role,
			    const struct gk_entry *entry)
{
	const struct gantry_conf_item *item = item_of(warner->conf, role, entry->key);
	const struct gk_entry *strong = gk_choice_beaten(warner->conf, role, entry->key);

	say_earlier(warner, entry);
	say_otherwise(warner, entry, item);
	if (strong)
		say(warner, entry, "out of use while %s = %s", strong->key, strong->value);
	else if (!item && !gk_choice_key(warner->conf, entry->key) &&
		 !gk_promise_key(role->kind, entry->key))
		say_idle(warner, role, entry);
}

/* Of [defaults ROLE], which stand there for any choice. */
static void warn_default_entry(struct warner *warner, const struct gk_role *role,
			       const struct gk_entry *entry)
{
	say_earlier(warner, entry);
	if (!item_of(warner->conf, role, entry->key) && !gk_choice_key(warner->conf, entry->key) &&
	    !gk_promise_key(role->kind, entry->key))
		say_idle(warner, role, entry);
}

/* Calls for the entries of a table that are in force, in the order of their lines. */
static void each_in_force(struct warner *warner, const struct gk_table *table,
			  const struct gk_role *role,
			  void (*each)(struct warner *warner, const struct gk_role *role,
				       const struct gk_entry *entry))
{
	for (guint i = 0; table && i < table->all->len; i++) {
		const struct gk_entry *entry = table->all->pdata[i];

		if (gk_table_get(table, entry->key) == entry)
			each(warner, role, entry);
	}
}

/* A section's key that its plugin's table has not. */
static void warn_section(struct warner *warner, const struct gk_instance *instance,
			 const struct gk_table *table)
{
	for (guint i = 0; i < table->all->len; i++) {
		const struct gk_entry *entry = table->all->pdata[i];
		struct gk_hint hint = gk_hint_for(entry->key);

		if (gk_table_get(table, entry->key) != entry)
			continue;
		say_earlier(warner, entry);
		if (gk_key_reserved(entry->key) || gk_instance_setting(instance, entry->key))
			continue;
		offer_settings(&hint, instance);
		for (const char *const *key = gk_reserved_keys; instance->section && *key; key++)
			gk_hint_offer(&hint, *key);
		say_unknown(warner, entry, hint.best);
	}
}

/* Each section once, however many roles chose it. */
static void warn_sections(struct warner *warner)
{
	g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
	const struct gk_instance *kernel = &warner->conf->kernel_instance;

	if (kernel->filled)
		warn_section(warner, kernel, warner->conf->kernel);
	for (guint i = 0; i < warner->conf->instances->len; i++) {
		const struct gk_instance *instance = warner->conf->instances->pdata[i];

		if (instance->filled && g_hash_table_add(done, (void *)instance->section))
			warn_section(warner, instance, instance->section->keys);
	}
}

unsigned gk_conf_warn(const struct gk_conf *conf, void (*warn)(const char *line, void *user),
		      void *user)
{
	struct warner warner = {.conf = conf, .warn = warn, .user = user};
	g_autoptr(GHashTable) kinds = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < conf->notes->len; i++, warner.count++)
		warn(conf->notes->pdata[i], user);
	warn_sections(&warner);
	for (guint i = 0; i < conf->roles->len; i++) {
		const struct gk_role *role = conf->roles->pdata[i];

		each_in_force(&warner, role->file, role, warn_role_entry);
		if (g_hash_table_add(kinds, (void *)role->kind))
			each_in_force(&warner, g_hash_table_lookup(conf->defaults, role->kind),
				      role, warn_default_entry);
	}
	return warner.count;
}
