/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: accepted, read, closed. All connections of a lane read into its one buffer; what a
 * read leaves of an incomplete frame waits in the connection's tail, which grows only as bytes
 * really come. */
#include "remoting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAIL_MIN = 512, TLS_HANDSHAKE = 0x16, PORT_SHIFT = 48 };

/* ---- counted */

void conn_hold(struct connection *c)
{
	atomic_fetch_add_explicit(&c->holders, 1, memory_order_relaxed);
}

void conn_release(struct connection *c)
{
	if (atomic_fetch_sub_explicit(&c->holders, 1, memory_order_acq_rel) == 1)
		free(c);
}

/* ---- memory that it costs */

static void peer_text(const struct connection *c, char *to, size_t room)
{
	const struct gantry_address *peer = &c->session.peer;
	char ip[INET6_ADDRSTRLEN] = "?";

	if (peer->ip_size)
		inet_ntop(peer->ip_size == 4 ? AF_INET : AF_INET6, peer->ip, ip, sizeof(ip));
	snprintf(to, room, peer->ip_size == 16 ? "[%s]:%u" : "%s:%u", ip, peer->port);
}

bool conn_charge(struct connection *c, size_t bytes)
{
	struct front *front = c->lane->front;
	char peer[INET6_ADDRSTRLEN + 16];

	if (atomic_fetch_add(&front->buffered, (int64_t)bytes) + (int64_t)bytes <=
	    front->conf->buffered_max)
		return true;
	conn_refund(c, bytes);
	peer_text(c, peer, sizeof(peer));
	gantry_log_limited(front->inst, &front->buffer_limit, WARNING,
			   "%s: buffers are as large as they may be: its connection is closed",
			   peer);
	return false;
}

void conn_refund(struct connection *c, size_t bytes)
{
	atomic_fetch_sub(&c->lane->front->buffered, (int64_t)bytes);
}

static void drop_tail(struct connection *c)
{
	conn_refund(c, c->tail_room);
	free(c->tail);
	c->tail = NULL;
	c->tail_room = 0;
}

/* ---- closed */

static void handle_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;
	struct lane *lane = c->lane;
	struct front *front = lane->front;

	if (GANTRY_HAS(front->role, gone))
		front->role->gone(front->role_inst, &c->session);
	drop_tail(c);
	lane->handles--;
	conn_release(c);
	lane_report(lane);
}

/* The role hears of it later, never inside a call of its own. */
void conn_close(struct connection *c)
{
	struct lane *lane = c->lane;

	if (c->closed)
		return;
	c->closed = true;
	atomic_fetch_sub(&lane->front->connections, 1);
	list_remove(&c->in_open);
	if (lane->connection == c)
		out_forget(lane);
	asks_of_closed(c);
	uv_close((uv_handle_t *)&c->tcp, handle_closed);
}

void conn_malformed(struct connection *c, const char *why)
{
	struct front *front = c->lane->front;
	char peer[INET6_ADDRSTRLEN + 16];

	peer_text(c, peer, sizeof(peer));
	gantry_counter_add(front->counters.malformed, 1);
	gantry_log_limited(front->inst, &front->malformed_limit, WARNING,
			   "%s sent %s: its connection is closed", peer, why);
	conn_close(c);
}

/* ---- read */

/* What it does not take tells more than what it says: a client that reads nothing, and keeps the
 * log's segments from going, is idle. */
static void touch_by_read(struct connection *c)
{
	if (!c->queued)
		conn_touch(c);
}

void conn_touch(struct connection *c)
{
	c->traffic_ms = gantry_clock_ms();
	list_remove(&c->in_open);
	list_append(&c->lane->open, &c->in_open);
}

/* Whether the frame at tail is put together there: it does not fit into the lane's buffer, or too
 * much of it is there to be copied at every read. */
static bool assembles(const struct connection *c)
{
	return c->tail_used > TAIL_IN_PLACE || c->need > IN_SIZE;
}

/* Grows by doubling, and not beyond what its frame has. */
static bool tail_grow(struct connection *c, size_t least, size_t most)
{
	size_t room = c->tail_room ? c->tail_room : TAIL_MIN;
	char *tail;

	while (room < least)
		room *= 2;
	if (room == c->tail_room)
		room *= 2;
	if (room > most)
		room = most;
	if (!conn_charge(c, room - c->tail_room))
		return false;
	tail = realloc(c->tail, room);
	if (!tail) {
		conn_refund(c, room - c->tail_room);
		return false;
	}
	c->tail = tail;
	c->tail_room = room;
	return true;
}

static void provide_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct connection *c = handle->data;
	struct lane *lane = c->lane;
	size_t room;

	(void)suggested;
	if (!assembles(c)) {
		if (c->tail_used)
			memcpy(lane->in, c->tail, c->tail_used);
		*ret = uv_buf_init(lane->in + c->tail_used, (unsigned)(IN_SIZE - c->tail_used));
		return;
	}
	if (c->tail_used == c->tail_room && !tail_grow(c, 2 * (size_t)TAIL_IN_PLACE, c->need)) {
		*ret = uv_buf_init(NULL, 0); /* libuv reports ENOBUFS, and it is closed */
		return;
	}
	room = c->tail_room < c->need ? c->tail_room : c->need;
	*ret = uv_buf_init(c->tail + c->tail_used, (unsigned)(room - c->tail_used));
}

/* Keeps the bytes that no frame was made of, which may stand in the tail themselves. */
static void keep_tail(struct connection *c, const char *rest, size_t size)
{
	if (size == 0 && c->tail_room > TAIL_IN_PLACE) {
		drop_tail(c);
	} else if (size > c->tail_room && !tail_grow(c, size, SIZE_MAX)) {
		conn_close(c);
		return;
	}
	if (size)
		memmove(c->tail, rest, size);
	c->tail_used = size;
}

/* The first byte tells TLS from a frame, whose length begins with 0 or 1. */
static bool is_tls(struct connection *c, const char *bytes)
{
	struct front *front = c->lane->front;
	char peer[INET6_ADDRSTRLEN + 16];

	if (c->seen || bytes[0] != TLS_HANDSHAKE) {
		c->seen = true;
		return false;
	}
	peer_text(c, peer, sizeof(peer));
	gantry_log_limited(front->inst, &front->tls_limit, WARNING,
			   "%s wants TLS, which is not served here: its connection is closed",
			   peer);
	return true;
}

static void take_bytes(struct connection *c, const char *bytes, size_t size)
{
	size_t taken;

	if (is_tls(c, bytes)) {
		conn_close(c);
		return;
	}
	taken = turn_run(c, bytes, size);
	if (!c->closed)
		keep_tail(c, bytes + taken, size - taken);
}

static void bytes_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct connection *c = stream->data;
	struct lane *lane = c->lane;

	if (count == 0 || c->closed)
		return;
	if (count < 0) {
		conn_close(c);
		return;
	}
	gantry_counter_add(lane->front->counters.in_bytes, (uint64_t)count);
	touch_by_read(c);
	if (buffer->base == lane->in + c->tail_used) {
		take_bytes(c, lane->in, c->tail_used + (size_t)count);
	} else {
		c->tail_used += (size_t)count;
		take_bytes(c, c->tail, c->tail_used);
	}
}

void conn_resume(struct connection *c)
{
	c->paused = false;
	if (c->tail_used)
		take_bytes(c, c->tail, c->tail_used);
	if (!c->closed && !c->paused &&
	    uv_read_start((uv_stream_t *)&c->tcp, provide_room, bytes_read) != 0)
		conn_close(c);
}

/* ---- accepted */

/* An IPv4 address in IPv6's form is IPv4. */
static void set_address(struct gantry_address *to, const struct sockaddr_storage *from)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;

		memcpy(to->ip, &in->sin_addr, 4);
		to->ip_size = 4;
		to->port = ntohs(in->sin_port);
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
		const uint8_t *ip = in6->sin6_addr.s6_addr;
		bool v4 = memcmp(ip, mapped, sizeof(mapped)) == 0;

		memcpy(to->ip, v4 ? ip + sizeof(mapped) : ip, v4 ? 4 : 16);
		to->ip_size = v4 ? 4 : 16;
		to->port = ntohs(in6->sin6_port);
	}
}

static void set_session(struct connection *c, struct gantry_listener *listener)
{
	struct front *front = c->lane->front;
	struct sockaddr_storage address;
	int size = sizeof(address);

	c->session.ops = &session_ops;
	c->session.loop = c->lane->loop;
	c->session.frontend = front->inst;
	c->session.id = (uint64_t)gantry_listener_port(listener) << PORT_SHIFT | ++front->last_id;
	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&address, &size) == 0)
		set_address(&c->session.peer, &address);
	size = sizeof(address);
	if (uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&address, &size) == 0)
		set_address(&c->session.local, &address);
}

/* The system gives out the lowest descriptor that is free, so that fd tells how many are in use. */
static bool may_come(struct lane *lane, int fd)
{
	struct front *front = lane->front;

	if (lane->stopping || lane->draining)
		return false;
	if (fd >= front->descriptors_max) {
		gantry_counter_add(front->counters.turned_away, 1);
		gantry_log_limited(front->inst, &front->accept_limit, WARNING,
				   "%d files and connections are open in this process: no more "
				   "connections are taken, since files need the rest",
				   fd);
		return false;
	}
	if (atomic_fetch_add(&front->connections, 1) < (uint32_t)front->conf->connections_max)
		return true;
	atomic_fetch_sub(&front->connections, 1);
	gantry_counter_add(front->counters.turned_away, 1);
	gantry_log_limited(front->inst, &front->accept_limit, WARNING,
			   "%u connections are open, as many as may be: no more are taken",
			   (unsigned)front->conf->connections_max);
	return false;
}

/* A connection with its handle, which holds it from here on. NULL: no memory. */
static struct connection *make(struct lane *lane)
{
	struct connection *c = lane_alarm_make(lane) ? NULL : calloc(1, sizeof(*c));

	if (!c || uv_tcp_init(gantry_loop_uv(lane->loop), &c->tcp) != 0) {
		free(c);
		return NULL;
	}
	c->tcp.data = c;
	c->lane = lane;
	c->holders = 1;
	lane->handles++;
	list_append(&lane->open, &c->in_open);
	gantry_loop_own(lane->front->inst, (uv_handle_t *)&c->tcp);
	return c;
}

void conn_accepted(struct gantry_listener *listener, struct gantry_loop *loop, int fd, void *user)
{
	struct front *front = user;
	struct lane *lane = gantry_loop_data(front->inst, loop);
	struct connection *c;

	if (!may_come(lane, fd)) {
		close(fd);
		return;
	}
	c = make(lane);
	if (!c || uv_tcp_open(&c->tcp, fd) != 0)
		close(fd);
	if (!c) {
		atomic_fetch_sub(&front->connections, 1);
		return;
	}
	gantry_counter_add(front->counters.accepted, 1);
	set_session(c, listener);
	conn_touch(c);
	lane_alarm_by(lane, c->traffic_ms + (uint64_t)front->conf->idle_s * 1000);
	uv_tcp_nodelay(&c->tcp, 1);
	if (uv_read_start((uv_stream_t *)&c->tcp, provide_room, bytes_read) != 0)
		conn_close(c);
}
