/* SPDX-License-Identifier: Apache-2.0 */
/* The slave's side from inside. Everything happens on one event loop, except where a lock is named:
 * the client's lock guards the address, what the state call shows, and how the client is held. */
#ifndef HA_CLIENT_IMPL_H
#define HA_CLIENT_IMPL_H

#include "address.h"
#include "ha.h"
#include "wire.h"

#include <gantry/log.h>
#include <gantry/loop.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum {
	IN_MAX = 256 * 1024, /* bytes read at once */
	RETRY_MIN_MS = 200,  /* after a connection that came to an end */
	RETRY_MAX_MS = 5000, /* as Java's */
	CONNECT_MS = 3000,   /* for resolving and connecting */
	BUSY_MS = 2,         /* the engine has no room ready */
	FULL_MS = 1000,      /* the disk is full */
};

struct ha_link;

struct ha_client {
	struct gantry_inst *inst;
	struct door *door;
	const struct ha_client_conf *conf;
	struct gantry_loop *loop;

	struct ha_link *link;          /* NULL: none */
	uv_getaddrinfo_t *lookup;      /* NULL: none on its way */
	struct addrinfo *found, *next; /* what a name has, and which of it is tried next */
	uv_timer_t *timer;             /* from open to shut */
	uint64_t attempt_ms;           /* when resolving, or connecting to one address, began */
	uint64_t retry_ms;             /* not before */
	uint64_t pause_ms;             /* after the next failure */
	char current[HA_HOST_MAX + HA_PORT_MAX + 4]; /* what is connected to */
	struct gantry_task change;                   /* something is to be looked at on the loop */
	struct gantry_log_limit connect_limit, end_limit, feed_limit, differ_limit;

	pthread_mutex_t lock;
	pthread_cond_t quiet;
	char address[HA_HOST_MAX + HA_PORT_MAX + 4]; /* lock; "": none */
	bool open;                                   /* lock */
	bool told;                                   /* lock; change is on its way */
	unsigned holders; /* lock: links, lookups, the timer, ops, change */

	atomic_bool connected;
	_Atomic int64_t read_ms, written_ms; /* since the epoch */
	_Atomic uint64_t bytes_per_s;
	_Atomic uint64_t master_end; /* the furthest that a header of the master's reaches */
	uint64_t second_ms, second_bytes;
	bool full; /* the disk; it was said */
};

/* A connection; when the client lets go of it, it closes by itself. */
struct ha_link {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct ha_client *client;
	bool closed, writing, ready; /* ready: connected, and the first report is out */
	bool stopped;                /* it is not read from while the log takes nothing */
	bool heard;                  /* the master has sent something */
	uint64_t blocked_ms;         /* when to try again; 0: not blocked */
	uint64_t read_ms, wrote_ms;  /* gantry_clock_ms() */
	uint64_t reported;
	uint8_t report[HA_REPORT_BYTES];

	struct gantry_op op; /* durable reaches something */
	bool waiting;
	struct gantry_op begin_op; /* an empty log is made to begin at head's offset */
	struct gantry_work begin;
	bool beginning;

	struct ha_head head; /* the batch that is being received */
	uint32_t left;       /* bytes of it that are not yet in the log */
	size_t in_at, in_used;
	uint8_t in[IN_MAX];
};

/* ---- client.c */
void ha_client_hold(struct ha_client *client);
void ha_client_release(struct ha_client *client);
/* The link has come to an end: the next attempt is made later. soon: it was of use. One that never
 * was connected: at once, with the name's next address, if it has any left. */
void ha_client_retry(struct ha_client *client, bool soon);
/* Looks after the client again in so many ms, or when it would anyway. */
void ha_client_wake(struct ha_client *client, uint64_t ms);

/* ---- link.c */
int ha_link_connect(struct ha_client *client, const struct sockaddr *address);
/* Closes the connection, if any; failed: and tries again later. */
void ha_link_end(struct ha_client *client, bool failed);
/* Frees a link that is closed when its handle and its ops have come to an end. */
void ha_link_let_go(struct ha_link *link);
void ha_link_tick(struct ha_link *link);
/* Tells the master what is new. */
void ha_link_report(struct ha_link *link);

/* ---- apply.c: what was received goes into the log. false: the link has ended. */
bool ha_apply(struct ha_link *link);

#endif
