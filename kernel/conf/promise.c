/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: keys that promise security, durability or a file format. Starting without the
 * module that keeps such a promise would be worse than not starting, so it stops the start.
 *
 * A promise is kept when one of the role's chosen sections
 * - says so: `serves = KEY=VALUE`, or
 * - is of the kind that serves it, and was chosen by that very value: `when = KEY=VALUE`. */
#include "conf/private.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

struct promise {
	const char *kind; /* of the role; NULL: any */
	const char *key;
	const char *values; /* those that promise something: patterns of fnmatch(3), V1|V2 */
	const char *serves; /* how the names of plugins begin that a `when` line is enough for */
	const char *what;   /* is promised */
	const char *module; /* is needed */
};

static const struct promise promises[] = {
	/* security */
	{"broker", "aclEnable", "true", "auth-", "access control", "an auth plugin"},
	{NULL, "authenticationEnabled", "true", "auth-", "that clients prove who they are",
	 "an auth plugin"},
	{NULL, "authorizationEnabled", "true", "auth-", "that rights are checked",
	 "an auth plugin"},
	{NULL, "tls.server.mode", "enforcing", "frontend-", "that every connection is encrypted",
	 "a front-end with TLS"},
	{NULL, "tls.server.need.client.auth", "require", "frontend-",
	 "that clients show a certificate", "a front-end with TLS"},
	{NULL, "useTLS|tls.enable", "true", "frontend-", "that its own connections are encrypted",
	 "a remoting client with TLS"},
	/* durability */
	{"broker", "brokerRole", "SYNC_MASTER", "replication-",
	 "that messages are on a slave before they are acknowledged",
	 "a replication plugin for SYNC_MASTER"},
	{"broker", "brokerRole", "SLAVE", "replication-", "a copy of its master",
	 "a replication plugin for SLAVE"},
	{"broker", "flushDiskType", "SYNC_FLUSH", "replication-",
	 "that messages are on disk before they are acknowledged",
	 "a replication plugin for SYNC_FLUSH"},
	{"broker", "enableDLegerCommitLog", "true", "replication-",
	 "that messages are on most of the group before they are acknowledged",
	 "a replication plugin for DLedger (replication-dledger)"},
	{"broker", "enableControllerMode", "true", "replication-",
	 "that a controller elects the master", "a replication plugin for the controller mode"},
	{"broker", "enableSlaveActingMaster", "true", "replication-",
	 "that a slave stands in for its master", "a replication plugin for acting masters"},
	{"namesrv", "enableControllerInNamesrv", "true", "role-",
	 "a controller that elects masters", "a controller role"},
	/* a file format */
	{"broker", "storageBackend", "?*", "storage-", "how files are written",
	 "a storage plugin of that name"},
	{"broker", "storeType", "defaultRocksDB", "storage-", "queues kept in RocksDB",
	 "a storage plugin for RocksDB"},
	{"broker",
	 "rocksdbCQDoubleWriteEnable|timerRocksDBEnable|transRocksDBEnable|"
	 "indexRocksDBEnable|popConsumerKVServiceEnable",
	 "true", "storage-", "records kept in RocksDB", "a storage plugin for RocksDB"},
	{"broker", "configManagerVersion", "v2", "storage-", "topics and offsets kept in RocksDB",
	 "a storage plugin for RocksDB"},
	{"broker", "messageStorePlugIn", "?*", "storage-", "another store over the local one",
	 "a plugin for tiered storage"},
	{"broker", "enableConsumeQueueExt", "true", "role-", "extension files beside the queues",
	 "a broker role that writes them"},
};

/* Whether any of V1|V2 matches. */
static int matches(const char *patterns, const char *value)
{
	g_auto(GStrv) list = g_strsplit(patterns, "|", -1);

	for (char **pattern = list; *pattern; pattern++)
		if (fnmatch(*pattern, value, FNM_CASEFOLD) == 0)
			return 1;
	return 0;
}

static int speaks_of(const struct promise *promise, const char *kind, const char *key)
{
	g_auto(GStrv) keys = NULL;

	if (promise->kind && strcmp(promise->kind, kind) != 0)
		return 0;
	keys = g_strsplit(promise->key, "|", -1);
	return g_strv_contains((const char *const *)keys, key);
}

int gk_promise_key(const char *kind, const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(promises); i++)
		if (speaks_of(&promises[i], kind, key))
			return 1;
	return 0;
}

static int names(const struct gk_condition *condition, const char *key, const char *value)
{
	if (condition->negated || strcmp(condition->key, key) != 0)
		return 0;
	for (char **pattern = condition->values; *pattern; pattern++)
		if (fnmatch(*pattern, value, FNM_CASEFOLD) == 0)
			return 1;
	return 0;
}

/* Whether a section would keep the promise if it were chosen. */
static int would_serve(const struct gk_section *section, const struct promise *promise,
		       const char *key, const char *value)
{
	for (guint i = 0; i < section->serves->len; i++)
		if (names(section->serves->pdata[i], key, value))
			return 1;
	if (!g_str_has_prefix(section->plugin, promise->serves))
		return 0;
	for (guint i = 0; i < section->when->len; i++)
		if (names(section->when->pdata[i], key, value))
			return 1;
	return 0;
}

/* Says why a section that would serve was not chosen. */
static void explain(const struct gk_conf *conf, const struct gk_role *role,
		    const struct gk_section *section, GString *to)
{
	g_string_append_printf(to, "[plugin %s] (%s:%u) would serve it, but ", section->name,
			       section->file, section->line);
	if (section->off) {
		g_string_append_printf(to, "is switched off (%s:%u)", section->off->file,
				       section->off->line);
		return;
	}
	for (guint i = 0; i < section->when->len; i++) {
		const struct gk_condition *condition = section->when->pdata[i];

		if (!gk_condition_holds(conf, role, condition)) {
			g_string_append_printf(to, "its `when = %s` does not hold (%s:%u)",
					       condition->from->value, condition->from->file,
					       condition->from->line);
			return;
		}
	}
}

static int kept(const struct gk_conf *conf, const struct gk_role *role,
		const struct promise *promise, const char *key, const char *value)
{
	for (guint i = 0; i < conf->instances->len; i++) {
		const struct gk_instance *instance = conf->instances->pdata[i];

		if (instance->role == role && would_serve(instance->section, promise, key, value))
			return 1;
	}
	return 0;
}

static int refuse(const struct gk_conf *conf, const struct gk_role *role,
		  const struct promise *promise, const struct gk_entry *entry,
		  struct gk_error *error)
{
	g_autoptr(GString) why = g_string_new(NULL);
	struct gk_origin origin;
	struct gk_shown shown;

	for (guint i = 0; i < conf->sections->len && why->len == 0; i++) {
		const struct gk_section *section = conf->sections->pdata[i];

		if (would_serve(section, promise, entry->key, entry->value))
			explain(conf, role, section, why);
	}
	if (why->len == 0)
		g_string_append(why, "no installed section serves it");
	return gk_conf_fail(error, -ENOTSUP, "%s: %s = %s promises %s, which needs %s: %s",
			    gk_origin(entry, &origin), entry->key, gk_show(entry->value, &shown),
			    promise->what, promise->module, why->str);
}

int gk_promises_check(const struct gk_conf *conf, const struct gk_role *role,
		      struct gk_error *error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(promises); i++) {
		const struct promise *promise = &promises[i];
		g_auto(GStrv) keys = g_strsplit(promise->key, "|", -1);

		if (promise->kind && strcmp(promise->kind, role->kind) != 0)
			continue;
		for (char **key = keys; *key; key++) {
			const char *value = gk_choice_value(conf, role, *key);

			if (matches(promise->values, value) &&
			    !kept(conf, role, promise, *key, value))
				return refuse(conf, role, promise, gk_role_entry(conf, role, *key),
					      error);
		}
	}
	return 0;
}
