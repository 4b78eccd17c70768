/* SPDX-License-Identifier: Apache-2.0 */
/* Changing keys of a running role: its property file is written anew and read again. */
#include "conf/private.h"
#include "instance.h"
#include "kernel.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* The row of that key in any table of the role. NULL: nobody knows the key. */
static const struct gantry_conf_item *find_item(const struct gk_conf *conf, const char *role,
						const char *key, const struct gk_setting **ret)
{
	for (guint i = 0; i < conf->instances->len; i++) {
		const struct gk_instance *instance = conf->instances->pdata[i];
		const struct gk_setting *setting;

		if (strcmp(instance->chosen.role, role) != 0 || !instance->filled)
			continue;
		setting = gk_instance_setting(instance, key);
		if (setting) {
			*ret = setting;
			return setting->item;
		}
	}
	return NULL;
}

/* Whether a value stands where the role's file cannot beat it: the command line, or the section of
 * an instance. */
static int is_stronger(const struct gk_conf *conf, const struct gk_role *role,
		       const struct gk_setting *setting)
{
	const struct gk_entry *weaker = gk_role_entry(conf, role, setting->item->key);

	return gk_table_get(role->overrides, setting->item->key) || weaker != setting->from;
}

static int judge(const struct gk_conf *conf, const struct gk_role *role,
		 const struct gantry_conf_line *change, struct gk_error *error)
{
	const struct gk_setting *setting = NULL;
	const struct gantry_conf_item *item = find_item(conf, role->name, change->key, &setting);
	struct gk_origin origin;

	if (!item)
		return gk_conf_fail(error, -ENOENT, "%s is no key of this node", change->key);
	if (!(item->flags & GANTRY_CONF_REMOTE))
		return gk_conf_fail(error, -EPERM, "%s needs a restart to change", change->key);
	if (!g_utf8_validate(change->value, -1, NULL) || strpbrk(change->value, "\r\n"))
		return gk_conf_fail(error, -EINVAL, "%s: the value is no line of text",
				    change->key);
	if (setting->from && is_stronger(conf, role, setting))
		return gk_conf_fail(error, -EPERM, "%s is given at %s, which is stronger",
				    change->key, gk_origin(setting->from, &origin));
	return 0;
}

static int write_file(const char *path, const char *bytes, size_t size, struct gk_error *error)
{
	const GFileSetContentsFlags flags =
		G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE;
	GError *problem = NULL;
	GStatBuf old;
	int mode = g_stat(path, &old) ? 0644 : (int)(old.st_mode & 0777);
	int code = 0;

	if (!g_file_set_contents_full(path, bytes, (gssize)size, flags, mode, &problem)) {
		code = gk_conf_fail(error, -EIO, "%s", problem->message);
		g_error_free(problem);
	}
	return code;
}

/* Writes the file, reads everything again, and takes the file back if that was refused. */
static int apply(struct gk_kernel *kernel, const char *path, const struct gantry_conf_line *changes,
		 uint32_t count, struct gk_error *error)
{
	g_autofree char *before = NULL, *after = NULL;
	gsize size = 0;
	size_t fresh = 0;
	int code;

	if (!g_file_get_contents(path, &before, &size, NULL))
		return gk_conf_fail(error, -EIO, "%s cannot be read", path);
	code = gk_conf_edit(before, size, changes, count, &after, &fresh, error);
	if (!code)
		code = write_file(path, after, fresh, error);
	if (code)
		return code;
	code = gk_kernel_reload_why(kernel, error);
	if (code)
		write_file(path, before, size, NULL);
	return code;
}

int gantry_conf_change(struct gantry_inst *inst, const struct gantry_conf_line *changes,
		       uint32_t count, char *why, size_t why_size)
{
	struct gk_conf *conf = inst->kernel->conf;
	const struct gk_role *role = gk_role_of(conf, inst->role);
	struct gk_error error = {""};
	int code = 0;

	if (!role || !role->source.path)
		code = gk_conf_fail(&error, -ENOTSUP,
				    "this node was started without a property file");
	for (uint32_t i = 0; i < count && !code; i++)
		code = judge(conf, role, &changes[i], &error);
	if (!code && count)
		code = apply(inst->kernel, role->source.path, changes, count, &error);
	if (code && why_size)
		snprintf(why, why_size, "%s", error.text);
	return code;
}
