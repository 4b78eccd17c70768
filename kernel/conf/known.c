/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: looking RocketMQ's own keys up. The lists stand in conf/known_*.c. */
#include "conf/known.h"

#include <string.h>

/* The first list that has a key has its default: what the start-up classes set comes first. */
const struct gk_known_list gk_known_lists[] = {
	{"broker", "BrokerStartup", gk_known_start_broker},
	{"broker", "BrokerConfig", gk_known_broker},
	{"broker", "NettyServerConfig", gk_known_server},
	{"broker", "NettyClientConfig", gk_known_client},
	{"broker", "MessageStoreConfig", gk_known_store},
	{"broker", "AuthConfig", gk_known_auth},
	{"broker", "tieredstore.MessageStoreConfig", gk_known_tiered},
	{"broker", "system properties", gk_known_system},
	{"namesrv", "NamesrvStartup", gk_known_start_namesrv},
	{"namesrv", "NamesrvConfig", gk_known_namesrv},
	{"namesrv", "NettyServerConfig", gk_known_server},
	{"namesrv", "NettyClientConfig", gk_known_client},
	{"namesrv", "ControllerConfig", gk_known_controller},
	{"namesrv", "system properties", gk_known_system},
	{NULL, NULL, NULL},
};

const struct gk_known_env gk_known_envs[] = {
	{"broker", "namesrvAddr", "NAMESRV_ADDR"},
	{NULL, NULL, NULL},
};

static const struct gk_known *find_in(const struct gk_known *keys, const char *key)
{
	for (; keys->key; keys++)
		if (strcmp(keys->key, key) == 0)
			return keys;
	return NULL;
}

const struct gk_known *gk_known_find(const char *kind, const char *key)
{
	for (const struct gk_known_list *list = gk_known_lists; list->kind; list++) {
		const struct gk_known *known =
			strcmp(list->kind, kind) == 0 ? find_in(list->keys, key) : NULL;

		if (known)
			return known;
	}
	return NULL;
}

const char *gk_known_elsewhere(const char *kind, const char *key)
{
	for (const struct gk_known_list *list = gk_known_lists; list->kind; list++)
		if (strcmp(list->kind, kind) != 0 && find_in(list->keys, key))
			return list->kind;
	return NULL;
}

const struct gk_gone *gk_gone_find(const char *key)
{
	for (const struct gk_gone *gone = gk_gone_keys; gone->key; gone++)
		if (strcmp(gone->key, key) == 0)
			return gone;
	return NULL;
}
