/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeats: a client joins its groups, or says that it still lives. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "clients/private.h"
#include "message/name.h"
#include "topics/topics.h"

enum { CLIENT_ID_MAX = 512, RETRY_PREFIX_SIZE = sizeof(MESSAGE_RETRY_PREFIX) - 1 };

static struct client_channel *channel_of(struct gantry_session *session)
{
	struct broker_session *record = broker_session(session);

	if (!record)
		return NULL;
	if (!record->channel) {
		record->channel = calloc(1, sizeof(*record->channel));
		if (!record->channel)
			return NULL;
		record->channel->session = session;
		session->ops->hold(session);
	}
	return record->channel;
}

static struct member *find_member(const struct client_channel *channel,
				  const struct client_group *group)
{
	struct member *member = channel->members;

	while (member && member->group != group)
		member = member->channel_next;
	return member;
}

static struct member *add_member(struct client_group *group, struct client_channel *channel)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		return NULL;
	member->group = group;
	member->channel = channel;
	member->group_next = group->members;
	group->members = member;
	member->channel_next = channel->members;
	channel->members = member;
	group->member_count++;
	return member;
}

static int set_id(struct clients *clients, struct member *member, struct gantry_str id)
{
	char *copy;

	if (member->id && str_is(id, member->id))
		return 0;
	copy = strndup(id.at ? id.at : "", id.size);
	if (!copy)
		return -ENOMEM;
	clients_id_drop_locked(clients, member);
	free(member->id);
	member->id = copy;
	return 0;
}

/* The client is a member of that group from now on. 1: it was not before. With the lock held. */
static int enter_locked(struct clients *clients, struct client_group *group,
			struct client_channel *channel, const struct gantry_client *client)
{
	struct member *member = find_member(channel, group);
	bool made = !member;

	if (made) {
		if (group->member_count >= clients->broker->conf->maxGroupClients)
			return -ENOSPC;
		member = add_member(group, channel);
	}
	if (!member)
		return -ENOMEM;
	if (set_id(clients, member, client->id)) {
		if (made)
			clients_member_drop_locked(clients, member, &group);
		return -ENOMEM;
	}
	member->language = client->language;
	member->version = client->version;
	member->seen_ms = (int64_t)gantry_clock_ms();
	return made;
}

/* ---- subscriptions */

static bool lists(const struct gantry_consumer_data *data, struct gantry_str topic)
{
	for (uint32_t i = 0; i < data->subscription_count; i++)
		if (str_equal(data->subscriptions[i].topic, topic))
			return true;
	return false;
}

/* Forgets topics that the heartbeat no longer names. Returns whether there were any. */
static bool drop_missing_locked(struct client_group *group, const struct gantry_consumer_data *data)
{
	struct table_entry *next;
	bool changed = false;

	for (struct table_entry *entry = table_next(&group->subscriptions, NULL); entry;
	     entry = next) {
		next = table_next(&group->subscriptions, entry);
		if (lists(data, entry->key))
			continue;
		group_subscription_drop(&group->subscriptions,
					TABLE_HOLDER(entry, struct group_subscription, entry));
		changed = true;
	}
	return changed;
}

static bool is_news_locked(const struct client_group *group,
			   const struct gantry_subscription_data *data)
{
	struct table_entry *entry = group ? table_find(&group->subscriptions, data->topic) : NULL;

	return !entry ||
	       data->version >
		       TABLE_HOLDER(entry, struct group_subscription, entry)->subscription->version;
}

/* Compiles what the group does not know yet; fresh[i] stays NULL for what it does. */
static int compile_news(struct clients *clients, const struct gantry_consumer_data *data,
			struct subscription **fresh)
{
	char why[160] = "";
	int err = 0;

	for (uint32_t i = 0; !err && i < data->subscription_count; i++) {
		bool news;

		pthread_rwlock_rdlock(&clients->lock);
		news = is_news_locked(
			clients_group_locked(clients, &clients->consumers, data->group),
			&data->subscriptions[i]);
		pthread_rwlock_unlock(&clients->lock);
		if (!news)
			continue;
		err = subscription_new_lenient(clients->broker, &data->subscriptions[i], &fresh[i],
					       why, sizeof(why));
		if (!err && fresh[i]->broken)
			gantry_log(
				clients->broker->inst, WARNING,
				"group %.*s subscribes %s with an expression that is refused: %s",
				STR_ARGS(data->group), fresh[i]->topic.at, why);
	}
	return err;
}

/* ---- groups */

static int update_locked(struct clients *clients, struct client_channel *channel,
			 const struct gantry_client *client,
			 const struct gantry_consumer_data *data, struct subscription **fresh,
			 struct client_group **ret, bool *ret_disagrees)
{
	int64_t max = clients->broker->conf->maxGroupSubscriptions;
	struct client_group *group =
		clients_group_make_locked(clients, &clients->consumers, data->group);
	int changed;

	if (!group)
		return -ENOSPC;
	changed = enter_locked(clients, group, channel, client);
	if (changed < 0)
		return changed;
	group->consume_type = data->consume_type;
	group->message_model = data->message_model;
	group->from_where = data->from_where;
	*ret = group;
	if (client->without_subscriptions)
		return changed;
	*ret_disagrees = clients_agree_locked(clients, find_member(channel, group), data);
	for (uint32_t i = 0; i < data->subscription_count; i++) {
		if (!fresh[i])
			continue;
		changed |= group_subscription_put(&group->subscriptions, fresh[i], max) == 1;
		fresh[i] = NULL;
	}
	return changed | drop_missing_locked(group, data);
}

/* Heartbeats v2: whether the client should send its subscriptions in full. */
static bool wants_subscriptions_locked(struct clients *clients, const struct gantry_client *client,
				       struct gantry_str name)
{
	struct client_group *group = clients_group_locked(clients, &clients->consumers, name);

	if (!client->fingerprint)
		return true;
	if (!group || !group->member_count)
		return client->without_subscriptions;
	return group->fingerprint && group->fingerprint != client->fingerprint;
}

static int register_consumer(struct clients *clients, struct client_channel *channel,
			     struct gantry_client *client, const struct gantry_consumer_data *data,
			     struct subscription **fresh)
{
	bool wanted = clients_wants_notice(clients->broker, data->group);
	struct client_group *group = NULL;
	struct notice notice = {.count = 0};
	bool disagrees = false;
	int changed;

	pthread_rwlock_wrlock(&clients->lock);
	client->subscriptions_changed |= wants_subscriptions_locked(clients, client, data->group);
	changed = update_locked(clients, channel, client, data, fresh, &group, &disagrees);
	if (group)
		group->fingerprint = client->fingerprint;
	notice_collect(clients, &notice, group, wanted && changed > 0);
	pthread_rwlock_unlock(&clients->lock);
	notice_send(&notice);
	if (disagrees)
		gantry_log(clients->broker->inst, WARNING,
			   "consumer group %.*s: %.*s subscribes or consumes otherwise than its "
			   "other members; some messages will reach none of them",
			   STR_ARGS(data->group), STR_ARGS(client->id));
	if (changed > 0)
		gantry_log(clients->broker->inst, INFO, "consumer group %.*s changed: %.*s",
			   STR_ARGS(data->group), STR_ARGS(client->id));
	return changed < 0 ? changed : 0;
}

/* The group's %RETRY% topic, as RocketMQ makes it at a heartbeat. */
static void ensure_retry_topic(struct broker *broker, struct group *group,
			       const struct gantry_consumer_data *data)
{
	char name[RETRY_PREFIX_SIZE + GROUP_NAME_ROOM];
	struct topic_config config;
	struct topic *topic;
	bool order = false;

	if (broker_is_slave(broker))
		return; /* the master makes it, and the slave has it from there */
	for (uint32_t i = 0; i < data->subscription_count && !order; i++) {
		topic = topics_find(broker->topics, data->subscriptions[i].topic);
		order = topic && topic_order(topic);
	}
	memcpy(name, MESSAGE_RETRY_PREFIX, RETRY_PREFIX_SIZE);
	memcpy(name + RETRY_PREFIX_SIZE, group->name.at, group->name.size);
	topic_config_init(&config, (struct gantry_str){name, RETRY_PREFIX_SIZE + group->name.size});
	config.read_queues = config.write_queues = GROUP_READ(group, retry_queue_nums);
	config.sys_flag = data->unit ? TOPIC_UNIT_SUB : 0;
	config.order = order;
	if (topics_ensure(broker, &config, &topic) == 0 && topic_order(topic) != order)
		topics_set_order(broker->topics, topic, order);
}

static int join_consumer(struct broker *broker, struct client_channel *channel,
			 struct gantry_client *client, const struct gantry_consumer_data *data)
{
	struct subscription **fresh;
	struct group *group;
	int err;

	if (broker->conf->rejectPullConsumerEnable && data->consume_type == GANTRY_CONSUME_ACTIVELY)
		return 0;
	group = groups_find(broker, data->group);
	if (!group)
		return 0; /* as RocketMQ: skipped without a word */
	ensure_retry_topic(broker, group, data);
	fresh = calloc(data->subscription_count + 1, sizeof(struct subscription *));
	if (!fresh)
		return -ENOMEM;
	err = client->without_subscriptions ? 0 : compile_news(broker->clients, data, fresh);
	if (!err)
		err = register_consumer(broker->clients, channel, client, data, fresh);
	for (uint32_t i = 0; i < data->subscription_count; i++)
		subscription_release(fresh[i]);
	free(fresh);
	return err;
}

static int join_producer(struct clients *clients, struct client_channel *channel,
			 const struct gantry_client *client, struct gantry_str name)
{
	struct client_group *group;
	struct member *member;
	int result;

	if (!name.size || name.size > GROUP_NAME_MAX)
		return -EINVAL;
	pthread_rwlock_wrlock(&clients->lock);
	group = clients_group_make_locked(clients, &clients->producers, name);
	result = group ? enter_locked(clients, group, channel, client) : -ENOSPC;
	member = result >= 0 ? find_member(channel, group) : NULL;
	if (member && !member->has_id)
		result = clients_id_add_locked(clients, member);
	pthread_rwlock_unlock(&clients->lock);
	return result < 0 ? result : 0;
}

int clients_join(struct broker *broker, struct gantry_client *client)
{
	struct client_channel *channel = channel_of(client->session);
	int err = channel ? 0 : -ENOMEM;

	client->code = GANTRY_SUCCESS;
	client->subscriptions_changed = client->fingerprint == 0;
	if (client->id.size > CLIENT_ID_MAX)
		err = -EINVAL;
	for (uint32_t i = 0; !err && i < client->consumer_count; i++)
		err = join_consumer(broker, channel, client, &client->consumers[i]);
	for (uint32_t i = 0; !err && i < client->producer_count; i++)
		err = join_producer(broker->clients, channel, client, client->producer_groups[i]);
	if (err) {
		client->code = GANTRY_SYSTEM_ERROR;
		snprintf(client->remark, sizeof(client->remark), "heartbeat refused: %s",
			 err == -ENOSPC ? "too many groups or clients (maxGroups, maxGroupClients)"
					: strerror(-err));
	}
	return err;
}
