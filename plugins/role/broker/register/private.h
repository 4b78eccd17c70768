/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of register/ share. Everything lives on the control loop, except for what lock
 * guards. */
#ifndef REGISTER_PRIVATE_H
#define REGISTER_PRIVATE_H

#include <pthread.h>

#include <gantry/bus.h>
#include <gantry/loop.h>

#include "register/register.h"
#include "remoting/client.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { REGISTER_CHANGED_MAX = 256, UNREGISTER_MS = 3000, ADDRESS_ROOM = 300 };

struct name_server {
	char *address;
	struct name_server *next; /* of those that leave */
	bool gone;                /* listed no more: freed when nothing is pending */
	struct registrar *registrar;
	uint64_t next_ms; /* gantry_clock_ms() of the next periodic registration */
	uint64_t losses;  /* registrations that failed, ever */
	uint32_t pending; /* requests under way */
	bool registered;  /* it answered one, ever */
	bool down;        /* the last one failed, and the log says so */
	bool needs_full;  /* it missed something */
	/* register/parts.c: a full registration on its way in parts; NULL: none is */
	struct topic **parts;
	uint32_t part_count, part_next;
	uint64_t part_losses;                        /* losses when it began */
	bool part_again;                             /* another one was asked for meanwhile */
	char master[ADDRESS_ROOM], ha[ADDRESS_ROOM]; /* as it says; "": it knows of none */
};

struct registrar {
	struct broker *broker;
	struct remoting_client *client;
	struct gantry_timer *timer; /* the periodic one; while draining, the one that gives up */
	struct gantry_subscription *stage;
	struct name_server **servers; /* servers.c; these are known now */
	uint32_t server_count;
	struct name_server *leaving;
	struct names *names; /* what changes the list; both NULL: nothing does */
	struct fetch *fetch;
	uint32_t pending; /* requests of all servers, of those that leave as well */
	bool anywhere;    /* there are, or may be, name servers; constant */
	bool serving, draining;
	struct gantry_op *drained; /* to be finished when pending is 0 */
	struct gantry_op close_op;
	struct gantry_op *closed;
	struct gantry_task task;
	pthread_mutex_t lock;
	/* guarded by lock */
	bool posted; /* task is on its way */
	bool change_all;
	uint32_t changed_count;
	struct topic *changed[REGISTER_CHANGED_MAX];
};

/* servers.c. The name servers are these from now on, in this order: those that are new are
 * registered at, connections to others are closed, which makes them forget this broker. -ENOMEM:
 * the list is as it was. */
int register_set_servers(struct registrar *registrar, char *const *addresses, uint32_t count);
/* Frees a server that leaves and has nothing pending. */
void register_let_go(struct name_server *server);
void register_free_servers(struct registrar *registrar);

/* names.c: the addresses that the names in namesrvAddr have, looked up again and again. */
int names_new(struct registrar *registrar, struct names **ret);
void names_tick(struct names *names, uint64_t now_ms); /* NULL is fine */
/* From now on nothing is looked up. Positive: op finishes when the last look-up has ended. */
int names_stop(struct names *names, struct gantry_op *op);
void names_free(struct names *names); /* NULL is fine */

/* fetch.c: the name servers that an address server names, asked again and again. As names. */
int fetch_new(struct registrar *registrar, struct fetch **ret); /* -EINVAL: the log says why */
void fetch_tick(struct fetch *fetch, uint64_t now_ms);
int fetch_stop(struct fetch *fetch, struct gantry_op *op);
void fetch_free(struct fetch *fetch);

/* A REGISTER_BROKER body; topics NULL: all of them. parts_left: how many parts of the same
 * registration follow; each says a data version of its own, the last one that of the topics. From
 * malloc. Any thread. */
int register_body(struct broker *broker, struct topic *const *topics, uint32_t count,
		  uint32_t parts_left, char **ret, size_t *ret_size);
/* Marks topics that the name server's order configuration lists (the body of its answer). */
void register_order_topics(struct broker *broker, struct gantry_str body);

/* Requests to one name server. */
void register_send(struct name_server *server, const char *body, size_t size, bool full);
void register_query_version(struct name_server *server);
void register_leave(struct name_server *server);

/* Registers these topics, or all (NULL); full: afterwards the server has missed nothing. */
void register_some(struct name_server *server, struct topic *const *some, uint32_t count,
		   uint32_t parts_left, bool full);
/* A full registration now, in parts if there are many topics. */
void register_fully(struct name_server *server);
/* A request is done: goes on with the next part, if any. */
void register_next_part(struct name_server *server);
void register_drop_parts(struct name_server *server);
/* After each request is done. */
void register_done(struct name_server *server);

#ifdef __cplusplus
}
#endif
#endif
