/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the configuration (conf*.c) share. Nobody else includes it.
 *
 * From a file to a value: gk_text (bytes, as UTF-8) -> gk_line (logical lines) -> gk_pair (key and
 * value) -> gk_entry in a gk_table (with its origin) -> gk_setting (what is in force for one
 * instance, by its plugin's table) -> gk_value (typed) -> the snapshot.
 *
 * A gk_conf owns all of it; its texts go with it. Control thread, until the last fill; from then
 * on nothing changes and any thread may read. */
#ifndef GK_CONF_IMPL_H
#define GK_CONF_IMPL_H

#include "conf/conf.h"

#include <glib.h>

GANTRY_BEGIN

enum {
	GK_FILE_MAX = 1 << 20,  /* bytes of a file */
	GK_LINE_MAX = 64 << 10, /* bytes of a logical line */
	GK_KEYS_MAX = 10000,    /* keys of a file */
	GK_FRAGMENTS_MAX = 1000 /* files of a conf.d */
};

/* ---- conf/text.c: a file's text */

struct gk_text {
	char *at; /* from malloc; UTF-8, no NUL but the last */
	size_t size;
	int utf8; /* it has UTF-8 beyond ASCII, which RocketMQ would read as ISO-8859-1 */
	int bom;  /* it began with a byte-order mark */
};

/* shown: the file's name in messages. */
int gk_text_read(const char *path, const char *shown, struct gk_text *ret, struct gk_error *error);
/* The same from memory. */
int gk_text_take(const char *bytes, size_t size, const char *shown, struct gk_text *ret,
		 struct gk_error *error);

/* Writes the sentence and returns code. error NULL is fine. */
int gk_conf_fail(struct gk_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A value for messages: one line, at most 80 bytes, in quotes. Returns to. */
struct gk_shown {
	char text[112];
};
const char *gk_show(const char *value, struct gk_shown *to);

/* ---- conf/lines.c: logical lines and their pairs, as java.util.Properties reads them */

struct gk_line {
	char *text; /* continuation lines joined, escapes still in it; may be written to */
	size_t size;
	unsigned number; /* of its first natural line, from 1 */
};

/* Calls each for every line that is neither blank nor a comment, until one returns an error. */
int gk_text_each_line(const struct gk_text *text, const char *shown,
		      int (*each)(struct gk_line *line, void *user, struct gk_error *error),
		      void *user, struct gk_error *error);

enum {
	GK_ENTRY_BLANKS = 1, /* blanks after the value were taken off */
	GK_ENTRY_UTF8 = 2,   /* the value has raw bytes beyond ASCII */
};

struct gk_pair {
	char *key, *value; /* in the line's own memory */
	unsigned flags;    /* GK_ENTRY_... */
};

/* Splits a line at its first separator and resolves the escapes. NULL, or what is wrong. */
const char *gk_line_split(struct gk_line *line, struct gk_pair *ret);

/* Whether a value has what looks like a comment behind it; it belongs to the value. */
int gk_has_comment(const char *value);

/* ---- conf/edit.c */

/* The bytes of a .properties file with other values for these keys: where a key stood first there
 * is one line of it now, at the end if it stood nowhere. *ret from malloc. */
int gk_conf_edit(const char *bytes, size_t size, const struct gantry_conf_line *changes,
		 unsigned count, char **ret, size_t *ret_size, struct gk_error *error);

/* ---- conf/table.c: keys with their origin */

struct gk_entry {
	const char *key, *value;
	const char *file; /* as shown; "-n", "$NAMESRV_ADDR" if it came from no file */
	unsigned line;    /* 0: not from a file */
	unsigned flags;   /* GK_ENTRY_... */
	const struct gk_entry *earlier; /* the one of the same file and key that this replaced */
};

struct gk_table {
	GHashTable *by_key; /* the entries in force */
	GPtrArray *all;     /* owns every entry, in the order they came */
};

struct gk_table *gk_table_new(void);
void gk_table_free(struct gk_table *table);
/* Replaces what the key had. Returns the new entry; its texts are copied into conf. */
struct gk_entry *gk_table_put(struct gk_conf *conf, struct gk_table *table,
			      const struct gk_pair *pair, const char *file, unsigned line);
const struct gk_entry *gk_table_get(const struct gk_table *table, const char *key);

/* "FILE:LINE", or the origin's name. */
struct gk_origin {
	char text[320];
};
const char *gk_origin(const struct gk_entry *entry, struct gk_origin *to);

/* ---- conf/fragment.c: sections */

/* KEY=V1|V2 or KEY!=V1|V2, from a `when` or `serves` line */
struct gk_condition {
	const char *key;
	char **values; /* ends with NULL */
	int negated;
	const struct gk_entry *from;
};

struct gk_section {
	const char *plugin, *name; /* "frontend-remoting", "frontend-remoting:vip" */
	const char *file;          /* where it was opened first */
	unsigned line;
	struct gk_table *keys;               /* what is left for the plugin's table */
	GPtrArray *when, *serves;            /* struct gk_condition, all must hold / any serves */
	const struct gk_entry *off;          /* the `enabled = no`, or NULL */
	const char *when_file, *serves_file; /* a later file's lines replace an earlier one's */
};

int gk_fragment_parse(struct gk_conf *conf, const struct gk_text *text, const char *shown,
		      struct gk_error *error);
void gk_section_free(struct gk_section *section);
/* "when", "serves", "enabled": no plugin can have such a key. NULL ends. */
extern const char *const gk_reserved_keys[];
int gk_key_reserved(const char *key);

/* ---- conf/conf.c: the whole */

/* what was read, for the next reading */
struct gk_source {
	const char *path, *shown; /* absolute; as it was given */
};

struct gk_role {
	const char *name, *kind; /* "broker-2", "broker" */
	struct gk_source source; /* its property file; path NULL without one */
	struct gk_table *overrides, *file, *environment;
};

/* a value in force */
struct gk_setting {
	const struct gantry_conf_item *item;
	const char *text;            /* NULL: not given, no default; a path is expanded */
	const struct gk_entry *from; /* NULL: the table's default */
	int kept;                    /* a reading since changed it, but it needs a restart */
};

struct gk_instance {
	struct gk_chosen chosen;          /* first: callers hold its address */
	const struct gk_role *role;       /* NULL: the kernel */
	const struct gk_section *section; /* NULL: the kernel */
	const struct gantry_conf_item *items;
	struct gk_setting *settings; /* one an item; NULL until its table was given */
	unsigned setting_count;
	int filled; /* its table was given */
};

struct gk_conf {
	GStringChunk *texts;
	GPtrArray *blocks;      /* arrays of lists, and what else goes with the conf */
	GPtrArray *roles;       /* struct gk_role */
	GPtrArray *sections;    /* struct gk_section, in the order of the files */
	GPtrArray *instances;   /* struct gk_instance, in the order chosen */
	GPtrArray *directories; /* struct gk_source */
	GPtrArray *notes;       /* warnings that reading itself made */
	GHashTable *defaults;   /* kind of role to struct gk_table */
	struct gk_table *kernel;
	struct gk_instance kernel_instance;
};

const char *gk_keep_text(struct gk_conf *conf, const char *text);
void *gk_keep_block(struct gk_conf *conf, size_t size);
void gk_note(struct gk_conf *conf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int gk_properties_load(struct gk_conf *conf, struct gk_role *role, const char *path,
		       const char *shown, struct gk_error *error);
int gk_directory_load(struct gk_conf *conf, const char *path, const char *shown,
		      struct gk_error *error);
struct gk_role *gk_role_of(const struct gk_conf *conf, const char *name);
/* By address or by name and role, so one of an older reading finds its own. NULL: the kernel. */
struct gk_instance *gk_instance_of(const struct gk_conf *conf, const struct gk_chosen *chosen);
struct gk_table *gk_defaults_of(struct gk_conf *conf, const char *kind);
/* What a role has for a key, without any plugin's section. */
const struct gk_entry *gk_role_entry(const struct gk_conf *conf, const struct gk_role *role,
				     const char *key);
/* What an instance has for a key; its section comes before the role's file. */
const struct gk_entry *gk_instance_entry(const struct gk_conf *conf,
					 const struct gk_instance *instance, const char *key);
const struct gk_setting *gk_instance_setting(const struct gk_instance *instance, const char *key);

/* ---- conf/choose.c */

/* What a condition compares with: the role's kind, the value, or "" while a stronger key has put
 * this one out of force. */
const char *gk_choice_value(const struct gk_conf *conf, const struct gk_role *role,
			    const char *key);
/* The entry that puts this key out of force, or NULL. */
const struct gk_entry *gk_choice_beaten(const struct gk_conf *conf, const struct gk_role *role,
					const char *key);
int gk_condition_holds(const struct gk_conf *conf, const struct gk_role *role,
		       const struct gk_condition *condition);
/* Whether any section's `when` asks for this key. */
int gk_choice_key(const struct gk_conf *conf, const char *key);

/* ---- conf/promise.c */
int gk_promises_check(const struct gk_conf *conf, const struct gk_role *role,
		      struct gk_error *error);
int gk_promise_key(const char *kind, const char *key);

/* ---- conf/number.c, conf/path.c, conf/value.c: from text to typed values */

struct gk_value {
	int64_t number; /* bool, number, index of a choice */
	const char *text;
	struct gantry_conf_list list;
};

/* The range of a number's item, its type's own if it names none. */
void gk_number_range(const struct gantry_conf_item *item, int64_t *ret_min, int64_t *ret_max);
/* NULL, or what is wrong. */
const char *gk_number_parse(const struct gantry_conf_item *item, const char *text, int64_t *ret);
/* "64m", "1h", "17": as a user would write it. */
void gk_number_print(uint16_t type, int64_t number, GString *to);

/* ~ and $HOME at its start; NULL if there is no home to expand to. The caller frees. */
char *gk_path_expand(const char *path);

/* NULL, or what is wrong. Lists and expanded paths live in conf. */
const char *gk_value_parse(struct gk_conf *conf, const struct gantry_conf_item *item,
			   const char *text, struct gk_value *ret);
int gk_value_same(const struct gantry_conf_item *item, const struct gk_value *a,
		  const struct gk_value *b);
/* "a size from 4k to 1g: bytes, or with k, m or g" */
void gk_value_expect(const struct gantry_conf_item *item, GString *to);
/* Bytes that the snapshot field takes, and its alignment; 0 for an unknown type. */
size_t gk_value_field(const struct gantry_conf_item *item, size_t *ret_align);

/* ---- conf/fill.c */

/* Finds out what is in force for each key of the table; nothing is parsed yet. */
int gk_instance_resolve(struct gk_conf *conf, struct gk_instance *instance,
			const struct gantry_conf_item *items, struct gk_error *error);
/* Parses one setting; the error names file, line, key, text and what is expected. */
int gk_setting_parse(struct gk_conf *conf, const struct gk_instance *instance,
		     const struct gk_setting *setting, struct gk_value *ret,
		     struct gk_error *error);

/* ---- conf/hint.c: the nearest key */

struct gk_hint {
	const char *wanted, *best;
	unsigned distance;
};

struct gk_hint gk_hint_for(const char *wanted);
void gk_hint_offer(struct gk_hint *hint, const char *candidate);

/* ---- conf/print.c */

/* Whether a key's value must never be shown: its table says so, or no table knows it and its
 * name speaks for itself. */
int gk_key_secret(const struct gk_conf *conf, const struct gk_role *role, const char *key);
/* A value as a .properties file would have it, on one line. */
void gk_escape(const char *value, GString *to);

GANTRY_END
#endif
