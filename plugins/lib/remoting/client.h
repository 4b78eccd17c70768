/* SPDX-License-Identifier: Apache-2.0 */
/* The outgoing side: requests of a role to name servers, brokers and controllers over remoting.
 *
 * A client lives on one loop, and everything below is called there. It keeps one connection per
 * address ("host:port", "[v6]:port"), opened by the first request for it; the name is resolved at
 * every connect. Requests are pipelined and matched by opaque. A connection that fails finishes
 * its requests with an error; the next request opens it again, after a pause that grows with every
 * failed attempt (requests in the pause fail at once with -EHOSTDOWN). */
#ifndef REMOTING_CLIENT_H
#define REMOTING_CLIENT_H

#include <gantry/loop.h>
#include <gantry/op.h>
#include <remoting/codec.h>

GANTRY_BEGIN

struct remoting_client;

/* A request; the caller's memory until its op is done. What in-members point to is copied before
 * the call returns. */
struct remoting_request {
	/* in */
	int32_t code;
	uint32_t one_way; /* no answer is awaited: the op is done when the bytes are queued */
	const struct gantry_field *fields;
	uint32_t field_count;
	uint32_t reserved;
	struct gantry_str body;
	/* out, when the op's status is 0 and one_way is not set */
	struct remoting_header reply; /* borrows from ret_memory */
	struct gantry_str ret_body;   /* likewise */
	void *ret_memory;             /* remoting_request_clear() frees it */
	void *user;                   /* the caller's */
};

/* Frees what an answer brought; the in-members stay. NULL and zeroed are fine. */
void remoting_request_clear(struct remoting_request *request);

struct remoting_address {
	char host[256], port[6];
};

/* "host:port" or "[v6]:port" in its parts; -EINVAL: it is neither. Any thread. */
int remoting_address_split(const char *address, struct remoting_address *ret);

struct remoting_client_spec {
	uint32_t size;
	uint32_t serialization;   /* REMOTING_JSON or REMOTING_BINARY */
	struct gantry_inst *inst; /* for log lines and handles */
	struct gantry_loop *loop;
	uint64_t connect_timeout_ms; /* 0: 3000 */
	uint64_t backoff_min_ms;     /* 0: 100 */
	uint64_t backoff_max_ms;     /* 0: 10000 */
	uint64_t idle_ms;            /* close after so long without traffic; 0: 120000 */
	uint32_t pending_max;        /* requests in flight per address; 0: 1024; over it -ENOBUFS */
	uint32_t frame_max;          /* 0: REMOTING_FRAME_MAX */
	size_t queue_max;            /* unsent bytes per address; 0: 64 MiB; over it -ENOBUFS */
	int32_t language, version;   /* as sent; version 0: REMOTING_VERSION */
	/* A request that the peer sends on our connection (a name server's 905, a controller's
	 * 1008); borrowed during the call. NULL: answered with code 3 unless one-way. Returns the
	 * code to answer with if it is not one-way. */
	int32_t (*incoming)(void *user, const char *address, const struct remoting_header *header,
			    struct gantry_str body);
	void *user;
};

int remoting_client_new(const struct remoting_client_spec *spec, struct remoting_client **ret);

/* Sends. Positive: op finishes with 0 (an answer came, whatever its code: look at reply.code) or
 * -ETIMEDOUT (op->deadline_ms, or 3000 ms if none), -ECONNREFUSED and its like, -EPIPE, -EPROTO,
 * -ECANCELED, a resolver's -ENOENT. Negative: -EINVAL (address), -EHOSTDOWN (in the pause after a
 * failure), -ENOBUFS, -E2BIG, -ENOMEM, -ESHUTDOWN. op->loop must be the client's loop. */
int remoting_client_call(struct remoting_client *client, const char *address,
			 struct remoting_request *request, struct gantry_op *op);

/* Closes the connection of one address, if any: its requests finish with -ECANCELED. */
void remoting_client_forget(struct remoting_client *client, const char *address);

/* Closes everything: every pending request finishes with -ECANCELED, then op finishes and the
 * client is freed. Always pending unless client is NULL (0). */
int remoting_client_close(struct remoting_client *client, struct gantry_op *op);

GANTRY_END
#endif
