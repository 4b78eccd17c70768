/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration in two passes. First, without loading anything: files to keys and values with
 * their origin, and the choice of plugin instances from the fragments' `when` lines. Second, when
 * the chosen plugins are loaded: their key tables turn text into snapshots.
 *
 * Files
 * - A .properties file is a role's: flat RocketMQ keys, read as java.util.Properties reads them.
 * - A conf.d fragment (*.conf, in order of name) has sections:
 *     [kernel]               the kernel's own keys
 *     [defaults ROLE]        the weakest values of every role of that kind (broker, namesrv)
 *     [plugin NAME]          one instance of a plugin in every role whose `when` lines all hold
 *     [plugin NAME:INSTANCE] the same, one of several
 *   `when = KEY=V1|V2` compares without case; `when = KEY!=V`; KEY `role` is the role's kind. An
 *   unset key compares as "". `enabled = no` switches a section off. Any other line of a plugin
 *   section is a key of that instance.
 * A value for an instance comes from, strongest first: the command line, its own section, the
 * role's property file, [defaults ROLE], the table's default.
 *
 * Everything here runs on the control thread. Texts live as long as the gk_conf. */
#ifndef GK_CONF_H
#define GK_CONF_H

#include <gantry/conf.h>
#include <stdio.h>

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

/* Pass one. Also refuses keys that promise what this build has no module for (enableDLegerCommitLog
 * while no chosen section serves it, aclEnable, ...), naming the key and the missing module. */
int gk_conf_choose(struct gk_conf *conf, struct gk_error *error);
unsigned gk_conf_chosen_count(const struct gk_conf *conf);
const struct gk_chosen *gk_conf_chosen(const struct gk_conf *conf, unsigned i);

/* Pass two. Parses chosen's values by the table into snapshot (zeroed here, size bytes); the first
 * wrong value is an error with file and line. Remembers the table for print, warnings and each.
 * chosen NULL: the [kernel] section. items NULL: a plugin without keys. */
int gk_conf_fill(struct gk_conf *conf, const struct gk_chosen *chosen,
		 const struct gantry_conf_item *items, void *snapshot, size_t size,
		 struct gk_error *error);

/* Once every table was given: one call for each key that no table knows (known to RocketMQ but
 * without effect here; ignored by RocketMQ 5.5.0 too; unknown, with the nearest known key), each
 * duplicate key, each value out of use. Returns how many. */
unsigned gk_conf_warn(const struct gk_conf *conf, void (*warn)(const char *line, void *user),
		      void *user);

/* Every value in force and where it comes from, one a line: `role name key = value  # file:line`.
 */
void gk_conf_print(const struct gk_conf *conf, FILE *to);

/* As gantry_conf_text and gantry_conf_each. */
const char *gk_conf_text(const struct gk_conf *conf, const struct gk_chosen *chosen,
			 const char *key);
void gk_conf_each(const struct gk_conf *conf, const struct gk_chosen *chosen,
		  void (*each)(const char *key, const char *value, void *user), void *user);

/* Reads the same files again into a new gk_conf and compares: -EINVAL with the reason when the set
 * of chosen instances differs ("needs a restart"); a changed key that is not marked reloadable is a
 * warning through warn and keeps its old value. */
int gk_conf_reread(const struct gk_conf *conf, struct gk_conf **ret,
		   void (*warn)(const char *line, void *user), void *user, struct gk_error *error);
/* Whether any reloadable value of this instance differs between two readings. */
int gk_conf_changed(const struct gk_conf *old, const struct gk_conf *fresh,
		    const struct gk_chosen *chosen, const struct gantry_conf_item *items);

#endif
