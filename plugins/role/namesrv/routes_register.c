/* SPDX-License-Identifier: Apache-2.0 */
/* REGISTER_BROKER: the rules of RocketMQ's RouteInfoManager, in its order (reference 2.5; the
 * numbers below are those of its list). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "notice.h"
#include "routes_private.h"

static int set_text(char **field, struct gantry_str text)
{
	char *copy = text.size ? strndup(text.at, text.size) : NULL;

	if (text.size && !copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static bool text_differs(const char *a, struct gantry_str b)
{
	return a ? !str_is(b, a) : b.size > 0;
}

/* 2 and 3: the cluster knows the broker name; what the broker says of itself is taken over. */
static int enter(struct ns_routes *routes, const struct ns_registration *registration,
		 struct ns_broker **ret, bool *ret_first)
{
	struct ns_cluster *cluster = ns_make_cluster(routes, registration->cluster);
	struct ns_broker *broker = ns_find_broker(routes, registration->broker);
	bool acting = registration->acting_master > 0;

	if (!cluster || ns_cluster_add(cluster, registration->broker))
		return -ENOSPC;
	*ret_first = !broker;
	if (!broker)
		broker = ns_make_broker(routes, registration->broker, registration->cluster);
	if (!broker) {
		ns_leave_cluster(routes, registration->cluster, registration->broker);
		return -ENOSPC;
	}
	if (broker->acting_master != acting || text_differs(broker->zone, registration->zone))
		routes->generation++;
	broker->acting_master = acting;
	*ret = broker;
	return set_text(&broker->zone, registration->zone);
}

/* 5: another node has this id and is newer. */
static bool is_outdated(const struct ns_routes *routes, const struct ns_registration *registration,
			const struct ns_broker *broker)
{
	const char *old = ns_find_address(broker, registration->id);
	struct ns_live *live;

	if (!old || str_is(registration->address, old))
		return false;
	live = ns_find_live(routes, registration->cluster, str_of(old));
	if (!live || live->version.state_version <= registration->version.state_version)
		return false;
	gantry_log_limited(routes->namesrv->inst, &routes->namesrv->outdated_limit, WARNING,
			   "broker %s, id %lld, at %.*s is ignored: %s has that id and is newer",
			   broker->name, (long long)registration->id,
			   STR_ARGS(registration->address), old);
	return true;
}

/* Another node has this id and lives. RocketMQ lets the newcomer take its place, as a node that
 * came back elsewhere must; refuseTakenBrokerIds keeps brokers apart that were given one name. */
static bool is_taken(const struct ns_routes *routes, const struct ns_registration *registration,
		     const struct ns_broker *broker, const struct gantry_session *session)
{
	const char *old = ns_find_address(broker, registration->id);
	bool refuse = ns_conf(routes->namesrv)->refuseTakenBrokerIds;
	struct namesrv *namesrv = routes->namesrv;
	struct ns_live *live;

	if (!old || str_is(registration->address, old))
		return false;
	live = ns_find_live(routes, registration->cluster, str_of(old));
	refuse = refuse && live && live->session != session;
	gantry_log_limited(namesrv->inst, refuse ? &namesrv->kept_limit : &namesrv->taken_limit,
			   WARNING, "broker %s, id %lld, at %.*s %s %s", broker->name,
			   (long long)registration->id, STR_ARGS(registration->address),
			   refuse ? "is refused: that id belongs to" : "takes the place of", old);
	return refuse;
}

/* 4 and 6, and the address itself. 1: the id was not known before. */
static int enter_address(struct ns_routes *routes, const struct ns_registration *registration,
			 struct ns_broker *broker)
{
	const char *old = ns_find_address(broker, registration->id);
	bool first = !old;
	int err;

	if (first && registration->topic_count == 1)
		return -EPERM;
	if (old && str_is(registration->address, old))
		return 0;
	err = ns_broker_set_address(broker, registration->id, registration->address);
	if (err)
		return err;
	routes->generation++;
	return first;
}

/* 7: a master's topics count, or those of the slave that stands in for it. */
static bool is_prime_slave(const struct ns_registration *registration,
			   const struct ns_broker *broker)
{
	return registration->acting_master >= 0 && registration->id != 0 &&
	       broker->addresses[0].id == registration->id;
}

/* 8 */
static bool names_topic(const struct table *named, const char *topic)
{
	return table_find(named, str_of(topic)) != NULL;
}

static void drop_unnamed(struct ns_routes *routes, const struct ns_registration *registration)
{
	struct table_entry *entries, *next;
	struct table named = {0};

	if (!registration->topic_count)
		entries = NULL;
	else if (!(entries = calloc(registration->topic_count, sizeof(*entries))))
		return;
	for (uint32_t i = 0; i < registration->topic_count; i++)
		if (!table_find(&named, registration->topics[i].name))
			table_insert(&named, registration->topics[i].name, &entries[i]);
	for (struct table_entry *entry = table_next(&routes->topics, NULL); entry; entry = next) {
		struct ns_topic *topic = TABLE_HOLDER(entry, struct ns_topic, entry);

		next = table_next(&routes->topics, entry);
		if (ns_find_queue(topic, registration->broker) && !names_topic(&named, topic->name))
			ns_topic_drop_queue(routes, topic, registration->broker);
	}
	table_clear(&named);
	free(entries);
}

/* 9 */
static int take_topic(struct ns_routes *routes, const struct ns_registration *registration,
		      const struct topic_config *config, bool all, bool read_only)
{
	struct ns_topic *topic = ns_find_topic(routes, config->name);
	struct ns_queue values = {
		.read_queues = config->read_queues,
		.write_queues = config->write_queues,
		.perm = read_only ? config->perm & ~PERM_WRITE : config->perm,
		.sys_flag = config->sys_flag,
	};
	int result;

	if (!all && topic && ns_find_queue(topic, registration->broker))
		return 0;
	if (config->name.size > NS_NAME_MAX)
		return -EINVAL;
	topic = ns_make_topic(routes, config->name);
	if (!topic)
		return -ENOSPC;
	result = ns_topic_set_queue(topic, registration->broker, &values);
	if (result < 0 && !topic->queue_count)
		ns_drop_topic(routes, topic);
	return result < 0 ? result : 0;
}

static int take_topics(struct ns_routes *routes, const struct ns_registration *registration,
		       const struct ns_broker *broker, bool first)
{
	struct ns_live *live = ns_find_live(routes, registration->cluster, registration->address);
	bool all = first || !live || !data_version_equal(&live->version, &registration->version);
	bool prime_slave = is_prime_slave(registration, broker);
	int err = 0;

	if (registration->id != 0 && !prime_slave)
		return 0;
	if (ns_conf(routes->namesrv)->deleteTopicWithBrokerRegistration &&
	    !registration->mapping_count)
		drop_unnamed(routes, registration);
	for (uint32_t i = 0; !err && i < registration->topic_count; i++)
		err = take_topic(routes, registration, &registration->topics[i], all,
				 prime_slave && broker->acting_master);
	for (uint32_t i = 0; !err && i < registration->mapping_count; i++) {
		const struct ns_mapping *mapping = &registration->mappings[i];
		struct ns_topic *topic = ns_find_topic(routes, mapping->topic);

		/* one that went with its topic comes back with it */
		if (topic && (all || !ns_topic_has_mapping(topic, mapping->broker)))
			err = ns_topic_set_mapping(topic, mapping);
	}
	return err;
}

/* 11 */
static int take_filter_servers(struct ns_routes *routes, struct ns_live *live,
			       const struct ns_registration *registration)
{
	char *copy = NULL;

	if (!registration->filter_servers_given ||
	    (!live->filter_servers && !registration->filter_servers))
		return 0;
	if (registration->filter_servers && !(copy = strdup(registration->filter_servers)))
		return -ENOMEM;
	routes->filter_server_count += (copy != NULL) - (live->filter_servers != NULL);
	routes->generation++;
	free(live->filter_servers);
	live->filter_servers = copy;
	return 0;
}

/* 10 */
static int take_live(struct ns_routes *routes, const struct ns_registration *registration,
		     struct gantry_session *session, struct gantry_session **ret_old)
{
	struct ns_live *live = ns_make_live(routes, registration->cluster, registration->address);

	if (!live)
		return -ENOSPC;
	__atomic_store_n(&live->seen_ms, gantry_clock_ms(), __ATOMIC_RELAXED);
	live->timeout_ms = (uint64_t)(registration->timeout_ms > 0
					      ? registration->timeout_ms
					      : ns_conf(routes->namesrv)->brokerChannelExpiredTime);
	live->version = registration->version;
	if (live->session != session) {
		*ret_old = live->session;
		live->session = session;
		if (session)
			session->ops->hold(session);
	}
	if (set_text(&live->ha_address, registration->ha_address))
		return -ENOMEM;
	return take_filter_servers(routes, live, registration);
}

/* 12 */
static void tell_master(const struct ns_routes *routes, const struct ns_registration *registration,
			const struct ns_broker *broker, struct ns_register_result *ret)
{
	const char *master = registration->id ? ns_find_address(broker, 0) : NULL;
	struct ns_live *live =
		master ? ns_find_live(routes, registration->cluster, str_of(master)) : NULL;

	if (!live)
		return;
	ret->master_address = strdup(master);
	ret->ha_address = live->ha_address ? strdup(live->ha_address) : NULL;
}

/* A broker that was refused at its first attempt leaves no name behind. */
static void forget_if_empty(struct ns_routes *routes, struct ns_broker *broker,
			    struct gantry_str cluster)
{
	struct gantry_str name = broker->entry.key;

	if (broker->address_count)
		return;
	ns_leave_cluster(routes, cluster, name);
	ns_drop_broker(routes, broker);
}

static int register_locked(struct ns_routes *routes, const struct ns_registration *registration,
			   struct gantry_session *session, struct gantry_session **ret_old,
			   struct ns_register_result *ret)
{
	struct ns_broker *broker;
	bool first, lowest;
	int result = enter(routes, registration, &broker, &first), topics;

	if (result)
		return result;
	lowest = registration->id < (broker->address_count ? broker->addresses[0].id : 0);
	if (ns_broker_drop_address(broker, registration->address, registration->id))
		routes->generation++;
	if (is_outdated(routes, registration, broker)) {
		struct ns_live *live =
			ns_find_live(routes, registration->cluster, registration->address);

		if (live)
			*ret_old = ns_drop_live(routes, live);
		return 0;
	}
	if (is_taken(routes, registration, broker, session))
		return -EEXIST;
	result = enter_address(routes, registration, broker);
	if (result < 0) {
		forget_if_empty(routes, broker, registration->cluster);
		return result;
	}
	topics = take_topics(routes, registration, broker, first || result > 0);
	result = take_live(routes, registration, session, ret_old);
	if (result) {
		ns_release_session(ns_unregister_locked(routes, registration->cluster,
							registration->broker, registration->address,
							NS_NO_ID));
		return result;
	}
	tell_master(routes, registration, broker, ret);
	if (lowest)
		ns_notice_arrival(routes->namesrv, broker,
				  ns_find_live(routes, registration->cluster, registration->address)
					  ->ha_address);
	return topics;
}

int ns_routes_register(struct ns_routes *routes, const struct ns_registration *registration,
		       struct gantry_session *session, struct ns_register_result *ret)
{
	struct gantry_session *old = NULL;
	int result;

	*ret = (struct ns_register_result){NULL, NULL};
	pthread_rwlock_wrlock(&routes->lock);
	result = register_locked(routes, registration, session, &old, ret);
	pthread_rwlock_unlock(&routes->lock);
	ns_release_session(old);
	return result;
}
