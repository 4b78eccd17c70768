/* SPDX-License-Identifier: Apache-2.0 */
/* A remoting connection on a non-blocking socket and poll(). */
#include "link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gantry/op.h>

enum { ROOM_MIN = 64 * 1024, SEND_MS = 10000 };

struct link {
	int fd;
	int32_t opaque; /* of the last request */
	link_listener *listener;
	void *user;
	/* Received bytes: those before `taken` were handed out, those up to `size` are there. */
	char *in;
	size_t in_room, in_size, in_taken;
	struct remoting_scratch scratch;
	struct gantry_field fields[REMOTING_FIELDS_MAX];
	char text[REMOTING_HEADER_MAX];
	char address[];
};

/* Splits "host:port" or "[v6]:port" into copies in host; returns the port or NULL. */
static const char *split_address(const char *address, char *host, size_t room)
{
	const char *colon = strrchr(address, ':');
	if (!colon || colon == address || !colon[1])
		return NULL;
	size_t size = (size_t)(colon - address);
	if (address[0] == '[') {
		if (colon[-1] != ']')
			return NULL;
		address++;
		size -= 2;
	}
	if (size >= room)
		return NULL;
	memcpy(host, address, size);
	host[size] = '\0';
	return colon + 1;
}

/* Waits until the socket is ready for events. */
static int await(int fd, short events, uint64_t deadline_ms)
{
	for (;;) {
		uint64_t now = gantry_clock_ms();
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, now < deadline_ms ? (int)(deadline_ms - now) : 0);
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int connect_one(const struct addrinfo *to, uint64_t deadline_ms, int *ret_fd)
{
	int one = 1, failure = 0;
	socklen_t size = sizeof(failure);
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	int ret = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : -errno;
	if (ret == -EINPROGRESS) {
		ret = await(fd, POLLOUT, deadline_ms);
		if (ret == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0)
			ret = -failure;
	}
	if (ret < 0) {
		close(fd);
		return ret;
	}
	*ret_fd = fd;
	return 0;
}

static int connect_any(const char *address, int timeout_ms, int *ret_fd)
{
	char host[256];
	const char *port = split_address(address, host, sizeof(host));
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *each;
	if (!port)
		return -EINVAL;
	if (getaddrinfo(host, port, &hints, &found))
		return -ENOENT;
	int ret = -ENOENT;
	uint64_t deadline_ms = gantry_clock_ms() + (uint64_t)timeout_ms;
	for (each = found; each; each = each->ai_next) {
		ret = connect_one(each, deadline_ms, ret_fd);
		if (ret == 0)
			break;
	}
	freeaddrinfo(found);
	return ret;
}

int link_open(const char *address, int timeout_ms, struct link **ret)
{
	size_t size = strlen(address) + 1;
	int fd, failed = connect_any(address, timeout_ms, &fd);
	if (failed)
		return failed;
	struct link *link = calloc(1, sizeof(*link) + size);
	char *in = malloc(ROOM_MIN);
	if (!link || !in) {
		free(link);
		free(in);
		close(fd);
		return -ENOMEM;
	}
	link->fd = fd;
	link->in = in;
	link->in_room = ROOM_MIN;
	link->scratch = (struct remoting_scratch){.fields = link->fields,
						  .field_room = REMOTING_FIELDS_MAX,
						  .text = link->text,
						  .text_room = sizeof(link->text)};
	memcpy(link->address, address, size);
	*ret = link;
	return 0;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	close(link->fd);
	free(link->in);
	free(link);
}

void link_listen(struct link *link, link_listener *listener, void *user)
{
	link->listener = listener;
	link->user = user;
}

const char *link_address(const struct link *link)
{
	return link->address;
}

int link_fd(const struct link *link)
{
	return link->fd;
}

void link_local(const struct link *link, struct gantry_address *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} local = {0};
	socklen_t size = sizeof(local);
	*ret = (struct gantry_address){0};
	getsockname(link->fd, &local.any, &size);
	if (local.any.sa_family == AF_INET) {
		ret->ip_size = sizeof(local.v4.sin_addr);
		ret->port = ntohs(local.v4.sin_port);
		memcpy(ret->ip, &local.v4.sin_addr, ret->ip_size);
	} else if (local.any.sa_family == AF_INET6) {
		ret->ip_size = sizeof(local.v6.sin6_addr);
		ret->port = ntohs(local.v6.sin6_port);
		memcpy(ret->ip, &local.v6.sin6_addr, ret->ip_size);
	}
}

static int send_all(struct link *link, const char *at, size_t size)
{
	uint64_t deadline_ms = gantry_clock_ms() + SEND_MS;
	while (size > 0) {
		ssize_t n = send(link->fd, at, size, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0) {
			int ret = await(link->fd, POLLOUT, deadline_ms);
			if (ret < 0)
				return ret;
			continue;
		}
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int link_send(struct link *link, const struct link_request *request, int32_t *ret_opaque)
{
	struct remoting_header header = {.code = request->code,
					 .language = REMOTING_OTHER,
					 .version = REMOTING_VERSION,
					 .opaque = link->opaque + 1,
					 .fields = request->fields,
					 .field_count = request->field_count};
	char *frame = malloc(remoting_encoded_max(&header) + request->body.size);
	if (!frame)
		return -ENOMEM;
	link->opaque++;
	size_t size = remoting_encode(&header, request->body.size, frame);
	if (request->body.size)
		memcpy(frame + size, request->body.at, request->body.size);
	int ret = send_all(link, frame, size + request->body.size);
	free(frame);
	if (ret == 0 && ret_opaque)
		*ret_opaque = link->opaque;
	return ret;
}

/* Makes room for a frame of that many bytes behind what was taken. */
static int make_room(struct link *link, size_t frame_size)
{
	link->in_size -= link->in_taken;
	memmove(link->in, link->in + link->in_taken, link->in_size);
	link->in_taken = 0;
	if (frame_size <= link->in_room)
		return 0;
	char *larger = realloc(link->in, frame_size);
	if (!larger)
		return -ENOMEM;
	link->in = larger;
	link->in_room = frame_size;
	return 0;
}

/* Takes the next frame, reading what it needs until the deadline (0: only what is there). */
static int receive(struct link *link, uint64_t deadline_ms, struct link_message *ret)
{
	struct remoting_frame frame;
	for (;;) {
		int64_t need = remoting_frame_cut(NULL, link->in + link->in_taken,
						  link->in_size - link->in_taken, &frame, NULL);
		if (need == 0)
			break;
		int failed = need < 0 ? -EPROTO : make_room(link, (size_t)need);
		if (failed)
			return failed;
		ssize_t n =
			recv(link->fd, link->in + link->in_size, link->in_room - link->in_size, 0);
		if (n == 0)
			return -EPIPE;
		if (n > 0)
			link->in_size += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
		else if ((failed = await(link->fd, POLLIN, deadline_ms)) < 0)
			return failed;
	}
	link->in_taken += frame.size;
	link->scratch.field_used = 0;
	link->scratch.text_used = 0;
	ret->body = frame.body;
	return remoting_header_decode(&frame, &link->scratch, &ret->header, NULL);
}

int link_call(struct link *link, const struct link_request *request, int timeout_ms,
	      struct link_message *ret)
{
	int32_t opaque;
	uint64_t deadline_ms = gantry_clock_ms() + (uint64_t)timeout_ms;
	int failed = link_send(link, request, &opaque);
	while (!failed) {
		struct link_message message;
		failed = receive(link, deadline_ms, &message);
		if (failed)
			break;
		if (message.header.opaque == opaque && (message.header.flag & REMOTING_RESPONSE)) {
			*ret = message;
			break;
		}
		if (link->listener)
			link->listener(link, &message, link->user);
	}
	return failed;
}

int link_receive_ready(struct link *link)
{
	struct link_message message;
	int failed;
	while ((failed = receive(link, 0, &message)) == 0)
		if (link->listener)
			link->listener(link, &message, link->user);
	return failed == -ETIMEDOUT ? 0 : failed;
}
