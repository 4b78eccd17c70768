/* SPDX-License-Identifier: Apache-2.0 */
/* Who consumes what, as RocketMQ's AdminBrokerProcessor tells it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "requests/call.h"
#include "clients/clients.h"
#include "json/json.h"
#include "table/name_set.h"
#include "offsets/offsets.h"
#include "topics/topics.h"

enum { BODY_MAX = 15 * 1024 * 1024 }; /* a client takes no larger frame than 16 MiB */

/* {name: [...]}, and brokerAddr if there is one; the set is cleared. */
static int answer_names(struct gantry_call *call, struct name_set *set, const char *name,
			const char *address)
{
	struct table_entry **sorted = NULL;
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;
	int err = name_set_sorted(set, &sorted);

	json_writer_init(&writer, BODY_MAX, 0);
	json_open_object(&writer);
	if (address)
		json_member_string(&writer, "brokerAddr", address);
	json_put_key(&writer, name);
	json_open_array(&writer);
	for (size_t i = 0; !err && i < set->table.count; i++)
		json_put_str(&writer, sorted[i]->key);
	json_close_array(&writer);
	json_close_object(&writer);
	free(sorted);
	name_set_clear(set);
	if (!err)
		err = json_writer_take(&writer, &text, &size);
	else
		json_writer_free(&writer);
	return call_reply_made(call, err, text, size);
}

static int who_consumes(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct name_set groups = {0};
	struct gantry_str topic;

	(void)op;
	if (call_need_text(call, "topic", &topic))
		return 0;
	clients_groups_of(broker->clients, topic, &groups);
	offsets_groups_of(broker->offsets, topic, &groups);
	return answer_names(call, &groups, "groupList", NULL);
}

static int topics_of_consumer(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct name_set topics = {0};
	struct gantry_str group;
	char address[320];

	(void)op;
	if (call_need_text(call, "group", &group))
		return 0;
	snprintf(address, sizeof(address), "%s:%u", broker->ip1, broker_port(broker));
	offsets_topics_of(broker->offsets, group, &topics);
	return answer_names(call, &topics, "topicList", address);
}

static int subscription_of(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct subscription_info info = {0};
	struct gantry_str group, topic;
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	if (call_need_text(call, "group", &group) || call_need_text(call, "topic", &topic))
		return 0;
	clients_subscription_any(broker->clients, group, topic, &info);
	json_writer_init(&writer, BODY_MAX, 0);
	json_open_object(&writer);
	json_member_str(&writer, "group", group);
	if (info.topic_known) {
		json_put_key(&writer, "subscriptionData");
		subscription_write(&writer, info.subscription);
		subscription_release(info.subscription);
	}
	json_member_str(&writer, "topic", topic);
	json_close_object(&writer);
	err = json_writer_take(&writer, &text, &size);
	return call_reply_made(call, err, text, size);
}

static int all_producers(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	char *text = NULL;
	size_t size = 0;
	int err = clients_all_producers_json(broker->clients, &text, &size);

	(void)op;
	return call_reply_made(call, err, text, size);
}

static void add_system(struct topic *topic, void *user)
{
	if (__atomic_load_n(&topic->system, __ATOMIC_RELAXED))
		name_set_add(user, topic->name);
}

/* Those that this broker has, and the names that are RocketMQ's whether or not it has them. */
static int system_topics(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct name_set topics = {0};

	(void)op;
	topics_each(broker->topics, add_system, &topics);
	topics_system_names(&topics);
	return answer_names(call, &topics, "topicList", NULL);
}

const struct call_row who_calls[] = {
	{300, "QUERY_TOPIC_CONSUME_BY_WHO", who_consumes},
	{305, "GET_SYSTEM_TOPIC_LIST_FROM_BROKER", system_topics},
	{328, "GET_ALL_PRODUCER_INFO", all_producers},
	{343, "QUERY_TOPICS_BY_CONSUMER", topics_of_consumer},
	{345, "QUERY_SUBSCRIPTION_BY_CONSUMER", subscription_of},
	{0, NULL, NULL},
};
