/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent. Answers gather in the lane's out buffer and go to the socket at once; only what it
 * does not take is copied and queued. Bodies are never copied: slices keep their leases until the
 * socket took them. A connection whose queue is long is not read from until it is short. */
#include "remoting.h"

#include <stdlib.h>
#include <string.h>

enum {
	BUFFERS_AT_ONCE = 64,       /* of one write that is tried; more go through the queue */
	COPIED_BODY_MAX = 8 * 1024, /* a body up to this joins the answers in out */
};

/* What the socket has not taken yet. */
struct unsent {
	uv_write_t write;
	struct connection *connection; /* held */
	size_t size, charged;          /* bytes to be sent; bytes of memory */
	char *heap;
	struct gantry_slice *slices; /* behind bytes */
	uint32_t slice_count;
	uint32_t reserved;
	char bytes[];
};

/* ---- bodies */

void out_body_drop(const struct out_body *body)
{
	free(body->heap);
	for (uint32_t i = 0; i < body->slice_count; i++) {
		struct gantry_slice slice = body->slices[i];

		gantry_slice_release(&slice);
	}
}

static size_t body_size(const struct out_body *body)
{
	size_t size = body->heap_size;

	for (uint32_t i = 0; i < body->slice_count; i++)
		size += body->slices[i].size;
	return size;
}

/* Adds bytes to buffers, except for those that skip says were taken already. */
static unsigned add_buffer(uv_buf_t *buffers, unsigned count, const void *at, size_t size,
			   size_t *skip)
{
	size_t taken = size < *skip ? size : *skip;

	*skip -= taken;
	if (size == taken)
		return count;
	buffers[count] = uv_buf_init((char *)(uintptr_t)at + taken, (unsigned)(size - taken));
	return count + 1;
}

static unsigned add_body(uv_buf_t *buffers, unsigned count, unsigned max,
			 const struct out_body *body, size_t skip)
{
	if (body->heap_size)
		count = add_buffer(buffers, count, body->heap, body->heap_size, &skip);
	for (uint32_t i = 0; i < body->slice_count && count < max; i++)
		count = add_buffer(buffers, count, body->slices[i].bytes, body->slices[i].size,
				   &skip);
	return count;
}

/* ---- the queue */

static void unsent_free(struct unsent *unsent)
{
	struct out_body body = {unsent->heap, 0, unsent->slices, unsent->slice_count};

	out_body_drop(&body);
	free(unsent);
}

static void written(uv_write_t *write, int status)
{
	struct unsent *unsent = write->data;
	struct connection *c = unsent->connection;

	c->queued -= unsent->size;
	conn_refund(c, unsent->charged);
	unsent_free(unsent);
	if (!c->closed) {
		if (status < 0) {
			conn_close(c);
		} else {
			conn_touch(c);
			if (c->paused && c->queued <= c->lane->front->write_low)
				conn_resume(c);
		}
	}
	conn_release(c);
}

/* Keeps a copy of the head and the body itself; NULL: no memory. */
static struct unsent *keep(struct connection *c, const char *head, size_t head_size,
			   const struct out_body *body)
{
	size_t slices_at = (head_size + 15) & ~(size_t)15;
	struct unsent *unsent =
		malloc(sizeof(*unsent) + slices_at + body->slice_count * sizeof(*body->slices));

	if (!unsent)
		return NULL;
	unsent->write.data = unsent;
	unsent->connection = c;
	unsent->heap = body->heap;
	unsent->slices = (struct gantry_slice *)(void *)(unsent->bytes + slices_at);
	unsent->slice_count = body->slice_count;
	if (head_size)
		memcpy(unsent->bytes, head, head_size);
	if (body->slice_count)
		memcpy(unsent->slices, body->slices, body->slice_count * sizeof(*body->slices));
	return unsent;
}

/* Queues what follows the first taken bytes of head and body. */
static void queue(struct connection *c, const char *head, size_t head_size,
		  const struct out_body *body, size_t taken)
{
	size_t head_taken = taken < head_size ? taken : head_size, none = 0;
	size_t left = head_size - head_taken, charged = left + body->heap_size;
	bool may = conn_charge(c, charged);
	struct unsent *unsent = may ? keep(c, head + head_taken, left, body) : NULL;
	uv_buf_t *buffers = malloc((2 + body->slice_count) * sizeof(*buffers));
	unsigned count;
	int code = UV_ENOMEM;

	if (unsent && buffers) {
		unsent->charged = charged;
		count = add_buffer(buffers, 0, unsent->bytes, left, &none);
		count = add_body(buffers, count, 2 + body->slice_count, body, taken - head_taken);
		unsent->size = head_size + body_size(body) - taken;
		code = uv_write(&unsent->write, (uv_stream_t *)&c->tcp, buffers, count, written);
	}
	free(buffers);
	if (code) {
		if (may)
			conn_refund(c, charged);
		out_body_drop(body);
		free(unsent);
		conn_close(c);
		return;
	}
	conn_hold(c);
	c->queued += unsent->size;
	if (c->queued > c->lane->front->write_high && !c->paused) {
		c->paused = true;
		uv_read_stop((uv_stream_t *)&c->tcp);
	}
}

/* Sends head and body, at once as far as the socket takes them. */
static void transmit(struct connection *c, const char *head, size_t head_size,
		     const struct out_body *body)
{
	size_t size = head_size + body_size(body), none = 0;
	uv_buf_t buffers[BUFFERS_AT_ONCE];
	unsigned count;
	int taken = 0;

	if (c->closed) {
		out_body_drop(body);
		return;
	}
	if (!c->queued) {
		count = add_buffer(buffers, 0, head, head_size, &none);
		count = add_body(buffers, count, BUFFERS_AT_ONCE, body, 0);
		taken = uv_try_write((uv_stream_t *)&c->tcp, buffers, count);
		if (taken == UV_EAGAIN)
			taken = 0;
	}
	gantry_counter_add(c->lane->front->counters.out_bytes, size);
	if (taken < 0) {
		out_body_drop(body);
		conn_close(c);
	} else if ((size_t)taken < size) {
		queue(c, head, head_size, body, (size_t)taken);
	} else {
		out_body_drop(body);
		conn_touch(c);
	}
}

static const struct out_body no_body;

/* ---- the turn's buffer */

static void flush_with(struct lane *lane, const struct out_body *body)
{
	struct connection *c = lane->connection;
	size_t size = lane->out_used;

	lane->out_used = 0;
	lane->connection = NULL;
	if (size || body->heap || body->slice_count)
		transmit(c, lane->out, size, body);
}

void out_flush(struct lane *lane)
{
	flush_with(lane, &no_body);
}

char *out_room(struct connection *c, size_t max)
{
	struct lane *lane = c->lane;

	if (max > OUT_SIZE)
		return NULL;
	if (lane->connection != c || lane->out_used > OUT_SIZE - max)
		out_flush(lane);
	lane->connection = c;
	return lane->out + lane->out_used;
}

void out_used(struct connection *c, size_t size)
{
	c->lane->out_used += size;
}

void out_heap(struct connection *c, char *bytes, size_t size)
{
	struct out_body body = {.heap = bytes, .heap_size = size};

	transmit(c, NULL, 0, &body);
}

/* ---- answers */

/* One that is too large for the turn's buffer. */
static void answer_large(struct connection *c, const struct remoting_header *header,
			 size_t encoded_max, const struct out_body *body)
{
	char *head = malloc(encoded_max);

	out_flush(c->lane);
	if (!head) {
		out_body_drop(body);
		conn_close(c);
		return;
	}
	out_heap(c, head, remoting_encode(header, body_size(body), head));
	transmit(c, NULL, 0, body);
}

void out_answer(struct connection *c, const struct parked *request, struct remoting_header *header,
		const struct out_body *body)
{
	size_t max, copied;
	char *to;

	if (!body)
		body = &no_body;
	if (request->one_way || c->closed) {
		out_body_drop(body);
		return;
	}
	header->language = REMOTING_JAVA;
	header->version = REMOTING_VERSION;
	header->opaque = request->opaque;
	header->flag = REMOTING_RESPONSE;
	header->serialization = request->serialization;
	max = remoting_encoded_max(header);
	copied = body->slice_count || body->heap_size > COPIED_BODY_MAX ? 0 : body->heap_size;
	to = out_room(c, max + copied);
	if (!to) {
		answer_large(c, header, max, body);
		return;
	}
	max = remoting_encode(header, body_size(body), to);
	if (copied)
		memcpy(to + max, body->heap, copied);
	out_used(c, max + copied);
	if (copied)
		out_body_drop(body);
	else if (body->heap || body->slice_count)
		flush_with(c->lane, body);
}

void out_code(struct connection *c, const struct remoting_header *request, int32_t code,
	      const char *remark)
{
	struct parked parked = {.opaque = request->opaque,
				.serialization = request->serialization,
				.one_way = request->flag & REMOTING_ONE_WAY};
	struct remoting_header header = {.code = code};

	if (remark)
		header.remark = (struct gantry_str){remark, strlen(remark)};
	out_answer(c, &parked, &header, NULL);
}

void out_not_supported(struct connection *c, const struct remoting_header *request)
{
	char remark[64];

	snprintf(remark, sizeof(remark), " request type %d not supported", request->code);
	out_code(c, request, GANTRY_REQUEST_CODE_NOT_SUPPORTED, remark);
}
