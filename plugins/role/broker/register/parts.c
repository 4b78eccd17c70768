/* SPDX-License-Identifier: Apache-2.0 */
/* Full registrations in parts, one after the other, as brokers of RocketMQ 5 do it with
 * enableSplitRegistration. A name server takes a part's topics if its data version differs from
 * that of the part before; a frame with all topics of a large broker would be too long for it. */
#include <errno.h>
#include <stdlib.h>

#include "register/private.h"
#include "topics/private.h"

enum { PART_MAX = 8192 }; /* topics; about 2 MiB */

static uint32_t part_size(const struct registrar *registrar)
{
	const struct broker_conf *conf = registrar->broker->conf;

	return conf->enableSplitRegistration ? (uint32_t)conf->splitRegistrationSize : PART_MAX;
}

/* Topics are never freed, so the list stays good when the lock is gone. */
static int list_topics(struct topics *topics, struct topic ***ret, uint32_t *ret_count)
{
	struct topic **list;
	uint32_t count = 0;

	pthread_rwlock_rdlock(&topics->lock);
	list = malloc((topics->table.count + 1) * sizeof(struct topic *));
	for (struct table_entry *entry = list ? table_next(&topics->table, NULL) : NULL; entry;
	     entry = table_next(&topics->table, entry)) {
		struct topic *topic = &TABLE_HOLDER(entry, struct topic_node, entry)->topic;

		if (!topic_retired(topic))
			list[count++] = topic;
	}
	pthread_rwlock_unlock(&topics->lock);
	*ret = list;
	*ret_count = count;
	return list ? 0 : -ENOMEM;
}

void register_drop_parts(struct name_server *server)
{
	free(server->parts);
	server->parts = NULL;
}

static void send_part(struct name_server *server)
{
	uint32_t size = part_size(server->registrar), at = server->part_next;
	uint32_t left = server->part_count - at, count = left < size ? left : size;

	server->part_next += count;
	left -= count;
	register_some(server, server->parts + at, count, (left + size - 1) / size, !left);
	if (!server->pending)
		register_next_part(server); /* it could not be sent */
}

void register_next_part(struct name_server *server)
{
	bool broken = server->gone || server->registrar->draining ||
		      server->losses != server->part_losses;

	if (!server->parts || server->pending)
		return;
	if (!broken && server->part_next < server->part_count) {
		send_part(server);
		return;
	}
	server->needs_full |= broken || server->part_again;
	register_drop_parts(server);
}

void register_fully(struct name_server *server)
{
	struct registrar *registrar = server->registrar;

	if (registrar->draining || server->gone)
		return;
	if (server->parts) {
		server->part_again = true;
		return;
	}
	if (list_topics(registrar->broker->topics, &server->parts, &server->part_count)) {
		server->needs_full = true;
		return;
	}
	if (server->part_count <= part_size(registrar)) {
		register_drop_parts(server);
		register_some(server, NULL, 0, 0, true);
		return;
	}
	server->part_next = 0;
	server->part_losses = server->losses;
	server->part_again = false;
	send_part(server);
}
