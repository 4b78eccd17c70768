/* SPDX-License-Identifier: Apache-2.0 */
/* The outgoing client: its addresses, its one timer, its end. */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t or_else(uint64_t value, uint64_t missing)
{
	return value ? value : missing;
}

static void fill_defaults(struct remoting_client_spec *spec)
{
	spec->connect_timeout_ms = or_else(spec->connect_timeout_ms, 3000);
	spec->backoff_min_ms = or_else(spec->backoff_min_ms, 100);
	spec->backoff_max_ms = or_else(spec->backoff_max_ms, 10000);
	spec->idle_ms = or_else(spec->idle_ms, 120000);
	spec->pending_max = (uint32_t)or_else(spec->pending_max, 1024);
	spec->frame_max = (uint32_t)or_else(spec->frame_max, REMOTING_FRAME_MAX);
	spec->queue_max = or_else(spec->queue_max, 64 * 1024 * 1024);
	if (!spec->version)
		spec->version = REMOTING_VERSION;
}

int remoting_client_new(const struct remoting_client_spec *spec, struct remoting_client **ret)
{
	struct remoting_client *client;
	size_t size = spec->size < sizeof(*spec) ? spec->size : sizeof(*spec);
	int code;

	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	memcpy(&client->spec, spec, size);
	fill_defaults(&client->spec);
	code = uv_timer_init(gantry_loop_uv(client->spec.loop), &client->timer);
	if (code) {
		free(client);
		return code;
	}
	client->timer.data = client;
	client->busy = 1;
	gantry_loop_own(client->spec.inst, (uv_handle_t *)&client->timer);
	*ret = client;
	return 0;
}

/* ---- time */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Ends what is due on one link; returns when it wants to be looked at again, 0: it is idle. */
static uint64_t check_link(struct link *link, uint64_t now)
{
	uint64_t due = UINT64_MAX, idle = link->traffic_ms + link->client->spec.idle_ms;
	struct pending *pending, *next;

	if ((link->connection || link->lookup) && !link->open) {
		if (link->attempt_ms <= now)
			remoting_link_close(link, -ETIMEDOUT, true);
		else
			due = link->attempt_ms;
	}
	for (pending = link->first; pending; pending = next) {
		next = pending->next;
		if (pending->deadline_ms <= now)
			remoting_pending_finish(pending, -ETIMEDOUT);
		else
			due = earlier(due, pending->deadline_ms);
	}
	if (link->first)
		return due;
	return idle <= now ? 0 : earlier(due, idle);
}

static void tick(uv_timer_t *timer)
{
	struct remoting_client *client = timer->data;
	struct link **place = &client->links;
	uint64_t now = gantry_clock_ms(), due = UINT64_MAX;

	client->due_ms = 0;
	while (*place) {
		struct link *link = *place;
		uint64_t link_due = check_link(link, now);

		if (link_due == 0) {
			*place = link->next;
			remoting_link_free(link);
			continue;
		}
		due = earlier(due, link_due);
		place = &link->next;
	}
	if (due != UINT64_MAX)
		remoting_client_due(client, due);
}

void remoting_client_due(struct remoting_client *client, uint64_t at_ms)
{
	uint64_t now = gantry_clock_ms();

	if (client->closing || (client->due_ms && client->due_ms <= at_ms))
		return;
	client->due_ms = at_ms;
	uv_update_time(client->timer.loop);
	uv_timer_start(&client->timer, tick, at_ms > now ? at_ms - now : 0, 0);
}

/* ---- calls */

void remoting_request_clear(struct remoting_request *request)
{
	if (!request)
		return;
	free(request->ret_memory);
	request->ret_memory = NULL;
	request->reply = (struct remoting_header){0};
	request->ret_body = (struct gantry_str){0};
}

void remoting_pending_finish(struct pending *pending, int status)
{
	struct link *link = pending->link;
	struct gantry_op *op = pending->op;

	*(pending->previous ? &pending->previous->next : &link->first) = pending->next;
	*(pending->next ? &pending->next->previous : &link->last) = pending->previous;
	link->pending_count--;
	free(pending->packet);
	free(pending);
	gantry_op_finish(op, status, 0);
}

static void cancel(struct gantry_op *op)
{
	remoting_pending_finish(op->holder, -ECANCELED);
}

static int find_link(struct remoting_client *client, const char *address, struct link **ret)
{
	struct link *link;
	int code;

	for (link = client->links; link; link = link->next) {
		if (strcmp(link->address, address) == 0) {
			*ret = link;
			return 0;
		}
	}
	code = remoting_link_new(client, address, &link);
	if (code)
		return code;
	link->next = client->links;
	client->links = link;
	remoting_client_due(client, link->traffic_ms + client->spec.idle_ms);
	*ret = link;
	return 0;
}

static int make_packet(struct remoting_client *client, const struct remoting_request *request,
		       int32_t opaque, struct packet **ret)
{
	struct remoting_header header = {
		.code = request->code,
		.language = client->spec.language,
		.version = client->spec.version,
		.opaque = opaque,
		.flag = request->one_way ? REMOTING_ONE_WAY : 0,
		.serialization = client->spec.serialization,
		.fields = request->fields,
		.field_count = request->field_count,
	};
	struct packet *packet = remoting_packet_new(&header, request->body);

	if (!packet)
		return -ENOMEM;
	if (packet->size > client->spec.frame_max) {
		free(packet);
		return -E2BIG;
	}
	*ret = packet;
	return 0;
}

static int check_call(const struct remoting_client *client, const struct gantry_op *op,
		      const struct link *link, size_t size)
{
	if (op->loop != client->spec.loop)
		return -EINVAL;
	if (link->retry_ms > gantry_clock_ms())
		return -EHOSTDOWN;
	if (link->pending_count >= client->spec.pending_max ||
	    remoting_link_queued(link) + size > client->spec.queue_max)
		return -ENOBUFS;
	return 0;
}

int remoting_client_call(struct remoting_client *client, const char *address,
			 struct remoting_request *request, struct gantry_op *op)
{
	struct pending *pending;
	struct packet *packet;
	struct link *link;
	int code;

	if (client->closing)
		return -ESHUTDOWN;
	code = find_link(client, address, &link);
	if (!code)
		code = make_packet(client, request, client->opaque, &packet);
	if (code)
		return code;
	code = check_call(client, op, link, packet->size);
	pending = code ? NULL : calloc(1, sizeof(*pending));
	if (!pending) {
		free(packet);
		return code ? code : -ENOMEM;
	}
	*pending =
		(struct pending){.link = link,
				 .request = request,
				 .op = op,
				 .packet = packet,
				 .deadline_ms = or_else(op->deadline_ms, gantry_clock_ms() + 3000),
				 .opaque = client->opaque++,
				 .one_way = request->one_way};
	gantry_op_take(op, cancel, pending);
	remoting_client_due(client, pending->deadline_ms);
	remoting_link_send(link, pending);
	return GANTRY_PENDING;
}

/* ---- the end */

void remoting_client_forget(struct remoting_client *client, const char *address)
{
	struct link **place = &client->links;

	while (*place && strcmp((*place)->address, address) != 0)
		place = &(*place)->next;
	if (*place) {
		struct link *link = *place;

		*place = link->next;
		remoting_link_free(link);
	}
}

void remoting_client_quiet(struct remoting_client *client)
{
	struct gantry_op *closing = client->closing;

	if (--client->busy > 0)
		return;
	free(client);
	gantry_op_finish(closing, 0, 0);
}

static void timer_closed(uv_handle_t *handle)
{
	remoting_client_quiet(handle->data);
}

int remoting_client_close(struct remoting_client *client, struct gantry_op *op)
{
	if (!client)
		return 0;
	if (client->closing)
		return -EALREADY;
	gantry_op_take(op, NULL, NULL);
	client->closing = op;
	while (client->links) {
		struct link *link = client->links;

		client->links = link->next;
		remoting_link_free(link);
	}
	uv_close((uv_handle_t *)&client->timer, timer_closed);
	return GANTRY_PENDING;
}
