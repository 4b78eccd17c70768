/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of this front-end share. Three objects:
 *
 * - struct front, one for each instance: settings, the role, counters. Written by the control
 *   thread before it serves; what changes later is atomic and says so.
 * - struct lane, one for each instance and event loop: the buffers of a turn, the connections, the
 *   pools. Touched on its loop only.
 * - struct connection, one for each client: begins with the session that the role sees. Touched on
 *   its loop only, except for what is atomic and says so.
 *
 * A turn is what one read brought. Its complete frames are decoded in place; the sends among them
 * become one batch for the role, and everything answered by the end of the turn leaves in one
 * write. */
#ifndef FRONT_REMOTING_H
#define FRONT_REMOTING_H

#include <gantry/conf.h>
#include <gantry/counter.h>
#include <gantry/log.h>
#include <gantry/loop.h>
#include <gantry/plugin.h>
#include <gantry/role.h>
#include <remoting/codec.h>
#include <remoting/send_reply.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

/* Sizes in bytes, and counts. */
enum {
	IN_SIZE = 256 * 1024,      /* read at once */
	OUT_SIZE = 256 * 1024,     /* texts of one turn's answers; more than that leaves earlier */
	OUT_PARTS = 512,           /* pieces of one write: texts, and slices of the log */
	TAIL_IN_PLACE = 16 * 1024, /* a partial frame up to this is copied before the next read */
	BATCH_MAX = 256,           /* sends handed to the role at once */
	REFUSED_MAX = 32,          /* request codes that can be refused by configuration */
	ASKS_MAX = 4096,           /* of our own requests, unanswered, for each lane */
};

/* RocketMQ's request codes that this front-end decodes itself, and one of its answers. */
enum {
	CODE_SEND = 10,
	CODE_PULL = 11,
	CODE_HEARTBEAT = 34,
	CODE_UNREGISTER = 35,
	CODE_SEND_V2 = 310,
	CODE_SEND_BATCH = 320,
	CODE_LITE_PULL = 361,
	CODE_GO_AWAY = 1500,
	VERSION_KNOWS_GO_AWAY = 476, /* the first MQVersion after V5_3_1 */
};

struct front_conf {
	int64_t port, port_offset, backlog, idle_s, connections_max, frame_max, header_max;
	int64_t write_high, write_low, parked_max, buffered_max;
	const char *host;
	struct gantry_conf_list refused;
};

struct front_counters {
	struct gantry_counter *accepted, *turned_away, *requests, *in_bytes, *out_bytes, *malformed,
		*busy;
};

/* What a drain or a stop waits for. */
struct rest {
	struct gantry_op *op;  /* finished by the last lane that reports */
	_Atomic uint32_t left; /* lanes that have not reported yet */
	uint32_t reserved;
};

struct front {
	struct gantry_inst *inst;
	const struct front_conf *conf;
	const struct gantry_role_ops *role;
	struct gantry_inst *role_inst;
	struct gantry_listener *listener;
	struct front_counters counters;
	struct remoting_limits limits;
	struct remoting_send_template send_template;
	uint64_t write_high, write_low; /* bytes queued for a connection */
	uint32_t parked_max;            /* requests, of each lane */
	int32_t refused[REFUSED_MAX];
	uint32_t refused_count;
	_Atomic uint32_t connections; /* open now */
	_Atomic int64_t buffered; /* bytes of partial frames and of what sockets have not taken */
	_Atomic uint32_t port;    /* 0: not listening yet */
	_Atomic uint64_t last_id;
	struct rest drained, stopped;
	int descriptors_max; /* what it may have open when a connection is taken */
	struct gantry_log_limit malformed_limit, accept_limit, tls_limit, buffer_limit;
};

/* The links of a list, and its head. */
struct link {
	struct link *next, *previous;
};

struct connection;
struct batch;
struct ask;

struct lane {
	struct front *front;
	struct gantry_loop *loop;
	char *in, *out; /* IN_SIZE and OUT_SIZE bytes */
	struct remoting_scratch scratch;
	size_t out_used;
	struct connection *connection; /* whose answers are gathered */
	uv_buf_t *parts;               /* OUT_PARTS and 1; of out, and of slices */
	struct gantry_slice *leases;   /* OUT_PARTS; what parts stand in */
	uint32_t part_count, lease_count;
	size_t gathered;     /* bytes of parts */
	struct batch *batch; /* sends of this turn */
	struct link open;    /* connections, the longest without traffic first */
	struct link waiting; /* parked requests */
	struct ask *asks;    /* our requests that clients have not answered */
	uint32_t ask_count;
	uint32_t handles; /* connections until their handles are closed, and the alarm's */
	uint32_t parked;  /* requests that the role holds */
	uint32_t parked_sends;
	void *slots, *batches, *pulls, *calls; /* pools */
	void *slabs;                           /* their memory */
	uv_timer_t alarm;                      /* for idle connections and late asks */
	uint64_t alarm_ms;                     /* when it rings; 0: not set */
	bool alarm_made, draining, stopping;
	bool drain_told, stop_told; /* reported */
	struct gantry_task drain_task, stop_task;
};

struct connection {
	struct gantry_session session; /* first */
	struct link in_open;
	uv_tcp_t tcp;
	struct lane *lane;
	char *tail; /* what has come of a frame that is not complete */
	size_t tail_used, tail_room;
	size_t need; /* bytes that the frame in tail will have; 0: unknown */
	uint64_t traffic_ms;
	size_t left; /* of its write queue, when its time was last up */
	bool seen;   /* its first byte was looked at */
	bool paused; /* not read from, until its write queue is short */
	struct gantry_task close_task;
	_Atomic bool close_posted;
	_Atomic bool closed;            /* written on loop */
	_Atomic uint32_t holders;       /* 1 for the handle; freed at 0 */
	_Atomic uint32_t serialization; /* of its last request; written on loop */
	_Atomic int32_t opaque;         /* of our own requests */
	_Atomic uint64_t queued;        /* bytes that the socket has not taken; written on loop */
};

/* A request that the role works on: the first member of a batch, a pull, a call. */
struct parked {
	struct link in_waiting;
	struct gantry_op op;
	struct connection *connection; /* held while parked */
	int32_t opaque, version;
	uint32_t serialization;
	bool one_way;
};

/* connection.c */
void conn_accepted(struct gantry_listener *listener, struct gantry_loop *loop, int fd, void *user);
void conn_close(struct connection *c);
void conn_malformed(struct connection *c, const char *why);
/* Counts memory that a client makes us keep; false, with a log line: it may not be. */
bool conn_charge(struct connection *c, size_t bytes);
void conn_refund(struct connection *c, size_t bytes);
void conn_touch(struct connection *c);  /* there was traffic */
void conn_resume(struct connection *c); /* its write queue is short again */
void conn_hold(struct connection *c);
void conn_release(struct connection *c);

/* lane.c */
int lane_make(struct lane *lane, struct front *front, struct gantry_loop *loop);
void lane_free(struct lane *lane);
int lane_alarm_make(struct lane *lane);
void lane_alarm_by(struct lane *lane, uint64_t at_ms); /* rings no later */
void lane_report(struct lane *lane); /* something ended that a drain or a stop may wait for */
/* Parking holds the connection; who unparks releases it when it needs it no more. */
void park(struct lane *lane, struct parked *parked, uint32_t requests);
void unpark(struct lane *lane, struct parked *parked, uint32_t requests);
void list_append(struct link *list, struct link *item);
void list_remove(struct link *item);

/* turn.c: takes complete frames and answers; returns how many bytes they were. */
size_t turn_run(struct connection *c, const char *bytes, size_t size);

/* send.c, pull.c, call.c, heartbeat.c: one request each */
void send_take(struct connection *c, const struct remoting_header *header, struct gantry_str body);
void send_flush(struct lane *lane); /* hands the turn's sends to the role */
void pull_take(struct connection *c, const struct remoting_header *header);
void call_take(struct connection *c, const struct remoting_header *header, struct gantry_str body);
void heartbeat_take(struct connection *c, const struct remoting_header *header,
		    struct gantry_str body);
void unregister_take(struct connection *c, const struct remoting_header *header);

/* fields.c: what the fields of a request are called */
struct field_name {
	const char *name;
	uint8_t size, key; /* key: what the caller's switch knows it by */
	bool required;
};
#define FIELD(key_, name_, required_)                                                              \
	{                                                                                          \
		name_, sizeof(name_) - 1, key_, required_                                          \
	}
enum { FIELD_NAMES_MAX = 32 };
/* The key of a field, -1 for one that is not in names. */
int field_key(const struct field_name *names, uint32_t count, struct gantry_str name);
/* Whether all that are required stand in seen (bit i: names[i]); otherwise why says which lacks, as
 * Java says it. */
bool fields_complete(const struct field_name *names, uint32_t count, uint32_t seen, char *why,
		     size_t why_size);

/* session.c */
extern const struct gantry_session_ops session_ops;
void ask_answered(struct connection *c, const struct remoting_header *header,
		  struct gantry_str body);
void asks_of_closed(struct connection *c);
/* Ends those that are late; returns the next deadline, UINT64_MAX for none. */
uint64_t asks_late(struct lane *lane, uint64_t now_ms);

/* out.c: what is sent. Room for max bytes in the turn's write; NULL if it can never have so many.
 * out_used says how many were taken. */
char *out_room(struct connection *c, size_t max);
void out_used(struct connection *c, size_t size);
void out_flush(struct lane *lane);
void out_forget(struct lane *lane); /* what is gathered is not sent: its connection is closed */
struct out_body {   /* what follows a header without being copied; given away with the call */
	char *heap; /* to be freed */
	size_t heap_size;
	const struct gantry_slice *slices; /* to be released in order; the array is borrowed */
	uint32_t slice_count;
};
void out_body_drop(const struct out_body *body);
size_t out_body_size(const struct out_body *body);
/* Gives the body's slices away behind a header that was written with out_room() and out_used(). */
void out_slices(struct connection *c, const struct out_body *body);
/* Answers; header has code, remark and fields, the rest is filled in here. body may be NULL. */
void out_answer(struct connection *c, const struct parked *request, struct remoting_header *header,
		const struct out_body *body);
/* An answer of code and remark alone; remark NULL: none. Nothing to a one-way request. */
void out_code(struct connection *c, const struct remoting_header *request, int32_t code,
	      const char *remark);
void out_not_supported(struct connection *c, const struct remoting_header *request);
/* Sends bytes from malloc; they are the connection's from here on. */
void out_heap(struct connection *c, char *bytes, size_t size);

/* pool.c: records of one size, made in slabs and kept until the lane is freed. NULL: no memory. */
void *pool_take(struct lane *lane, void **pool, size_t size);
void pool_give(void **pool, void *record);
void pool_free_slabs(struct lane *lane);

#endif
