/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration keys: one table per plugin, from which come parsing, checking, --print-config,
 * the sample files and docs/reference. Plugin code sees only checked values.
 *
 * The kernel parses a plugin's values into a snapshot struct of the plugin's own type. A snapshot
 * never changes; a reload makes a new one. Both stay valid until the instance is freed. */
#ifndef GANTRY_CONF_H
#define GANTRY_CONF_H

#include <gantry/base.h>

GANTRY_BEGIN

/* The type of a key, and of the snapshot field that its value is stored in. */
enum gantry_conf_type {
	GANTRY_CONF_BOOL = 1, /* bool: true|false, in any case */
	GANTRY_CONF_INT,      /* int64_t: decimal */
	GANTRY_CONF_SIZE, /* int64_t, bytes: decimal with an optional k, m or g (powers of 1024) */
	GANTRY_CONF_DURATION, /* int64_t, ms: decimal with an optional ms, s, m, h or d */
	GANTRY_CONF_ENUM,     /* int32_t: index into choices */
	GANTRY_CONF_STRING,   /* const char * */
	GANTRY_CONF_PATH,     /* const char *: ~, $HOME, ${HOME} and ${user.home} at its start are
			       * expanded; "KEY=" takes it away: NULL */
	GANTRY_CONF_ADDRESS,  /* const char *: host:port, [v6]:port or :port, syntax checked only;
			       * "KEY=": NULL */
};

/* gantry_conf_item.flags */
enum {
	GANTRY_CONF_REQUIRED = 1, /* a value must be given; there is no default */
	GANTRY_CONF_LIST = 2,     /* struct gantry_conf_list; separators are ; and , */
	GANTRY_CONF_RELOAD = 4,   /* SIGHUP may change it */
	GANTRY_CONF_REMOTE = 8,   /* UPDATE_BROKER_CONFIG and its like may change it */
	GANTRY_CONF_SECRET = 16,  /* never printed */
};

/* of a STRING, PATH or ADDRESS key; empty parts don't count */
struct gantry_conf_list {
	const char *const *at; /* NULL if count is 0 */
	uint32_t count;
	uint32_t reserved;
};

struct gantry_conf_item {
	const char *key; /* RocketMQ's spelling, letter by letter, where it has the key */
	uint16_t type;   /* enum gantry_conf_type */
	uint16_t flags;
	uint32_t offset; /* of the field in the snapshot struct */
	/* numbers only; both 0: the type's own range, from 0 for SIZE and DURATION */
	int64_t min, max;
	const char *unit; /* "ms", "bytes", "queues"; NULL for none */
	const char *dflt; /* as a user would write it; NULL: false, 0, NULL or the first choice */
	const char *const *choices; /* ENUM only; NULL ends; compared without case */
	const char *help;           /* one line */
};

/* One row: GANTRY_KEY(INT, struct conf, port, "listenPort", .dflt = "10911", .help = "...") */
#define GANTRY_KEY(type_, struct_, field_, key_, ...)                                              \
	{                                                                                          \
		.key = key_, .type = GANTRY_CONF_##type_,                                          \
		.offset = (uint32_t)offsetof(struct_, field_), __VA_ARGS__                         \
	}

/* The instance's current snapshot: a pointer to the plugin's conf struct. Any thread; take it
 * once per act, since a reload may replace it between two calls. */
GANTRY_API const void *gantry_conf(const struct gantry_inst *inst);

/* The text that a key has for this instance, from whichever file, even if no table names the
 * key; NULL if it was not given and has no default. A PATH of the plugin's own table comes
 * expanded. A key that a plugin reads belongs into its table: others get a warning that they have
 * no effect. Owned by the kernel. Any thread. */
GANTRY_API const char *gantry_conf_text(const struct gantry_inst *inst, const char *key);

/* Calls each for every key of the instance's role (its own tables and its property file), sorted
 * by key. Secrets, and keys of nobody that sound like one, are passed as "******". Any thread. */
GANTRY_API void gantry_conf_each(const struct gantry_inst *inst,
				 void (*each)(const char *key, const char *value, void *user),
				 void *user);

/* Another value for a key, as UPDATE_BROKER_CONFIG brings it. */
struct gantry_conf_line {
	const char *key, *value;
};

/* Changes keys of the instance's role that are marked GANTRY_CONF_REMOTE: they are written into
 * the role's property file, which stays as it is otherwise, and everything is read again as at a
 * SIGHUP. All of them or none; a sentence that names the key is in why if not. -EPERM: the key is
 * not marked so, or is given where the file is not strong enough; -ENOENT: no such key; -EINVAL:
 * a wrong value; -ENOTSUP: the role has no property file; -EIO. Control thread; waits for the
 * disk, as a SIGHUP does. */
GANTRY_API int gantry_conf_change(struct gantry_inst *inst,
				  const struct gantry_conf_line *changes, uint32_t count,
				  char *why, size_t why_size);

GANTRY_END
#endif
