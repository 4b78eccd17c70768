/* SPDX-License-Identifier: Apache-2.0 */
/* The list of name servers, which may change while the broker runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "register/private.h"

static void free_server(struct name_server *server)
{
	if (!server)
		return;
	register_drop_parts(server);
	free(server->address);
	free(server);
}

static struct name_server *new_server(struct registrar *registrar, const char *address)
{
	struct name_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->registrar = registrar;
	server->address = strdup(address);
	server->needs_full = true;
	if (server->address)
		return server;
	free_server(server);
	return NULL;
}

static struct name_server *find(struct name_server *const *servers, uint32_t count,
				const char *address)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(servers[i]->address, address) == 0)
			return servers[i];
	return NULL;
}

/* Whoever is in list and not among others goes. */
static void drop_all_but(struct name_server **list, uint32_t count,
			 struct name_server *const *others, uint32_t other_count,
			 void (*drop)(struct name_server *server))
{
	for (uint32_t i = 0; i < count; i++)
		if (!find(others, other_count, list[i]->address))
			drop(list[i]);
}

/* Addresses without repetitions, each with its server if there is one already. */
static int make_list(struct registrar *registrar, char *const *addresses, uint32_t count,
		     struct name_server **list, uint32_t *ret_count)
{
	uint32_t made = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct name_server *server;

		if (find(list, made, addresses[i]))
			continue;
		server = find(registrar->servers, registrar->server_count, addresses[i]);
		if (!server)
			server = new_server(registrar, addresses[i]);
		if (!server) {
			drop_all_but(list, made, registrar->servers, registrar->server_count,
				     free_server);
			return -ENOMEM;
		}
		list[made++] = server;
	}
	*ret_count = made;
	return 0;
}

void register_let_go(struct name_server *server)
{
	struct name_server **link = &server->registrar->leaving;

	if (!server->gone || server->pending)
		return;
	while (*link != server)
		link = &(*link)->next;
	*link = server->next;
	free_server(server);
}

static void leave(struct name_server *server)
{
	struct registrar *registrar = server->registrar;

	gantry_log(registrar->broker->inst, NOTICE, "name server %s is none any more",
		   server->address);
	server->gone = true;
	server->next = registrar->leaving;
	registrar->leaving = server;
	server->pending++; /* what is forgotten may let it go */
	remoting_client_forget(registrar->client, server->address);
	server->pending--;
	register_let_go(server);
}

int register_set_servers(struct registrar *registrar, char *const *addresses, uint32_t count)
{
	struct name_server **list = calloc(count + 1, sizeof(*list)), **old = registrar->servers;
	uint32_t made = 0, old_count = registrar->server_count;
	int err = list ? make_list(registrar, addresses, count, list, &made) : -ENOMEM;

	if (err) {
		free(list);
		return err;
	}
	registrar->servers = list;
	registrar->server_count = made;
	for (uint32_t i = 0; registrar->serving && i < made; i++)
		if (!find(old, old_count, list[i]->address))
			register_fully(list[i]);
	drop_all_but(old, old_count, list, made, leave);
	free(old);
	return 0;
}

void register_free_servers(struct registrar *registrar)
{
	for (uint32_t i = 0; i < registrar->server_count; i++)
		free_server(registrar->servers[i]);
	while (registrar->leaving) {
		struct name_server *server = registrar->leaving;

		registrar->leaving = server->next;
		free_server(server);
	}
	free(registrar->servers);
}
