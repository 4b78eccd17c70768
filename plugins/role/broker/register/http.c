/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.0, so that the answer ends with the connection and comes in one piece. */
#include "register/http.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_ROOM = 1024 };

static int wait_for(int fd, short events, uint64_t until_ms)
{
	struct pollfd one = {.fd = fd, .events = events};
	uint64_t now_ms;
	int rc;

	do {
		now_ms = gantry_clock_ms();
		if (now_ms >= until_ms)
			return -ETIMEDOUT;
		rc = poll(&one, 1, (int)(until_ms - now_ms));
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : rc == 0 ? -ETIMEDOUT : 0;
}

static int connect_to(const struct addrinfo *to, uint64_t until_ms)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0, rc = 0;
	socklen_t size = sizeof(error);

	if (fd < 0)
		return -errno;
	if (connect(fd, to->ai_addr, to->ai_addrlen)) {
		rc = errno == EINPROGRESS ? wait_for(fd, POLLOUT, until_ms) : -errno;
		if (rc == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
			rc = -error;
	}
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int connect_any(const struct remoting_address *at, uint64_t until_ms)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int fd = -ENOENT;

	if (getaddrinfo(at->host, at->port, &hints, &found))
		return -ENOENT;
	for (struct addrinfo *one = found; one && fd < 0; one = one->ai_next)
		fd = connect_to(one, until_ms);
	freeaddrinfo(found);
	return fd;
}

static int send_all(int fd, const char *text, size_t size, uint64_t until_ms)
{
	while (size) {
		ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
			int rc = wait_for(fd, POLLOUT, until_ms);

			if (rc < 0)
				return rc;
			continue;
		}
		if (sent < 0)
			return -errno;
		text += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* To the end of the connection, NUL-terminated. */
static int read_all(int fd, char *to, size_t room, uint64_t until_ms)
{
	size_t used = 0;

	for (;;) {
		ssize_t got = recv(fd, to + used, room - used, 0);
		int rc;

		if (got == 0) {
			to[used] = 0;
			return 0;
		}
		if (got > 0) {
			used += (size_t)got;
			if (used == room)
				return -EMSGSIZE;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(fd, POLLIN, until_ms);
		if (rc < 0)
			return rc;
	}
}

/* Leaves the body of a good answer. */
static int take_body(char *answer)
{
	const char *status = strchr(answer, ' '), *body = strstr(answer, "\r\n\r\n");

	if (strncmp(answer, "HTTP/1.", 7) != 0 || !status || strncmp(status, " 200", 4) != 0 ||
	    !body)
		return -EPROTO;
	memmove(answer, body + 4, strlen(body + 4) + 1);
	return 0;
}

int http_get(const struct remoting_address *at, const char *path, uint64_t timeout_ms, char *ret,
	     size_t room)
{
	uint64_t until_ms = gantry_clock_ms() + timeout_ms;
	char request[REQUEST_ROOM];
	int size = snprintf(request, sizeof(request),
			    "GET %s HTTP/1.0\r\nHost: %s:%s\r\nConnection: close\r\n\r\n", path,
			    at->host, at->port);
	int fd, rc;

	if (size >= (int)sizeof(request))
		return -EMSGSIZE;
	fd = connect_any(at, until_ms);
	if (fd < 0)
		return fd;
	rc = send_all(fd, request, (size_t)size, until_ms);
	if (rc == 0)
		rc = read_all(fd, ret, room, until_ms);
	if (rc == 0)
		rc = take_body(ret);
	close(fd);
	return rc;
}
