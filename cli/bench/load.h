/* SPDX-License-Identifier: Apache-2.0 */
/* The load generator: one thread, epoll, no memory taken per request.
 *
 * A wire is one connection with a fixed number of slots; a slot is a request in flight. What is
 * asked, and what an answer means, is the wire's kind. Closed loop (no rate): every free slot asks
 * at once. Open loop: requests are due at fixed times, whatever the server does, and a latency
 * counts from when its request was due, so that a slow server cannot hide what it kept waiting
 * (coordinated omission). */
#ifndef CLI_BENCH_LOAD_H
#define CLI_BENCH_LOAD_H

#include <stdbool.h>

#include "../ask.h"
#include "histogram.h"
#include "reply.h"
#include "prebuilt.h"
#include "usage.h"

GANTRY_BEGIN

struct load;
struct wire;

enum load_mode { LOAD_SEND, LOAD_PULL, LOAD_LATENCY, LOAD_ROUTE };

struct load_conf {
	enum load_mode mode;
	const char *topic, *group;
	uint32_t connections, in_flight, size, batch;
	uint32_t topics; /* 1, or sends and route queries go to so many: the name, _ and a number */
	uint64_t rate;   /* requests a second; 0: closed loop */
	uint64_t count;  /* requests that are measured; 0: the time decides */
	uint64_t duration_ns, warmup_ns;
	bool spin; /* never sleeps */
	int pid;   /* a process on this machine whose cost is reported; 0: none */
};

struct slot { /* a request in flight, or a free one */
	uint64_t due_ns;
	int64_t offset; /* pulls: where the next one starts */
	int32_t opaque;
	uint32_t queue; /* index into load.queues */
	bool busy;
};

struct load_queue { /* a queue of a topic, and the broker that has it */
	const char *topic;
	uint32_t target;
	uint32_t next; /* the next queue of the same broker, in a circle */
	int32_t queue;
	int64_t start, end; /* pulls: where they begin, and what was there then */
	struct prebuilt send;
};

struct wire_kind {
	/* Writes the slot's request, at most wire->frame_max bytes; returns them. */
	size_t (*ask)(struct load *load, struct wire *wire, struct slot *slot, uint8_t *to);
	/* Takes an answer; what it needs of the body it copies. */
	void (*answer)(struct load *load, struct slot *slot, const struct remoting_frame *frame,
		       const struct reply *reply);
	bool counted; /* what it asks is what is paced, counted and limited */
};
extern const struct wire_kind load_sender, load_puller, load_waiter, load_router;

enum { LOAD_PULL_FRAME_MAX = 4096 }; /* a pull request with the longest names */
enum { LOAD_ROUTE_FRAME_MAX = 1024 };

struct wire {
	const struct wire_kind *kind;
	int fd;
	uint32_t target;
	uint32_t slot_count, free_count;
	struct slot *slots;
	uint32_t *free; /* indices of the slots that are free; a stack */
	uint8_t *in, *out;
	size_t in_room, in_size, out_room, out_size, out_sent;
	size_t frame_max;
	uint32_t turn;  /* of opaques */
	uint32_t queue; /* sends: of the next one */
	bool wants_out, dirty;
};

struct load_counts {
	uint64_t asked, answered, messages, bytes, refused;
};

struct load {
	const struct load_conf *conf;
	int epoll;
	struct wire *wires;
	uint32_t wire_count, next_wire, paced_count;
	uint32_t *dirty; /* wires with unsent bytes */
	uint32_t dirty_count;
	const char *const *targets; /* broker addresses */
	struct link **links; /* one to each, for questions; kept open: the group lives there */
	uint32_t target_count;
	struct ask_member member; /* pulls: what the brokers were told */
	char **topics;            /* conf.topics names; NULL: conf.topic is the only one */
	struct load_queue *queues;
	uint32_t queue_count;
	struct reply_hint hint;
	uint64_t now_ns;             /* monotonic; read once per turn and wire */
	int64_t wall_ms;             /* wall clock, likewise */
	uint64_t begin_ns;           /* when the first request is due */
	uint64_t rate_ns, rate_from; /* open loop: when which request was due */
	bool rate_begins;            /* since then nothing has been asked for */
	uint64_t measure_ns, end_ns;
	uint64_t started, refused; /* requests since begin_ns, of counted kinds */
	uint64_t mark;             /* of this run, in stamped bodies */
	uint32_t unique;           /* last digits of the messages' unique keys */
	bool measuring, stopping;
	uint64_t shown_ns, heartbeat_ns; /* when last: progress shown, heartbeats sent */
	struct load_counts counts;       /* since measure_ns, last answers included */
	struct load_counts
		window;        /* what is reported: in mode latency the same, else until end_ns */
	uint64_t delivered;    /* latency mode: stamped messages that came, warm-up included */
	char refused_why[256]; /* the header of the first refusal */
	struct histogram latency; /* nanoseconds */
	struct usage pid_before, pid_after, self_before, self_after;
	uint64_t measured_ns; /* how long was measured */
};

/* Makes wires and connects them. An exit code, after saying what failed. */
int load_connect(struct load *load);
/* Runs to the end of the count or the time. */
int load_run(struct load *load);
void load_close(struct load *load); /* frees what load_connect made; zeroed is fine */

/* Records the time from due_ns until now. */
void load_timed(struct load *load, uint64_t due_ns);
/* Counts a refusal and keeps the first one's text. */
void load_refused(struct load *load, const struct remoting_frame *frame);

/* ---- wire.c, for load.c */

int wire_open(struct load *load, struct wire *wire, const struct wire_kind *kind, uint32_t target,
	      uint32_t slots, size_t frame_max);
void wire_close(struct wire *wire);
/* Asks with one free slot if there is one and room for its frame. */
bool wire_ask(struct load *load, struct wire *wire, uint64_t due_ns);
/* Sends what is written. 0, or a negative errno. */
int wire_flush(struct load *load, struct wire *wire);
/* Reads once and takes every whole answer. 0, or a negative errno (-EPIPE: closed). */
int wire_read(struct load *load, struct wire *wire);

uint64_t load_clock_ns(void);

GANTRY_END
#endif
