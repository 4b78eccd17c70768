/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent. Answers gather in the lane until the turn ends, texts in its buffer and messages as
 * slices of the log, and go to the socket at once; of what it does not take texts are copied, and
 * all is queued. Bodies are never copied: slices keep their leases until the socket took them. A
 * connection whose queue is long is not read from until it is short. */
#include "remoting.h"

#include <gantry/guard.h>
#include <stdlib.h>
#include <string.h>

enum {
	COPIED_BODY_MAX = 8 * 1024, /* a body up to this joins the answers in out */
	GATHERED_MAX = 512 * 1024,  /* bytes; a socket hardly takes more at once */
};

/* What the socket has not taken yet. */
struct unsent {
	uv_write_t write;
	struct connection *connection; /* held */
	size_t size, charged;          /* bytes to be sent; bytes of memory */
	char *heap;
	uv_buf_t *parts;             /* from malloc */
	struct gantry_slice *leases; /* behind bytes */
	uint32_t lease_count;
	unsigned count; /* of parts */
	char bytes[];
};

/* Bytes in the order in which they are sent. */
struct outgoing {
	const uv_buf_t *parts;
	unsigned count;
	size_t size;
	const char
		*text; /* parts between here and text_end are to be copied if they have to wait */
	const char *text_end;
	char *heap; /* to be freed; a part of its own */
	const struct gantry_slice *leases;
	uint32_t lease_count;
};

/* ---- bodies */

static void release_all(const struct gantry_slice *slices, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct gantry_slice slice = slices[i];

		gantry_slice_release(&slice);
	}
}

void out_body_drop(const struct out_body *body)
{
	free(body->heap);
	release_all(body->slices, body->slice_count);
}

size_t out_body_size(const struct out_body *body)
{
	size_t size = body->heap_size;

	for (uint32_t i = 0; i < body->slice_count; i++)
		size += body->slices[i].size;
	return size;
}

static void drop(const struct outgoing *out)
{
	free(out->heap);
	release_all(out->leases, out->lease_count);
}

/* ---- messages that cannot be read */

/* Whether zeros would be sent in place of what could not be read. */
static bool has_failed(const struct outgoing *out)
{
	if (!gantry_guard_failures())
		return false;
	for (unsigned i = 0; i < out->count; i++)
		if (gantry_guard_failed(out->parts[i].base, out->parts[i].len))
			return true;
	return false;
}

/* The system could not load these bytes. The next who asks for them is to be told, and not to come
 * back here. */
static void find_failed(const uv_buf_t *parts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		gantry_guard_touch(parts[i].base, parts[i].len);
}

/* ---- the queue */

static void unsent_free(struct unsent *unsent)
{
	free(unsent->heap);
	free(unsent->parts);
	release_all(unsent->leases, unsent->lease_count);
	free(unsent);
}

static void written(uv_write_t *write, int status)
{
	struct unsent *unsent = write->data;
	struct connection *c = unsent->connection;

	if (status == UV_EFAULT)
		find_failed(unsent->parts, unsent->count);
	c->queued -= unsent->size;
	c->left = 0;
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

static bool is_text(const struct outgoing *out, const uv_buf_t *part)
{
	return part->base >= out->text && part->base < out->text_end;
}

/* Leaves out the first taken bytes. Returns how many parts there are. */
static unsigned remaining(const struct outgoing *out, size_t taken, uv_buf_t *ret)
{
	unsigned count = 0;

	for (unsigned i = 0; i < out->count; i++) {
		uv_buf_t part = out->parts[i];

		if (taken >= part.len) {
			taken -= part.len;
			continue;
		}
		part.base += taken;
		part.len -= taken;
		taken = 0;
		ret[count++] = part;
	}
	return count;
}

static size_t text_size(const struct outgoing *out, const uv_buf_t *parts, unsigned count)
{
	size_t size = 0;

	for (unsigned i = 0; i < count; i++)
		if (is_text(out, &parts[i]))
			size += parts[i].len;
	return size;
}

/* Keeps copies of the texts, to which their parts point from here on, and the bodies themselves.
 * NULL: no memory. */
static struct unsent *keep(struct connection *c, const struct outgoing *out, uv_buf_t *parts,
			   unsigned count, size_t texts)
{
	size_t leases_at = (texts + 15) & ~(size_t)15;
	struct unsent *unsent =
		malloc(sizeof(*unsent) + leases_at + out->lease_count * sizeof(*out->leases));
	char *to;

	if (!unsent)
		return NULL;
	unsent->write.data = unsent;
	unsent->connection = c;
	unsent->heap = out->heap;
	unsent->leases = (struct gantry_slice *)(void *)(unsent->bytes + leases_at);
	unsent->lease_count = out->lease_count;
	if (out->lease_count)
		memcpy(unsent->leases, out->leases, out->lease_count * sizeof(*out->leases));
	to = unsent->bytes;
	for (unsigned i = 0; i < count; i++) {
		if (!is_text(out, &parts[i]))
			continue;
		memcpy(to, parts[i].base, parts[i].len);
		parts[i].base = to;
		to += parts[i].len;
	}
	return unsent;
}

/* Queues what follows the first taken bytes. */
static void queue(struct connection *c, const struct outgoing *out, size_t taken)
{
	uv_buf_t *parts = malloc(out->count * sizeof(*parts));
	unsigned count = parts ? remaining(out, taken, parts) : 0;
	size_t texts = text_size(out, parts, count), charged = texts;
	struct unsent *unsent = NULL;
	bool may;
	int code = UV_ENOMEM;

	if (out->heap)
		charged += out->parts[out->count - 1].len;
	may = conn_charge(c, charged);
	if (may && parts)
		unsent = keep(c, out, parts, count, texts);
	if (unsent) {
		unsent->parts = parts;
		unsent->count = count;
		unsent->charged = charged;
		unsent->size = out->size - taken;
		code = uv_write(&unsent->write, (uv_stream_t *)&c->tcp, parts, count, written);
	}
	if (code) {
		if (may)
			conn_refund(c, charged);
		drop(out);
		free(parts);
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

/* At once as far as the socket takes it. */
static void transmit(struct connection *c, const struct outgoing *out)
{
	int taken = 0;

	if (c->closed) {
		drop(out);
		return;
	}
	if (has_failed(out))
		taken = UV_EFAULT;
	else if (!c->queued)
		taken = uv_try_write((uv_stream_t *)&c->tcp, out->parts, out->count);
	if (taken == UV_EAGAIN)
		taken = 0;
	gantry_counter_add(c->lane->front->counters.out_bytes, out->size);
	if (taken < 0) {
		if (taken == UV_EFAULT)
			find_failed(out->parts, out->count);
		drop(out);
		conn_close(c);
	} else if ((size_t)taken < out->size) {
		queue(c, out, (size_t)taken);
	} else {
		drop(out);
		conn_touch(c);
	}
}

/* ---- the turn's answers */

static void flush_with(struct lane *lane, char *heap, size_t heap_size)
{
	struct connection *c = lane->connection;
	struct outgoing out = {
		.parts = lane->parts,
		.count = lane->part_count,
		.size = lane->gathered + heap_size,
		.text = lane->out,
		.text_end = lane->out + OUT_SIZE,
		.heap = heap,
		.leases = lane->leases,
		.lease_count = lane->lease_count,
	};

	if (heap)
		lane->parts[out.count++] = uv_buf_init(heap, (unsigned)heap_size);
	lane->out_used = lane->gathered = 0;
	lane->part_count = lane->lease_count = 0;
	lane->connection = NULL;
	if (out.count)
		transmit(c, &out);
}

void out_flush(struct lane *lane)
{
	flush_with(lane, NULL, 0);
}

void out_forget(struct lane *lane)
{
	release_all(lane->leases, lane->lease_count);
	lane->out_used = lane->gathered = 0;
	lane->part_count = lane->lease_count = 0;
	lane->connection = NULL;
}

/* The connection's turn, with room for one part more, and one of heap. */
static void begin_part(struct connection *c)
{
	struct lane *lane = c->lane;

	if (lane->connection != c || lane->part_count == OUT_PARTS || lane->gathered > GATHERED_MAX)
		out_flush(lane);
	lane->connection = c;
}

char *out_room(struct connection *c, size_t max)
{
	struct lane *lane = c->lane;

	if (max > OUT_SIZE)
		return NULL;
	begin_part(c);
	if (lane->out_used > OUT_SIZE - max)
		out_flush(lane);
	lane->connection = c;
	return lane->out + lane->out_used;
}

void out_used(struct connection *c, size_t size)
{
	struct lane *lane = c->lane;
	char *at = lane->out + lane->out_used;
	uv_buf_t *last = lane->part_count ? &lane->parts[lane->part_count - 1] : NULL;

	if (!size)
		return;
	if (last && last->base + last->len == at)
		last->len += size;
	else
		lane->parts[lane->part_count++] = uv_buf_init(at, (unsigned)size);
	lane->out_used += size;
	lane->gathered += size;
}

/* In order: if they do not fit into one write, an earlier one holds no lease that a later one has.
 */
void out_slices(struct connection *c, const struct out_body *body)
{
	struct lane *lane = c->lane;

	for (uint32_t i = 0; i < body->slice_count; i++) {
		const struct gantry_slice *slice = &body->slices[i];

		begin_part(c);
		if (c->closed) {
			release_all(slice, body->slice_count - i);
			return;
		}
		lane->parts[lane->part_count++] =
			uv_buf_init((char *)(uintptr_t)slice->bytes, (unsigned)slice->size);
		lane->gathered += slice->size;
		if (slice->release)
			lane->leases[lane->lease_count++] = *slice;
	}
	if (lane->gathered > lane->front->write_high)
		out_flush(lane);
}

void out_heap(struct connection *c, char *bytes, size_t size)
{
	begin_part(c);
	flush_with(c->lane, bytes, size);
}

/* ---- answers */

/* One whose header is too large for the turn's buffer. */
static void answer_large(struct connection *c, const struct remoting_header *header,
			 size_t encoded_max, const struct out_body *body)
{
	char *head = malloc(encoded_max);

	if (!head) {
		out_body_drop(body);
		conn_close(c);
		return;
	}
	out_heap(c, head, remoting_encode(header, out_body_size(body), head));
	if (body->heap)
		out_heap(c, body->heap, body->heap_size);
	out_slices(c, body);
}

static const struct out_body no_body;

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
	max = remoting_encode(header, out_body_size(body), to);
	if (copied)
		memcpy(to + max, body->heap, copied);
	out_used(c, max + copied);
	if (!copied && body->heap)
		flush_with(c->lane, body->heap, body->heap_size);
	else
		free(body->heap);
	out_slices(c, body);
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
