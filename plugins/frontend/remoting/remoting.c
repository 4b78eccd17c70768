/* SPDX-License-Identifier: Apache-2.0 */
/* The front-end that speaks RocketMQ's remoting protocol: keys, lifecycle, services. */
#include "remoting.h"

#include <errno.h>
#include <gantry/frontend.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- configuration */

#define KEY(type, field, key, ...) GANTRY_KEY(type, struct front_conf, field, key, __VA_ARGS__)

static const struct gantry_conf_item keys[] = {
	KEY(INT, port, "listenPort", .dflt = "10911", .min = 0, .max = 65535,
	    .help = "port to listen on; 0: any that is free"),
	KEY(INT, port_offset, "listenPortOffset", .dflt = "0", .min = -65535, .max = 65535,
	    .help = "added to listenPort by instances beside the main one"),
	KEY(STRING, host, "bindAddress", .dflt = "0.0.0.0", .help = "IP address to listen on"),
	KEY(INT, backlog, "serverSocketBacklog", .dflt = "1024", .min = 1, .max = 65535,
	    .unit = "connections", .help = "connections that wait to be accepted"),
	KEY(INT, idle_s, "serverChannelMaxIdleTimeSeconds", .dflt = "120", .min = 1, .max = 86400,
	    .unit = "s", .help = "a connection without traffic for so long is closed"),
	KEY(SIZE, write_high, "writeBufferHighWaterMark", .dflt = "0", .min = 0, .max = 1 << 30,
	    .unit = "bytes", .help = "a connection with more unsent bytes is not read from; 0: 4m"),
	KEY(SIZE, write_low, "writeBufferLowWaterMark", .dflt = "0", .min = 0, .max = 1 << 30,
	    .unit = "bytes",
	    .help = "until no more than this are unsent; 0: half of the high mark"),
	KEY(INT, connections_max, "maxConnections", .dflt = "65536", .min = 1, .max = 1 << 24,
	    .unit = "connections", .help = "connections open at once; more are closed at once"),
	KEY(INT, parked_max, "maxParkedRequests", .dflt = "200000", .min = 1, .max = 1 << 24,
	    .unit = "requests",
	    .help = "requests that wait (for messages, a disk, a slave); more are answered busy"),
	KEY(SIZE, buffered_max, "maxBufferedBytes", .dflt = "1g", .min = 1024 * 1024,
	    .max = INT64_C(1) << 40, .unit = "bytes",
	    .help = "memory for partial frames and unsent answers of all connections; who needs "
		    "more "
		    "is disconnected"),
	KEY(SIZE, frame_max, "maxFrameSize", .dflt = "16m", .min = 1024, .max = 1 << 30,
	    .unit = "bytes", .help = "a longer frame closes its connection"),
	KEY(SIZE, header_max, "maxHeaderSize", .dflt = "256k", .min = 1024, .max = 1 << 23,
	    .unit = "bytes", .help = "a frame with a longer header closes its connection"),
	KEY(STRING, refused, "refusedRequests", .flags = GANTRY_CONF_LIST,
	    .help = "request codes that are answered as not supported on this port"),
	{.key = NULL},
};

static int parse_code(const char *text, int32_t *ret)
{
	return remoting_parse_int32((struct gantry_str){text, strlen(text)}, ret);
}

static int check(const void *snapshot, char *why, size_t why_size)
{
	const struct front_conf *conf = snapshot;
	int64_t port = conf->port + conf->port_offset;
	int32_t code;

	if (conf->port && (port < 1 || port > 65535)) {
		snprintf(why, why_size,
			 "listenPort %" PRId64 " with listenPortOffset %" PRId64 " is no port",
			 conf->port, conf->port_offset);
		return -EINVAL;
	}
	if (conf->write_low && conf->write_high && conf->write_low > conf->write_high) {
		snprintf(why, why_size,
			 "writeBufferLowWaterMark is above writeBufferHighWaterMark");
		return -EINVAL;
	}
	if (conf->refused.count > REFUSED_MAX) {
		snprintf(why, why_size, "refusedRequests has more than %d codes", REFUSED_MAX);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < conf->refused.count; i++) {
		if (parse_code(conf->refused.at[i], &code)) {
			snprintf(why, why_size, "refusedRequests: \"%s\" is no request code",
				 conf->refused.at[i]);
			return -EINVAL;
		}
	}
	return 0;
}

/* ---- lifecycle */

enum {
	WRITE_HIGH_DEFAULT = 4 * 1024 * 1024,
	KEPT_MAX = 4096, /* descriptors */
};

static int define_counters(struct front *front)
{
	const struct {
		const char *name, *help;
		struct gantry_counter **at;
	} wanted[] = {
		{"connections_accepted", "connections accepted", &front->counters.accepted},
		{"connections_refused", "connections closed since too many were open",
		 &front->counters.turned_away},
		{"requests", "frames taken", &front->counters.requests},
		{"bytes_in", "bytes received", &front->counters.in_bytes},
		{"bytes_out", "bytes sent or queued", &front->counters.out_bytes},
		{"malformed", "connections closed for what they sent", &front->counters.malformed},
		{"busy", "requests answered busy", &front->counters.busy},
	};
	int code = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted) && !code; i++)
		code = gantry_counter_define(front->inst, wanted[i].name, wanted[i].help,
					     wanted[i].at);
	return code;
}

static int64_t count_connections(void *user)
{
	struct front *front = user;

	return front->connections;
}

/* Whoever connects must not take the descriptors that the store opens files with, nor those of
 * slaves: a quarter of the process's is theirs. */
static int descriptors_max(void)
{
	struct rlimit limit;
	rlim_t kept;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	kept = limit.rlim_cur / 4;
	return (int)(limit.rlim_cur - (kept < KEPT_MAX ? kept : KEPT_MAX));
}

static int setup(struct gantry_inst *inst)
{
	struct front *front = gantry_data(inst);
	const struct front_conf *conf = gantry_conf(inst);
	int code;

	front->inst = inst;
	front->conf = conf;
	front->descriptors_max = descriptors_max();
	front->role = gantry_find(inst, GANTRY_ROLE, NULL, &front->role_inst);
	front->limits.frame = (uint32_t)conf->frame_max;
	front->limits.header = (uint32_t)conf->header_max;
	front->write_high = conf->write_high ? (uint64_t)conf->write_high : WRITE_HIGH_DEFAULT;
	front->write_low = conf->write_low ? (uint64_t)conf->write_low : front->write_high / 2;
	front->parked_max = (uint32_t)(conf->parked_max / gantry_loop_count(inst)) + 1;
	front->refused_count = conf->refused.count;
	for (uint32_t i = 0; i < conf->refused.count; i++)
		parse_code(conf->refused.at[i], &front->refused[i]);
	code = define_counters(front);
	if (!code)
		code = gantry_gauge_define(inst, "connections", "connections open now",
					   count_connections, front);
	return code;
}

/* What every answer to a send has in common comes from the role. */
static int prepare_answers(struct front *front)
{
	const char *region = gantry_conf_text(front->inst, "regionId");
	const char *trace_on = gantry_conf_text(front->inst, "traceOn");
	struct gantry_address host = {.ip_size = 4};

	if (GANTRY_HAS(front->role, store_host))
		front->role->store_host(front->role_inst, &host);
	return remoting_send_template_init(&front->send_template, region ? region : "DefaultRegion",
					   trace_on ? trace_on : "true", &host);
}

static int start(struct gantry_inst *inst, struct gantry_op *op)
{
	struct front *front = gantry_data(inst);
	int code = prepare_answers(front);

	(void)op;
	for (unsigned i = 0; i < gantry_loop_count(inst) && !code; i++) {
		struct gantry_loop *loop = gantry_loop_at(inst, i);

		code = lane_make(gantry_loop_data(inst, loop), front, loop);
	}
	return code;
}

static int serve(struct gantry_inst *inst)
{
	struct front *front = gantry_data(inst);
	const struct front_conf *conf = front->conf;
	struct gantry_listen_spec spec = {
		.size = sizeof(spec),
		.backlog = (int32_t)conf->backlog,
		.host = conf->host,
		.port = conf->port ? (uint32_t)(conf->port + conf->port_offset) : 0,
		.accepted = conn_accepted,
		.user = front,
	};
	int code = gantry_listen(inst, &spec, &front->listener);

	if (code) {
		gantry_log(inst, ERROR, "cannot listen on %s:%u: %s", conf->host, spec.port,
			   uv_strerror(code));
		return code;
	}
	front->port = gantry_listener_port(front->listener);
	gantry_log(inst, NOTICE, "listening on %s:%u", conf->host, front->port);
	return 0;
}

/* Tells every lane to drain or to stop; op finishes when each has reported. */
static int tell_lanes(struct front *front, bool stop, struct gantry_op *op)
{
	struct rest *rest = stop ? &front->stopped : &front->drained;
	unsigned count = gantry_loop_count(front->inst);

	gantry_listener_close(front->listener);
	front->listener = NULL;
	gantry_op_take(op, NULL, NULL);
	rest->op = op;
	rest->left = count;
	for (unsigned i = 0; i < count; i++) {
		struct gantry_loop *loop = gantry_loop_at(front->inst, i);
		struct lane *lane = gantry_loop_data(front->inst, loop);

		gantry_loop_post(loop, stop ? &lane->stop_task : &lane->drain_task);
	}
	return GANTRY_PENDING;
}

static int drain(struct gantry_inst *inst, struct gantry_op *op)
{
	return tell_lanes(gantry_data(inst), false, op);
}

static int stop(struct gantry_inst *inst, struct gantry_op *op)
{
	return tell_lanes(gantry_data(inst), true, op);
}

static void free_inst(struct gantry_inst *inst)
{
	for (unsigned i = 0; i < gantry_loop_count(inst); i++)
		lane_free(gantry_loop_data(inst, gantry_loop_at(inst, i)));
}

/* ---- services */

static unsigned port(const struct gantry_inst *inst)
{
	const struct front *front = gantry_data(inst);

	return front->port;
}

static uint32_t sessions(const struct gantry_inst *inst)
{
	const struct front *front = gantry_data(inst);

	return front->connections;
}

static const struct gantry_frontend_ops ops = {
	.size = sizeof(ops),
	.port = port,
	.sessions = sessions,
};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_FRONTEND, .name = "remoting", .ops = &ops},
	{.kind = 0},
};

static const struct gantry_need needs[] = {
	{.kind = GANTRY_ROLE},
	{.kind = 0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct front_conf),
	.inst_size = sizeof(struct front),
	.loop_size = sizeof(struct lane),
	.setup = setup,
	.start = start,
	.serve = serve,
	.drain = drain,
	.stop = stop,
	.free = free_inst,
};

GANTRY_PLUGIN(frontend_remoting, "frontend-remoting", .version = "0.1", .license = "Apache-2.0",
	      .summary = "speaks RocketMQ's remoting protocol", .offers = offers, .needs = needs,
	      .keys = keys, .check = check, .life = &life)
