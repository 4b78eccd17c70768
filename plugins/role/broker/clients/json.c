/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected, as RocketMQ's ConsumerConnection and ProducerConnection. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "call/fields.h"
#include "clients/private.h"
#include "json/json.h"
#include "message/properties.h"
#include "remoting/codec.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

static const char *const type_names[] = {"CONSUME_ACTIVELY", "CONSUME_PASSIVELY", "CONSUME_POP"};
static const char *const model_names[] = {"BROADCASTING", "CLUSTERING"};
static const char *const where_names[] = {"CONSUME_FROM_LAST_OFFSET", "CONSUME_FROM_FIRST_OFFSET",
					  "CONSUME_FROM_TIMESTAMP"};

static void write_address(struct json_writer *writer, const struct gantry_address *address)
{
	char ip[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 8];

	if (address->ip_size)
		inet_ntop(address->ip_size == 4 ? AF_INET : AF_INET6, address->ip, ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s:%u", ip, address->port);
	json_member_string(writer, "clientAddr", text);
}

static void write_members(struct json_writer *writer, const struct client_group *group)
{
	json_put_key(writer, "connectionSet");
	json_open_array(writer);
	for (struct member *member = group->members; member; member = member->group_next) {
		json_open_object(writer);
		write_address(writer, &member->channel->session->peer);
		json_member_string(writer, "clientId", member->id);
		json_member_string(writer, "language", remoting_language_name(member->language));
		json_member_int(writer, "version", member->version);
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* The tags of "a || b", in order; each is cut off and trimmed. */
static bool next_tag(struct gantry_str *rest, struct gantry_str *ret)
{
	while (rest->size) {
		size_t end = 0;

		while (end < rest->size &&
		       !(rest->at[end] == '|' && end + 1 < rest->size && rest->at[end + 1] == '|'))
			end++;
		*ret = (struct gantry_str){rest->at, end};
		end += end < rest->size ? 2 : 0;
		rest->at += end;
		rest->size -= end;
		while (ret->size && ret->at[0] <= ' ') {
			ret->at++;
			ret->size--;
		}
		while (ret->size && ret->at[ret->size - 1] <= ' ')
			ret->size--;
		if (ret->size)
			return true;
	}
	return false;
}

static void write_tags(struct json_writer *writer, const struct subscription *subscription,
		       bool codes)
{
	struct gantry_str rest = subscription->expression, tag;

	json_put_key(writer, codes ? "codeSet" : "tagsSet");
	json_open_array(writer);
	if (str_is(subscription->expression_type, "TAG") && !str_is(rest, "*")) {
		while (next_tag(&rest, &tag)) {
			if (codes)
				json_put_int(writer, message_java_hash(tag));
			else
				json_put_str(writer, tag);
		}
	}
	json_close_array(writer);
}

void subscription_write(struct json_writer *writer, const struct subscription *subscription)
{
	json_open_object(writer);
	json_member_bool(writer, "classFilterMode", subscription->class_filter);
	write_tags(writer, subscription, true);
	json_member_str(writer, "expressionType", subscription->expression_type);
	json_member_str(writer, "subString", subscription->expression);
	json_member_int(writer, "subVersion", subscription->version);
	write_tags(writer, subscription, false);
	json_member_str(writer, "topic", subscription->topic);
	json_close_object(writer);
}

static void write_subscriptions(struct json_writer *writer, const struct client_group *group)
{
	json_put_key(writer, "subscriptionTable");
	json_open_object(writer);
	for (struct table_entry *entry = table_next(&group->subscriptions, NULL); entry;
	     entry = table_next(&group->subscriptions, entry)) {
		json_put_key_str(writer, entry->key);
		subscription_write(
			writer,
			TABLE_HOLDER(entry, struct group_subscription, entry)->subscription);
	}
	json_close_object(writer);
}

static int encode(struct clients *clients, struct table *table, struct gantry_str name, char **ret,
		  size_t *ret_size)
{
	struct client_group *group;
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	pthread_rwlock_rdlock(&clients->lock);
	group = clients_group_locked(clients, table, name);
	if (!group || !group->member_count) {
		pthread_rwlock_unlock(&clients->lock);
		json_writer_free(&writer);
		return -ENOENT;
	}
	json_open_object(&writer);
	write_members(&writer, group);
	if (table == &clients->consumers) {
		json_member_string(&writer, "consumeFromWhere", where_names[group->from_where % 3]);
		json_member_string(&writer, "consumeType", type_names[group->consume_type % 3]);
		json_member_string(&writer, "messageModel", model_names[group->message_model % 2]);
		write_subscriptions(&writer, group);
	}
	json_close_object(&writer);
	pthread_rwlock_unlock(&clients->lock);
	return json_writer_take(&writer, ret, ret_size);
}

int clients_consumers_json(struct clients *clients, struct gantry_str group, char **ret,
			   size_t *ret_size)
{
	return encode(clients, &clients->consumers, group, ret, ret_size);
}

int clients_producers_json(struct clients *clients, struct gantry_str group, char **ret,
			   size_t *ret_size)
{
	return encode(clients, &clients->producers, group, ret, ret_size);
}
