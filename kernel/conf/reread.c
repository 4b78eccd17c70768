/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: reading the same files again. What needs a restart keeps its value. */
#include "conf/private.h"

#include <errno.h>
#include <string.h>

static int read_role(struct gk_conf *fresh, const struct gk_role *role, struct gk_error *error)
{
	const char *name;
	int code = gk_conf_add_role(fresh, role->kind, &name);

	for (guint i = 0; i < role->overrides->all->len && !code; i++) {
		const struct gk_entry *entry = role->overrides->all->pdata[i];

		code = gk_conf_override(fresh, name, entry->key, entry->value, entry->file);
	}
	if (!code && role->source.path)
		code = gk_properties_load(fresh, gk_role_of(fresh, name), role->source.path,
					  role->source.shown, error);
	return code;
}

static int read_again(const struct gk_conf *conf, struct gk_conf *fresh, struct gk_error *error)
{
	int code = 0;

	for (guint i = 0; i < conf->roles->len && !code; i++)
		code = read_role(fresh, conf->roles->pdata[i], error);
	for (guint i = 0; i < conf->directories->len && !code; i++) {
		const struct gk_source *source = conf->directories->pdata[i];

		code = gk_directory_load(fresh, source->path, source->shown, error);
	}
	return code ? code : gk_conf_choose(fresh, error);
}

/* Names the first instance that only one of the readings has. If they have the same, the fresh
 * ones are put into the order of the old: callers may go by number. */
static int compare_chosen(const struct gk_conf *conf, struct gk_conf *fresh, struct gk_error *error)
{
	static const char format[] = "needs a restart: %s of role %s (%s:%u) was %s";

	for (guint i = 0; i < fresh->instances->len; i++) {
		const struct gk_chosen *chosen = gk_conf_chosen(fresh, i);

		if (!gk_instance_of(conf, chosen))
			return gk_conf_fail(error, -EINVAL, format, chosen->name, chosen->role,
					    chosen->file, chosen->line, "added");
	}
	for (guint i = 0; i < conf->instances->len; i++) {
		const struct gk_chosen *chosen = gk_conf_chosen(conf, i);
		struct gk_instance *same = gk_instance_of(fresh, chosen);
		guint at = 0;

		if (!same)
			return gk_conf_fail(error, -EINVAL, format, chosen->name, chosen->role,
					    chosen->file, chosen->line, "removed");
		while (fresh->instances->pdata[at] != same)
			at++;
		fresh->instances->pdata[at] = fresh->instances->pdata[i];
		fresh->instances->pdata[i] = same;
	}
	return 0;
}

struct comparison {
	struct gk_conf *fresh;
	void (*warn)(const char *line, void *user);
	void *user;
	struct gk_error *error;
};

static void warn_kept(const struct comparison *comparison, const struct gk_instance *instance,
		      const struct gk_setting *fresh)
{
	struct gk_origin origin;
	g_autofree char *line = g_strdup_printf(
		"%s: %s of %s%s%s needs a restart to change; the old value stays",
		fresh->from ? gk_origin(fresh->from, &origin) : "default", fresh->item->key,
		instance->chosen.name, instance->role ? ", role " : "",
		instance->role ? instance->chosen.role : "");

	if (comparison->warn)
		comparison->warn(line, comparison->user);
}

/* Puts the old value into the fresh reading, with its origin. */
static void keep(struct gk_conf *fresh, struct gk_setting *to, const struct gk_setting *old)
{
	to->text = old->text ? gk_keep_text(fresh, old->text) : NULL;
	to->kept = 1;
	if (old->from) {
		struct gk_entry *from = gk_keep_block(fresh, sizeof(*from));

		*from = (struct gk_entry){
			.key = to->item->key,
			.value = to->text,
			.file = gk_keep_text(fresh, old->from->file),
			.line = old->from->line,
		};
		to->from = from;
	} else {
		to->from = NULL;
	}
}

static int compare_setting(const struct comparison *comparison, const struct gk_instance *instance,
			   struct gk_setting *fresh, const struct gk_setting *old)
{
	struct gk_value fresh_value, old_value;
	int code = gk_setting_parse(comparison->fresh, instance, fresh, &fresh_value,
				    comparison->error);

	if (!code)
		code = gk_setting_parse(comparison->fresh, instance, old, &old_value,
					comparison->error);
	if (code || (fresh->item->flags & GANTRY_CONF_RELOAD) ||
	    gk_value_same(fresh->item, &fresh_value, &old_value))
		return code;
	warn_kept(comparison, instance, fresh);
	keep(comparison->fresh, fresh, old);
	return 0;
}

static int compare_instance(const struct comparison *comparison, const struct gk_instance *old)
{
	struct gk_instance *fresh =
		gk_instance_of(comparison->fresh, old->role ? &old->chosen : NULL);
	int code;

	if (!old->filled)
		return 0;
	code = gk_instance_resolve(comparison->fresh, fresh, old->items, comparison->error);
	for (unsigned i = 0; i < old->setting_count && !code; i++)
		code = compare_setting(comparison, fresh, &fresh->settings[i], &old->settings[i]);
	return code;
}

int gk_conf_reread(const struct gk_conf *conf, struct gk_conf **ret,
		   void (*warn)(const char *line, void *user), void *user, struct gk_error *error)
{
	struct comparison comparison = {gk_conf_new(), warn, user, error};
	struct gk_conf *fresh = comparison.fresh;
	int code = read_again(conf, fresh, error);

	if (!code)
		code = compare_chosen(conf, fresh, error);
	if (!code)
		code = compare_instance(&comparison, &conf->kernel_instance);
	for (guint i = 0; i < conf->instances->len && !code; i++)
		code = compare_instance(&comparison, conf->instances->pdata[i]);
	if (code) {
		gk_conf_free(fresh);
		return code;
	}
	*ret = fresh;
	return 0;
}

int gk_conf_changed(const struct gk_conf *old, const struct gk_conf *fresh,
		    const struct gk_chosen *chosen, const struct gantry_conf_item *items)
{
	const struct gk_instance *before = gk_instance_of(old, chosen);
	const struct gk_instance *after = gk_instance_of(fresh, chosen);
	int changed = 0;

	if (!before || !after || before->items != items || after->items != items)
		return 0;
	for (unsigned i = 0; i < before->setting_count; i++)
		if (before->settings[i].item->flags & GANTRY_CONF_RELOAD)
			changed |= g_strcmp0(before->settings[i].text, after->settings[i].text);
	return changed != 0;
}
