/* SPDX-License-Identifier: Apache-2.0 */
/* Brokers that go: by asking, by a closed connection, by silence. */
#include <errno.h>
#include <stdlib.h>

#include "call/fields.h"
#include "notice.h"
#include "routes_private.h"

/* The broker name is gone: its queues are removed from every topic. */
static void clean_topics(struct ns_routes *routes, struct gantry_str broker)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&routes->topics, NULL); entry; entry = next) {
		struct ns_topic *topic = TABLE_HOLDER(entry, struct ns_topic, entry);

		next = table_next(&routes->topics, entry);
		if (ns_find_queue(topic, broker))
			ns_topic_drop_queue(routes, topic, broker);
	}
}

/* The master of a broker that lets a slave act for it is gone: nothing may be written. */
static void clear_write(struct ns_routes *routes, const struct ns_broker *broker)
{
	for (struct table_entry *entry = table_next(&routes->topics, NULL); entry;
	     entry = table_next(&routes->topics, entry)) {
		struct ns_topic *topic = TABLE_HOLDER(entry, struct ns_topic, entry);
		struct ns_queue *queue = ns_find_queue(topic, str_of(broker->name));

		if (!queue || !(queue->perm & PERM_WRITE))
			continue;
		queue->perm &= ~PERM_WRITE;
		ns_topic_changed(topic);
	}
}

struct gantry_session *ns_unregister_locked(struct ns_routes *routes, struct gantry_str cluster,
					    struct gantry_str name, struct gantry_str address,
					    int64_t id)
{
	struct ns_live *live = ns_find_live(routes, cluster, address);
	struct ns_broker *broker = ns_find_broker(routes, name);
	struct gantry_session *session = live ? ns_drop_live(routes, live) : NULL;
	bool lowest;

	if (!broker)
		return session;
	lowest = broker->address_count && broker->addresses[0].id == id;
	if (ns_broker_drop_address(broker, address, INT64_MIN))
		routes->generation++;
	if (!broker->address_count) {
		ns_leave_cluster(routes, cluster, name);
		clean_topics(routes, name);
		ns_drop_broker(routes, broker);
		return session;
	}
	if (broker->acting_master && broker->addresses[0].id > 0)
		clear_write(routes, broker);
	if (broker->acting_master && lowest)
		ns_notice_departure(routes->namesrv, broker, address);
	return session;
}

void ns_routes_unregister(struct ns_routes *routes, struct gantry_str cluster,
			  struct gantry_str broker, struct gantry_str address, int64_t id)
{
	struct gantry_session *session;

	/* as in RocketMQ, the address says which node it is */
	pthread_rwlock_wrlock(&routes->lock);
	session = ns_unregister_locked(routes, cluster, broker, address, id);
	pthread_rwlock_unlock(&routes->lock);
	ns_release_session(session);
}

/* ---- by their live entries */

struct leaving { /* a live entry's names, copied: they go with it */
	char room[NS_LIVE_KEY_ROOM];
	struct gantry_str cluster, address;
};

static void copy_names(struct leaving *leaving, const struct ns_live *live)
{
	size_t size = live->entry.key.size, skip = live->cluster_size + 1;

	__builtin_memcpy(leaving->room, live->key, size);
	leaving->cluster = (struct gantry_str){leaving->room, live->cluster_size};
	leaving->address = (struct gantry_str){leaving->room + skip, size - skip};
}

/* The broker that an address belongs to, and its id there. */
static struct ns_broker *owner_of(const struct ns_routes *routes, const struct leaving *leaving,
				  int64_t *ret_id)
{
	for (struct table_entry *entry = table_next(&routes->brokers, NULL); entry;
	     entry = table_next(&routes->brokers, entry)) {
		struct ns_broker *broker = TABLE_HOLDER(entry, struct ns_broker, entry);

		if (!str_is(leaving->cluster, broker->cluster))
			continue;
		for (uint32_t i = 0; i < broker->address_count; i++)
			if (str_is(leaving->address, broker->addresses[i].text)) {
				*ret_id = broker->addresses[i].id;
				return broker;
			}
	}
	return NULL;
}

static struct gantry_session *drop_node(struct ns_routes *routes, struct ns_live *live)
{
	struct leaving leaving;
	struct ns_broker *broker;
	char name[NS_NAME_MAX + 1];
	int64_t id = NS_NO_ID;
	size_t size;

	copy_names(&leaving, live);
	broker = owner_of(routes, &leaving, &id);
	if (!broker)
		return ns_drop_live(routes, live);
	size = broker->entry.key.size;
	__builtin_memcpy(name, broker->name, size);
	gantry_log(routes->namesrv->inst, NOTICE, "broker %s at %.*s is gone", broker->name,
		   STR_ARGS(leaving.address));
	return ns_unregister_locked(routes, leaving.cluster, (struct gantry_str){name, size},
				    leaving.address, id);
}

/* The first live entry that matches; NULL. */
static struct ns_live *find_by_session(const struct ns_routes *routes,
				       const struct gantry_session *session)
{
	for (struct table_entry *entry = table_next(&routes->live, NULL); entry;
	     entry = table_next(&routes->live, entry))
		if (TABLE_HOLDER(entry, struct ns_live, entry)->session == session)
			return TABLE_HOLDER(entry, struct ns_live, entry);
	return NULL;
}

static struct ns_live *find_silent(const struct ns_routes *routes, uint64_t now_ms)
{
	for (struct table_entry *entry = table_next(&routes->live, NULL); entry;
	     entry = table_next(&routes->live, entry)) {
		struct ns_live *live = TABLE_HOLDER(entry, struct ns_live, entry);

		if (__atomic_load_n(&live->seen_ms, __ATOMIC_RELAXED) + live->timeout_ms < now_ms)
			return live;
	}
	return NULL;
}

void ns_routes_gone(struct ns_routes *routes, struct gantry_session *session)
{
	struct gantry_session *held;
	struct ns_live *live;

	do {
		held = NULL;
		pthread_rwlock_wrlock(&routes->lock);
		live = find_by_session(routes, session);
		if (live)
			held = drop_node(routes, live);
		pthread_rwlock_unlock(&routes->lock);
		ns_release_session(held);
	} while (live);
}

void ns_routes_expire(struct ns_routes *routes, uint64_t now_ms)
{
	struct gantry_session *held;
	struct ns_live *live;

	do {
		held = NULL;
		pthread_rwlock_wrlock(&routes->lock);
		live = find_silent(routes, now_ms);
		if (live) {
			gantry_log(routes->namesrv->inst, WARNING,
				   "a broker has been silent for %llu ms",
				   (unsigned long long)live->timeout_ms);
			held = drop_node(routes, live);
		}
		pthread_rwlock_unlock(&routes->lock);
		if (held) {
			held->ops->close(held);
			ns_release_session(held);
		}
	} while (live);
}

/* ---- what else concerns live entries and permissions */

void ns_routes_touch(struct ns_routes *routes, struct gantry_str cluster, struct gantry_str address)
{
	struct ns_live *live;

	pthread_rwlock_rdlock(&routes->lock);
	live = ns_find_live(routes, cluster, address);
	if (live)
		__atomic_store_n(&live->seen_ms, gantry_clock_ms(), __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&routes->lock);
}

bool ns_routes_version(struct ns_routes *routes, struct gantry_str cluster,
		       struct gantry_str address, struct data_version *ret)
{
	struct ns_live *live;

	pthread_rwlock_rdlock(&routes->lock);
	live = ns_find_live(routes, cluster, address);
	if (live)
		*ret = live->version;
	pthread_rwlock_unlock(&routes->lock);
	return live != NULL;
}

uint32_t ns_routes_set_writable(struct ns_routes *routes, struct gantry_str broker, bool writable)
{
	uint32_t count = 0;

	pthread_rwlock_wrlock(&routes->lock);
	for (struct table_entry *entry = table_next(&routes->topics, NULL); entry;
	     entry = table_next(&routes->topics, entry)) {
		struct ns_topic *topic = TABLE_HOLDER(entry, struct ns_topic, entry);
		struct ns_queue *queue = ns_find_queue(topic, broker);

		if (!queue)
			continue;
		queue->perm = writable ? PERM_READ | PERM_WRITE : queue->perm & ~PERM_WRITE;
		ns_topic_changed(topic);
		count++;
	}
	pthread_rwlock_unlock(&routes->lock);
	return count;
}
