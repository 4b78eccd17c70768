/* SPDX-License-Identifier: Apache-2.0 */
/* One address: resolving its name, connecting, reading and writing, waiting after failures. A
 * connection or a lookup that is given up is cut loose from its link and ends by itself. */
#include "link.h"

#include <errno.h>
#include <gantry/log.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
	uv_getaddrinfo_t request;
	struct link *link; /* NULL: nobody waits for it */
	struct remoting_client *client;
};

struct connection {
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct link *link; /* NULL: it is being closed */
	struct remoting_client *client;
	char *in; /* received and not yet cut */
	size_t in_used, in_room;
	size_t queued; /* bytes that the socket has not taken */
};

enum { IN_ROOM_MIN = 4096, IN_ROOM_KEPT = 64 * 1024, BACKOFF_SHIFT_MAX = 16 };

/* ---- the link itself */

int remoting_address_split(const char *address, struct remoting_address *ret)
{
	const char *colon = strrchr(address, ':'), *host = address;
	size_t host_size;

	if (!colon || strlen(colon + 1) == 0 || strlen(colon + 1) >= sizeof(ret->port) ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return -EINVAL;
	host_size = (size_t)(colon - host);
	if (host_size >= 2 && host[0] == '[' && host[host_size - 1] == ']') {
		host++;
		host_size -= 2;
	}
	if (host_size == 0 || host_size >= sizeof(ret->host) ||
	    strtol(colon + 1, NULL, 10) > UINT16_MAX)
		return -EINVAL;
	memcpy(ret->host, host, host_size);
	ret->host[host_size] = 0;
	memcpy(ret->port, colon + 1, strlen(colon + 1) + 1);
	return 0;
}

int remoting_link_new(struct remoting_client *client, const char *address, struct link **ret)
{
	struct link *link = calloc(1, sizeof(*link));
	int code;

	if (!link)
		return -ENOMEM;
	link->client = client;
	link->traffic_ms = gantry_clock_ms();
	link->address = strdup(address);
	code = link->address ? remoting_address_split(address, &link->at) : -ENOMEM;
	if (code) {
		free(link->address);
		free(link);
		return code;
	}
	*ret = link;
	return 0;
}

void remoting_link_free(struct link *link)
{
	remoting_link_close(link, -ECANCELED, false);
	free(link->address);
	free(link);
}

size_t remoting_link_queued(const struct link *link)
{
	size_t queued = link->connection ? link->connection->queued : 0;

	if (!link->open)
		for (const struct pending *p = link->first; p; p = p->next)
			queued += p->packet->size;
	return queued;
}

/* ---- ends */

static void connection_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	struct remoting_client *client = connection->client;

	free(connection->in);
	free(connection);
	remoting_client_quiet(client);
}

static void drop_connection(struct link *link)
{
	struct connection *connection = link->connection;

	link->open = false;
	link->connection = NULL;
	if (!connection)
		return;
	connection->link = NULL;
	uv_close((uv_handle_t *)&connection->tcp, connection_closed);
}

static void drop_lookup(struct link *link)
{
	if (!link->lookup)
		return;
	link->lookup->link = NULL;
	uv_cancel((uv_req_t *)&link->lookup->request);
	link->lookup = NULL;
}

static uint64_t backoff_ms(const struct link *link)
{
	const struct remoting_client_spec *spec = &link->client->spec;
	uint32_t shift = link->failures < BACKOFF_SHIFT_MAX ? link->failures : BACKOFF_SHIFT_MAX;
	uint64_t wait = spec->backoff_min_ms << shift;

	return wait < spec->backoff_max_ms ? wait : spec->backoff_max_ms;
}

void remoting_link_close(struct link *link, int status, bool failure)
{
	drop_lookup(link);
	drop_connection(link);
	if (link->found)
		uv_freeaddrinfo(link->found);
	link->found = link->next_try = NULL;
	if (failure) {
		link->retry_ms = gantry_clock_ms() + backoff_ms(link);
		link->failures++;
		gantry_log(link->client->spec.inst, INFO, "%s: %s", link->address,
			   uv_strerror(status));
	}
	while (link->first)
		remoting_pending_finish(link->first, status);
}

/* ---- writing */

static void packet_written(uv_write_t *write, int status)
{
	struct packet *packet = write->data;
	struct connection *connection = packet->connection;

	connection->queued -= packet->size;
	free(packet);
	if (!connection->link)
		return;
	connection->link->traffic_ms = gantry_clock_ms();
	if (status)
		remoting_link_close(connection->link, status, true);
}

static int write_packet(struct connection *connection, struct packet *packet)
{
	uv_buf_t buffer = uv_buf_init(packet->bytes, (unsigned)packet->size);
	int code;

	packet->connection = connection;
	packet->write.data = packet;
	code = uv_write(&packet->write, (uv_stream_t *)&connection->tcp, &buffer, 1,
			packet_written);
	if (code)
		free(packet);
	else
		connection->queued += packet->size;
	return code;
}

/* Hands a request to the open connection. */
static int send_pending(struct link *link, struct pending *pending)
{
	struct packet *packet = pending->packet;

	pending->packet = NULL;
	if (pending->one_way)
		remoting_pending_finish(pending, 0);
	return write_packet(link->connection, packet);
}

int remoting_connection_answer(struct connection *connection, struct packet *packet)
{
	bool full = connection->queued + packet->size > connection->client->spec.queue_max;

	if (!full && connection->link)
		return write_packet(connection, packet);
	free(packet);
	return connection->link ? -ENOBUFS : 0;
}

/* ---- reading */

static void provide_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct connection *connection = handle->data;
	size_t room = connection->in_room ? connection->in_room * 2 : IN_ROOM_MIN;
	char *in;

	(void)suggested;
	/* It doubles as bytes really come; a frame's announced length reserves nothing. */
	if (connection->in_used == connection->in_room) {
		in = realloc(connection->in, room);
		if (in) {
			connection->in = in;
			connection->in_room = room;
		}
	}
	*ret = uv_buf_init(connection->in + connection->in_used,
			   (unsigned)(connection->in_room - connection->in_used));
}

/* Takes every whole frame. */
static int take_frames(struct connection *connection, const char **why)
{
	struct remoting_limits limits = {.frame = connection->client->spec.frame_max,
					 .header = connection->client->spec.frame_max};
	size_t at = 0;
	int64_t code = 0;

	while (connection->link) {
		struct remoting_frame frame;

		code = remoting_frame_cut(&limits, connection->in + at, connection->in_used - at,
					  &frame, why);
		if (code)
			break;
		at += frame.size;
		code = remoting_link_frame(connection->link, &frame, why);
		if (code)
			break;
	}
	memmove(connection->in, connection->in + at, connection->in_used - at);
	connection->in_used -= at;
	if (connection->in_used == 0 && connection->in_room > IN_ROOM_KEPT) {
		free(connection->in);
		connection->in = NULL;
		connection->in_room = 0;
	}
	return code < 0 ? (int)code : 0;
}

static void bytes_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct connection *connection = stream->data;
	struct link *link = connection->link;
	const char *why = "broken";
	int code;

	(void)buffer;
	if (!link)
		return;
	if (size < 0) {
		/* The other side may close an idle connection as it likes. */
		remoting_link_close(link, size == UV_EOF ? -EPIPE : (int)size, link->first != NULL);
		return;
	}
	connection->in_used += (size_t)size;
	link->traffic_ms = gantry_clock_ms();
	code = take_frames(connection, &why);
	if (code && connection->link) {
		gantry_log(link->client->spec.inst, WARNING, "%s sent %s", link->address, why);
		remoting_link_close(link, code, true);
	}
}

/* ---- connecting */

static void try_next(struct link *link, int failed);

static void connected(uv_connect_t *connect, int status)
{
	struct connection *connection = connect->data;
	struct link *link = connection->link;
	struct pending *pending, *next;

	if (!link)
		return;
	if (status) {
		drop_connection(link);
		try_next(link, status);
		return;
	}
	link->open = true;
	link->traffic_ms = gantry_clock_ms();
	uv_tcp_nodelay(&connection->tcp, 1);
	status = uv_read_start((uv_stream_t *)&connection->tcp, provide_room, bytes_read);
	for (pending = link->first; pending && !status; pending = next) {
		next = pending->next;
		status = send_pending(link, pending);
	}
	if (status)
		remoting_link_close(link, status, true);
}

static int connect_to(struct link *link, const struct sockaddr *address)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int code;

	if (!connection)
		return -ENOMEM;
	code = uv_tcp_init(gantry_loop_uv(link->client->spec.loop), &connection->tcp);
	if (code) {
		free(connection);
		return code;
	}
	connection->tcp.data = connection->connect.data = connection;
	connection->client = link->client;
	connection->link = link;
	link->connection = connection;
	link->client->busy++;
	gantry_loop_own(link->client->spec.inst, (uv_handle_t *)&connection->tcp);
	return uv_tcp_connect(&connection->connect, &connection->tcp, address, connected);
}

/* Goes on to the next address that the name has; after the last the attempt has failed. */
static void try_next(struct link *link, int failed)
{
	while (link->next_try) {
		struct addrinfo *address = link->next_try;

		link->next_try = address->ai_next;
		failed = connect_to(link, address->ai_addr);
		if (!failed)
			return;
		drop_connection(link);
	}
	remoting_link_close(link, failed, true);
}

static int resolver_errno(int status)
{
	switch (status) {
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
		return -ENOENT;
	case UV_EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct lookup *lookup = request->data;
	struct remoting_client *client = lookup->client;
	struct link *link = lookup->link;

	free(lookup);
	if (!link) {
		uv_freeaddrinfo(found);
	} else {
		link->lookup = NULL;
		link->found = link->next_try = found;
		try_next(link, status ? resolver_errno(status) : -ENOENT);
	}
	remoting_client_quiet(client);
}

static int look_up(struct link *link)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int code;

	if (!lookup)
		return -ENOMEM;
	lookup->link = link;
	lookup->client = link->client;
	lookup->request.data = lookup;
	code = uv_getaddrinfo(gantry_loop_uv(link->client->spec.loop), &lookup->request, resolved,
			      link->at.host, link->at.port, &hints);
	if (code) {
		free(lookup);
		return code;
	}
	link->lookup = lookup;
	link->client->busy++;
	return 0;
}

/* An IP address needs no resolver, and no thread of its pool. */
static int start(struct link *link)
{
	int port = (int)strtol(link->at.port, NULL, 10);
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;

	if (uv_ip4_addr(link->at.host, port, &address.v4) == 0 ||
	    uv_ip6_addr(link->at.host, port, &address.v6) == 0)
		return connect_to(link, &address.any);
	return look_up(link);
}

void remoting_link_send(struct link *link, struct pending *pending)
{
	int code = 0;

	pending->previous = link->last;
	*(link->last ? &link->last->next : &link->first) = pending;
	link->last = pending;
	link->pending_count++;
	if (link->open) {
		code = send_pending(link, pending);
	} else if (!link->connection && !link->lookup) {
		link->attempt_ms = gantry_clock_ms() + link->client->spec.connect_timeout_ms;
		remoting_client_due(link->client, link->attempt_ms);
		code = start(link);
	}
	if (code)
		remoting_link_close(link, code, true);
}
