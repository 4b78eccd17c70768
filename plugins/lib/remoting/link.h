/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the outgoing client: one link for each address; private to this library. Everything
 * belongs to the client's loop. */
#ifndef REMOTING_LINK_H
#define REMOTING_LINK_H

#include <remoting/client.h>
#include <stdbool.h>
#include <uv.h>

struct connection;
struct lookup;

/* A request on its way. The op's holder. */
struct pending {
	struct pending *next, *previous;
	struct link *link;
	struct remoting_request *request;
	struct gantry_op *op;
	struct packet *packet; /* until it is handed to the socket */
	uint64_t deadline_ms;
	int32_t opaque;
	bool one_way;
};

struct link {
	struct link *next;
	struct remoting_client *client;
	char *address; /* as the caller writes it */
	struct remoting_address at;
	struct lookup *lookup;         /* while the name is resolved */
	struct connection *connection; /* while there is one, connected or not */
	struct addrinfo *found;        /* what the name resolved to */
	struct addrinfo *next_try;
	struct pending *first, *last; /* in the order of the calls */
	uint32_t pending_count;
	uint32_t failures;   /* connects in a row without an answer */
	uint64_t retry_ms;   /* no attempt before that */
	uint64_t attempt_ms; /* an attempt that is running ends then */
	uint64_t traffic_ms; /* the last byte either way */
	bool open;
};

struct remoting_client {
	struct remoting_client_spec spec; /* defaults filled in */
	struct link *links;
	uv_timer_t timer; /* runs at due_ms */
	uint64_t due_ms;  /* 0: not set */
	struct gantry_op *closing;
	uint32_t busy; /* connections, lookups and the timer; freed at 0 when closing */
	int32_t opaque;
};

/* client.c */
void remoting_client_due(struct remoting_client *client, uint64_t at_ms); /* tick no later */
void remoting_client_quiet(struct remoting_client *client); /* one thing less is busy */
void remoting_pending_finish(struct pending *pending, int status);

/* link.c */
int remoting_link_new(struct remoting_client *client, const char *address, struct link **ret);
/* Finishes its requests with -ECANCELED and frees it. */
void remoting_link_free(struct link *link);
/* Sends now or when connected; the link owns packet from here on. */
void remoting_link_send(struct link *link, struct pending *pending);
/* Ends connection and attempts; requests finish with status; a failure makes the next attempt
 * wait. */
void remoting_link_close(struct link *link, int status, bool failure);
size_t remoting_link_queued(const struct link *link); /* unsent bytes */

/* Bytes on their way out. */
struct packet {
	uv_write_t write;
	struct connection *connection; /* once handed to its socket */
	size_t size;
	char bytes[];
};
/* Writes an answer to a request of the other side; drops it if the connection is being closed.
 * Takes packet. */
int remoting_connection_answer(struct connection *connection, struct packet *packet);

/* answer.c. NULL: no memory. */
struct packet *remoting_packet_new(const struct remoting_header *header, struct gantry_str body);
/* Takes a frame that came in. An error ends the link. */
int remoting_link_frame(struct link *link, const struct remoting_frame *frame, const char **why);

#endif
