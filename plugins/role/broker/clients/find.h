/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a connected client that the broker wants to ask or tell something. Any thread. */
#ifndef CLIENTS_FIND_H
#define CLIENTS_FIND_H

#include "clients/clients.h"

#ifdef __cplusplus
extern "C" {
#endif

struct client_found {
	struct gantry_session *session; /* held: client_found_release() */
	int32_t language, version;      /* as its heartbeat said: LanguageCode, MQVersion */
	char *id;                       /* only of clients_find_members(); NUL-terminated */
};

/* The member of a consumer group with that client id, as RocketMQ's ConsumerManager.findChannel().
 * -ENOENT. */
int clients_find_member(struct clients *clients, struct gantry_str group, struct gantry_str id,
			struct client_found *ret);
/* All members of a consumer group, in one block from malloc: client_found_free(). -ENOENT: nobody
 * is online; -ENOMEM. */
int clients_find_members(struct clients *clients, struct gantry_str group,
			 struct client_found **ret, uint32_t *ret_count);
/* The producer with that client id, whatever its group; of several, the one that came last.
 * -ENOENT. */
int clients_find_producer(struct clients *clients, struct gantry_str id, struct client_found *ret);

void client_found_release(struct client_found *found);
void client_found_free(struct client_found *found, uint32_t count); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
