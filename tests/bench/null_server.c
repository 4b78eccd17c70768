/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of the benchmark: a server that speaks remoting on libuv, one thread, answers every
 * request with a fixed valid response, and stores nothing. What it costs is what sockets and frames
 * cost; what a broker costs beyond it is the broker.
 *
 *   null_server PORT BATCH SIZE [fan]   on 127.0.0.1; a pull gets BATCH records of SIZE bytes
 *
 * A pull that may be suspended waits for the next send and gets that message (with fan, all that
 * wait get it): the floor of producer-to-consumer latency. */
#include <endian.h>
#include <errno.h>
#include <message/record.h>
#include <remoting/codec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "../../cli/bench/reply.h"

enum {
	ROOM = 256 * 1024,
	KEPT_MAX = 4 * 1024 * 1024, /* bytes that wait for a waiter */
	WAITERS = 16384,
	PULL = 11,
	HEART_BEAT = 34,
	SEND = 310,
	MAX_OFFSET = 30,
	OPAQUE_DIGITS = 10,
	SUSPEND = 2,
};

struct answer { /* a header that is always the same but for its opaque's digits */
	char frame[1024];
	uint32_t size, opaque;
};

struct server {
	uv_loop_t loop;
	uv_tcp_t listener;
	struct answer sent, bound, zero, found;
	uint8_t *records; /* the body of every pull */
	size_t records_size;
	struct waiter { /* suspended pulls, the oldest first */
		struct connection *connection;
		int32_t opaque;
	} waiters[WAITERS];
	uint32_t waiter_count;
	uint8_t kept[KEPT_MAX]; /* records that came while nobody waited */
	size_t kept_size;
	int held_once;    /* somebody waits: messages are kept */
	uint32_t members; /* who has said that it will wait: so, too */
	int fan;          /* all that wait get each message */
};

struct connection {
	uv_tcp_t tcp;
	struct server *server;
	struct reply_hint hint;
	int is_member;
	size_t in_size, out_size, out_room;
	char *out;
	char in[ROOM];
};

/* ---- answers */

static void make_answer(struct answer *answer, const char *const (*pairs)[2], uint32_t count)
{
	struct gantry_field fields[8];
	char digits[] = "1999999999";
	for (uint32_t i = 0; i < count; i++)
		fields[i] = (struct gantry_field){{pairs[i][0], strlen(pairs[i][0])},
						  {pairs[i][1], strlen(pairs[i][1])}};
	struct remoting_header header = {.flag = REMOTING_RESPONSE,
					 .opaque = 1999999999,
					 .version = REMOTING_VERSION,
					 .fields = fields,
					 .field_count = count};
	answer->size = (uint32_t)remoting_encode(&header, 0, answer->frame);
	answer->opaque =
		(uint32_t)((char *)memmem(answer->frame, answer->size, digits, OPAQUE_DIGITS) -
			   answer->frame);
}

static void make_answers(struct server *s)
{
	static const char *const sent[][2] = {{"msgId", "7F00000100002A9F0000000000000000"},
					      {"queueId", "0"},
					      {"queueOffset", "1234567"},
					      {"TRACE_ON", "true"},
					      {"MSG_REGION", "DefaultRegion"}};
	static const char *const zero[][2] = {{"offset", "0"}};
	static const char *const bound[][2] = {{"offset", "1000000"}};
	static const char *const found[][2] = {{"suggestWhichBrokerId", "0"},
					       {"nextBeginOffset", "0"},
					       {"minOffset", "0"},
					       {"maxOffset", "1000000"}};
	make_answer(&s->sent, sent, 5);
	make_answer(&s->zero, zero, 1);
	make_answer(&s->bound, bound, 1);
	make_answer(&s->found, found, 4);
}

static struct message_draft draft_of(const void *body, size_t size)
{
	struct message_draft draft = {.topic = {"gantry_bench", 12},
				      .body = {body, size},
				      .properties = {{"TAGS\001a\002", 7}},
				      .part_count = 1,
				      .born_host = {.ip = {127, 0, 0, 1}, .ip_size = 4},
				      .store_host = {.ip = {127, 0, 0, 1}, .ip_size = 4}};
	message_draft_finish(&draft);
	return draft;
}

static int make_records(struct server *s, uint32_t count, uint32_t size)
{
	char *body = calloc(1, size);
	struct message_draft draft = draft_of(body, size);
	s->records_size = (size_t)count * draft.size;
	s->records = malloc(s->records_size);
	if (!body || !s->records)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		message_record_write(&draft, s->records + (size_t)i * draft.size, i, 0, 0);
	free(body);
	return 0;
}

/* ---- writing */

struct late_write {
	uv_write_t request;
	char bytes[];
};

static void on_late(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

static void flush(struct connection *c)
{
	uv_buf_t buffer = uv_buf_init(c->out, (unsigned)c->out_size);
	if (!c->out_size)
		return;
	int n = uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
	size_t done = n > 0 ? (size_t)n : 0;
	struct late_write *late =
		done < c->out_size ? malloc(sizeof(*late) + c->out_size - done) : NULL;
	if (late) {
		memcpy(late->bytes, c->out + done, c->out_size - done);
		buffer = uv_buf_init(late->bytes, (unsigned)(c->out_size - done));
		if (uv_write(&late->request, (uv_stream_t *)&c->tcp, &buffer, 1, on_late))
			free(late);
	}
	c->out_size = 0;
}

static void append(struct connection *c, const void *bytes, size_t size)
{
	if (c->out_size + size > c->out_room) {
		size_t room = (c->out_size + size) * 2;
		char *larger = realloc(c->out, room);
		if (!larger)
			abort();
		c->out = larger;
		c->out_room = room;
	}
	memcpy(c->out + c->out_size, bytes, size);
	c->out_size += size;
}

static void put_answer(struct connection *c, const struct answer *answer, int32_t opaque,
		       const void *body, size_t body_size)
{
	append(c, answer->frame, answer->size);
	char *frame = c->out + c->out_size - answer->size;
	for (int i = OPAQUE_DIGITS; i-- > 0; opaque /= 10) /* blanks before a number are JSON */
		frame[answer->opaque + (uint32_t)i] = opaque ? (char)('0' + opaque % 10) : ' ';
	if (body_size) {
		uint32_t length = htobe32((uint32_t)(answer->size + body_size - 4));
		memcpy(frame, &length, sizeof(length));
		append(c, body, body_size);
	}
}

/* ---- requests */

/* Hands what was kept to the one that waited longest. */
static void deliver(struct server *s)
{
	if (!s->waiter_count || !s->kept_size)
		return;
	struct waiter first = s->waiters[0];
	s->waiter_count--;
	memmove(s->waiters, s->waiters + 1, s->waiter_count * sizeof(first));
	put_answer(first.connection, &s->found, first.opaque, s->kept, s->kept_size);
	s->kept_size = 0;
	flush(first.connection);
}

static void deliver_to_all(struct server *s)
{
	uint32_t count = s->waiter_count;
	s->waiter_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct waiter *waiter = &s->waiters[i];
		put_answer(waiter->connection, &s->found, waiter->opaque, s->kept, s->kept_size);
		flush(waiter->connection);
	}
	s->kept_size = 0;
}

static void keep(struct server *s, struct gantry_str body)
{
	struct message_draft draft = draft_of(body.at, body.size);
	if ((!s->held_once && !s->members) || s->kept_size + draft.size > KEPT_MAX)
		return;
	message_record_write(&draft, s->kept + s->kept_size, 0, 0, 0);
	s->kept_size += draft.size;
	if (s->fan)
		deliver_to_all(s);
	else
		deliver(s);
}

static void hold(struct connection *c, int32_t opaque)
{
	struct server *s = c->server;
	s->held_once = 1;
	if (s->waiter_count < WAITERS)
		s->waiters[s->waiter_count++] = (struct waiter){c, opaque};
	deliver(s);
}

static void take_request(struct connection *c, const struct remoting_frame *frame)
{
	struct server *s = c->server;
	struct reply request;
	if (reply_read(frame, &c->hint, &request))
		return;
	switch (request.code) {
	case SEND:
		put_answer(c, &s->sent, request.opaque, NULL, 0);
		keep(s, frame->body);
		break;
	case PULL:
		if (reply_field(frame, "sysFlag", 0) & SUSPEND)
			hold(c, request.opaque);
		else
			put_answer(c, &s->found, request.opaque, s->records, s->records_size);
		break;
	case HEART_BEAT:
		s->members += !c->is_member;
		c->is_member = 1;
		put_answer(c, &s->zero, request.opaque, NULL, 0);
		break;
	default:
		put_answer(c, request.code == MAX_OFFSET ? &s->bound : &s->zero, request.opaque,
			   NULL, 0);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;
	free(c->out);
	free(c);
}

static void end_connection(struct connection *c)
{
	struct server *s = c->server;
	uint32_t left = 0;
	for (uint32_t i = 0; i < s->waiter_count; i++)
		if (s->waiters[i].connection != c)
			s->waiters[left++] = s->waiters[i];
	s->waiter_count = left;
	s->held_once = left > 0;
	s->members -= c->is_member;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
	struct connection *c = handle->data;
	(void)wanted;
	*ret = uv_buf_init(c->in + c->in_size, (unsigned)(ROOM - c->in_size));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct connection *c = stream->data;
	struct remoting_frame frame;
	size_t at = 0;
	(void)buffer;
	if (n < 0) {
		end_connection(c);
		return;
	}
	c->in_size += (size_t)n;
	while (remoting_frame_cut(NULL, c->in + at, c->in_size - at, &frame, NULL) == 0) {
		take_request(c, &frame);
		at += frame.size;
	}
	c->in_size -= at;
	memmove(c->in, c->in + at, c->in_size);
	flush(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct server *s = listener->data;
	struct connection *c = status == 0 ? malloc(sizeof(*c)) : NULL;
	if (!c)
		return;
	memset(c, 0, offsetof(struct connection, in));
	c->server = s;
	uv_tcp_init(&s->loop, &c->tcp);
	c->tcp.data = c;
	uv_accept(listener, (uv_stream_t *)&c->tcp);
	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, on_room, on_read);
}

static int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);
	return *end || value < 1 || value > 1 << 20 ? -1 : (int)value;
}

int main(int argc, char **argv)
{
	static struct server server;
	struct sockaddr_in address;
	server.fan = argc == 5 && strcmp(argv[4], "fan") == 0;
	int port = argc == 4 + server.fan ? number(argv[1]) : -1;
	int batch = port < 0 ? -1 : number(argv[2]);
	int size = port < 0 ? -1 : number(argv[3]);
	if (port < 0 || batch < 0 || size < 0) {
		fprintf(stderr, "usage: null_server PORT BATCH SIZE [fan]\n");
		return 2;
	}
	make_answers(&server);
	uv_loop_init(&server.loop);
	uv_tcp_init(&server.loop, &server.listener);
	server.listener.data = &server;
	uv_ip4_addr("127.0.0.1", port, &address);
	int failed = make_records(&server, (uint32_t)batch, (uint32_t)size);
	failed = failed ? failed
			: uv_tcp_bind(&server.listener, (const struct sockaddr *)&address, 0);
	failed = failed ? failed : uv_listen((uv_stream_t *)&server.listener, 128, on_connection);
	if (failed) {
		fprintf(stderr, "null_server: %s\n", uv_strerror(failed));
		return 1;
	}
	uv_run(&server.loop, UV_RUN_DEFAULT);
	return 0;
}
