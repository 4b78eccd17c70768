/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners: one event loop accepts and hands the connections round. Out of descriptors, it sheds
 * waiting connections through one that it keeps in reserve, and pauses. */
#include "listen.h"
#include "kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 1024, /* if the plugin names none; the system's own limit may be lower */
	TURN = 64,      /* connections accepted before other sockets get their turn */
	PAUSE_MS = 100, /* after an error that waiting may cure */
};

struct gantry_listener {
	struct gk_link link; /* of the instance; control thread */
	struct gantry_inst *inst;
	struct gantry_listen_spec spec;
	struct sockaddr_storage address; /* as bound */
	unsigned port;
	int fd;
	int spare;                /* the accepting loop's; a descriptor in reserve, or -1 */
	int watched;              /* the accepting loop's; poll is in the loop */
	int closed;               /* atomic; no accepted call begins any more */
	unsigned refs;            /* atomic; the open handles, and each connection on its way */
	unsigned next;            /* the accepting loop's; who gets the next connection */
	struct gantry_loop *loop; /* accepts */
	uv_poll_t poll;
	uv_timer_t pause;
	struct gantry_task open_task, close_task;
	struct gantry_log_limit limit;
};

/* a connection on its way to its loop */
struct handover {
	struct gantry_task task;
	struct gantry_listener *listener;
	struct gantry_loop *loop;
	int fd;
};

static void release(struct gantry_listener *listener)
{
	if (__atomic_sub_fetch(&listener->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(listener);
}

/* ---- accepting */

static void accepted(struct gantry_listener *listener, struct gantry_loop *loop, int fd)
{
	if (__atomic_load_n(&listener->closed, __ATOMIC_ACQUIRE))
		close(fd);
	else
		listener->spec.accepted(listener, loop, fd, listener->spec.user);
}

static void take_over(struct gantry_task *task)
{
	struct handover *handover = GK_OF(struct handover, task, task);
	accepted(handover->listener, handover->loop, handover->fd);
	release(handover->listener);
	free(handover);
}

static void hand_over(struct gantry_listener *listener, int fd)
{
	struct gk_kernel *kernel = listener->loop->kernel;
	struct gantry_loop *loop = &kernel->loops[listener->next++ % kernel->loop_count];
	if (loop == listener->loop) {
		accepted(listener, loop, fd);
		return;
	}
	struct handover *handover = malloc(sizeof(*handover));
	if (!handover) {
		close(fd);
		return;
	}
	*handover = (struct handover){
		.task.run = take_over, .listener = listener, .loop = loop, .fd = fd};
	__atomic_add_fetch(&listener->refs, 1, __ATOMIC_RELAXED);
	gantry_loop_post(loop, &handover->task);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *pause)
{
	struct gantry_listener *listener = GK_OF(struct gantry_listener, pause, pause);
	if (listener->spare < 0)
		listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

static void pause_accepting(struct gantry_listener *listener)
{
	uv_poll_stop(&listener->poll);
	uv_timer_start(&listener->pause, on_pause_over, PAUSE_MS, 0);
}

/* The reserve makes room to take the waiting connection and close it: its client learns at once,
 * and the listening socket does not stay readable forever. */
static void shed(struct gantry_listener *listener)
{
	if (listener->spare < 0)
		return;
	close(listener->spare);
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Returns whether to go on at once. */
static int accept_failed(struct gantry_listener *listener, int error)
{
	switch (error) {
	case EAGAIN:
		return 0;
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return 1;
	case EMFILE:
	case ENFILE:
		shed(listener);
		break;
	default:
		break;
	}
	gantry_log_limited(listener->inst, &listener->limit, WARNING,
			   "cannot accept connections on port %u: %s", listener->port,
			   strerror(error));
	pause_accepting(listener);
	return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct gantry_listener *listener = GK_OF(struct gantry_listener, poll, poll);
	(void)status;
	(void)events;
	for (int i = 0; i < TURN; i++) {
		if (__atomic_load_n(&listener->closed, __ATOMIC_ACQUIRE))
			return;
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			hand_over(listener, fd);
		else if (!accept_failed(listener, errno))
			return;
	}
}

/* ---- opened and closed on its loop */

static void open_on_loop(struct gantry_task *task)
{
	struct gantry_listener *listener = GK_OF(struct gantry_listener, open_task, task);
	uv_timer_init(&listener->loop->uv, &listener->pause);
	int bad = uv_poll_init(&listener->loop->uv, &listener->poll, listener->fd);
	listener->watched = !bad;
	if (!bad)
		bad = uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	if (bad)
		gantry_log(listener->inst, ERROR, "cannot watch port %u: %s", listener->port,
			   uv_strerror(bad));
}

static void on_pause_closed(uv_handle_t *handle)
{
	release(GK_OF(struct gantry_listener, pause, handle));
}

static void close_socket(struct gantry_listener *listener)
{
	close(listener->fd);
	if (listener->spare >= 0)
		close(listener->spare);
	release(listener);
}

static void on_poll_closed(uv_handle_t *handle)
{
	close_socket(GK_OF(struct gantry_listener, poll, handle));
}

static void close_on_loop(struct gantry_task *task)
{
	struct gantry_listener *listener = GK_OF(struct gantry_listener, close_task, task);
	uv_close((uv_handle_t *)&listener->pause, on_pause_closed);
	if (listener->watched)
		uv_close((uv_handle_t *)&listener->poll, on_poll_closed);
	else
		close_socket(listener);
}

void gantry_listener_close(struct gantry_listener *listener)
{
	if (!listener)
		return;
	gk_list_remove(&listener->link);
	__atomic_store_n(&listener->closed, 1, __ATOMIC_RELEASE);
	shutdown(listener->fd, SHUT_RDWR); /* refuses at once; the loop closes it in its turn */
	gantry_loop_post(listener->loop, &listener->close_task);
}

unsigned gk_listeners_close(struct gantry_inst *inst)
{
	unsigned count = 0;
	for (; !gk_list_empty(&inst->listeners); count++)
		gantry_listener_close(GK_OF(struct gantry_listener, link, inst->listeners.next));
	return count;
}

/* ---- the socket */

static int parse_host(const char *host, unsigned port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	memset(ret, 0, sizeof(*ret));
	if (port > 65535)
		return -EINVAL;
	if (!host || !*host || inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return 0;
	}
	if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		return -EINVAL;
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return 0;
}

static socklen_t address_size(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

static int bind_socket(struct gantry_listener *listener, const struct sockaddr_storage *address)
{
	int on = 1, off = 0;
	socklen_t size = sizeof(listener->address);
	int backlog = listener->spec.backlog > 0 ? listener->spec.backlog : BACKLOG;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (const struct sockaddr *)address, address_size(address)) < 0 ||
	    listen(fd, backlog) < 0 ||
	    getsockname(fd, (struct sockaddr *)&listener->address, &size) < 0) {
		int bad = -errno;
		close(fd);
		return bad;
	}
	return fd;
}

static int open_socket(struct gantry_listener *listener)
{
	const struct gantry_listen_spec *spec = &listener->spec;
	struct sockaddr_storage address;
	int bad = parse_host(spec->host, spec->port, &address);
	if (bad)
		return bad;
	listener->fd = bind_socket(listener, &address);
	if ((listener->fd == -EAFNOSUPPORT || listener->fd == -EADDRNOTAVAIL) &&
	    (!spec->host || !*spec->host)) {
		parse_host("0.0.0.0", spec->port, &address); /* a machine without IPv6 */
		listener->fd = bind_socket(listener, &address);
	}
	if (listener->fd < 0)
		return listener->fd;
	/* the port stands at the same place in both families */
	listener->port = ntohs(((struct sockaddr_in *)&listener->address)->sin_port);
	listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

int gantry_listen(struct gantry_inst *inst, const struct gantry_listen_spec *spec,
		  struct gantry_listener **ret)
{
	struct gk_kernel *kernel = inst->kernel;
	if (spec->size < sizeof(*spec) || !spec->accepted)
		return -EINVAL;
	struct gantry_listener *listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->inst = inst;
	listener->spec = *spec;
	int bad = open_socket(listener);
	if (bad) {
		free(listener);
		return bad;
	}
	listener->spec.host = NULL; /* the caller's */
	listener->refs = 2;         /* poll and pause */
	listener->loop = &kernel->loops[listener->port % kernel->loop_count];
	listener->open_task.run = open_on_loop;
	listener->close_task.run = close_on_loop;
	gk_list_append(&inst->listeners, &listener->link);
	*ret = listener; /* before it can accept */
	gantry_loop_post(listener->loop, &listener->open_task);
	return 0;
}

unsigned gantry_listener_port(const struct gantry_listener *listener)
{
	return listener->port;
}

/* ---- its name */

static void print_address(const struct sockaddr_storage *address, char *ret, size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	char ip[INET6_ADDRSTRLEN];
	unsigned port = ntohs(v4->sin_port);
	if (address->ss_family == AF_INET)
		snprintf(ret, size, "%s:%u", inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip)),
			 port);
	else if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		snprintf(ret, size, "*:%u", port);
	else
		snprintf(ret, size, "[%s]:%u", inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip)),
			 port);
}

void gk_listener_name(const struct gantry_inst *inst, unsigned port, char *ret, size_t size)
{
	snprintf(ret, size, "*:%u", port);
	for (struct gk_link *at = inst->listeners.next; at != &inst->listeners; at = at->next) {
		const struct gantry_listener *listener = GK_OF(struct gantry_listener, link, at);
		if (listener->port == port)
			print_address(&listener->address, ret, size);
	}
}
