/* SPDX-License-Identifier: Apache-2.0 */
/* Front-ends: a wire protocol each. A front-end listens, decodes, calls the role (role.h), encodes
 * the answer, and keeps no message state. What it gives the role is the client session: one
 * connected client, to which the role may push and of which it may ask. */
#ifndef GANTRY_FRONTEND_H
#define GANTRY_FRONTEND_H

#include <gantry/base.h>
#include <gantry/op.h>

GANTRY_BEGIN

struct gantry_session;

/* One name and value of a request, reply or push. */
struct gantry_field {
	struct gantry_str name, value;
};

/* What the role sends a client of its own accord. code is RocketMQ's request code for it
 * (NOTIFY_CONSUMER_IDS_CHANGED 40, ...); other protocols translate or drop it. All of it is
 * borrowed during the call only. */
struct gantry_push {
	int32_t code;
	uint32_t field_count;
	const struct gantry_field *fields;
	struct gantry_str body;
};

/* A client's answer to an ask. body belongs to the answer's receiver, who frees it with free(). */
struct gantry_answer {
	int32_t code;
	uint32_t body_size;
	char *body;
};

struct gantry_session_ops {
	uint32_t size;
	uint32_t reserved;
	/* Sends and forgets. -EPIPE: the client is gone; -ENOBUFS: it does not read; -ENOTSUP: the
	 * protocol has no such thing. Any thread. */
	int (*push)(struct gantry_session *, const struct gantry_push *);
	/* Sends and waits for the answer, at most until op's deadline; ret is filled before op
	 * finishes with status 0. Any thread. */
	int (*ask)(struct gantry_session *, const struct gantry_push *, struct gantry_answer *ret,
		   struct gantry_op *op);
	/* Closes the connection; gone() follows. Any thread. */
	void (*close)(struct gantry_session *);
	/* A session is counted: whoever keeps a pointer past the call that gave it holds it. push
	 * and ask on a held session whose client is gone answer -EPIPE. Any thread. */
	void (*hold)(struct gantry_session *);
	void (*release)(struct gantry_session *);
};

/* Owned by the front-end; read-only for the role except for role_data. */
struct gantry_session {
	const struct gantry_session_ops *ops;
	struct gantry_loop *loop; /* the connection lives here */
	struct gantry_inst *frontend;
	void *role_data; /* the role's; touched on loop only; NULL at first */
	uint64_t id;     /* unique in the process */
	struct gantry_address peer, local;
};

/* The vtable of a GANTRY_FRONTEND service: what an administrator asks of it. */
struct gantry_frontend_ops {
	uint32_t size;
	uint32_t reserved;
	unsigned (*port)(const struct gantry_inst *);     /* that it listens on; 0: not yet */
	uint32_t (*sessions)(const struct gantry_inst *); /* open now */
};

GANTRY_END
#endif
