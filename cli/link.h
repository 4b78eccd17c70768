/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a name server or broker: requests and answers over remoting. Blocking, with a
 * time limit on everything; one thread. What comes between a request and its answer (answers to
 * requests that were only sent, requests of the broker) goes to the link's listener. */
#ifndef CLI_LINK_H
#define CLI_LINK_H

#include <remoting/codec.h>

GANTRY_BEGIN

struct link;

struct link_request {
	int32_t code;
	uint32_t field_count;
	const struct gantry_field *fields; /* those with value.at == NULL are not sent */
	struct gantry_str body;
};

/* A frame that came; it borrows from the link until something else is received there. */
struct link_message {
	struct remoting_header header;
	struct gantry_str body;
};

/* Called while something is received; may send on the link, but not receive. */
typedef void link_listener(struct link *link, const struct link_message *message, void *user);

/* Connects to "host:port" or "[v6]:port" within timeout_ms. -EINVAL: no such form; -ENOENT: the
 * name has no address; -ETIMEDOUT, -ECONNREFUSED and its like. */
int link_open(const char *address, int timeout_ms, struct link **ret);
void link_close(struct link *link); /* NULL is fine */

void link_listen(struct link *link, link_listener *listener, void *user);
const char *link_address(const struct link *link);
int link_fd(const struct link *link);

/* The address that the connection has on this machine. */
void link_local(const struct link *link, struct gantry_address *ret);

/* Sends and does not wait; ret_opaque (may be NULL) is what the answer will carry. After an error
 * the link is of no more use. */
int link_send(struct link *link, const struct link_request *request, int32_t *ret_opaque);

/* Sends and waits for the answer. 0 whatever code the answer has. -ETIMEDOUT; -EPIPE: the peer
 * closed; -EPROTO: it does not speak remoting. */
int link_call(struct link *link, const struct link_request *request, int timeout_ms,
	      struct link_message *ret);

/* Hands every frame that is there to the listener, without waiting. */
int link_receive_ready(struct link *link);

GANTRY_END
#endif
