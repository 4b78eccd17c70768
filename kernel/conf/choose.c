/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration, pass one: which plugin instances each role has. Nothing is loaded for it. */
#include "conf/private.h"

#include <errno.h>
#include <string.h>

/* A key whose value another key puts out of force, as RocketMQ does. */
static const struct {
	const char *key, *strong, *value;
} beaten[] = {
	{"brokerRole", "enableDLegerCommitLog", "true"},
	{"brokerRole", "enableControllerMode", "true"},
};

const struct gk_entry *gk_choice_beaten(const struct gk_conf *conf, const struct gk_role *role,
					const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(beaten); i++) {
		const struct gk_entry *strong;

		if (strcmp(beaten[i].key, key) != 0)
			continue;
		strong = gk_role_entry(conf, role, beaten[i].strong);
		if (strong && g_ascii_strcasecmp(strong->value, beaten[i].value) == 0)
			return strong;
	}
	return NULL;
}

const char *gk_choice_value(const struct gk_conf *conf, const struct gk_role *role, const char *key)
{
	const struct gk_entry *entry;

	if (strcmp(key, "role") == 0)
		return role->kind;
	if (gk_choice_beaten(conf, role, key))
		return "";
	entry = gk_role_entry(conf, role, key);
	return entry ? entry->value : "";
}

int gk_condition_holds(const struct gk_conf *conf, const struct gk_role *role,
		       const struct gk_condition *condition)
{
	const char *value = gk_choice_value(conf, role, condition->key);
	int found = 0;

	for (char **wanted = condition->values; *wanted && !found; wanted++)
		found = g_ascii_strcasecmp(*wanted, value) == 0;
	return found != condition->negated;
}

int gk_choice_key(const struct gk_conf *conf, const char *key)
{
	for (guint i = 0; i < conf->sections->len; i++) {
		const struct gk_section *section = conf->sections->pdata[i];

		for (guint k = 0; k < section->when->len; k++) {
			const struct gk_condition *condition = section->when->pdata[k];

			if (strcmp(condition->key, key) == 0)
				return 1;
		}
	}
	return 0;
}

static int is_chosen(const struct gk_conf *conf, const struct gk_role *role,
		     const struct gk_section *section)
{
	if (section->off)
		return 0;
	for (guint i = 0; i < section->when->len; i++)
		if (!gk_condition_holds(conf, role, section->when->pdata[i]))
			return 0;
	return 1;
}

static void add_instance(struct gk_conf *conf, const struct gk_role *role,
			 const struct gk_section *section)
{
	struct gk_instance *instance = g_new0(struct gk_instance, 1);

	instance->chosen = (struct gk_chosen){
		.plugin = section->plugin,
		.name = section->name,
		.role = role->name,
		.kind = role->kind,
		.file = section->file,
		.line = section->line,
	};
	instance->role = role;
	instance->section = section;
	g_ptr_array_add(conf->instances, instance);
}

int gk_conf_choose(struct gk_conf *conf, struct gk_error *error)
{
	if (conf->instances->len)
		return gk_conf_fail(error, -EALREADY, "the plugins are chosen already");
	for (guint i = 0; i < conf->roles->len; i++) {
		const struct gk_role *role = conf->roles->pdata[i];
		int code;

		for (guint k = 0; k < conf->sections->len; k++)
			if (is_chosen(conf, role, conf->sections->pdata[k]))
				add_instance(conf, role, conf->sections->pdata[k]);
		code = gk_promises_check(conf, role, error);
		if (code)
			return code;
	}
	return 0;
}
