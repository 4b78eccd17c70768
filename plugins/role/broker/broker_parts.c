/* SPDX-License-Identifier: Apache-2.0 */
/* The broker as a whole: making its parts, freeing them, and a session's record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "requests/call.h"
#include "clients/clients.h"
#include "feature.h"
#include "groups/groups.h"
#include "balance/locks.h"
#include "balance/modes.h"
#include "offsets/offsets.h"
#include "parts.h"
#include "pull/pull.h"
#include "send/put.h"
#include "register/register.h"
#include "requests/report.h"
#include "balance/route_cache.h"
#include "send/send.h"
#include "stats/stats.h"
#include "topics/topics.h"

enum { PATH_ROOM = 4096 };

static char *host_name(void)
{
	char name[256];

	if (gethostname(name, sizeof(name)) || !name[0])
		return strdup("DEFAULT_BROKER");
	name[sizeof(name) - 1] = 0;
	return strdup(name);
}

static int name_it(struct broker *broker)
{
	const struct broker_conf *conf = broker->conf;
	char path[PATH_ROOM];
	int size = snprintf(path, sizeof(path), "%s/config", conf->storePathRootDir);

	if (size < 0 || size >= PATH_ROOM)
		return -ENAMETOOLONG;
	broker->cluster = conf->brokerClusterName;
	broker->id = conf->brokerRole == BROKER_SLAVE ? conf->brokerId : 0;
	broker->name =
		conf->brokerName && conf->brokerName[0] ? strdup(conf->brokerName) : host_name();
	broker->config_dir = strdup(path);
	return broker->name && broker->config_dir ? 0 : -ENOMEM;
}

static int make_tables(struct broker *broker)
{
	int err = topics_new(broker, &broker->topics);

	if (!err)
		err = groups_new(broker, &broker->groups);
	if (!err)
		err = offsets_new(broker, &broker->offsets);
	if (!err)
		err = clients_new(broker, &broker->clients);
	if (!err)
		err = locks_new(broker, &broker->locks);
	if (!err)
		err = modes_new(broker, &broker->modes);
	if (!err)
		err = route_cache_new(broker, &broker->route_cache);
	if (!err)
		err = registrar_new(broker, &broker->registrar);
	if (!err)
		err = call_table_new(&broker->calls);
	if (!err)
		err = stats_new(broker, &broker->stats);
	if (!err)
		err = reports_new(&broker->reports);
	return err;
}

int broker_new(struct gantry_inst *inst, const struct broker_conf *conf, struct broker **ret)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	int err;

	if (!broker)
		return -ENOMEM;
	broker->inst = inst;
	broker->conf = conf;
	broker_take_live(broker, conf);
	broker->started_ms = broker_wall_ms();
	err = name_it(broker);
	if (!err)
		err = make_tables(broker);
	if (err) {
		broker_free(broker);
		return err;
	}
	*ret = broker;
	return 0;
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	features_free(broker->features);
	puller_free(broker->puller);
	putter_free(broker->putter);
	sender_free(broker->sender);
	store_close(broker->store);
	reports_free(broker->reports);
	stats_free(broker->stats);
	call_table_free(broker->calls);
	registrar_free(broker->registrar);
	route_cache_free(broker->route_cache);
	modes_free(broker->modes);
	locks_free(broker->locks);
	clients_free(broker->clients);
	offsets_free(broker->offsets);
	groups_free(broker->groups);
	topics_free(broker->topics);
	free(broker->config_dir);
	free(broker->ip1);
	free(broker->ip2);
	free(broker->name);
	free(broker);
}

int broker_load(struct broker *broker)
{
	int err = topics_load(broker->topics);

	if (!err)
		err = topics_check_all_served(broker->topics);
	if (!err)
		err = groups_load(broker->groups);
	if (!err)
		err = offsets_load(broker->offsets);
	if (!err)
		err = modes_load(broker->modes);
	return err;
}

struct broker_session *broker_session(struct gantry_session *session)
{
	if (!session->role_data)
		session->role_data = calloc(1, sizeof(struct broker_session));
	return session->role_data;
}

void broker_session_gone(struct broker *broker, struct gantry_session *session)
{
	puller_gone(broker, session);
	clients_gone(broker, session);
	free(session->role_data);
	session->role_data = NULL;
}
