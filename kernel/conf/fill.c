/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration, pass two: a plugin's table, the values in force, and its snapshot struct. */
#include "conf/private.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A table is code of somebody else's: what is wrong with a row, or NULL. */
static const char *check_item(const struct gantry_conf_item *item)
{
	size_t align, size = gk_value_field(item, &align);

	if (size == 0)
		return "a type that this kernel does not know";
	if ((item->flags & GANTRY_CONF_LIST) && item->type < GANTRY_CONF_STRING)
		return "a list of something else than STRING, PATH or ADDRESS";
	if (item->type == GANTRY_CONF_ENUM && (!item->choices || !item->choices[0]))
		return "an ENUM without choices";
	if (item->min > item->max)
		return "a min over its max";
	if (item->offset % align != 0)
		return "a field at an odd place";
	if (gk_key_reserved(item->key))
		return "a name that sections keep for themselves";
	return NULL;
}

static int check_items(const struct gk_instance *instance, const struct gantry_conf_item *items,
		       size_t size, struct gk_error *error)
{
	for (const struct gantry_conf_item *item = items; item->key; item++) {
		const char *problem = check_item(item);
		size_t align;

		if (!problem && item->offset + gk_value_field(item, &align) > size)
			problem = "a field beyond the snapshot struct";
		for (const struct gantry_conf_item *other = items; other < item; other++)
			if (!problem && strcmp(other->key, item->key) == 0)
				problem = "two rows";
		if (problem)
			return gk_conf_fail(error, -EINVAL, "plugin %s: key %s of its table has %s",
					    instance->chosen.plugin, item->key, problem);
	}
	return 0;
}

static int missing(const struct gk_instance *instance, const struct gantry_conf_item *item,
		   struct gk_error *error)
{
	g_autoptr(GString) expected = g_string_new(NULL);
	const char *where = instance->role ? instance->role->source.shown : NULL;

	gk_value_expect(item, expected);
	return gk_conf_fail(error, -EINVAL,
			    "%s%s%s must be given, plugin %s of role %s needs it; expected %s",
			    where ? where : "", where ? ": " : "", item->key,
			    instance->chosen.plugin, instance->chosen.role, expected->str);
}

static int resolve(struct gk_conf *conf, const struct gk_instance *instance,
		   const struct gantry_conf_item *item, struct gk_setting *ret,
		   struct gk_error *error)
{
	struct gk_setting setting = {.item = item};

	setting.from = gk_instance_entry(conf, instance, item->key);
	if (setting.from)
		setting.text = setting.from->value;
	else if (item->flags & GANTRY_CONF_REQUIRED)
		return missing(instance, item, error);
	else
		setting.text = item->dflt;
	if (setting.text && item->type == GANTRY_CONF_PATH && !(item->flags & GANTRY_CONF_LIST)) {
		g_autofree char *path = gk_path_expand(setting.text);

		if (path)
			setting.text = gk_keep_text(conf, path);
	}
	*ret = setting;
	return 0;
}

int gk_instance_resolve(struct gk_conf *conf, struct gk_instance *instance,
			const struct gantry_conf_item *items, struct gk_error *error)
{
	unsigned count = 0;

	if (instance->filled && instance->items == items)
		return 0;
	while (items && items[count].key)
		count++;
	g_free(instance->settings);
	instance->settings = g_new0(struct gk_setting, count);
	instance->setting_count = 0;
	for (unsigned i = 0; i < count; i++) {
		int code = resolve(conf, instance, &items[i], &instance->settings[i], error);

		if (code)
			return code;
		instance->setting_count++;
	}
	instance->items = items;
	instance->filled = 1;
	return 0;
}

int gk_setting_parse(struct gk_conf *conf, const struct gk_instance *instance,
		     const struct gk_setting *setting, struct gk_value *ret, struct gk_error *error)
{
	const struct gantry_conf_item *item = setting->item;
	g_autoptr(GString) expected = NULL;
	struct gk_origin origin;
	struct gk_shown shown;
	const char *problem;

	*ret = (struct gk_value){0};
	if (!setting->text)
		return 0;
	problem = gk_value_parse(conf, item, setting->text, ret);
	if (!problem)
		return 0;
	expected = g_string_new(NULL);
	gk_value_expect(item, expected);
	gk_show(item->flags & GANTRY_CONF_SECRET ? "******" : setting->text, &shown);
	if (setting->from)
		return gk_conf_fail(error, -EINVAL, "%s: %s = %s %s; expected %s",
				    gk_origin(setting->from, &origin), item->key, shown.text,
				    problem, expected->str);
	return gk_conf_fail(error, -EINVAL, "plugin %s: the default of %s, %s, %s; expected %s",
			    instance->chosen.plugin, item->key, shown.text, problem, expected->str);
}

static void store(const struct gantry_conf_item *item, const struct gk_value *value, char *to)
{
	bool yes = value->number != 0;
	int32_t index = (int32_t)value->number;
	const void *from = &value->text;
	size_t align, size = gk_value_field(item, &align);

	if (item->flags & GANTRY_CONF_LIST)
		from = &value->list;
	else if (item->type == GANTRY_CONF_BOOL)
		from = &yes;
	else if (item->type == GANTRY_CONF_ENUM)
		from = &index;
	else if (item->type < GANTRY_CONF_STRING)
		from = &value->number;
	memcpy(to, from, size);
}

int gk_conf_fill(struct gk_conf *conf, const struct gk_chosen *chosen,
		 const struct gantry_conf_item *items, void *snapshot, size_t size,
		 struct gk_error *error)
{
	struct gk_instance *instance = gk_instance_of(conf, chosen);
	int code;

	if (!instance)
		return gk_conf_fail(error, -ENOENT, "%s of role %s was not chosen", chosen->name,
				    chosen->role);
	code = items ? check_items(instance, items, size, error) : 0;
	if (!code)
		code = gk_instance_resolve(conf, instance, items, error);
	if (code)
		return code;
	if (size)
		memset(snapshot, 0, size);
	for (unsigned i = 0; i < instance->setting_count; i++) {
		const struct gk_setting *setting = &instance->settings[i];
		struct gk_value value;

		code = gk_setting_parse(conf, instance, setting, &value, error);
		if (code)
			return code;
		store(setting->item, &value, (char *)snapshot + setting->item->offset);
	}
	return 0;
}
