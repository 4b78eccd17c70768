/* SPDX-License-Identifier: Apache-2.0 */
/* The session that the role sees: one-way pushes, asks that are answered, closing. From another
 * thread they are encoded there and posted to the connection's loop. */
#include "remoting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A request of ours that waits for its answer; in the lane's list. */
struct ask {
	struct ask *next;
	struct connection *connection;
	struct gantry_op *op;
	struct gantry_answer *answer;
	uint64_t deadline_ms; /* UINT64_MAX: none */
	int32_t opaque;
	int32_t reserved;
};

/* Bytes, and maybe an ask, on their way to the connection's loop. */
struct letter {
	struct gantry_task task;
	struct connection *connection; /* held */
	struct ask *ask;
	char *bytes;
	size_t size;
};

static struct connection *connection_of(struct gantry_session *session)
{
	return (struct connection *)(void *)session;
}

static bool is_here(const struct connection *c)
{
	return gantry_loop_here() == c->lane->loop;
}

/* ---- asks */

static void ask_end(struct lane *lane, struct ask **place, int status)
{
	struct ask *ask = *place;
	struct gantry_op *op = ask->op;

	*place = ask->next;
	lane->ask_count--;
	free(ask);
	gantry_op_finish(op, status, 0);
}

void asks_of_closed(struct connection *c)
{
	struct ask **place = &c->lane->asks;

	while (*place) {
		if ((*place)->connection == c)
			ask_end(c->lane, place, -EPIPE);
		else
			place = &(*place)->next;
	}
}

uint64_t asks_late(struct lane *lane, uint64_t now_ms)
{
	struct ask **place = &lane->asks;
	uint64_t due = UINT64_MAX;

	while (*place) {
		uint64_t deadline = (*place)->deadline_ms;

		if (deadline <= now_ms) {
			ask_end(lane, place, -ETIMEDOUT);
			continue;
		}
		if (deadline < due)
			due = deadline;
		place = &(*place)->next;
	}
	return due;
}

static int copy_body(struct gantry_str body, char **ret)
{
	char *copy = NULL;

	if (body.size) {
		copy = malloc(body.size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, body.at, body.size);
	}
	*ret = copy;
	return 0;
}

void ask_answered(struct connection *c, const struct remoting_header *header,
		  struct gantry_str body)
{
	struct ask **place = &c->lane->asks;
	struct ask *ask;
	int code;

	while (*place && ((*place)->connection != c || (*place)->opaque != header->opaque))
		place = &(*place)->next;
	ask = *place;
	if (!ask) /* too late */
		return;
	code = copy_body(body, &ask->answer->body);
	if (!code) {
		ask->answer->code = header->code;
		ask->answer->body_size = (uint32_t)body.size;
	}
	ask_end(c->lane, place, code);
}

/* On the loop. */
static void ask_begin(struct connection *c, struct ask *ask)
{
	struct lane *lane = c->lane;

	ask->next = lane->asks;
	lane->asks = ask;
	lane->ask_count++;
	if (ask->deadline_ms != UINT64_MAX)
		lane_alarm_by(lane, ask->deadline_ms);
}

/* ---- sending */

/* On the loop. Takes bytes and ask. */
static void send_here(struct connection *c, char *bytes, size_t size, struct ask *ask)
{
	if (ask && (c->closed || c->lane->ask_count >= ASKS_MAX)) {
		gantry_op_finish(ask->op, c->closed ? -EPIPE : -ENOBUFS, 0);
		free(ask);
		free(bytes);
		return;
	}
	if (ask)
		ask_begin(c, ask);
	out_heap(c, bytes, size);
}

static void letter_arrived(struct gantry_task *task)
{
	struct letter *letter = task->user;
	struct connection *c = letter->connection;

	send_here(c, letter->bytes, letter->size, letter->ask);
	free(letter);
	conn_release(c);
}

static int encode(struct connection *c, const struct gantry_push *push, int32_t opaque,
		  int32_t flag, char **ret, size_t *ret_size)
{
	struct remoting_header header = {
		.code = push->code,
		.language = REMOTING_JAVA,
		.version = REMOTING_VERSION,
		.opaque = opaque,
		.flag = flag,
		.serialization = c->serialization,
		.fields = push->fields,
		.field_count = push->field_count,
	};
	char *bytes = malloc(remoting_encoded_max(&header) + push->body.size);
	size_t size;

	if (!bytes)
		return -ENOMEM;
	size = remoting_encode(&header, push->body.size, bytes);
	if (push->body.size)
		memcpy(bytes + size, push->body.at, push->body.size);
	*ret = bytes;
	*ret_size = size + push->body.size;
	return 0;
}

/* Encodes, and sends or posts. Takes ask if it returns 0. */
static int deliver(struct connection *c, const struct gantry_push *push, int32_t opaque,
		   int32_t flag, struct ask *ask)
{
	struct letter *letter;
	char *bytes;
	size_t size;
	int code;

	if (c->closed)
		return -EPIPE;
	/* one that is larger than the mark by itself may pass when nothing is before it */
	if (c->queued && c->queued + push->body.size > c->lane->front->write_high)
		return -ENOBUFS;
	code = encode(c, push, opaque, flag, &bytes, &size);
	if (code)
		return code;
	if (is_here(c)) {
		send_here(c, bytes, size, ask);
		return 0;
	}
	letter = malloc(sizeof(*letter));
	if (!letter) {
		free(bytes);
		return -ENOMEM;
	}
	*letter = (struct letter){.task = {.run = letter_arrived, .user = letter},
				  .connection = c,
				  .ask = ask,
				  .bytes = bytes,
				  .size = size};
	conn_hold(c);
	gantry_loop_post(c->lane->loop, &letter->task);
	return 0;
}

static int push(struct gantry_session *session, const struct gantry_push *what)
{
	struct connection *c = connection_of(session);
	int32_t opaque = atomic_fetch_add(&c->opaque, 1);

	return deliver(c, what, opaque, REMOTING_ONE_WAY, NULL);
}

static int ask(struct gantry_session *session, const struct gantry_push *what,
	       struct gantry_answer *ret, struct gantry_op *op)
{
	struct connection *c = connection_of(session);
	struct ask *asked = malloc(sizeof(*asked));
	int code;

	if (!asked)
		return -ENOMEM;
	*asked = (struct ask){.connection = c,
			      .op = op,
			      .answer = ret,
			      .deadline_ms = op->deadline_ms ? op->deadline_ms : UINT64_MAX,
			      .opaque = atomic_fetch_add(&c->opaque, 1)};
	/* From here on the op may be finished by the loop at any moment. */
	gantry_op_take(op, NULL, NULL);
	code = deliver(c, what, asked->opaque, 0, asked);
	if (code) {
		free(asked);
		gantry_op_finish(op, code, 0);
	}
	return GANTRY_PENDING;
}

/* ---- closing, counting */

static void close_arrived(struct gantry_task *task)
{
	struct connection *c = task->user;

	conn_close(c);
	conn_release(c);
}

static void close_session(struct gantry_session *session)
{
	struct connection *c = connection_of(session);

	if (c->closed || atomic_exchange(&c->close_posted, true))
		return;
	c->close_task = (struct gantry_task){.run = close_arrived, .user = c};
	conn_hold(c);
	gantry_loop_post(c->lane->loop, &c->close_task);
}

static void hold(struct gantry_session *session)
{
	conn_hold(connection_of(session));
}

static void release(struct gantry_session *session)
{
	conn_release(connection_of(session));
}

const struct gantry_session_ops session_ops = {
	.size = sizeof(session_ops),
	.push = push,
	.ask = ask,
	.close = close_session,
	.hold = hold,
	.release = release,
};
