/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration in two passes. First, without loading anything: files to keys and values with
 * their origin, and the choice of plugin instances from the fragments' `when` lines. Second, when
 * the chosen plugins are loaded: their key tables turn text into snapshots.
 *
 * Files
 * - A .properties file is a role's: flat RocketMQ keys, read as java.util.Properties reads them,
 *   but as UTF-8 if the whole file is that. Blanks around a value don't count.
 * - A conf.d fragment (*.conf, in order of name) has the same lines in sections:
 *     [kernel]               the kernel's own keys
 *     [defaults ROLE]        the weakest values of every role of that kind (broker, namesrv)
 *     [plugin NAME]          one instance of a plugin in every role whose `when` lines all hold
 *     [plugin NAME:INSTANCE] the same, one of several
 *   In a plugin's section
 *     when = KEY=V1|V2       compares without case; also KEY!=V1|V2. KEY `role` is the role's
 *                            kind. An unset key compares as "". brokerRole does, too, while
 *                            enableDLegerCommitLog or enableControllerMode is true.
 *     serves = KEY=V1|V2     keeps what KEY=V1 promises (see gk_conf_choose)
 *     enabled = no           switches it off
 *   and any other line is a key of that instance. A section may be opened again, in a later file:
 *   its keys and `enabled` are stronger, its `when` and `serves` lines replace the earlier file's.
 * A value for an instance comes from, strongest first: the command line, its own section, the
 * role's property file, the environment (NAMESRV_ADDR only), [defaults ROLE], the table's default.
 * Of a key given twice the last wins.
 * Limits: a file of 1 MiB, a line of 64 KiB, 10,000 keys a file, 1,000 fragments.
 *
 * Everything here runs on the control thread; once every table was given, any thread may ask for
 * texts. A gk_conf owns every text and list of the snapshots that it filled: keep it as long as
 * they may be in use, a newer reading or not. */
#ifndef GK_CONF_H
#define GK_CONF_H

#include <gantry/conf.h>
#include <stdio.h>

GANTRY_BEGIN

struct gk_conf;

/* a sentence that names file, line, key and value */
struct gk_error {
	char text[768];
};

/* an instance that pass one decided on */
struct gk_chosen {
	const char *plugin; /* "frontend-remoting" */
	const char *name;   /* "frontend-remoting:vip", or the plugin's name */
	const char *role;   /* "broker", "broker-2", "namesrv" */
	const char *kind;   /* the role's kind: "broker", "namesrv" */
	const char *file;   /* the section's origin */
	unsigned line;
};

struct gk_conf *gk_conf_new(void);
void gk_conf_free(struct gk_conf *conf); /* NULL is fine */

/* Adds a role of that kind; ret_role: "broker", then "broker-2", ... */
int gk_conf_add_role(struct gk_conf *conf, const char *kind, const char **ret_role);
/* Reads a role's property file; a relative path is taken from the working directory. */
int gk_conf_read_properties(struct gk_conf *conf, const char *role, const char *path,
			    struct gk_error *error);
/* A value from the command line (-n), stronger than every file. origin: "-n", as shown. */
int gk_conf_override(struct gk_conf *conf, const char *role, const char *key, const char *value,
		     const char *origin);
/* Reads every *.conf of a directory. */
int gk_conf_read_directory(struct gk_conf *conf, const char *path, struct gk_error *error);

/* Pass one; once. -ENOTSUP for a key that promises security, durability or a file format which no
 * chosen section serves (aclEnable, enableDLegerCommitLog, brokerRole=SLAVE, ...): the error names
 * the key and the missing module, or why the section that would serve was not chosen. */
int gk_conf_choose(struct gk_conf *conf, struct gk_error *error);
unsigned gk_conf_chosen_count(const struct gk_conf *conf);
const struct gk_chosen *gk_conf_chosen(const struct gk_conf *conf, unsigned i);

/* Pass two. Parses chosen's values by the table into snapshot (zeroed here, size bytes); the first
 * wrong value is -EINVAL with file, line, key, text and what is expected. A wrong table is refused
 * as well, naming the plugin. Remembers the table for print, warnings and each: it must outlive
 * conf. chosen NULL: the [kernel] section; one of an older reading stands for its namesake. items
 * NULL: a plugin without keys. May be called again, for another snapshot of the same values. */
int gk_conf_fill(struct gk_conf *conf, const struct gk_chosen *chosen,
		 const struct gantry_conf_item *items, void *snapshot, size_t size,
		 struct gk_error *error);

/* Once every table was given: one call for each key that no table knows (known to RocketMQ but
 * without effect here; ignored by RocketMQ 5.5.0 too; unknown, with the nearest known key), each
 * duplicate key, each value out of use, each line that RocketMQ would read otherwise. Returns how
 * many. A key counts as known if a `when` line asks for it, or if it may promise something. */
unsigned gk_conf_warn(const struct gk_conf *conf, void (*warn)(const char *line, void *user),
		      void *user);

/* Every value in force and where it comes from, one a line, sorted:
 *     role name key = value  # file:line
 * name is the instance's, "-" for a key that only chose plugins and for the kernel's own. Values
 * are escaped as in a .properties file, secrets are "******". */
void gk_conf_print(const struct gk_conf *conf, FILE *to);

/* A plugin's table as a sample of its section, every line but the head a comment. plugin NULL:
 * the [kernel] section. */
void gk_conf_document(const struct gantry_conf_item *items, const char *plugin, FILE *to);

/* As gantry_conf_text and gantry_conf_each. Paths are as expanded. */
const char *gk_conf_text(const struct gk_conf *conf, const struct gk_chosen *chosen,
			 const char *key);
void gk_conf_each(const struct gk_conf *conf, const struct gk_chosen *chosen,
		  void (*each)(const char *key, const char *value, void *user), void *user);

/* Reads the same files again into a new gk_conf and compares: -EINVAL with the reason when the set
 * of chosen instances differs ("needs a restart") or a value is wrong; a changed key that is not
 * marked reloadable is a warning through warn (may be NULL) and keeps its old value, with its
 * origin. Fill from *ret as from the first; the chosen instances have the same numbers. Afterwards
 * both belong to the caller. */
int gk_conf_reread(const struct gk_conf *conf, struct gk_conf **ret,
		   void (*warn)(const char *line, void *user), void *user, struct gk_error *error);
/* Whether any reloadable value of this instance differs between a reading and its reread. */
int gk_conf_changed(const struct gk_conf *old, const struct gk_conf *fresh,
		    const struct gk_chosen *chosen, const struct gantry_conf_item *items);

GANTRY_END
#endif
