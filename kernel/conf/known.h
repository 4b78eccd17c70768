/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's own configuration keys, as data: what 5.5.0 reads from a property file with its
 * defaults (the setters of its configuration classes, asked of the running classes), and what
 * earlier releases or well-known articles had and 5.5.0 ignores. */
#ifndef GK_CONF_KNOWN_H
#define GK_CONF_KNOWN_H

#include <gantry/base.h>

GANTRY_BEGIN

struct gk_known {
	const char *key;
	const char *dflt; /* NULL: none; "=...": worked out from what stands behind it */
};

/* the keys of one configuration class; each list ends with key NULL */
struct gk_known_list {
	const char *kind; /* of the role whose file may have them */
	const char *of;   /* the class */
	const struct gk_known *keys;
};

/* a key that 5.5.0 ignores */
struct gk_gone {
	const char *key;
	const char *uses;   /* the key that it goes by instead, or NULL */
	const char *suffix; /* what it appends to that key's value; NULL: nothing */
};

/* a default that RocketMQ takes from the environment */
struct gk_known_env {
	const char *kind, *key, *name;
};

extern const struct gk_known gk_known_broker[], gk_known_store[], gk_known_auth[],
	gk_known_tiered[], gk_known_namesrv[], gk_known_server[], gk_known_client[],
	gk_known_controller[], gk_known_system[], gk_known_start_broker[], gk_known_start_namesrv[];
extern const struct gk_known_list gk_known_lists[]; /* kind NULL ends */
extern const struct gk_gone gk_gone_keys[];         /* key NULL ends */
extern const struct gk_known_env gk_known_envs[];   /* kind NULL ends */

/* A key of that kind of role; NULL if RocketMQ has none of that name. */
const struct gk_known *gk_known_find(const char *kind, const char *key);
const struct gk_gone *gk_gone_find(const char *key);
/* The kind of role whose key it is, if it is not one of this kind; NULL if nobody's. */
const char *gk_known_elsewhere(const char *kind, const char *key);

GANTRY_END
#endif
