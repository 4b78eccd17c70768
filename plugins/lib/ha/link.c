/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's connection to its master: connecting, reading, reporting. */
#include "client_impl.h"

#include <errno.h>
#include <stdlib.h>

/* ---- the end */

void ha_link_let_go(struct ha_link *link)
{
	struct ha_client *client = link->client;

	if (!link->closed || link->waiting || link->beginning || link->tcp.data)
		return;
	free(link);
	ha_client_release(client);
}

static void handle_closed(uv_handle_t *handle)
{
	struct ha_link *link = handle->data;

	handle->data = NULL;
	ha_link_let_go(link);
}

void ha_link_end(struct ha_client *client, bool failed)
{
	struct ha_link *link = client->link;

	if (!link)
		return;
	client->link = NULL;
	atomic_store(&client->connected, false);
	link->closed = true;
	if (link->waiting)
		gantry_op_cancel(&link->op);
	uv_close((uv_handle_t *)&link->tcp, handle_closed);
	if (failed)
		ha_client_retry(client, link->heard);
}

static void broken(struct ha_link *link, int status)
{
	struct ha_client *client = link->client;

	gantry_log_limited(client->inst, &client->end_limit, WARNING,
			   "the connection to the master %s has ended: %s", client->current,
			   status == UV_EOF ? "it closed it" : uv_strerror(status));
	ha_link_end(client, true);
}

/* ---- reporting */

static void report_written(uv_write_t *write, int status)
{
	struct ha_link *link = write->data;

	link->writing = false;
	if (link->closed)
		return;
	if (status < 0)
		broken(link, status);
	else
		ha_link_report(link);
}

static void write_report(struct ha_link *link, uint64_t offset)
{
	uv_buf_t buffer = uv_buf_init((char *)link->report, sizeof(link->report));
	int rc;

	if (link->writing)
		return; /* what is new is told behind it */
	ha_put_report(link->report, offset);
	link->reported = offset;
	link->wrote_ms = gantry_clock_ms();
	atomic_store(&link->client->written_ms, ha_wall_ms());
	link->writing = true;
	link->write.data = link;
	rc = uv_write(&link->write, (uv_stream_t *)&link->tcp, &buffer, 1, report_written);
	if (rc < 0) {
		link->writing = false;
		broken(link, rc);
	}
}

static void mark_reached(struct gantry_op *op)
{
	struct ha_link *link = op->user;

	link->waiting = false;
	if (!link->closed && op->status == 0)
		ha_link_report(link);
	ha_link_let_go(link);
}

/* Comes back here when what is in the log may be reported. */
static void await_mark(struct ha_link *link, uint64_t upto)
{
	struct ha_client *client = link->client;

	if (link->waiting)
		return;
	link->op = (struct gantry_op){.done = mark_reached, .loop = client->loop, .user = link};
	link->waiting =
		door_wait(client->door, client->conf->reported, upto, &link->op) == GANTRY_PENDING;
}

void ha_link_report(struct ha_link *link)
{
	struct ha_client *client = link->client;
	uint64_t end = door_mark(client->door, GANTRY_APPENDED);
	uint64_t mark = door_mark(client->door, client->conf->reported);

	/* The first report is where the log goes on, and a promise, too. */
	if (link->ready ? mark > link->reported : mark >= end) {
		link->ready = true;
		write_report(link, mark);
	}
	if (mark < end && !link->closed)
		await_mark(link, link->ready ? mark + 1 : end);
}

/* ---- reading */

static void provide_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct ha_link *link = handle->data;

	(void)suggested;
	*ret = uv_buf_init((char *)link->in + link->in_used, (unsigned)(IN_MAX - link->in_used));
}

static void bytes_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct ha_link *link = stream->data;
	struct ha_client *client = link->client;

	(void)buffer;
	if (link->closed || size == 0)
		return;
	if (size < 0) {
		broken(link, (int)size);
		return;
	}
	link->in_used += (size_t)size;
	link->read_ms = gantry_clock_ms();
	client->second_bytes += (uint64_t)size;
	atomic_store(&client->read_ms, ha_wall_ms());
	ha_link_tick(link);
}

/* Reads on, unless the log takes nothing now. */
static void go_on(struct ha_link *link)
{
	bool stop = link->blocked_ms || link->beginning;
	int rc = 0;

	if (stop && !link->stopped)
		uv_read_stop((uv_stream_t *)&link->tcp);
	else if (!stop && link->stopped)
		rc = uv_read_start((uv_stream_t *)&link->tcp, provide_room, bytes_read);
	link->stopped = stop;
	if (rc < 0)
		broken(link, rc);
}

static void apply(struct ha_link *link)
{
	if (link->beginning || (link->in_used && !ha_apply(link)))
		return;
	go_on(link);
	if (!link->closed && link->ready)
		ha_link_report(link);
}

void ha_link_tick(struct ha_link *link)
{
	struct ha_client *client = link->client;
	uint64_t now_ms = gantry_clock_ms();

	if (!link->tcp.data || link->closed)
		return;
	if (!atomic_load(&client->connected)) {
		if (now_ms - client->attempt_ms > CONNECT_MS)
			broken(link, UV_ETIMEDOUT);
		return;
	}
	/* The timer's clock may be a little behind this one. */
	if (now_ms + BUSY_MS >= link->blocked_ms)
		apply(link);
	if (link->closed)
		return;
	if (link->ready && now_ms - link->wrote_ms >= (uint64_t)client->conf->heartbeat_ms)
		write_report(link, link->reported);
	/* What is not read is no silence. */
	if (link->stopped)
		link->read_ms = now_ms;
	if (!link->closed && now_ms - link->read_ms > (uint64_t)client->conf->housekeeping_ms)
		broken(link, UV_ETIMEDOUT);
}

/* ---- connecting */

static void connected(uv_connect_t *connect, int status)
{
	struct ha_link *link = connect->data;
	struct ha_client *client = link->client;

	if (link->closed)
		return;
	if (status == 0)
		status = uv_read_start((uv_stream_t *)&link->tcp, provide_room, bytes_read);
	if (status < 0) {
		broken(link, status);
		return;
	}
	uv_tcp_nodelay(&link->tcp, 1);
	client->next = NULL; /* this address is the one */
	link->read_ms = link->wrote_ms = gantry_clock_ms();
	atomic_store(&client->connected, true);
	gantry_log(client->inst, NOTICE, "connected to the master %s; the log ends at %llu here",
		   client->current, (unsigned long long)door_mark(client->door, GANTRY_APPENDED));
	ha_link_report(link);
}

int ha_link_connect(struct ha_client *client, const struct sockaddr *address)
{
	struct ha_link *link = malloc(sizeof(*link));
	int rc;

	if (!link)
		return -ENOMEM;
	memset(link, 0, offsetof(struct ha_link, in));
	rc = uv_tcp_init(gantry_loop_uv(client->loop), &link->tcp);
	if (rc < 0) {
		free(link);
		return rc;
	}
	gantry_loop_own(client->inst, (uv_handle_t *)&link->tcp);
	link->client = client;
	link->tcp.data = link->connect.data = link;
	client->link = link;
	ha_client_hold(client);
	rc = uv_tcp_connect(&link->connect, &link->tcp, address, connected);
	if (rc < 0)
		ha_link_end(client, false);
	return rc;
}
