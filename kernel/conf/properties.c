/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: a role's .properties file, RocketMQ's flat keys. */
#include "conf/private.h"

#include <errno.h>
#include <stdlib.h>

struct properties {
	struct gk_conf *conf;
	struct gk_table *to;
	const char *shown;
	int utf8; /* RocketMQ would read another text where a value has bytes beyond ASCII */
};

static int add_line(struct gk_line *line, void *user, struct gk_error *error)
{
	struct properties *properties = user;
	struct gk_pair pair;
	const char *problem = gk_line_split(line, &pair);

	if (problem)
		return gk_conf_fail(error, -EINVAL, "%s:%u: %s", properties->shown, line->number,
				    problem);
	if (!*pair.key) {
		gk_note(properties->conf, "%s:%u: a value without a key, ignored",
			properties->shown, line->number);
		return 0;
	}
	if (!properties->utf8)
		pair.flags &= ~(unsigned)GK_ENTRY_UTF8;
	gk_table_put(properties->conf, properties->to, &pair, properties->shown, line->number);
	return 0;
}

int gk_properties_load(struct gk_conf *conf, struct gk_role *role, const char *path,
		       const char *shown, struct gk_error *error)
{
	struct properties properties = {.conf = conf, .to = role->file, .shown = shown};
	struct gk_text text;
	int code = gk_text_read(path, shown, &text, error);

	if (code)
		return code;
	role->source = (struct gk_source){gk_keep_text(conf, path), gk_keep_text(conf, shown)};
	properties.utf8 = text.utf8;
	if (text.bom)
		gk_note(conf,
			"%s: begins with a byte-order mark, skipped here; RocketMQ 5.5.0 takes it "
			"for "
			"a part of the first key",
			shown);
	code = gk_text_each_line(&text, shown, add_line, &properties, error);
	free(text.at);
	return code;
}

int gk_conf_read_properties(struct gk_conf *conf, const char *role_name, const char *path,
			    struct gk_error *error)
{
	struct gk_role *role = gk_role_of(conf, role_name);
	g_autofree char *whole = g_canonicalize_filename(path, NULL);

	if (!role)
		return gk_conf_fail(error, -EINVAL, "%s: there is no role %s", path, role_name);
	if (role->source.path)
		return gk_conf_fail(error, -EEXIST, "%s: role %s has the file %s already", path,
				    role_name, role->source.shown);
	return gk_properties_load(conf, role, whole, path, error);
}
