/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators ask about producers and subscriptions. */
#include <arpa/inet.h>
#include <stdio.h>

#include "clients/private.h"
#include "json/json.h"
#include "table/name_set.h"
#include "remoting/codec.h"

enum { TEXT_MAX = 15 * 1024 * 1024 }; /* a client takes no larger frame than 16 MiB */

/* As Java's InetSocketAddress prints itself. */
static void write_remote(struct json_writer *writer, const struct gantry_address *address)
{
	char ip[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 16];

	if (address->ip_size)
		inet_ntop(address->ip_size == 4 ? AF_INET : AF_INET6, address->ip, ip, sizeof(ip));
	snprintf(text, sizeof(text), address->ip_size == 16 ? "/[%s]:%u" : "/%s:%u", ip,
		 address->port);
	json_member_string(writer, "remoteIP", text);
}

static void write_producer(struct json_writer *writer, const struct member *member, int64_t offset)
{
	json_open_object(writer);
	json_member_string(writer, "clientId", member->id);
	json_member_string(writer, "language", remoting_language_name(member->language));
	json_member_int(writer, "lastUpdateTimestamp", member->seen_ms + offset);
	write_remote(writer, &member->channel->session->peer);
	json_member_int(writer, "version", member->version);
	json_close_object(writer);
}

int clients_all_producers_json(struct clients *clients, char **ret, size_t *ret_size)
{
	int64_t offset = broker_wall_ms() - (int64_t)gantry_clock_ms();
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "data");
	json_open_object(&writer);
	pthread_rwlock_rdlock(&clients->lock);
	for (struct table_entry *entry = table_next(&clients->producers, NULL); entry;
	     entry = table_next(&clients->producers, entry)) {
		json_put_key_str(&writer, entry->key);
		json_open_array(&writer);
		for (struct member *member =
			     TABLE_HOLDER(entry, struct client_group, entry)->members;
		     member; member = member->group_next)
			write_producer(&writer, member, offset);
		json_close_array(&writer);
	}
	pthread_rwlock_unlock(&clients->lock);
	json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_take(&writer, ret, ret_size);
}

void clients_groups_of(struct clients *clients, struct gantry_str topic, struct name_set *ret)
{
	pthread_rwlock_rdlock(&clients->lock);
	for (struct table_entry *entry = table_next(&clients->consumers, NULL); entry;
	     entry = table_next(&clients->consumers, entry))
		if (table_find(&TABLE_HOLDER(entry, struct client_group, entry)->subscriptions,
			       topic))
			name_set_add(ret, entry->key);
	pthread_rwlock_unlock(&clients->lock);
}

uint32_t clients_subscription_count(struct clients *clients, struct gantry_str group)
{
	struct client_group *found;
	uint32_t count;

	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	count = found ? (uint32_t)found->subscriptions.count : 0;
	pthread_rwlock_unlock(&clients->lock);
	return count;
}
