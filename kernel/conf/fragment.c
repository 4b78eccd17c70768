/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: fragments, the sections of conf.d/NAME.conf. Lines and pairs are read as those of
 * a .properties file; what a section may be stands in conf/conf.h. */
#include "conf/private.h"

#include <errno.h>
#include <string.h>

const char *const gk_reserved_keys[] = {"when", "serves", "enabled", NULL};

int gk_key_reserved(const char *key)
{
	return g_strv_contains(gk_reserved_keys, key);
}

/* a fragment that is being read */
struct fragment {
	struct gk_conf *conf;
	const char *shown;
	struct gk_table *keys;      /* of the section that is open; NULL before the first */
	struct gk_section *section; /* if it is a plugin's */
};

static void condition_free(void *at)
{
	struct gk_condition *condition = at;

	g_strfreev(condition->values);
	g_free(condition);
}

static struct gk_section *section_new(struct fragment *fragment, const char *name, unsigned line)
{
	struct gk_section *section = g_new0(struct gk_section, 1);
	g_autofree char *plugin = g_strndup(name, strcspn(name, ":"));

	section->name = gk_keep_text(fragment->conf, name);
	section->plugin = gk_keep_text(fragment->conf, plugin);
	section->file = gk_keep_text(fragment->conf, fragment->shown);
	section->line = line;
	section->keys = gk_table_new();
	section->when = g_ptr_array_new_with_free_func(condition_free);
	section->serves = g_ptr_array_new_with_free_func(condition_free);
	g_ptr_array_add(fragment->conf->sections, section);
	return section;
}

void gk_section_free(struct gk_section *section)
{
	gk_table_free(section->keys);
	g_ptr_array_free(section->when, TRUE);
	g_ptr_array_free(section->serves, TRUE);
	g_free(section);
}

/* A section may be opened again, in a later file too: what that says is stronger. */
static struct gk_section *section_open(struct fragment *fragment, const char *name, unsigned line)
{
	for (guint i = 0; i < fragment->conf->sections->len; i++) {
		struct gk_section *section = fragment->conf->sections->pdata[i];

		if (strcmp(section->name, name) == 0)
			return section;
	}
	return section_new(fragment, name, line);
}

/* [a-z0-9-]+, and for an instance letters, digits, '.', '_' and '-' after a colon */
static int is_plugin_name(const char *name)
{
	static const char small[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ._";
	size_t size = strspn(name, small);

	if (size == 0 || (name[size] && name[size] != ':'))
		return 0;
	if (!name[size])
		return 1;
	name += size + 1;
	if (!*name)
		return 0;
	while (*name && (strchr(small, *name) || strchr(more, *name)))
		name++;
	return !*name;
}

static int bad_section(const struct fragment *fragment, const struct gk_line *line,
		       const char *text, struct gk_error *error)
{
	struct gk_shown shown;

	return gk_conf_fail(error, -EINVAL,
			    "%s:%u: section %s: expected [kernel], [defaults ROLE], [plugin NAME] "
			    "or [plugin NAME:INSTANCE]",
			    fragment->shown, line->number, gk_show(text, &shown));
}

static int open_section(struct fragment *fragment, struct gk_line *line, struct gk_error *error)
{
	char *text = g_strchomp(line->text), *name = text + 1, *end = text + strlen(text) - 1;
	g_autofree char *whole = g_strdup(text);

	if (end == text || *end != ']')
		return bad_section(fragment, line, whole, error);
	*end = 0;
	fragment->section = NULL;
	if (strcmp(name, "kernel") == 0) {
		fragment->keys = fragment->conf->kernel;
	} else if (g_str_has_prefix(name, "defaults ") && is_plugin_name(name + 9)) {
		fragment->keys = gk_defaults_of(fragment->conf, name + 9);
	} else if (g_str_has_prefix(name, "plugin ") && is_plugin_name(name + 7)) {
		fragment->section = section_open(fragment, name + 7, line->number);
		fragment->keys = fragment->section->keys;
	} else {
		return bad_section(fragment, line, whole, error);
	}
	return 0;
}

static struct gk_condition *condition_new(struct gk_conf *conf, const char *key, int negated,
					  const char *values, const struct gk_entry *from)
{
	struct gk_condition *condition = g_new0(struct gk_condition, 1);

	condition->key = gk_keep_text(conf, key);
	condition->negated = negated;
	condition->from = from;
	if (*values) {
		condition->values = g_strsplit(values, "|", -1);
	} else { /* KEY= compares with "" */
		condition->values = g_new0(char *, 2);
		condition->values[0] = g_strdup("");
	}
	for (char **value = condition->values; *value; value++)
		g_strstrip(*value);
	return condition;
}

/* KEY=V1|V2; in a `when` line KEY!=V1|V2, too. Lines of one file add up; the first of a later file
 * replaces what earlier ones said. */
static int add_condition(struct fragment *fragment, GPtrArray *list, const char **file,
			 const struct gk_entry *entry, struct gk_error *error)
{
	const char *equals = strchr(entry->value, '=');
	size_t size = equals ? (size_t)(equals - entry->value) : 0;
	int negated = size && equals[-1] == '!', may_negate = list == fragment->section->when;
	g_autofree char *key = g_strstrip(g_strndup(entry->value, size - (size_t)negated));
	struct gk_shown shown;

	if (!*key || (negated && !may_negate))
		return gk_conf_fail(error, -EINVAL, "%s:%u: %s = %s: expected KEY=V1|V2%s",
				    entry->file, entry->line, entry->key,
				    gk_show(entry->value, &shown),
				    may_negate ? " or KEY!=V1|V2" : "");
	if (gk_has_comment(entry->value))
		return gk_conf_fail(
			error, -EINVAL, "%s:%u: %s = %s: a comment stands on a line of its own",
			entry->file, entry->line, entry->key, gk_show(entry->value, &shown));
	if (*file && strcmp(*file, entry->file) != 0)
		g_ptr_array_set_size(list, 0);
	*file = entry->file;
	g_ptr_array_add(list, condition_new(fragment->conf, key, negated, equals + 1, entry));
	return 0;
}

static int set_enabled(struct gk_section *section, const struct gk_entry *entry,
		       struct gk_error *error)
{
	static const char *const yes[] = {"yes", "true", "on", NULL};
	static const char *const no[] = {"no", "false", "off", NULL};
	g_autofree char *value = g_ascii_strdown(entry->value, -1);
	struct gk_shown shown;

	if (!g_strv_contains(yes, value) && !g_strv_contains(no, value))
		return gk_conf_fail(error, -EINVAL, "%s:%u: enabled = %s: expected yes or no",
				    entry->file, entry->line, gk_show(entry->value, &shown));
	section->off = g_strv_contains(no, value) ? entry : NULL;
	return 0;
}

static int add_key(struct fragment *fragment, struct gk_line *line, struct gk_error *error)
{
	struct gk_section *section = fragment->section;
	struct gk_pair pair;
	const struct gk_entry *entry;
	const char *problem = gk_line_split(line, &pair);

	if (problem)
		return gk_conf_fail(error, -EINVAL, "%s:%u: %s", fragment->shown, line->number,
				    problem);
	if (!*pair.key)
		return gk_conf_fail(error, -EINVAL, "%s:%u: a value without a key", fragment->shown,
				    line->number);
	if (!fragment->keys)
		return gk_conf_fail(error, -EINVAL, "%s:%u: %s stands before the first [section]",
				    fragment->shown, line->number, pair.key);
	entry = gk_table_put(fragment->conf, fragment->keys, &pair, fragment->shown, line->number);
	if (!section)
		return 0;
	if (strcmp(pair.key, "when") == 0)
		return add_condition(fragment, section->when, &section->when_file, entry, error);
	if (strcmp(pair.key, "serves") == 0)
		return add_condition(fragment, section->serves, &section->serves_file, entry,
				     error);
	if (strcmp(pair.key, "enabled") == 0)
		return set_enabled(section, entry, error);
	return 0;
}

static int add_line(struct gk_line *line, void *user, struct gk_error *error)
{
	struct fragment *fragment = user;

	return line->text[0] == '[' ? open_section(fragment, line, error)
				    : add_key(fragment, line, error);
}

int gk_fragment_parse(struct gk_conf *conf, const struct gk_text *text, const char *shown,
		      struct gk_error *error)
{
	struct fragment fragment = {.conf = conf, .shown = shown};

	return gk_text_each_line(text, shown, add_line, &fragment, error);
}
